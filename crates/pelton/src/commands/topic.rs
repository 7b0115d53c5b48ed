//! `pelton topic`: what `kafka-topics`, `kafka-configs`, `kafka-get-offsets` and `kafka-delete-records` do.

mod alter;
mod create;
mod delete;
mod delete_records;
mod describe;
mod list;
mod offsets;

use std::process::ExitCode;

use anyhow::anyhow;

use crate::client::kafka::Cluster;
use crate::client::kafka::cluster::Topic;

/// Flags of `topic`.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(clap::Subcommand)]
enum Verb {
    /// Create topics
    Create(create::Args),
    /// Topics by name, with their partitions
    List(list::Args),
    /// Partitions, offsets, sizes and settings of topics
    Describe(describe::Args),
    /// Change settings of a topic, or give it more partitions
    Alter(alter::Args),
    /// Delete topics and their records
    Delete(delete::Args),
    /// Delete a topic's oldest records
    DeleteRecords(delete_records::Args),
    /// Offsets of partitions: first, last, or at a moment
    Offsets(offsets::Args),
}

/// Runs the command.
pub(crate) fn run(args: &Args) -> anyhow::Result<ExitCode> {
    match &args.verb {
        Verb::Create(args) => create::run(args)?,
        Verb::List(args) => list::run(args)?,
        Verb::Describe(args) => describe::run(args)?,
        Verb::Alter(args) => alter::run(args)?,
        Verb::Delete(args) => return delete::run(args),
        Verb::DeleteRecords(args) => delete_records::run(args)?,
        Verb::Offsets(args) => offsets::run(args)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Splits `name=value` of a setting.
fn setting(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
        _ => Err("a setting is NAME=VALUE, such as retention.ms=86400000".to_owned()),
    }
}

/// The topics that are named: each once, in the order of the names. A name that begins with `^` is a regular
/// expression; no names are all topics that are not the broker's own.
pub(crate) fn named(cluster: &mut Cluster, names: &[String]) -> anyhow::Result<Vec<Topic>> {
    if names.is_empty() {
        return Ok(cluster.topics()?.into_iter().filter(|topic| !topic.internal).collect());
    }
    let mut found: Vec<Topic> = Vec::new();
    for name in names {
        let more = match name.starts_with('^') {
            true => matching(cluster, name)?,
            false => vec![cluster.topic(name)?],
        };
        for topic in more {
            if !found.iter().any(|before| before.name == topic.name) {
                found.push(topic);
            }
        }
    }
    Ok(found)
}

fn matching(cluster: &mut Cluster, pattern: &str) -> anyhow::Result<Vec<Topic>> {
    let regex = regex::Regex::new(pattern).map_err(|error| {
        let why = error.to_string();
        anyhow!("{pattern} is no regular expression: {}", why.lines().last().unwrap_or_default().trim())
    })?;
    let found: Vec<Topic> = cluster
        .topics()?
        .into_iter()
        .filter(|topic| !topic.internal && regex.is_match(&topic.name))
        .collect();
    if found.is_empty() {
        return Err(anyhow!("no topic matches {pattern}; `pelton topic list` shows those there are"));
    }
    Ok(found)
}

/// Parses `0,2-5`: partitions by number and range.
pub(crate) fn partition_list(text: &str) -> Result<Vec<i32>, String> {
    let wrong = || format!("{text} names no partitions; it is 3, or 0,2-5");
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let first: i32 = first.trim().parse().map_err(|_| wrong())?;
        let last: i32 = last.trim().parse().map_err(|_| wrong())?;
        if first < 0 || last < first || last - first > 1_000_000 {
            return Err(wrong());
        }
        all.extend(first..=last);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_by_number_and_range() {
        assert_eq!(partition_list("3"), Ok(vec![3]));
        assert_eq!(partition_list("0,2-4"), Ok(vec![0, 2, 3, 4]));
        for text in ["", "a", "-1", "4-2", "1,,2"] {
            assert!(partition_list(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_setting_has_a_name_and_a_value() {
        assert_eq!(setting("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(setting("a").is_err() && setting("=b").is_err());
    }
}
