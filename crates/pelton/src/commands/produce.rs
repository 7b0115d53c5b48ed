//! `pelton produce`: standard input to a topic, a record a line, as kcat and the console producer do.

use std::io::BufRead;
use std::process::ExitCode;

use anyhow::Context;
use bytes::Bytes;

use crate::client::kafka::{KafkaAddress, Outgoing, Producer};
use crate::stop::Stop;
use crate::terminal;

/// Lines that go out in one request when standard input has them at once.
const LINES_PER_REQUEST: usize = 1_000;

/// Flags of `produce`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The topic
    topic: String,
    /// Split each line into key and value at the first of these
    #[arg(long, short = 'K', value_name = "DELIMITER")]
    key_separator: Option<String>,
    #[command(flatten)]
    server: KafkaAddress,
}

/// Sends until standard input ends; returns when all of it is acknowledged by the disk.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut producer = Producer::connect(args.server.resolve()?, &args.topic, Stop::default())?;
    let mut input = std::io::stdin().lock();
    let mut batch = Vec::new();
    let mut sent = 0;
    loop {
        let mut line = Vec::new();
        let read = input.read_until(b'\n', &mut line).context("read standard input")?;
        if read > 0 {
            batch.push(outgoing(line, args.key_separator.as_deref()));
        }
        if read == 0 || batch.len() == LINES_PER_REQUEST {
            producer.send(&batch)?;
            sent += batch.len();
            batch.clear();
        }
        if read == 0 {
            break;
        }
    }
    terminal::say(&format!("{sent} records acknowledged by {}", args.topic));
    Ok(ExitCode::SUCCESS)
}

fn outgoing(mut line: Vec<u8>, separator: Option<&str>) -> Outgoing {
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    let line = Bytes::from(line);
    let separator = separator.map(str::as_bytes).filter(|separator| !separator.is_empty());
    let split = separator.and_then(|separator| {
        let at = line.windows(separator.len()).position(|window| window == separator)?;
        Some((line.slice(..at), line.slice(at + separator.len()..)))
    });
    let timestamp = env::Clock::now_ms(&env::SystemClock);
    match split {
        Some((key, value)) => Outgoing { timestamp, key: Some(key), value },
        None => Outgoing { timestamp, key: None, value: line },
    }
}
