//! `pelton run`: a pipeline of SQL statements, attached.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use pelton::Server;

use crate::client::http::{Address, Api};
use crate::commands::sql;
use crate::interrupt;
use crate::stop::Stop;
use crate::terminal;

mod follow;

/// Flags of `run`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The pipeline
    file: PathBuf,
    /// Run it in this process, without a server: topics, queries and models live in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "http")]
    data_dir: Option<PathBuf>,
    /// End when everything that is there has been processed
    #[arg(long)]
    available_now: bool,
    /// Submit it and end at once; its queries go on in the server
    #[arg(long, conflicts_with_all = ["data_dir", "available_now"])]
    detach: bool,
    #[command(flatten)]
    server: Address,
}

/// Runs the statements and follows their queries, until Ctrl-C, the end, or a failure. In a server they go on.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.file)
        .with_context(|| format!("read pipeline {}", args.file.display()))?;
    let stop = interrupt::listen()?;
    let Some(dir) = &args.data_dir else {
        return pipeline(args, &Api::at(&args.server.http), &text, &stop);
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("door").enable_all().build();
    let runtime = runtime.context("start the doors' runtime")?;
    let starting = Server::builder().data_dir(dir).http("127.0.0.1:0").start();
    let server = runtime.block_on(starting)?;
    let Some(http) = server.ready().http else { bail!("the HTTP door did not open") };
    let ended = pipeline(args, &Api::at(http), &text, &stop);
    runtime.block_on(server.stop());
    ended
}

fn pipeline(args: &Args, api: &Api, text: &str, stop: &Stop) -> anyhow::Result<ExitCode> {
    for answer in api.sql(text)? {
        sql::print(&answer);
    }
    if args.detach {
        return Ok(ExitCode::SUCCESS);
    }
    let end = if args.available_now { follow::Until::CaughtUp } else { follow::Until::Told };
    let seen = follow::follow(api, text, end, stop)?;
    if args.available_now && args.data_dir.is_none() {
        for query in &seen.queries {
            api.act(&format!("queries/{query}/stop"))?;
        }
    }
    for (query, error) in &seen.failed {
        terminal::note(&format!("query {query} failed: {error}"));
    }
    Ok(if seen.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
