//! `pelton group delete-offsets`.

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::{existing, places, topic_partitions};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `group delete-offsets`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton group delete-offsets billing --topic orders
  pelton group delete-offsets billing --topic orders:0,2-3 --yes")]
pub(crate) struct Args {
    /// The group
    #[arg(value_name = "GROUP", add = ArgValueCandidates::new(complete::groups))]
    name: String,
    /// Of this topic, or of partitions of it; may be given many times
    #[arg(long, short, required = true, value_name = "TOPIC[:0,2-5]", value_parser = topic_partitions)]
    topic: Vec<(String, Option<Vec<i32>>)>,
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
struct Row {
    topic: String,
    partition: i32,
    deleted_offset: i64,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    existing(&mut cluster, &args.name)?;
    let mut doomed = cluster.committed(&args.name)?;
    let wanted = places(&mut cluster, &args.topic)?;
    doomed.retain(|place, _| wanted.contains(place));
    anyhow::ensure!(!doomed.is_empty(), "group {} has no offsets there", args.name);
    let question = format!("Delete {} offsets of group {}?", doomed.len(), args.name);
    if !terminal::confirm(&question, args.yes)? {
        anyhow::bail!("nothing was deleted");
    }
    let places: Vec<_> = doomed.keys().cloned().collect();
    cluster.delete_offsets(&args.name, &places)?;
    let rows = doomed.into_iter().map(|((topic, partition), deleted_offset)| Row {
        topic,
        partition,
        deleted_offset,
    });
    if args.output.json {
        return terminal::json(&rows.collect::<Vec<_>>());
    }
    let cells = |row: Row| [row.topic, row.partition.to_string(), row.deleted_offset.to_string()];
    terminal::table(&["topic", ">partition", ">deleted offset"], rows.map(cells));
    Ok(())
}
