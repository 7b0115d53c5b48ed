//! `pelton topic alter`.

use std::collections::BTreeMap;

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::setting;
use crate::client::kafka::admin::Mode;
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `topic alter`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic alter orders --config retention.ms=3600000
  pelton topic alter orders --delete-config retention.ms
  pelton topic alter orders --partitions 12 --dry-run")]
pub(crate) struct Args {
    /// The topic
    #[arg(value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    name: String,
    /// How many partitions it has from now on; more than before
    #[arg(long, short, value_parser = clap::value_parser!(i32).range(1..), required_unless_present_any = ["config", "delete_config"])]
    partitions: Option<i32>,
    /// Set a setting; may be given many times
    #[arg(long, short, value_name = "NAME=VALUE", value_parser = setting)]
    config: Vec<(String, String)>,
    /// Take the topic's own setting away, so that the broker's counts; may be given many times
    #[arg(long, value_name = "NAME")]
    delete_config: Vec<String>,
    /// Ask the broker whether it would, and change nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// The JSON.
#[derive(Serialize)]
struct Altered<'a> {
    topic: &'a str,
    altered: bool,
    partitions: Option<i32>,
    configs: BTreeMap<&'a str, Option<&'a str>>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    // First, so that a mistyped name gets a better answer than the broker's.
    cluster.topic(&args.name)?;
    let mode = if args.dry_run { Mode::Check } else { Mode::Do };
    let set = args.config.iter().map(|(name, value)| (name.clone(), Some(value.clone())));
    let changes: Vec<_> = set.chain(args.delete_config.iter().map(|name| (name.clone(), None))).collect();
    if !changes.is_empty() {
        cluster.alter_configs(&args.name, &changes, mode)?;
    }
    if let Some(total) = args.partitions {
        cluster.create_partitions(&args.name, total, mode)?;
    }
    if args.output.json {
        let configs = changes.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let partitions = args.partitions;
        return terminal::json(&Altered { topic: &args.name, altered: !args.dry_run, partitions, configs });
    }
    let verb = if args.dry_run { "would " } else { "" };
    for (name, value) in &changes {
        match value {
            Some(value) => terminal::say(&format!("{verb}set {name} = {value} of topic {}", args.name)),
            None => terminal::say(&format!("{verb}delete setting {name} of topic {}", args.name)),
        }
    }
    if let Some(total) = args.partitions {
        terminal::say(&format!("{verb}raise topic {} to {total} partitions", args.name));
    }
    Ok(())
}
