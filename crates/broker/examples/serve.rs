//! A Kafka door over a directory: `cargo run -p broker --example serve -- DIR [ADDR [NAME=VALUE ...]]`, the settings being
//! those of groups that tests want shorter than a broker does.
//!
//! Prints the address it listens on and serves until Ctrl-C or SIGTERM.

#![allow(clippy::print_stdout, reason = "the address is what the caller wants to read")]

use std::net::SocketAddr;
use std::path::PathBuf;

use broker::{Broker, Config};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or("which directory?")?);
    let addr: SocketAddr = arguments.next().as_deref().unwrap_or("127.0.0.1:0").parse()?;
    let env = env::Env::real();
    let (topics, recovered) = topics::Topics::open(topics::Config::new(dir), env.clone())?;
    topics.start_cleaner()?;
    let mut config = Config { addr, ..Config::default() };
    for setting in arguments {
        set(&mut config.groups, &setting)?;
    }
    let broker = Broker::bind(config, topics.clone(), env).await?;
    println!("{}", broker.local_addr());
    for finding in recovered.findings {
        println!("{finding}");
    }

    let (stop, stopped) = watch::channel(false);
    let running = tokio::spawn(broker.run(stopped));
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted?,
        _ = terminated.recv() => {}
    }
    stop.send_replace(true);
    running.await?;
    topics.close()?;
    Ok(())
}

fn set(groups: &mut groups::Config, setting: &str) -> Result<(), Box<dyn std::error::Error>> {
    let (name, value) = setting.split_once('=').ok_or("a setting is NAME=VALUE")?;
    let place = match name {
        "group.initial.rebalance.delay.ms" => &mut groups.initial_rebalance_delay_ms,
        "group.consumer.session.timeout.ms" => &mut groups.consumer_session_timeout_ms,
        "group.consumer.heartbeat.interval.ms" => &mut groups.consumer_heartbeat_interval_ms,
        _ => return Err(format!("{name} cannot be set here").into()),
    };
    *place = value.parse()?;
    Ok(())
}
