//! `pelton consume`: topics to standard output, as kcat and the console consumer do.

mod decode;
mod group;
mod print;
mod span;

use std::io::{ErrorKind, IsTerminal, Write};
use std::process::ExitCode;

use anyhow::{Context, ensure};
use clap_complete::engine::ArgValueCandidates;

use self::decode::Decoders;
use self::print::Printer;
use self::span::Bound;
use crate::client::kafka::fetcher::{Chunk, Fetcher};
use crate::client::kafka::offsets::{Isolation, Place};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::{complete, topic};
use crate::interrupt;
use crate::stop::Stop;
use crate::terminal;

/// How long one request waits for records.
const WAIT_MS: i32 = 500;

/// Flags of `consume`.
#[derive(clap::Args)]
#[command(after_long_help = "Tokens of --format, as kcat has them:
  %s %S  value, and its length in bytes (-1: none)     %t  topic
  %k %K  key, and its length in bytes (-1: none)       %p  partition
  %T     timestamp in unix milliseconds                %o  offset
  %h     headers: name=value,...                       %%  a percent sign
  %R     the value's length as 4 bytes, big-endian     \\n \\r \\t \\0 \\\\ \\xHH

Examples:
  pelton consume orders                            from the first record on, until Ctrl-C
  pelton consume orders -e                         to the end there is now
  pelton consume orders -o -10 -e                  the last ten of each partition
  pelton consume orders -o s@2026-11-21 -o e@2026-11-22
  pelton consume orders -f '%t-%p@%o %k=%s\\n'
  pelton consume orders -J -e | jq .payload
  pelton consume orders -s key=i64 -K :            keys are 8 bytes, big-endian
  pelton consume '^orders-' -G billing             as a member of a group, whose place is kept")]
pub(crate) struct Args {
    /// The topics; one that begins with ^ is a regular expression
    #[arg(required = true, value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    topics: Vec<String>,
    /// Where to start: beginning, end, an offset, -N (the last N), s@MOMENT; e@MOMENT is where to end
    #[arg(long, short, value_name = "PLACE", value_parser = Bound::parse, allow_hyphen_values = true)]
    offset: Vec<Bound>,
    /// Only these partitions, such as 0,2-5
    #[arg(long, short, value_name = "LIST", value_parser = partitions, conflicts_with = "group")]
    partitions: Option<Partitions>,
    /// End after so many records
    #[arg(long, short = 'n', short_alias = 'c', value_name = "COUNT")]
    count: Option<u64>,
    /// End at the end that the topics have now
    #[arg(long, short)]
    exit: bool,
    /// Read as a member of this group, and commit what was printed
    #[arg(long, short = 'G', value_name = "GROUP", add = ArgValueCandidates::new(complete::groups))]
    group: Option<String>,
    /// In a group: do not commit
    #[arg(long, requires = "group")]
    no_commit: bool,
    /// What to print of a record: a format string, or one of value, key, json
    #[arg(long, short, value_name = "FORMAT", value_parser = print::checked)]
    format: Option<String>,
    /// Print a JSON object per line
    #[arg(long, short = 'J', conflicts_with_all = ["format", "key_separator", "delimiter"])]
    json: bool,
    /// Print the key and this before the value
    #[arg(long, short = 'K', value_name = "TEXT", conflicts_with = "format")]
    key_separator: Option<String>,
    /// Print this behind each record [default: a newline]
    #[arg(long, short = 'D', value_name = "TEXT", conflicts_with = "format")]
    delimiter: Option<String>,
    /// Print NULL where there is no key or no value
    #[arg(long, short = 'Z')]
    null: bool,
    /// How bytes are shown: string, hex, base64, i8 to i64, u8 to u64, f32, f64; key=... or value=... for one of them
    #[arg(long = "decode", short = 's', value_name = "[key=|value=]KIND", value_parser = Decoders::parse)]
    decode: Vec<Decoders>,
    /// Only what committed transactions wrote
    #[arg(long)]
    read_committed: bool,
    /// Write each record at once
    #[arg(long, short)]
    unbuffered: bool,
    /// Say nothing on standard error but errors
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: KafkaAddress,
}

/// Partitions of a flag.
type Partitions = Vec<i32>;

fn partitions(text: &str) -> Result<Partitions, String> {
    topic::partition_list(text)
}

/// Prints records until told to end.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut sink = Sink::new(args)?;
    let stop = interrupt::listen()?;
    let mut cluster = Cluster::stoppable(&args.server, stop.clone())?;
    let outcome = match &args.group {
        Some(name) => group::run(args, name, &mut cluster, &mut sink, &stop),
        None => alone(args, &mut cluster, &mut sink, &stop),
    };
    // What was read before a failure is printed all the same.
    let read = outcome.and(sink.flush());
    sink.close();
    match read {
        // `pelton consume t | head` is no error.
        Err(error) if is_broken_pipe(&error) => Ok(ExitCode::SUCCESS),
        Err(error) if !stop.said() => Err(error),
        _ => {
            if args.exit || args.count.is_some() {
                sink.say_total();
            }
            Ok(ExitCode::SUCCESS)
        }
    }
}

fn alone(args: &Args, cluster: &mut Cluster, sink: &mut Sink, stop: &Stop) -> anyhow::Result<()> {
    let topics = topic::named(cluster, &args.topics)?;
    let isolation = args.isolation();
    let wanted = |index: i32| args.partitions.as_ref().is_none_or(|wanted| wanted.contains(&index));
    if let (Some(wanted), [only]) = (&args.partitions, topics.as_slice()) {
        wanted.iter().try_for_each(|index| only.partition(*index).map(|_| ()))?;
    }
    let places: Vec<Place> = topics
        .iter()
        .flat_map(|topic| topic.partitions.iter().map(|partition| (topic.name.clone(), partition.index)))
        .filter(|(_, index)| wanted(*index))
        .collect();
    ensure!(!places.is_empty(), "no topic has one of these partitions");
    let spans = span::resolve(cluster, &topics, &places, &args.offset, args.exit, isolation)?;
    let mut fetcher = Fetcher::new(&topics, isolation, stop.clone());
    fetcher.assign(spans);
    while !stop.said() && !sink.is_full() && !fetcher.is_over() {
        let chunks = fetcher.poll(cluster, WAIT_MS)?;
        sink.notices(&mut fetcher);
        for chunk in &chunks {
            sink.print(chunk)?;
        }
        sink.flush()?;
    }
    Ok(())
}

impl Args {
    fn isolation(&self) -> Isolation {
        if self.read_committed { Isolation::ReadCommitted } else { Isolation::ReadUncommitted }
    }
}

/// Where records go, and how many went there.
struct Sink {
    out: std::io::Stdout,
    printer: Printer,
    buffer: Vec<u8>,
    left: u64,
    printed: u64,
    bytes: u64,
    unbuffered: bool,
    quiet: bool,
    meter: Option<indicatif::ProgressBar>,
}

impl Sink {
    fn new(args: &Args) -> anyhow::Result<Self> {
        let meter = (!args.quiet && !std::io::stdout().is_terminal()).then(terminal::meter).flatten();
        Ok(Self {
            out: std::io::stdout(),
            printer: Printer::new(args)?,
            buffer: Vec::new(),
            left: args.count.unwrap_or(u64::MAX),
            printed: 0,
            bytes: 0,
            unbuffered: args.unbuffered,
            quiet: args.quiet,
            meter,
        })
    }

    fn is_full(&self) -> bool {
        self.left == 0
    }

    /// Prints a chunk as far as the count allows. Returns the offset behind the last that was printed.
    fn print(&mut self, chunk: &Chunk) -> anyhow::Result<Option<i64>> {
        let mut next = None;
        for record in &chunk.records {
            if self.left == 0 {
                break;
            }
            self.left -= 1;
            self.printer.print(&mut self.buffer, &chunk.place, record)?;
            self.printed += 1;
            next = Some(record.offset + 1);
            if self.unbuffered || self.buffer.len() >= 1 << 16 {
                self.flush()?;
            }
        }
        Ok(next)
    }

    fn flush(&mut self) -> anyhow::Result<()> {
        if !self.buffer.is_empty() {
            self.bytes += self.buffer.len() as u64;
            let mut out = self.out.lock();
            out.write_all(&self.buffer).and_then(|()| out.flush()).context("write to standard output")?;
            self.buffer.clear();
        }
        if let Some(meter) = &self.meter {
            meter.set_message(format!(
                "{} records, {}",
                terminal::count(self.printed),
                terminal::bytes(self.bytes)
            ));
        }
        Ok(())
    }

    fn notices(&self, fetcher: &mut Fetcher) {
        for notice in fetcher.notices.drain(..).filter(|_| !self.quiet) {
            terminal::note(&format!("note: {notice}"));
        }
    }

    fn close(&mut self) {
        if let Some(meter) = self.meter.take() {
            meter.finish_and_clear();
        }
    }

    fn say_total(&self) {
        if !self.quiet && std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() {
            terminal::note(&format!("{} records", terminal::count(self.printed)));
        }
    }
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let io = error.chain().find_map(|cause| cause.downcast_ref::<std::io::Error>());
    io.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
