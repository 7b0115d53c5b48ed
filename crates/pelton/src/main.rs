//! The command line: `pelton <command>`.

mod client;
mod commands;
mod demo;
mod interrupt;
mod moment;
mod process;
mod stop;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};
use clap_complete::CompleteEnv;

/// Streams, micro-batches and online learning in one program.
#[derive(Parser)]
#[command(name = "pelton", version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server: every door, until Ctrl-C.
    Serve(commands::serve::Args),
    /// Play the whole thing on real data: images come in, a model learns, a page shows it.
    Demo(demo::Args),
    /// Run a pipeline of SQL statements, on a server or in this process, and follow its queries.
    Run(commands::run::Args),
    /// Run a PySpark script, on the server that is there or on one of its own.
    Submit(commands::submit::Args),
    /// Ask once: run one statement on a server and print its rows.
    Sql(commands::sql::Args),
    /// Create, list, describe, alter and delete topics of any Kafka.
    Topic(commands::topic::Args),
    /// List, describe, reset and delete consumer groups of any Kafka.
    Group(commands::group::Args),
    /// Send lines of standard input, or files, to a topic of any Kafka.
    Produce(commands::produce::Args),
    /// Print the records of topics of any Kafka.
    Consume(commands::consume::Args),
    /// List models, show one, or its history.
    Model(commands::model::Args),
    /// List queries, show, stop and start one.
    Query(commands::query::Args),
    /// Measure what the README quotes: start, idle, throughput, latency.
    Bench(commands::bench::Args),
    /// Print the script that makes a shell complete commands, topics and groups.
    Completions(commands::completions::Args),
}

fn main() -> ExitCode {
    // Ends here when a shell asks what fits behind a Tab.
    CompleteEnv::with_factory(Cli::command).complete();
    let cli = Cli::parse();
    let outcome = match cli.command {
        Command::Serve(args) => commands::serve::run(args),
        Command::Demo(args) => demo::run(&args),
        Command::Run(args) => commands::run::run(&args),
        Command::Submit(args) => commands::submit::run(&args),
        Command::Sql(args) => commands::sql::run(&args),
        Command::Topic(args) => commands::topic::run(&args),
        Command::Group(args) => commands::group::run(&args),
        Command::Produce(args) => commands::produce::run(&args),
        Command::Consume(args) => commands::consume::run(&args),
        Command::Model(args) => commands::model::run(&args),
        Command::Query(args) => commands::query::run(&args),
        Command::Bench(args) => commands::bench::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            terminal::fail(&error);
            ExitCode::FAILURE
        }
    }
}
