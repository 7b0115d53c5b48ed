//! `pelton serve`: every door open, until SIGTERM or Ctrl-C.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use pelton::{Config, Door, Ready, Server};
use tokio::signal::unix::{SignalKind, signal};

use crate::terminal;

/// Flags of `serve`. Of one given twice the last counts, so that a wrapper's can be overruled.
#[derive(clap::Args)]
#[command(args_override_self = true)]
pub(crate) struct Args {
    /// Where topics, queries and models live [default: ./pelton-data]
    #[arg(long, env = "PELTON_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Kafka door, HOST:PORT or off [default: 127.0.0.1:9092]
    #[arg(long, env = "PELTON_KAFKA", value_name = "ADDR")]
    kafka: Option<String>,
    /// HTTP door, HOST:PORT or off [default: 127.0.0.1:8080]
    #[arg(long, env = "PELTON_HTTP", value_name = "ADDR")]
    http: Option<String>,
    /// Spark Connect door, HOST:PORT or off [default: 127.0.0.1:15002]
    #[arg(long, env = "PELTON_CONNECT", value_name = "ADDR")]
    connect: Option<String>,
    /// HBase Thrift door; this version has none, so an address is ignored with a warning
    #[arg(long, env = "PELTON_THRIFT", value_name = "ADDR")]
    thrift: Option<String>,
    /// Configuration file [default: ./pelton.toml if it exists]
    #[arg(long, env = "PELTON_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Write the doors' addresses here as JSON, once all are open
    #[arg(long, env = "PELTON_READY_FILE", value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Let doors listen beyond loopback; nothing asks who is there
    #[arg(long, env = "PELTON_LISTEN_BEYOND_LOOPBACK")]
    listen_beyond_loopback: bool,
    /// Print the effective configuration and end
    #[arg(long)]
    print_config: bool,
}

/// Runs the server until it is told to stop.
pub(crate) fn run(args: Args) -> anyhow::Result<ExitCode> {
    init_logs("info");
    warn_absent_door("HBase Thrift", args.thrift.as_deref());
    let ready_file = args.ready_file.clone();
    let print_config = args.print_config;
    let config = effective(args)?;
    if print_config {
        terminal::say(toml::to_string(&config).context("print the configuration")?.trim_end());
        return Ok(ExitCode::SUCCESS);
    }
    raise_open_files();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .thread_name("door")
        .enable_all()
        .build()
        .context("start the doors' runtime")?;
    runtime.block_on(serve(config, ready_file.as_deref()))
}

async fn serve(config: Config, ready_file: Option<&Path>) -> anyhow::Result<ExitCode> {
    // Handlers first: a signal during the start must not kill a half-open log.
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for Ctrl-C")?;
    let server = Server::builder().config(config).start().await?;
    let ready = server.ready();
    if let Some(path) = ready_file {
        let text = serde_json::to_vec(&ready).context("write the ready file")?;
        env::write_atomically(&env::RealDisk::new(), path, &text)
            .with_context(|| format!("write the ready file {}", path.display()))?;
    }
    terminal::say(&ready_line(&ready));
    tokio::select! {
        _ = terminate.recv() => tracing::info!("stopping on SIGTERM"),
        _ = interrupt.recv() => tracing::info!("stopping on Ctrl-C"),
    }
    server.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn ready_line(ready: &Ready) -> String {
    let mut line = "pelton is ready:".to_owned();
    if let Some(addr) = ready.kafka {
        line.push_str(&format!(" kafka {addr}"));
    }
    if let Some(addr) = ready.connect {
        line.push_str(&format!(" connect sc://{addr}"));
    }
    if let Some(addr) = ready.http {
        line.push_str(&format!(" http http://{addr}"));
    }
    line
}

fn effective(args: Args) -> anyhow::Result<Config> {
    let mut config = configured(args.config.as_deref())?;
    if let Some(dir) = args.data_dir {
        config.data_dir = dir;
    }
    if let Some(addr) = args.kafka {
        config.kafka = Door::from(addr);
    }
    if let Some(addr) = args.connect {
        config.connect = Door::from(addr);
    }
    if let Some(addr) = args.http {
        config.http = Door::from(addr);
    }
    config.listen_beyond_loopback |= args.listen_beyond_loopback;
    Ok(config)
}

/// What the file says, or `pelton.toml` if it is there.
pub(crate) fn configured(file: Option<&Path>) -> anyhow::Result<Config> {
    let default_file = Path::new("pelton.toml");
    Ok(match file {
        Some(path) => Config::read(path)?,
        None if default_file.exists() => Config::read(default_file)?,
        None => Config::default(),
    })
}

/// Every partition holds files open, and most systems begin with 1,024 per process while they allow far more.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current == maximum {
        return;
    }
    match setrlimit(Resource::Nofile, Rlimit { current: maximum, maximum }) {
        Ok(()) => tracing::debug!(?current, ?maximum, "limit of open files raised"),
        Err(error) => tracing::warn!(?current, ?maximum, %error, "limit of open files stays as it is"),
    }
}

fn warn_absent_door(name: &str, addr: Option<&str>) {
    if let Some(addr) = addr.filter(|addr| !addr.eq_ignore_ascii_case("off")) {
        tracing::warn!(addr, "this version has no {name} door: the address is ignored");
    }
}

/// Logs to standard error, from this level on unless `PELTON_LOG` says otherwise.
pub(crate) fn init_logs(level: &str) {
    use tracing_subscriber::EnvFilter;
    let filter = EnvFilter::try_from_env("PELTON_LOG").unwrap_or_else(|_| EnvFilter::new(level));
    let ansi = std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).init();
}
