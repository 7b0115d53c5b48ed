//! Reading as a member of a group: what was printed is committed, what was not is somebody else's.

use std::collections::BTreeMap;
use std::time::Duration;

use protocol::ErrorCode;

use super::{Args, Sink, WAIT_MS, span};
use crate::client::kafka::Cluster;
use crate::client::kafka::fetcher::{Fetcher, Span};
use crate::client::kafka::member::Membership;
use crate::client::kafka::offsets::Place;
use crate::client::kafka::refusal::Refusal;
use crate::commands::topic;
use crate::stop::Stop;
use crate::terminal;

/// How often a place is kept while reading.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);
/// A member without partitions looks so often whether it got some.
const IDLE: Duration = Duration::from_millis(200);

/// Offsets behind what was printed and is not committed.
struct Progress {
    group: String,
    commits: bool,
    printed: BTreeMap<Place, i64>,
    committed_at: Duration,
}

pub(super) fn run(
    args: &Args,
    name: &str,
    cluster: &mut Cluster,
    sink: &mut Sink,
    stop: &Stop,
) -> anyhow::Result<()> {
    let topics: Vec<String> =
        topic::named(cluster, &args.topics)?.into_iter().map(|topic| topic.name).collect();
    let mut member = Membership::new(name, topics);
    let mut progress = Progress::new(name, !args.no_commit);
    let read = read(args, &mut member, &mut progress, cluster, sink, stop);
    // The place is kept also when reading failed: it was printed.
    let kept = progress.commit(cluster, &member);
    let left = member.leave(cluster);
    read.and(kept).and(left)
}

fn read(
    args: &Args,
    member: &mut Membership,
    progress: &mut Progress,
    cluster: &mut Cluster,
    sink: &mut Sink,
    stop: &Stop,
) -> anyhow::Result<()> {
    let mut fetcher = Fetcher::new(&[], args.isolation(), stop.clone());
    let mut idle = true;
    while !stop.said() && !sink.is_full() {
        if member.must_join() {
            progress.commit(cluster, member)?;
            let places = member.join(cluster)?;
            if !args.quiet {
                terminal::note(&format!("group {}: reading {}", progress.group, list(&places)));
            }
            idle = places.is_empty();
            fetcher = assigned(args, &progress.group, &places, cluster, stop)?;
            continue;
        }
        if idle {
            stop.pause(IDLE);
            continue;
        }
        if fetcher.is_over() {
            break;
        }
        let chunks = fetcher.poll(cluster, WAIT_MS)?;
        sink.notices(&mut fetcher);
        let mut printed = BTreeMap::new();
        for chunk in &chunks {
            if let Some(next) = sink.print(chunk)? {
                printed.insert(chunk.place.clone(), next);
            }
        }
        sink.flush()?;
        // All of it was printed: markers behind the last record count as read too.
        progress.printed.extend(if sink.is_full() { printed } else { fetcher.positions() });
        progress.commit_if_due(cluster, member)?;
    }
    Ok(())
}

/// Reads from where the group is, or from where the flags say in partitions that are new to it.
fn assigned(
    args: &Args,
    group: &str,
    places: &[Place],
    cluster: &mut Cluster,
    stop: &Stop,
) -> anyhow::Result<Fetcher> {
    let mut topics = Vec::new();
    for (name, _) in places {
        if !topics.iter().any(|topic: &crate::client::kafka::cluster::Topic| topic.name == *name) {
            topics.push(cluster.topic(name)?);
        }
    }
    let committed = cluster.committed(group)?;
    let mut spans: BTreeMap<Place, Span> =
        span::resolve(cluster, &topics, places, &args.offset, args.exit, args.isolation())?;
    for (place, span) in &mut spans {
        if let Some(offset) = committed.get(place) {
            span.from = *offset;
        }
    }
    let mut fetcher = Fetcher::new(&topics, args.isolation(), stop.clone());
    fetcher.assign(spans);
    Ok(fetcher)
}

impl Progress {
    fn new(group: &str, commits: bool) -> Self {
        let committed_at = env::Clock::monotonic(&env::SystemClock);
        Self { group: group.to_owned(), commits, printed: BTreeMap::new(), committed_at }
    }

    fn commit_if_due(&mut self, cluster: &mut Cluster, member: &Membership) -> anyhow::Result<()> {
        let now = env::Clock::monotonic(&env::SystemClock);
        if now.saturating_sub(self.committed_at) < COMMIT_INTERVAL {
            return Ok(());
        }
        self.committed_at = now;
        self.commit(cluster, member)
    }

    fn commit(&mut self, cluster: &mut Cluster, member: &Membership) -> anyhow::Result<()> {
        let printed = std::mem::take(&mut self.printed);
        if !self.commits || printed.is_empty() {
            return Ok(());
        }
        match cluster.commit(&self.group, member.committer(), &printed) {
            Err(error) if is_too_late(&error) => {
                terminal::note("note: the group went on without this member; some records may be read twice");
                Ok(())
            }
            outcome => outcome,
        }
    }
}

/// The partitions are somebody else's by now.
fn is_too_late(error: &anyhow::Error) -> bool {
    let codes = [ErrorCode::IllegalGeneration, ErrorCode::UnknownMemberId, ErrorCode::RebalanceInProgress];
    Refusal::code_of(error).is_some_and(|code| codes.contains(&code))
}

fn list(places: &[Place]) -> String {
    let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for (topic, partition) in places {
        topics.entry(topic).or_default().push(partition.to_string());
    }
    let topics: Vec<String> =
        topics.into_iter().map(|(topic, partitions)| format!("{topic} {}", partitions.join(","))).collect();
    if topics.is_empty() { "nothing: others have every partition".to_owned() } else { topics.join("; ") }
}
