//! `pelton topic delete`.

use std::process::ExitCode;

use clap_complete::engine::ArgValueCandidates;
use protocol::ErrorCode;
use serde::Serialize;

use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Flags of `topic delete`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton topic delete orders
  pelton topic delete '^test-' --yes")]
pub(crate) struct Args {
    /// The topics; one that begins with ^ is a regular expression
    #[arg(required = true, value_name = "TOPIC", add = ArgValueCandidates::new(complete::topics))]
    names: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    /// A topic that is not there is fine
    #[arg(long)]
    if_exists: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Deleted {
    topic: String,
    deleted: bool,
    error: Option<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut cluster = Cluster::at(&args.server)?;
    let mut names = Vec::new();
    for name in &args.names {
        match super::named(&mut cluster, std::slice::from_ref(name)) {
            Ok(found) => names.extend(found.into_iter().map(|topic| topic.name)),
            Err(_) if args.if_exists => {}
            Err(error) => return Err(error),
        }
    }
    names.sort();
    names.dedup();
    let question = match names.as_slice() {
        [] => String::new(),
        [name] => format!("Delete topic {name} and its records?"),
        many => format!("Delete {} topics and their records: {}?", many.len(), many.join(", ")),
    };
    if !names.is_empty() && !terminal::confirm(&question, args.yes)? {
        terminal::note("nothing was deleted");
        return Ok(ExitCode::FAILURE);
    }
    let outcomes = if names.is_empty() { Vec::new() } else { cluster.delete_topics(&names)? };
    let gone = |code| args.if_exists && code == ErrorCode::UnknownTopicOrPartition;
    let rows: Vec<Deleted> = outcomes
        .into_iter()
        .map(|(topic, outcome)| {
            let error = outcome.err().filter(|refusal| !gone(refusal.code));
            Deleted { topic, deleted: error.is_none(), error: error.map(|error| error.to_string()) }
        })
        .collect();
    if args.output.json {
        terminal::json(&rows)?;
    }
    for row in &rows {
        match &row.error {
            Some(error) => terminal::note(&format!("error: {error}")),
            None if args.output.json => {}
            None => terminal::say(&format!("deleted topic {}", row.topic)),
        }
    }
    let all = rows.iter().all(|row| row.deleted);
    Ok(if all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
