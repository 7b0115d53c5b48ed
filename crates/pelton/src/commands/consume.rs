//! `pelton consume`: a topic to standard output, as kcat and the console consumer do.

use std::io::{ErrorKind, Write};
use std::process::ExitCode;

use anyhow::Context;
use clap::ValueEnum;
use record::Record;
use serde_json::json;

use crate::client::kafka::{Consumer, KafkaAddress};

/// How long one request waits for records.
const WAIT_MS: i32 = 500;

/// Flags of `consume`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The topic
    topic: String,
    /// Where to start: beginning, end, or an offset of every partition
    #[arg(long, short, default_value = "beginning")]
    offset: String,
    /// End after so many records
    #[arg(long, short = 'n', value_name = "COUNT")]
    count: Option<u64>,
    /// End when the end of the topic is reached
    #[arg(long, short)]
    exit: bool,
    /// What to print of a record
    #[arg(long, value_enum, default_value_t = Format::Value)]
    format: Format,
    #[command(flatten)]
    server: KafkaAddress,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    /// The value
    Value,
    /// Key, a tab, the value
    Key,
    /// An object with offset, timestamp, key and value
    Json,
}

/// Prints records until told to end.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let addr = args.server.resolve()?;
    let mut consumer = match args.offset.as_str() {
        "beginning" => Consumer::from_start(addr, &args.topic)?,
        "end" => Consumer::from_end(addr, &args.topic)?,
        offset => {
            let offset = offset.parse().context("--offset is beginning, end or a number")?;
            Consumer::from_offset(addr, &args.topic, offset)?
        }
    };
    let mut out = std::io::stdout().lock();
    let mut left = args.count.unwrap_or(u64::MAX);
    while left > 0 {
        let records = consumer.poll(if args.exit { 0 } else { WAIT_MS })?;
        if records.is_empty() && args.exit {
            break;
        }
        for record in records.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            match print(&mut out, record, args.format) {
                // `pelton consume t | head` is no error.
                Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
                outcome => outcome.context("write to standard output")?,
            }
            left -= 1;
        }
        out.flush().context("write to standard output")?;
    }
    Ok(ExitCode::SUCCESS)
}

fn print(out: &mut impl Write, record: &Record, format: Format) -> std::io::Result<()> {
    let key = record.key.as_deref().unwrap_or_default();
    let value = record.value.as_deref().unwrap_or_default();
    match format {
        Format::Value => out.write_all(value)?,
        Format::Key => {
            out.write_all(key)?;
            out.write_all(b"\t")?;
            out.write_all(value)?;
        }
        Format::Json => {
            let text = |bytes: &Option<bytes::Bytes>| {
                bytes.as_deref().map(String::from_utf8_lossy).map(Into::<String>::into)
            };
            let row = json!({ "offset": record.offset, "timestamp": record.timestamp, "key": text(&record.key), "value": text(&record.value) });
            write!(out, "{row}")?;
        }
    }
    out.write_all(b"\n")
}
