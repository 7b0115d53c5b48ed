//! `pelton query`: the queries that run.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::http::{Address, Api};
use crate::terminal::{self, cell};

/// Flags of `query`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Every query with its state, batch and rejected rows
    List(Address),
    /// One query as JSON: its SQL, offsets, progress and samples of rejected rows
    Show {
        /// The query
        name: String,
        #[command(flatten)]
        server: Address,
    },
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::List(server) => print(&Api::at(&server.http)),
        Verb::Show { name, server } => show(&Api::at(&server.http), name),
    }
}

/// Prints the table of queries.
pub(crate) fn print(api: &Api) -> anyhow::Result<ExitCode> {
    let queries: Vec<Value> = api.get("queries")?;
    let header = ["query", "state", "batch", "rows", "dead letters", "error"];
    let row = |query: &Value| {
        let keys = ["name", "state", "batch_id", "rows_total"].map(|key| cell(&query[key]));
        let error = query["error"].as_str().unwrap_or_default().to_owned();
        keys.into_iter().chain([cell(&query["dead_letters"]["count"]), error]).collect::<Vec<_>>()
    };
    terminal::table(&header, queries.iter().map(row));
    Ok(ExitCode::SUCCESS)
}

fn show(api: &Api, name: &str) -> anyhow::Result<ExitCode> {
    let queries: Vec<Value> = api.get("queries")?;
    let Some(query) = queries.iter().find(|query| query["name"] == name) else {
        anyhow::bail!("no query {name}; `pelton query list` shows all");
    };
    terminal::say(&serde_json::to_string_pretty(query)?);
    Ok(ExitCode::SUCCESS)
}
