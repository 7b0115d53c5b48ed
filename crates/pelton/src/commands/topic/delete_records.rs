//! `pelton topic delete-records`.

use std::collections::BTreeMap;

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::partition_list;
use crate::client::kafka::offsets::{At, Isolation};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::moment::parse_moment;
use crate::terminal;

/// Flags of `topic delete-records`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic delete-records orders --before-offset 1000 --partitions 0
  pelton topic delete-records orders --before-datetime 2026-11-01T00:00 --yes
  pelton topic delete-records orders --all --yes")]
#[command(group(clap::ArgGroup::new("before").required(true)))]
pub(crate) struct Args {
    /// The topic
    #[arg(value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    name: String,
    /// Records below this offset
    #[arg(long, value_name = "OFFSET", group = "before", value_parser = clap::value_parser!(i64).range(0..))]
    before_offset: Option<i64>,
    /// Records before the first one of this moment or later
    #[arg(long, value_name = "MOMENT", group = "before")]
    before_datetime: Option<String>,
    /// Every record there is now
    #[arg(long, group = "before")]
    all: bool,
    /// Of these partitions, such as 0,2-5 [default: all]
    #[arg(long, short, value_name = "LIST")]
    partitions: Option<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Row<'a> {
    topic: &'a str,
    partition: i32,
    log_start_offset: i64,
    deleted: i64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let moment = args.before_datetime.as_deref().map(parse_moment).transpose()?;
    let mut cluster = Cluster::at(&args.server)?;
    let topic = cluster.topic(&args.name)?;
    let partitions = match &args.partitions {
        Some(list) => partition_list(list).map_err(anyhow::Error::msg)?,
        None => topic.partitions.iter().map(|partition| partition.index).collect(),
    };
    for index in &partitions {
        topic.partition(*index)?;
    }
    let topics = std::slice::from_ref(&topic);
    let isolation = Isolation::ReadUncommitted;
    let wanted = |at: At| move |_: &str, _: i32| Some(at);
    let starts = cluster.offsets(topics, wanted(At::Earliest), isolation)?;
    let ends = cluster.offsets(topics, wanted(At::Latest), isolation)?;
    let times = moment.map(|ms| cluster.offsets(topics, wanted(At::Time(ms)), isolation)).transpose()?;
    let mut before = BTreeMap::new();
    for index in partitions {
        let place = (topic.name.clone(), index);
        let end = ends.get(&place).copied().unwrap_or(0);
        let wanted = match (args.before_offset, &times) {
            (Some(offset), _) => offset,
            // Nothing is as late as the moment: all of it is before.
            (None, Some(times)) => times.get(&place).copied().unwrap_or(end),
            (None, None) => end,
        };
        before.insert(index, wanted);
    }
    let start = |index: i32| starts.get(&(topic.name.clone(), index)).copied().unwrap_or(0);
    let doomed: i64 = before.iter().map(|(index, offset)| (offset - start(*index)).max(0)).sum();
    let count = terminal::count(doomed.unsigned_abs());
    let question = format!("Delete {count} offsets of topic {}?", topic.name);
    if !terminal::confirm(&question, args.yes)? {
        anyhow::bail!("nothing was deleted");
    }
    let begins = cluster.delete_records(&topic, &before)?;
    let rows = begins.into_iter().map(|(partition, log_start_offset)| Row {
        topic: &topic.name,
        partition,
        log_start_offset,
        deleted: (log_start_offset - start(partition)).max(0),
    });
    if args.output.json {
        return terminal::json(&rows.collect::<Vec<_>>());
    }
    let cells =
        |row: Row<'_>| [row.partition.to_string(), row.log_start_offset.to_string(), row.deleted.to_string()];
    terminal::table(&[">partition", ">log start", ">offsets deleted"], rows.map(cells));
    Ok(())
}
