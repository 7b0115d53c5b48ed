//! `pelton run`: a pipeline of SQL statements, attached.

use std::collections::BTreeMap;
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
    /// Run it in this process over the topics of this Kafka; queries and models live in the data directory [default:
    /// ./pelton-data]
    #[arg(long, visible_alias = "bootstrap-server", value_name = "HOST:PORT[,...]", conflicts_with = "http")]
    bootstrap_servers: Option<String>,
    /// What else it takes to get into that Kafka: a file of NAME=VALUE lines, as librdkafka names them
    #[arg(long, value_name = "FILE", requires = "bootstrap_servers")]
    command_config: Option<PathBuf>,
    /// End when everything that is there has been processed
    #[arg(long)]
    available_now: bool,
    /// Submit it and end at once; its queries go on in the server
    #[arg(long, conflicts_with_all = ["data_dir", "bootstrap_servers", "available_now"])]
    detach: bool,
    #[command(flatten)]
    server: Address,
}

/// Runs the statements and follows their queries, until Ctrl-C, the end, or a failure. In a server they go on.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(&args.file)
        .with_context(|| format!("read pipeline {}", args.file.display()))?;
    let stop = interrupt::listen()?;
    let builder = match (&args.data_dir, outside(args)?) {
        (None, None) => return pipeline(args, &Api::at(&args.server.http), &text, &stop),
        (Some(dir), None) => Server::builder().data_dir(dir),
        (None, Some(kafka)) => Server::builder().outside_kafka(kafka),
        (Some(dir), Some(kafka)) => Server::builder().data_dir(dir).outside_kafka(kafka),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().thread_name("door").enable_all().build();
    let runtime = runtime.context("start the doors' runtime")?;
    let server = runtime.block_on(builder.http("127.0.0.1:0").start())?;
    let Some(http) = server.ready().http else { bail!("the HTTP door did not open") };
    let ended = pipeline(args, &Api::at(http), &text, &stop);
    runtime.block_on(server.stop());
    ended
}

/// The settings of the outside Kafka, if one is named.
fn outside(args: &Args) -> anyhow::Result<Option<BTreeMap<String, String>>> {
    let Some(servers) = &args.bootstrap_servers else { return Ok(None) };
    let mut settings = BTreeMap::new();
    if let Some(file) = &args.command_config {
        let attempt = || format!("read {}", file.display());
        let text = std::fs::read_to_string(file).with_context(attempt)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        for line in lines {
            let Some((name, value)) = line.split_once('=') else {
                bail!("{}: '{line}' is not NAME=VALUE", file.display());
            };
            settings.insert(name.trim().to_owned(), value.trim().to_owned());
        }
    }
    settings.insert("bootstrap.servers".to_owned(), servers.clone());
    Ok(Some(settings))
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
    if args.available_now && args.data_dir.is_none() && args.bootstrap_servers.is_none() {
        for query in &seen.queries {
            api.act(&format!("queries/{query}/stop"))?;
        }
    }
    for (query, error) in &seen.failed {
        terminal::note(&format!("query {query} failed: {error}"));
    }
    Ok(if seen.failed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
