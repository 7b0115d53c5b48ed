//! `pelton run`: a pipeline of SQL statements.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

use crate::client::http::{Address, Api};
use crate::commands::{query, sql};

/// Flags of `run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pipeline
    file: PathBuf,
    #[command(flatten)]
    server: Address,
}

/// Submits the pipeline; its queries go on in the server, also after a restart of it.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.file)
        .with_context(|| format!("read pipeline {}", args.file.display()))?;
    let api = Api::at(&args.server.http);
    for answer in api.sql(&text)? {
        sql::print(&answer);
    }
    query::print(&api)
}
