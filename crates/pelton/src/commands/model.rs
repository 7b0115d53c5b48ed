//! `pelton model`: what was learned.

use std::process::ExitCode;

use serde_json::Value;

use crate::client::http::{Address, Api};
use crate::terminal::{self, cell};

/// Flags of `model`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Every model with its version and the rows it learned from
    List(Address),
    /// One model, with its parameters and what it learned
    Show(Named),
    /// The versions of a model that are kept
    History(Named),
}

#[derive(clap::Args)]
struct Named {
    /// The model
    name: String,
    #[command(flatten)]
    server: Address,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::List(server) => list(&Api::at(&server.http)),
        Verb::Show(named) => show(&Api::at(&named.server.http), &named.name),
        Verb::History(named) => history(&Api::at(&named.server.http), &named.name),
    }
}

fn list(api: &Api) -> anyhow::Result<ExitCode> {
    let models: Vec<Value> = api.get("models")?;
    let header = ["model", "algorithm", "version", "rows learned"];
    let row = |model: &Value| ["name", "algorithm", "version", "rows_learned"].map(|key| cell(&model[key]));
    terminal::table(&header, models.iter().map(row));
    Ok(ExitCode::SUCCESS)
}

fn show(api: &Api, name: &str) -> anyhow::Result<ExitCode> {
    let models: Vec<Value> = api.get("models")?;
    let Some(model) = models.iter().find(|model| model["name"] == name) else {
        let known: Vec<String> = models.iter().map(|model| cell(&model["name"])).collect();
        anyhow::bail!("no model {name}; there are: {}", known.join(", "));
    };
    terminal::say(&serde_json::to_string_pretty(model)?);
    Ok(ExitCode::SUCCESS)
}

fn history(api: &Api, name: &str) -> anyhow::Result<ExitCode> {
    let versions: Vec<Value> = api.get(&format!("models/{name}/history"))?;
    let header = ["version", "rows learned", "committed (unix ms)", "offsets"];
    let row = |version: &Value| {
        ["version", "rows_learned", "committed_ms", "offsets"].map(|key| cell(&version[key]))
    };
    terminal::table(&header, versions.iter().map(row));
    Ok(ExitCode::SUCCESS)
}
