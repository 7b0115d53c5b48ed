//! `pelton topic list`.

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use crate::client::kafka::cluster::Topic;
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `topic list`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic list
  pelton topic list '^orders' --names-only
  pelton topic list --internal --json")]
pub(crate) struct Args {
    /// Only these; one that begins with ^ is a regular expression
    #[arg(value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    names: Vec<String>,
    /// Topics of the broker's own too, such as __consumer_offsets
    #[arg(long, short)]
    internal: bool,
    /// Names alone, one a line
    #[arg(long, conflicts_with = "json")]
    names_only: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Row<'a> {
    topic: &'a str,
    id: String,
    partitions: usize,
    replication_factor: usize,
    internal: bool,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    let topics = match args.names.is_empty() && args.internal {
        true => cluster.topics()?,
        false => super::named(&mut cluster, &args.names)?,
    };
    if args.output.json {
        return terminal::json(&topics.iter().map(Row::of).collect::<Vec<_>>());
    }
    if args.names_only {
        topics.iter().for_each(|topic| terminal::say(&topic.name));
    } else if topics.is_empty() {
        terminal::note("no topics; `pelton topic create NAME` makes one");
    } else {
        let row = |topic: &Topic| {
            let Row { partitions, replication_factor, .. } = Row::of(topic);
            [topic.name.clone(), partitions.to_string(), replication_factor.to_string()]
        };
        terminal::table(&["topic", ">partitions", ">replicas"], topics.iter().map(row));
    }
    Ok(())
}

impl<'a> Row<'a> {
    fn of(topic: &'a Topic) -> Self {
        Self {
            topic: &topic.name,
            id: topic.id.to_string(),
            partitions: topic.partitions.len(),
            replication_factor: topic.partitions.first().map_or(0, |partition| partition.replicas.len()),
            internal: topic.internal,
        }
    }
}
