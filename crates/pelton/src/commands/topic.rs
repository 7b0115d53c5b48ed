//! `pelton topic`: what `kafka-topics` does.

use std::process::ExitCode;

use crate::client::kafka::{Client, KafkaAddress};
use crate::terminal;

/// Flags of `topic`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Create a topic
    Create {
        /// The topic
        name: String,
        /// How many partitions
        #[arg(long, short, default_value_t = 1, value_parser = clap::value_parser!(i32).range(1..))]
        partitions: i32,
        #[command(flatten)]
        server: KafkaAddress,
    },
    /// Every topic with its partitions
    List(KafkaAddress),
    /// The partitions of a topic and where they begin and end
    Describe(Named),
    /// Delete a topic and its records
    Delete(Named),
}

#[derive(clap::Args)]
struct Named {
    /// The topic
    name: String,
    #[command(flatten)]
    server: KafkaAddress,
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Create { name, partitions, server } => {
            Client::at(server)?.create_topic(name, *partitions)?;
            terminal::say(&format!("created topic {name}"));
        }
        Verb::List(server) => list(&mut Client::at(server)?)?,
        Verb::Describe(named) => describe(&mut Client::at(&named.server)?, &named.name)?,
        Verb::Delete(named) => {
            Client::at(&named.server)?.delete_topic(&named.name)?;
            terminal::say(&format!("deleted topic {}", named.name));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(client: &mut Client) -> anyhow::Result<()> {
    let mut topics = client.topics()?;
    topics.sort();
    terminal::table(
        &["topic", "partitions"],
        topics.into_iter().map(|(name, count)| [name, count.to_string()]),
    );
    Ok(())
}

fn describe(client: &mut Client, name: &str) -> anyhow::Result<()> {
    let partitions = client.partitions(name)?;
    let mut rows = Vec::new();
    for partition in 0..partitions {
        let (start, end) = (client.start_offset(name, partition)?, client.end_offset(name, partition)?);
        rows.push([partition.to_string(), start.to_string(), end.to_string(), (end - start).to_string()]);
    }
    terminal::table(&["partition", "log start offset", "log end offset", "offsets"], rows);
    Ok(())
}
