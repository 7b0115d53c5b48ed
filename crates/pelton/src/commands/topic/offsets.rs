//! `pelton topic offsets`.

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::partition_list;
use crate::client::kafka::offsets::{At, Isolation};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::moment::parse_moment;
use crate::terminal;

/// Flags of `topic offsets`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic offsets orders
  pelton topic offsets orders --at earliest --partitions 0,2-3
  pelton topic offsets orders --at 2026-11-21T05:30")]
pub(crate) struct Args {
    /// The topics; one that begins with ^ is a regular expression [default: all]
    #[arg(value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    names: Vec<String>,
    /// earliest, latest, max-timestamp, or a moment: the first record then or later
    #[arg(long, default_value = "latest", value_name = "PLACE", value_parser = place)]
    at: At,
    /// Of these partitions, such as 0,2-5 [default: all]
    #[arg(long, short, value_name = "LIST")]
    partitions: Option<String>,
    /// Only what committed transactions wrote, up to the first that is open
    #[arg(long)]
    read_committed: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Row {
    topic: String,
    partition: i32,
    /// None where no record is at or behind the moment.
    offset: Option<i64>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let wanted = args.partitions.as_deref().map(partition_list).transpose().map_err(anyhow::Error::msg)?;
    let mut cluster = Cluster::at(&args.server)?;
    let topics = super::named(&mut cluster, &args.names)?;
    let isolation = if args.read_committed { Isolation::ReadCommitted } else { Isolation::ReadUncommitted };
    let asked = |index: i32| wanted.as_ref().is_none_or(|wanted| wanted.contains(&index));
    let found = cluster.offsets(&topics, |_, index| asked(index).then_some(args.at), isolation)?;
    let mut rows = Vec::new();
    for topic in &topics {
        for partition in topic.partitions.iter().filter(|partition| asked(partition.index)) {
            let place = (topic.name.clone(), partition.index);
            let offset = found.get(&place).copied();
            rows.push(Row { topic: place.0, partition: place.1, offset });
        }
    }
    if args.output.json {
        return terminal::json(&rows);
    }
    let cells = |row: Row| {
        let offset = row.offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
        [row.topic, row.partition.to_string(), offset]
    };
    terminal::table(&["topic", ">partition", ">offset"], rows.into_iter().map(cells));
    Ok(())
}

fn place(text: &str) -> Result<At, String> {
    match text {
        "earliest" => Ok(At::Earliest),
        "latest" => Ok(At::Latest),
        "max-timestamp" => Ok(At::MaxTimestamp),
        moment => parse_moment(moment).map(At::Time).map_err(|error| error.to_string()),
    }
}
