//! `pelton topic create`.

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::setting;
use crate::client::kafka::admin::{Mode, NewTopic, exists_already};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `topic create`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic create orders
  pelton topic create orders --partitions 6 --config retention.ms=86400000
  pelton topic create customers --config cleanup.policy=compact --if-not-exists")]
pub(crate) struct Args {
    /// The topics
    #[arg(required = true, value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    names: Vec<String>,
    /// How many partitions [default: the broker's num.partitions]
    #[arg(long, short, value_parser = clap::value_parser!(i32).range(1..))]
    partitions: Option<i32>,
    /// On how many brokers [default: the broker's default.replication.factor]
    #[arg(long, short, value_name = "BROKERS", value_parser = clap::value_parser!(i16).range(1..))]
    replication_factor: Option<i16>,
    /// A setting that differs from the broker's; may be given many times
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// A topic that is there already is fine
    #[arg(long)]
    if_not_exists: bool,
    /// Ask the broker whether it would, and create nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Created<'a> {
    topic: &'a str,
    created: bool,
    partitions: Option<i32>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    let mode = if args.dry_run { Mode::Check } else { Mode::Do };
    let mut all = Vec::new();
    for name in &args.names {
        let topic = NewTopic {
            name: name.clone(),
            partitions: args.partitions.unwrap_or(-1),
            replication_factor: args.replication_factor.unwrap_or(-1),
            configs: args.config.clone(),
        };
        let partitions = match cluster.create_topic(&topic, mode) {
            Err(error) if args.if_not_exists && exists_already(&error) => {
                all.push(Created { topic: name, created: false, partitions: None });
                continue;
            }
            outcome => outcome?,
        };
        let partitions = partitions.or(args.partitions);
        all.push(Created { topic: name, created: !args.dry_run, partitions });
    }
    if args.output.json {
        return terminal::json(&all);
    }
    for Created { topic, created, partitions } in all {
        let parts = match partitions {
            Some(1) => " with 1 partition".to_owned(),
            Some(count) => format!(" with {count} partitions"),
            None => String::new(),
        };
        match created {
            true => terminal::say(&format!("created topic {topic}{parts}")),
            false if args.dry_run => terminal::say(&format!("would create topic {topic}{parts}")),
            false => terminal::say(&format!("topic {topic} exists already")),
        }
    }
    Ok(())
}
