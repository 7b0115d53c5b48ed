//! `pelton group describe`.

use std::collections::{BTreeMap, BTreeSet};

use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::existing;
use crate::client::kafka::groups::{Group, Member};
use crate::client::kafka::offsets::{At, Isolation, Place};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::terminal;

/// Letters of a member's id in the table.
const MEMBER_LETTERS: usize = 24;

/// Flags of `group describe`.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:
  pelton group describe billing
  pelton group describe billing --members
  pelton group describe --json")]
pub(crate) struct Args {
    /// The groups [default: all]
    #[arg(value_name = "GROUP", add = ArgValueCandidates::new(complete::groups))]
    names: Vec<String>,
    /// Who is in the group, instead of how far it has read
    #[arg(long, short)]
    members: bool,
    /// The group's state alone
    #[arg(long, conflicts_with = "members")]
    state: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A group of the JSON.
#[derive(Serialize)]
struct Described {
    group: String,
    #[serde(rename = "type")]
    kind: String,
    state: String,
    assignor: String,
    epoch: Option<i32>,
    lag: i64,
    members: Vec<MemberRow>,
    partitions: Vec<Row>,
}

/// A member of the JSON.
#[derive(Serialize)]
struct MemberRow {
    member: String,
    instance: Option<String>,
    client: String,
    host: String,
    partitions: Vec<PlaceRow>,
}

/// A partition that a member reads.
#[derive(Serialize)]
struct PlaceRow {
    topic: String,
    partition: i32,
}

/// A partition of the JSON.
#[derive(Serialize)]
struct Row {
    topic: String,
    partition: i32,
    committed_offset: Option<i64>,
    log_end_offset: Option<i64>,
    lag: Option<i64>,
    member: Option<String>,
    client: Option<String>,
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let mut cluster = Cluster::at(&args.server)?;
    let names = match args.names.is_empty() {
        true => cluster.groups()?.into_iter().map(|group| group.group).collect(),
        false => args.names.clone(),
    };
    let mut all = Vec::new();
    for name in names {
        let group = existing(&mut cluster, &name)?;
        all.push(describe(&mut cluster, group)?);
    }
    if args.output.json {
        return terminal::json(&all);
    }
    for (position, group) in all.iter().enumerate() {
        if position > 0 {
            terminal::say("");
        }
        group.say_state();
        match (args.state, args.members) {
            (true, _) => {}
            (_, true) => group.print_members(),
            _ => group.print_partitions(),
        }
    }
    Ok(())
}

fn describe(cluster: &mut Cluster, group: Group) -> anyhow::Result<Described> {
    let committed = cluster.committed(&group.name)?;
    let read = group.members.iter().flat_map(|member| member.partitions.iter().cloned());
    let places: BTreeSet<Place> = committed.keys().cloned().chain(read).collect();
    let ends = ends(cluster, &places)?;
    let row = |place: Place| {
        let (committed, end) = (committed.get(&place).copied(), ends.get(&place).copied());
        let member: Option<&Member> = group.members.iter().find(|member| member.reads(&place));
        Row {
            committed_offset: committed,
            log_end_offset: end,
            lag: committed.zip(end).map(|(committed, end)| (end - committed).max(0)),
            member: member.map(|member| member.id.clone()),
            client: member.map(|member| member.client.clone()),
            topic: place.0,
            partition: place.1,
        }
    };
    let partitions: Vec<Row> = places.into_iter().map(row).collect();
    let place = |(topic, partition): Place| PlaceRow { topic, partition };
    let member = |member: Member| MemberRow {
        member: member.id,
        instance: member.instance,
        client: member.client,
        host: member.host,
        partitions: member.partitions.into_iter().map(place).collect(),
    };
    Ok(Described {
        lag: partitions.iter().filter_map(|row| row.lag).sum(),
        partitions,
        group: group.name,
        kind: group.kind,
        state: group.state,
        assignor: group.assignor,
        epoch: group.epoch,
        members: group.members.into_iter().map(member).collect(),
    })
}

/// The ends of partitions; of a topic that was deleted meanwhile there is none.
fn ends(cluster: &mut Cluster, places: &BTreeSet<Place>) -> anyhow::Result<BTreeMap<Place, i64>> {
    let names: BTreeSet<&String> = places.iter().map(|(topic, _)| topic).collect();
    let topics: Vec<_> = names.into_iter().filter_map(|name| cluster.topic(name).ok()).collect();
    let wanted = |topic: &str, index: i32| places.contains(&(topic.to_owned(), index)).then_some(At::Latest);
    cluster.offsets(&topics, wanted, Isolation::ReadUncommitted)
}

impl Described {
    fn say_state(&self) {
        let mut line = format!("group {}: {}, {}", self.group, self.kind.to_lowercase(), self.state);
        if !self.assignor.is_empty() {
            line.push_str(&format!(", assignor {}", self.assignor));
        }
        line.push_str(&match self.members.len() {
            0 => ", no members".to_owned(),
            1 => ", 1 member".to_owned(),
            count => format!(", {count} members"),
        });
        line.push_str(&format!(", lag {}", terminal::count(self.lag.unsigned_abs())));
        terminal::say(&line);
    }

    fn print_partitions(&self) {
        if self.partitions.is_empty() {
            return;
        }
        let number = |number: Option<i64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
        let rows = self.partitions.iter().map(|row| {
            [
                row.topic.clone(),
                row.partition.to_string(),
                number(row.committed_offset),
                number(row.log_end_offset),
                number(row.lag),
                row.client.clone().unwrap_or_else(|| "-".to_owned()),
            ]
        });
        terminal::table(&["topic", ">partition", ">committed", ">log end", ">lag", "read by"], rows);
    }

    fn print_members(&self) {
        if self.members.is_empty() {
            return;
        }
        let rows = self.members.iter().map(|member| {
            [
                shortened(member.instance.as_ref().unwrap_or(&member.member)),
                member.client.clone(),
                member.host.clone(),
                member.list(),
            ]
        });
        terminal::table(&["member", "client", "host", "partitions"], rows);
    }
}

/// Ids end in forty random letters: the JSON has them all.
fn shortened(id: &str) -> String {
    match id.char_indices().nth(MEMBER_LETTERS) {
        Some((end, _)) => format!("{}…", &id[..end]),
        None => id.to_owned(),
    }
}

impl MemberRow {
    /// `orders 0,1,2; payments 0`.
    fn list(&self) -> String {
        let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
        for place in &self.partitions {
            topics.entry(&place.topic).or_default().push(place.partition.to_string());
        }
        let topic = |(topic, partitions): (&str, Vec<String>)| format!("{topic} {}", partitions.join(","));
        let all: Vec<String> = topics.into_iter().map(topic).collect();
        if all.is_empty() { "-".to_owned() } else { all.join("; ") }
    }
}
