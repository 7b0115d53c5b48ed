//! `pelton demo`: images are enrolled and asked about, a model learns, a page shows it.
//!
//! The demo is a client like any other. It starts `pelton serve` as a child, sends the pipeline through the
//! HTTP door, and produces and consumes through the Kafka door.

pub(crate) mod answers;
mod audit;
pub(crate) mod feed;
pub(crate) mod images;
mod live;
mod once;
pub(crate) mod stage;
mod summary;

use std::path::PathBuf;
use std::process::ExitCode;

/// Flags of `demo`.
#[derive(clap::Args, Debug, Clone)]
pub(crate) struct Args {
    /// Play the data through once, kill the server in the middle, check that nothing was lost, and end
    #[arg(long)]
    once: bool,
    /// Do not open a browser
    #[arg(long)]
    no_browser: bool,
    /// Images per second, enrolments and questions together [default: 40; 300 with --once]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    rate: Option<u32>,
    /// Where the data go [default: ./pelton-data/demo; a temporary directory with --once]
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Kafka door of the server that the demo starts [default: 127.0.0.1:9092; a free port with --once]
    #[arg(long, value_name = "ADDR")]
    kafka: Option<String>,
    /// HTTP door of the server that the demo starts [default: 127.0.0.1:8080; a free port with --once]
    #[arg(long, value_name = "ADDR")]
    http: Option<String>,
}

/// Runs the demo.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if args.once { once::run(args) } else { live::run(args) }
}
