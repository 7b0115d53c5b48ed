//! `pelton group delete`.

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::existing;
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `group delete`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton group delete billing
  pelton group delete test-1 test-2 --yes")]
pub(crate) struct Args {
    /// The groups; they must have no members
    #[arg(required = true, value_name = "GROUP", add = ArgValueCandidates::new(complete::groups))]
    names: Vec<String>,
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
struct Deleted<'a> {
    group: &'a str,
    deleted: bool,
    error: Option<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut cluster = Cluster::at(&args.server)?;
    for name in &args.names {
        existing(&mut cluster, name)?;
    }
    let question = match args.names.as_slice() {
        [name] => format!("Delete group {name} and its offsets?"),
        many => format!("Delete {} groups and their offsets: {}?", many.len(), many.join(", ")),
    };
    if !terminal::confirm(&question, args.yes)? {
        terminal::note("nothing was deleted");
        return Ok(ExitCode::FAILURE);
    }
    let mut rows = Vec::new();
    for group in &args.names {
        let error = cluster.delete_group(group).err().map(|error| error.to_string());
        rows.push(Deleted { group, deleted: error.is_none(), error });
    }
    if args.output.json {
        terminal::json(&rows)?;
    }
    for row in &rows {
        match &row.error {
            Some(error) => terminal::note(&format!("error: {error}")),
            None if args.output.json => {}
            None => terminal::say(&format!("deleted group {}", row.group)),
        }
    }
    let all = rows.iter().all(|row| row.deleted);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
