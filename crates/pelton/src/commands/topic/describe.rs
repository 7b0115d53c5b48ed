//! `pelton topic describe`.

use std::collections::BTreeMap;

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use crate::client::kafka::admin::{Setting, Sizes};
use crate::client::kafka::cluster::Topic;
use crate::client::kafka::offsets::{At, Isolation, Place};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `topic describe`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic describe orders
  pelton topic describe orders --all-configs
  pelton topic describe '^orders' --json")]
pub(crate) struct Args {
    /// The topics; one that begins with ^ is a regular expression [default: all]
    #[arg(value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    names: Vec<String>,
    /// Every setting in force, not only those of the topic itself
    #[arg(long, short)]
    all_configs: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A topic of the JSON.
#[derive(Serialize)]
struct Described {
    topic: String,
    id: String,
    internal: bool,
    replication_factor: usize,
    partitions: Vec<Row>,
    configs: BTreeMap<String, Value>,
}

/// A partition of the JSON.
#[derive(Serialize)]
struct Row {
    partition: i32,
    leader: i32,
    replicas: Vec<i32>,
    in_sync: Vec<i32>,
    log_start_offset: Option<i64>,
    log_end_offset: Option<i64>,
    size_bytes: Option<i64>,
}

/// A setting of the JSON.
#[derive(Serialize)]
struct Value {
    value: Option<String>,
    source: &'static str,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    let topics = super::named(&mut cluster, &args.names)?;
    let isolation = Isolation::ReadUncommitted;
    let starts = cluster.offsets(&topics, |_, _| Some(At::Earliest), isolation)?;
    let ends = cluster.offsets(&topics, |_, _| Some(At::Latest), isolation)?;
    let nodes = cluster.node_ids()?;
    let sizes = cluster.sizes(&nodes)?;
    let names: Vec<&str> = topics.iter().map(|topic| topic.name.as_str()).collect();
    let mut configs = cluster.configs(&names)?;
    let described: Vec<Described> = topics
        .into_iter()
        .map(|topic| {
            let settings = configs.remove(&topic.name).unwrap_or_default();
            describe(topic, &starts, &ends, sizes.as_ref(), settings, args.all_configs)
        })
        .collect();
    if args.output.json {
        return terminal::json(&described);
    }
    for (position, topic) in described.iter().enumerate() {
        if position > 0 {
            terminal::say("");
        }
        topic.print();
    }
    Ok(())
}

fn describe(
    topic: Topic,
    starts: &BTreeMap<Place, i64>,
    ends: &BTreeMap<Place, i64>,
    sizes: Option<&Sizes>,
    settings: Vec<Setting>,
    all_configs: bool,
) -> Described {
    let row = |partition: &crate::client::kafka::cluster::Partition| {
        let place = (topic.name.clone(), partition.index);
        let size = |sizes: &Sizes| {
            sizes.get(&(topic.name.clone(), partition.index, partition.leader)).copied().unwrap_or(0)
        };
        Row {
            partition: partition.index,
            leader: partition.leader,
            replicas: partition.replicas.clone(),
            in_sync: partition.in_sync.clone(),
            log_start_offset: starts.get(&place).copied(),
            log_end_offset: ends.get(&place).copied(),
            size_bytes: sizes.map(size),
        }
    };
    let partitions: Vec<Row> = topic.partitions.iter().map(row).collect();
    let wanted = settings.into_iter().filter(|setting| all_configs || setting.own);
    Described {
        id: topic.id.to_string(),
        internal: topic.internal,
        replication_factor: partitions.first().map_or(0, |partition| partition.replicas.len()),
        partitions,
        configs: wanted
            .map(|setting| (setting.name, Value { value: setting.value, source: setting.source }))
            .collect(),
        topic: topic.name,
    }
}

impl Described {
    fn print(&self) {
        let offsets = |row: &Row| row.log_end_offset.unwrap_or(0) - row.log_start_offset.unwrap_or(0);
        let total: i64 = self.partitions.iter().map(offsets).sum();
        let size: Option<i64> = self.partitions.iter().map(|row| row.size_bytes).sum();
        let mut line = format!("topic {}", self.topic);
        line.push_str(&match self.partitions.len() {
            1 => ": 1 partition".to_owned(),
            count => format!(": {count} partitions"),
        });
        line.push_str(&format!(", {} offsets", terminal::count(total.unsigned_abs())));
        if let Some(size) = size {
            line.push_str(&format!(", {}", terminal::bytes(size.unsigned_abs())));
        }
        terminal::say(&line);
        if !self.configs.is_empty() {
            let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "(hidden)".to_owned());
            let rows = self
                .configs
                .iter()
                .map(|(name, setting)| [name.clone(), value(&setting.value), setting.source.to_owned()]);
            terminal::table(&["setting", "value", "from"], rows);
            terminal::say("");
        }
        let offset = |offset: Option<i64>| offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
        let rows = self.partitions.iter().map(|row| {
            let leader = if row.leader < 0 { "none".to_owned() } else { row.leader.to_string() };
            [
                row.partition.to_string(),
                leader,
                offset(row.log_start_offset),
                offset(row.log_end_offset),
                row.size_bytes.map_or_else(|| "-".to_owned(), |size| terminal::bytes(size.unsigned_abs())),
                in_sync(row),
            ]
        });
        let header = [">partition", ">leader", ">log start", ">log end", ">size", "in sync"];
        terminal::table(&header, rows);
    }
}

fn in_sync(row: &Row) -> String {
    format!("{} of {}", row.in_sync.len(), row.replicas.len())
}
