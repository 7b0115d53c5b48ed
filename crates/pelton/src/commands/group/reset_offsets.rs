//! `pelton group reset-offsets`.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{bail, ensure};
use clap_complete::engine::ArgValueCandidates;
use serde::Serialize;

use super::{places, topic_partitions};
use crate::client::kafka::cluster::Topic;
use crate::client::kafka::groups::Committer;
use crate::client::kafka::offsets::{At, Isolation, Place};
use crate::client::kafka::{Cluster, KafkaAddress};
use crate::commands::complete;
use crate::commands::output::Output;
use crate::moment::{parse_duration, parse_moment, show_moment};
use crate::terminal;

/// Flags of `group reset-offsets`.
#[derive(clap::Args)]
#[command(after_long_help = "Without --execute it shows what would happen.

Examples:
  pelton group reset-offsets billing --topic orders --to-earliest
  pelton group reset-offsets billing --topic orders:0,2 --shift-by -100 --execute
  pelton group reset-offsets billing --all-topics --to-datetime 2026-11-21T05:30 --execute")]
#[command(group(clap::ArgGroup::new("to").required(true)))]
#[command(group(clap::ArgGroup::new("of").required(true).multiple(true)))]
pub(crate) struct Args {
    /// The group; one that is new gets its first offsets
    #[arg(value_name = "GROUP", add = ArgValueCandidates::new(complete::groups))]
    name: String,
    /// Of this topic, or of partitions of it; may be given many times
    #[arg(long, short, value_name = "TOPIC[:0,2-5]", group = "of", value_parser = topic_partitions)]
    topic: Vec<(String, Option<Vec<i32>>)>,
    /// Of every partition that the group has an offset of
    #[arg(long, group = "of", conflicts_with = "topic")]
    all_topics: bool,
    /// To the first record
    #[arg(long, group = "to")]
    to_earliest: bool,
    /// Behind the last record
    #[arg(long, group = "to")]
    to_latest: bool,
    /// To where it is: shows offsets, or sets those that are out of range
    #[arg(long, group = "to")]
    to_current: bool,
    /// To this offset
    #[arg(long, group = "to", value_name = "OFFSET", value_parser = clap::value_parser!(i64).range(0..))]
    to_offset: Option<i64>,
    /// To the first record at this moment or later, such as 2026-11-21T05:30
    #[arg(long, group = "to", value_name = "MOMENT")]
    to_datetime: Option<String>,
    /// To the first record so long ago or later, such as 90m or PT1H30M
    #[arg(long, group = "to", value_name = "DURATION")]
    by_duration: Option<String>,
    /// So many offsets on, or back if negative
    #[arg(long, group = "to", value_name = "COUNT", allow_negative_numbers = true)]
    shift_by: Option<i64>,
    /// Do it
    #[arg(long, conflicts_with = "dry_run")]
    execute: bool,
    /// Show what would happen; the default
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    output: Output,
    #[command(flatten)]
    server: KafkaAddress,
}

/// A row of the JSON.
#[derive(Serialize)]
struct Row {
    topic: String,
    partition: i32,
    committed_offset: Option<i64>,
    new_offset: i64,
}

/// The JSON.
#[derive(Serialize)]
struct Reset<'a> {
    group: &'a str,
    executed: bool,
    partitions: &'a [Row],
}

pub(super) fn run(args: &Args) -> anyhow::Result<()> {
    let moment = args.moment()?;
    let mut cluster = Cluster::at(&args.server)?;
    let group = cluster.group(&args.name)?;
    let committed = cluster.committed(&args.name)?;
    let places: Vec<Place> = match args.all_topics {
        true => committed.keys().cloned().collect(),
        false => places(&mut cluster, &args.topic)?,
    };
    ensure!(!places.is_empty(), "group {} has no offsets; name topics with --topic", args.name);
    let rows = args.rows(&mut cluster, &places, &committed, moment)?;
    if args.execute {
        if group.has_members() {
            let count = group.members.len();
            bail!("group {} has {count} members that read; stop them, then reset its offsets", args.name);
        }
        let offsets: BTreeMap<Place, i64> =
            rows.iter().map(|row| ((row.topic.clone(), row.partition), row.new_offset)).collect();
        cluster.commit(&args.name, &Committer::outside(), &offsets)?;
    }
    if args.output.json {
        return terminal::json(&Reset { group: &args.name, executed: args.execute, partitions: &rows });
    }
    let cells = |row: &Row| {
        let before = row.committed_offset.map_or_else(|| "-".to_owned(), |offset| offset.to_string());
        [row.topic.clone(), row.partition.to_string(), before, row.new_offset.to_string()]
    };
    terminal::table(&["topic", ">partition", ">before", ">new"], rows.iter().map(cells));
    if let Some(moment) = moment {
        terminal::note(&format!("the first records at {} or later", show_moment(moment)));
    }
    match (args.execute, group.has_members()) {
        (true, _) => terminal::note(&format!("offsets of group {} are reset", args.name)),
        (false, false) => terminal::note("nothing was changed; --execute does it"),
        (false, true) => {
            terminal::note("nothing was changed; the group has members: stop them, then --execute");
        }
    }
    Ok(())
}

impl Args {
    fn moment(&self) -> anyhow::Result<Option<i64>> {
        let ago = |text: &String| {
            let now = env::Clock::now_ms(&env::SystemClock);
            parse_duration(text).map(|duration| now - duration)
        };
        match (&self.to_datetime, &self.by_duration) {
            (Some(moment), _) => parse_moment(moment).map(Some),
            (None, Some(duration)) => ago(duration).map(Some),
            (None, None) => Ok(None),
        }
    }

    fn rows(
        &self,
        cluster: &mut Cluster,
        places: &[Place],
        committed: &BTreeMap<Place, i64>,
        moment: Option<i64>,
    ) -> anyhow::Result<Vec<Row>> {
        let names: BTreeSet<&String> = places.iter().map(|(topic, _)| topic).collect();
        let topics: Vec<Topic> =
            names.into_iter().map(|name| cluster.topic(name)).collect::<Result<_, _>>()?;
        let mut ask = |at: At| cluster.offsets(&topics, |_, _| Some(at), Isolation::ReadUncommitted);
        let (starts, ends) = (ask(At::Earliest)?, ask(At::Latest)?);
        let times = moment.map(|moment| ask(At::Time(moment))).transpose()?;
        let mut rows = Vec::new();
        for place in places {
            let (Some(start), Some(end)) = (starts.get(place).copied(), ends.get(place).copied()) else {
                bail!("{}-{} is not there any more", place.0, place.1);
            };
            let before = committed.get(place).copied();
            let wanted = match (&times, self.to_offset, self.shift_by) {
                // No record is as late: the group goes on with what comes.
                (Some(times), _, _) => times.get(place).copied().unwrap_or(end),
                (_, Some(offset), _) => offset,
                (_, _, Some(by)) => match before {
                    Some(before) => before.saturating_add(by),
                    None => bail!("group {} has no offset of {}-{} to shift", self.name, place.0, place.1),
                },
                _ if self.to_earliest => start,
                _ if self.to_latest => end,
                _ => before.unwrap_or(end),
            };
            rows.push(Row {
                topic: place.0.clone(),
                partition: place.1,
                committed_offset: before,
                // As Kafka's tool: what is out of range becomes the nearest that is not.
                new_offset: wanted.clamp(start, end),
            });
        }
        Ok(rows)
    }
}
