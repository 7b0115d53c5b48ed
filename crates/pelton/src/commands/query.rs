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
    List {
        /// Print JSON, one object per line
        #[arg(long)]
        json: bool,
        #[command(flatten)]
        server: Address,
    },
    /// One query as JSON: its SQL, offsets, rejected rows, and its last batch as Spark tells it
    Show(One),
    /// End a query after the batch that it is at; it goes on with `start`, or at the server's next start
    Stop(One),
    /// Let a query that has stopped or failed go on where it was
    Start(One),
}

#[derive(clap::Args)]
struct One {
    /// The query
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: Address,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::List { json, server } => list(&Api::at(&server.http), *json),
        Verb::Show(one) => show(one),
        Verb::Stop(one) => act(one, "stop", "has stopped"),
        Verb::Start(one) => act(one, "start", "runs"),
    }
}

fn list(api: &Api, json: bool) -> anyhow::Result<ExitCode> {
    let queries: Vec<Value> = api.get("queries")?;
    if json {
        for query in &queries {
            terminal::say(&query.to_string());
        }
        return Ok(ExitCode::SUCCESS);
    }
    let header = ["query", "state", "batch", "rows", "dead letters", "error"];
    let row = |query: &Value| {
        let keys = ["name", "state", "batch_id", "rows_total"].map(|key| cell(&query[key]));
        let error = query["error"].as_str().unwrap_or_default().to_owned();
        keys.into_iter().chain([cell(&query["dead_letters"]["count"]), error]).collect::<Vec<_>>()
    };
    terminal::table(&header, queries.iter().map(row));
    Ok(ExitCode::SUCCESS)
}

fn show(one: &One) -> anyhow::Result<ExitCode> {
    let api = Api::at(&one.server.http);
    let queries: Vec<Value> = api.get("queries")?;
    let named =
        |query: &Value| query["name"].as_str().is_some_and(|name| name.eq_ignore_ascii_case(&one.name));
    let Some(mut query) = queries.into_iter().find(named) else {
        anyhow::bail!("no query {}; `pelton query list` shows all", one.name);
    };
    let mut batches: Vec<Value> = api.get(&format!("queries/{}/progress", one.name))?;
    query["lastProgress"] = batches.pop().unwrap_or(Value::Null);
    if one.json {
        terminal::say(&query.to_string());
    } else {
        terminal::json(&query)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn act(one: &One, verb: &str, done: &str) -> anyhow::Result<ExitCode> {
    let status = Api::at(&one.server.http).act(&format!("queries/{}/{verb}", one.name))?;
    if one.json {
        terminal::say(&status.to_string());
    } else {
        terminal::say(&format!("query {} {done}", cell(&status["name"])));
    }
    Ok(ExitCode::SUCCESS)
}
