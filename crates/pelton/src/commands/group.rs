//! `pelton group`: what `kafka-consumer-groups` does, for classic groups and those of KIP-848.

mod delete;
mod delete_offsets;
mod describe;
mod list;
mod reset_offsets;

use std::process::ExitCode;

use anyhow::anyhow;

use crate::client::kafka::Cluster;
use crate::client::kafka::groups::Group;
use crate::client::kafka::offsets::Place;

/// Flags of `group`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Groups with their kind and state
    List(list::Args),
    /// How far groups have read, and who is in them
    Describe(describe::Args),
    /// Say where a group goes on reading; shows it only, until --execute
    ResetOffsets(reset_offsets::Args),
    /// Delete groups and their offsets
    Delete(delete::Args),
    /// Delete a group's offsets of some partitions
    DeleteOffsets(delete_offsets::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::List(args) => list::run(args)?,
        Verb::Describe(args) => describe::run(args)?,
        Verb::ResetOffsets(args) => reset_offsets::run(args)?,
        Verb::Delete(args) => return delete::run(args),
        Verb::DeleteOffsets(args) => delete_offsets::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// A group that is there.
fn existing(cluster: &mut Cluster, name: &str) -> anyhow::Result<Group> {
    let group = cluster.group(name)?;
    // What nobody knows is described as dead; offsets alone make a group too.
    if group.state != "Dead" || !cluster.committed(name).unwrap_or_default().is_empty() {
        return Ok(group);
    }
    let all = cluster.groups().unwrap_or_default();
    Err(match pelton::nearest(name, all.iter().map(|group| group.group.as_str())) {
        Some(near) => anyhow!("no group {name}; did you mean {near}?"),
        None => anyhow!("no group {name}; `pelton group list` shows those there are"),
    })
}

/// Parses `TOPIC` or `TOPIC:0,2-5`, as `kafka-consumer-groups` takes it.
fn topic_partitions(text: &str) -> Result<(String, Option<Vec<i32>>), String> {
    match text.split_once(':') {
        Some((topic, list)) => Ok((topic.to_owned(), Some(super::topic::partition_list(list)?))),
        None => Ok((text.to_owned(), None)),
    }
}

/// Every partition that is named, by topic or by topic and number.
fn places(cluster: &mut Cluster, named: &[(String, Option<Vec<i32>>)]) -> anyhow::Result<Vec<Place>> {
    let mut places = Vec::new();
    for (name, partitions) in named {
        let topic = cluster.topic(name)?;
        let all = || topic.partitions.iter().map(|partition| partition.index).collect();
        for index in partitions.clone().unwrap_or_else(all) {
            topic.partition(index)?;
            places.push((name.clone(), index));
        }
    }
    places.sort();
    places.dedup();
    Ok(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_of_a_topic_stand_behind_a_colon() {
        assert_eq!(topic_partitions("orders"), Ok(("orders".to_owned(), None)));
        assert_eq!(topic_partitions("orders:0,2-3"), Ok(("orders".to_owned(), Some(vec![0, 2, 3]))));
        assert!(topic_partitions("orders:x").is_err());
    }
}
