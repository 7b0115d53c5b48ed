//! `pelton produce`: standard input or files to a topic, as kcat and the console producer do.

mod input;
mod json;

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::ValueEnum;
use clap_complete::engine::ArgValueCandidates;
use pelton::unescape;
use record::{Compression, Header};

use self::input::{Chunks, Event, Splitter};
use crate::client::kafka::cluster::Topic;
use crate::client::kafka::sender::{Message, Sender, SenderOptions};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::interrupt;
use crate::stop::Stop;
use crate::terminal;

/// Bytes of a batch where neither a flag nor the topic says less.
const BATCH_BYTES: usize = 256 << 10;
/// The setting that limits a batch.
const MAX_MESSAGE_BYTES: &str = "max.message.bytes";

/// Flags of `produce`.
#[derive(clap::Args)]
#[command(
    after_long_help = "A line is a record. Exit code 0: every record is acknowledged; else 1, and one line says which is the first that is
not.

With --json each line is an object, as `pelton consume --json` prints it; all fields may be absent:
  {\"key\": \"7\", \"payload\": {\"any\": \"JSON\"}, \"headers\": {\"a\": \"1\"}, \"partition\": 0, \"ts\": 1700000000000}
payload is also taken as value, ts as timestamp; key_base64 and payload_base64 hold bytes that are no text.

Examples:
  echo hello | pelton produce greetings
  pelton produce orders -K : < orders.txt          key before the first colon
  pelton produce images a.jpg b.jpg                each file is a record
  pelton produce orders -l orders.txt              each line of the file is a record
  pelton produce orders -z zstd -H source=batch < orders.txt
  pelton consume orders -J -e | pelton produce copy --json
  pelton produce orders --transactional-id load-1 < orders.txt   all of it, or nothing"
)]
pub(crate) struct Args {
    /// The topic
    #[arg(add = ArgValueCandidates::new(complete::topics))]
    topic: String,
    /// Files: each is one record; - is standard input [default: lines of standard input]
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,
    /// The lines of the files are the records
    #[arg(long, short, requires = "files")]
    lines: bool,
    /// Split each record into key and value at the first of these
    #[arg(long, short = 'K', value_name = "TEXT")]
    key_separator: Option<String>,
    /// The key of every record
    #[arg(long, short, value_name = "TEXT", conflicts_with = "key_separator")]
    key: Option<String>,
    /// What ends a record [default: a newline]
    #[arg(long, short = 'D', value_name = "TEXT")]
    delimiter: Option<String>,
    /// A header of every record; may be given many times
    #[arg(long, short = 'H', value_name = "NAME=VALUE", value_parser = header)]
    header: Vec<(String, String)>,
    /// The partition of every record [default: by the key, else one batch after the other]
    #[arg(long, short, value_parser = clap::value_parser!(i32).range(0..))]
    partition: Option<i32>,
    /// The timestamp of every record: unix milliseconds or 2026-11-21T05:30 [default: now]
    #[arg(long, value_name = "MOMENT")]
    timestamp: Option<String>,
    /// An empty value is none (a tombstone), an empty key is none
    #[arg(long, short = 'Z')]
    null: bool,
    /// Each record is a JSON object with key, payload, headers, partition, ts
    #[arg(long, short = 'J', conflicts_with_all = ["key_separator", "key"])]
    json: bool,
    /// How batches are packed
    #[arg(long, short = 'z', value_enum, default_value_t = Codec::None)]
    compression: Codec,
    /// When a record counts as stored: 0 sent, 1 taken by the leader, all safe on disk
    #[arg(long, value_enum, default_value_t = Acks::All)]
    acks: Acks,
    /// A retry may store a record twice
    #[arg(long)]
    no_idempotence: bool,
    /// All of the input as one transaction of this id: it counts as a whole, or not at all
    #[arg(long, value_name = "ID", conflicts_with = "no_idempotence")]
    transactional_id: Option<String>,
    /// How long a record waits for others to go with it
    #[arg(long, default_value_t = 5, value_name = "MS")]
    linger_ms: u64,
    /// Bytes of a batch, before it is packed [default: 256 KiB, or what the topic takes]
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u32).range(1..=1 << 30))]
    batch_bytes: Option<u32>,
    /// How long to go on trying while no broker takes records
    #[arg(long, default_value_t = 30, value_name = "SECONDS")]
    patience: u64,
    /// Print nothing but errors
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: KafkaAddress,
}

#[derive(Clone, Copy, ValueEnum)]
enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Acks {
    #[value(name = "0")]
    Zero,
    #[value(name = "1")]
    One,
    #[value(name = "all", alias = "-1")]
    All,
}

fn header(text: &str) -> Result<(String, String), String> {
    let split = text.split_once('=').ok_or("a header is NAME=VALUE")?;
    Ok((split.0.to_owned(), split.1.to_owned()))
}

/// Sends until the input ends; returns when all of it is acknowledged.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let plan = Plan::new(args)?;
    let stop = interrupt::listen()?;
    // Pauses of the sender are ended by a word of its own: an interrupt lets it finish.
    let mut cluster = Cluster::at(&args.server)?;
    let topic = cluster.topic_or_new(&args.topic)?;
    if let Some(partition) = args.partition {
        topic.partition(partition)?;
    }
    let options = args.options(&mut cluster, &topic)?;
    let mut sender = Sender::new(cluster, topic, options, Stop::default())?;
    let meter = (!args.quiet && !std::io::stdin().is_terminal()).then(terminal::meter).flatten();
    let sent = send_all(args, &plan, &mut sender, &stop, meter.as_ref());
    let outcome = match sent {
        Ok(()) => sender.finish(),
        Err(error) => Err(error),
    };
    if let Some(meter) = meter {
        meter.finish_and_clear();
    }
    let tally = sender.tally();
    let Err(error) = outcome else {
        if !args.quiet {
            let verb = if args.acks == Acks::Zero { "sent to" } else { "acknowledged by" };
            let records = if tally.acknowledged == 1 { "record" } else { "records" };
            terminal::say(&format!("{} {records} {verb} {}", tally.acknowledged, args.topic));
        }
        return Ok(ExitCode::SUCCESS);
    };
    Err(args.lost(&mut sender, &error))
}

/// Feeds the sender; after an error of the input, what was read before it is sent all the same.
fn send_all(
    args: &Args,
    plan: &Plan,
    sender: &mut Sender,
    stop: &Stop,
    meter: Option<&indicatif::ProgressBar>,
) -> anyhow::Result<()> {
    let mut chunks = Chunks::open(&args.files, args.lines || args.files.is_empty())?;
    let mut splitter = Splitter::new(plan.delimiter.clone());
    let linger = Duration::from_millis(args.linger_ms.max(1));
    let mut line = 0;
    let mut dirty = false;
    loop {
        let event = chunks.next(if dirty { linger } else { input::INTERRUPT_POLL });
        let taken = match event? {
            Event::Bytes(bytes) => splitter.feed(&bytes, |record| plan.send(sender, &mut line, record)),
            Event::Whole(bytes) => plan.send(sender, &mut line, &bytes),
            Event::EndOfFile => splitter.end(|record| plan.send(sender, &mut line, record)),
            Event::Idle if dirty => {
                sender.flush()?;
                dirty = false;
                Ok(())
            }
            Event::Idle => Ok(()),
            Event::End => return Ok(()),
        };
        if let Err(error) = taken {
            // Records before the wrong one are good.
            if args.transactional_id.is_none() && error.is::<BadRecord>() {
                sender.flush()?;
            }
            return Err(error);
        }
        dirty = dirty || sender.tally().taken > sender.tally().acknowledged;
        if let Some(meter) = meter {
            let tally = sender.tally();
            let bytes = terminal::bytes(tally.bytes);
            meter.set_message(format!(
                "{} records acknowledged, {bytes}",
                terminal::count(tally.acknowledged)
            ));
        }
        if stop.said() {
            return Ok(());
        }
    }
}

/// A record of the input that is none.
#[derive(Debug, thiserror::Error)]
#[error("record {line}: {why}")]
struct BadRecord {
    line: u64,
    why: String,
}

/// What is done with each piece of the input.
struct Plan {
    delimiter: Vec<u8>,
    key_separator: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    headers: Vec<Header>,
    partition: Option<i32>,
    timestamp: Option<i64>,
    null: bool,
    json: bool,
}

impl Plan {
    fn new(args: &Args) -> anyhow::Result<Self> {
        let bytes = |text: &Option<String>, flag: &str| {
            let bytes = text.as_deref().map(unescape).transpose().with_context(|| format!("read {flag}"))?;
            Ok::<_, anyhow::Error>(bytes.filter(|bytes| !bytes.is_empty()))
        };
        let header = |(name, value): &(String, String)| (name.clone().into(), Some(value.clone().into()));
        Ok(Self {
            delimiter: bytes(&args.delimiter, "--delimiter")?.unwrap_or_else(|| b"\n".to_vec()),
            key_separator: bytes(&args.key_separator, "--key-separator")?,
            key: args.key.clone().map(String::into_bytes),
            headers: args.header.iter().map(header).collect(),
            partition: args.partition,
            timestamp: args.timestamp.as_deref().map(crate::moment::parse_moment).transpose()?,
            null: args.null,
            json: args.json,
        })
    }

    fn send(&self, sender: &mut Sender, line: &mut u64, record: &[u8]) -> anyhow::Result<()> {
        *line += 1;
        let now = || env::Clock::now_ms(&env::SystemClock);
        let timestamp = self.timestamp.unwrap_or_else(now);
        if self.json {
            // Blank lines between objects are no records.
            if record.trim_ascii().is_empty() {
                return Ok(());
            }
            let bad = |why: String| BadRecord { line: *line, why };
            let row = json::Row::parse(record).map_err(bad)?;
            let headers = [self.headers.as_slice(), &row.headers].concat();
            let message = Message {
                line: *line,
                timestamp: row.timestamp.unwrap_or(timestamp),
                key: row.key.as_deref(),
                value: row.value.as_deref(),
                headers: &headers,
                partition: row.partition.or(self.partition),
            };
            return self.push(sender, &message);
        }
        let (key, value) = match &self.key_separator {
            Some(separator) => match input::find(record, separator) {
                Some(at) => (Some(&record[..at]), &record[at + separator.len()..]),
                None => (None, record),
            },
            None => (self.key.as_deref(), record),
        };
        let present = |bytes: &&[u8]| !(self.null && bytes.is_empty());
        let message = Message {
            line: *line,
            timestamp,
            key: key.filter(present),
            value: Some(value).filter(present),
            headers: &self.headers,
            partition: self.partition,
        };
        self.push(sender, &message)
    }

    fn push(&self, sender: &mut Sender, message: &Message<'_>) -> anyhow::Result<()> {
        if let Some(partition) = message.partition.filter(|partition| self.partition != Some(*partition)) {
            let checked = sender.topic().partition(partition).map(|_| ());
            checked.map_err(|error| BadRecord { line: message.line, why: error.to_string() })?;
        }
        sender.push(message)
    }
}

impl Args {
    fn options(&self, cluster: &mut Cluster, topic: &Topic) -> anyhow::Result<SenderOptions> {
        let acks = match self.acks {
            Acks::Zero => 0,
            Acks::One => 1,
            Acks::All => -1,
        };
        if acks != -1 && self.transactional_id.is_some() {
            bail!("a transaction needs --acks all");
        }
        let batch_bytes = match self.batch_bytes {
            Some(bytes) => bytes as usize,
            // A batch is one message to the topic's limit. Who may not read settings takes the usual size.
            None => taken_at_most(cluster, &topic.name).map_or(BATCH_BYTES, |most| most.min(BATCH_BYTES)),
        };
        let compression = match self.compression {
            Codec::None => Compression::None,
            Codec::Gzip => Compression::Gzip,
            Codec::Snappy => Compression::Snappy,
            Codec::Lz4 => Compression::Lz4,
            Codec::Zstd => Compression::Zstd,
        };
        Ok(SenderOptions {
            acks,
            compression,
            idempotent: acks == -1 && !self.no_idempotence,
            transactional_id: self.transactional_id.clone(),
            batch_bytes,
            patience: Duration::from_secs(self.patience),
        })
    }

    /// One line that says what became of the input.
    fn lost(&self, sender: &mut Sender, error: &anyhow::Error) -> anyhow::Error {
        let tally = sender.tally();
        let topic = &self.topic;
        if self.transactional_id.is_some() {
            let taken_back = match sender.abort() {
                Ok(()) => "the transaction is aborted: no record counts",
                Err(_) => "the transaction is not committed: no record counts",
            };
            return anyhow::anyhow!("{error:#}; {taken_back}");
        }
        let first = match (sender.first_unacknowledged(), error.downcast_ref::<BadRecord>()) {
            (Some(line), _) => format!("; the first that is not: record {line}"),
            (None, Some(_)) => "; nothing behind it was sent".to_owned(),
            (None, None) => String::new(),
        };
        anyhow::anyhow!("{error:#}; {} records are acknowledged by {topic}{first}", tally.acknowledged)
    }
}

/// Less than the largest batch that a topic takes, so that a batch's own bytes fit beside its records.
fn taken_at_most(cluster: &mut Cluster, topic: &str) -> Option<usize> {
    let configs = cluster.configs(&[topic]).ok()?;
    let setting = configs.get(topic)?.iter().find(|setting| setting.name == MAX_MESSAGE_BYTES)?;
    let most: usize = setting.value.as_deref()?.parse().ok()?;
    Some((most - most / 8).max(1))
}
