//! Reads topics of the embedded log, in process: pins how far a batch goes, then gives its records.
//!
//! What a transaction has not committed is not read, and neither is what one has taken back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use env::Clock;
use futures::FutureExt;
use futures::future::{BoxFuture, pending, ready, select_all};
use topics::{Partition, ReadError, Topics};

use crate::error::SourceError;
use crate::query::journal::Ranges;
use crate::source::records::SourceRecords;
use crate::source::topic::ahead::Ahead;
use crate::source::{Bounds, Limits, Pinned, Source, Standing, Taken};
use crate::sql::options::kafka::{KafkaOptions, Place, Subscription};
use crate::status::{Offsets, SourceOffset};

mod ahead;

/// Topics as a source.
#[derive(Debug)]
pub(crate) struct TopicSource {
    topics: Topics,
    name: String,
    options: KafkaOptions,
    clock: Arc<dyn Clock>,
    /// When the last batch was taken: from then on, waiting for more has an end.
    taken: Mutex<Duration>,
    ahead: Mutex<Ahead>,
}

/// A partition of one of the topics.
struct Member {
    topic: Arc<str>,
    id: u128,
    partition: Partition,
}

impl Member {
    fn of<T: Copy>(&self, offsets: &BTreeMap<String, BTreeMap<u32, T>>) -> Option<T> {
        offsets.get(&*self.topic)?.get(&self.partition.index()).copied()
    }

    /// Where reading goes on; a partition that came to be since begins at its start.
    fn position(&self, positions: &Offsets) -> i64 {
        self.of(positions).unwrap_or_else(|| self.partition.log_start_offset())
    }

    fn end(&self) -> i64 {
        self.partition.last_stable_offset()
    }

    /// Which partition this is, also when its topic is made anew.
    fn key(&self) -> (u128, u32) {
        (self.id, self.partition.index())
    }

    fn unreadable(&self, source: ReadError) -> SourceError {
        SourceError::Read { topic: self.topic.to_string(), partition: self.partition.index(), source }
    }

    fn lost(&self, from: i64, to: i64) -> SourceError {
        SourceError::Lost { topic: self.topic.to_string(), partition: self.partition.index(), from, to }
    }
}

/// Collects by topic and partition.
fn collect<T>(members: &[Member], value: impl Fn(&Member) -> T) -> BTreeMap<String, BTreeMap<u32, T>> {
    let mut collected: BTreeMap<String, BTreeMap<u32, T>> = BTreeMap::new();
    for member in members {
        let topic = collected.entry(member.topic.to_string()).or_default();
        topic.insert(member.partition.index(), value(member));
    }
    collected
}

impl TopicSource {
    pub(crate) fn new(topics: &Topics, options: KafkaOptions, clock: &Arc<dyn Clock>) -> Self {
        TopicSource {
            topics: topics.clone(),
            name: options.topics.describe(),
            options,
            clock: Arc::clone(clock),
            taken: Mutex::new(clock.monotonic()),
            ahead: Mutex::default(),
        }
    }

    /// Everything that is read, as it is now.
    fn members(&self) -> Result<Vec<Member>, SourceError> {
        let mut members = Vec::new();
        let mut add = |name: &str, wanted: Option<&[u32]>| {
            let gone = || SourceError::NoTopic { topic: name.to_owned() };
            let topic = self.topics.topic(name).ok_or_else(gone)?;
            let (name, id): (Arc<str>, _) = (name.into(), topic.id().as_u128());
            let all = (0..topic.partition_count()).collect::<Vec<u32>>();
            for index in wanted.unwrap_or(&all) {
                let lost = || SourceError::NoPartition { topic: name.to_string(), partition: *index };
                let partition = topic.partition(*index).ok_or_else(lost)?;
                members.push(Member { topic: Arc::clone(&name), id, partition });
            }
            Ok::<(), SourceError>(())
        };
        match &self.options.topics {
            Subscription::Topics(names) => names.iter().try_for_each(|name| add(name, None))?,
            Subscription::Partitions(topics) => {
                topics.iter().try_for_each(|(name, wanted)| add(name, Some(wanted)))?;
            }
            pattern @ Subscription::Pattern(_) => {
                let topics = self.topics.list();
                let mut names: Vec<&str> = topics.iter().map(topics::Topic::name).collect();
                names.retain(|name| pattern.takes(name));
                names.sort_unstable();
                names.into_iter().try_for_each(|name| add(name, None))?;
            }
        }
        Ok(members)
    }

    /// Waits until there is enough for a batch.
    async fn wait(&self, positions: &Offsets) {
        // Subscribe before looking, so that nothing falls between.
        let mut topics = self.topics.changed();
        loop {
            let members = self.members().unwrap_or_default();
            let mut ends: Vec<_> = members.iter().map(|member| member.partition.watch()).collect();
            for end in &mut ends {
                end.borrow_and_update();
            }
            let Some(patience) = self.missing(&members, positions) else { return };
            let mut changes: Vec<BoxFuture<'_, ()>> = vec![Box::pin(async {
                if topics.changed().await.is_err() {
                    pending::<()>().await;
                }
            })];
            if let Some(patience) = patience {
                changes.push(Box::pin(tokio::time::sleep(patience)));
            }
            for end in &mut ends {
                changes.push(Box::pin(async {
                    if end.changed().await.is_err() {
                        pending::<()>().await;
                    }
                }));
            }
            select_all(changes).await;
        }
    }

    /// `None` if there is enough for a batch; otherwise how long to wait for more, if there is an end to it.
    fn missing(&self, members: &[Member], positions: &Offsets) -> Option<Option<Duration>> {
        // A position past the end: the topic was made anew, and `pin` says so.
        let waiting = members.iter().map(|member| member.end().abs_diff(member.position(positions)));
        let waiting: u64 = waiting.sum();
        if waiting == 0 {
            return Some(None);
        }
        let wanted = self.options.rows_min.filter(|wanted| waiting < *wanted);
        wanted?;
        let since = self.clock.monotonic().saturating_sub(*self.lock_taken());
        let left = self.options.delay_max.saturating_sub(since);
        (!left.is_zero()).then_some(Some(left))
    }

    fn lock_taken(&self) -> std::sync::MutexGuard<'_, Duration> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self, positions: &Offsets, limits: &Limits, turn: u64) -> Result<Pinned, SourceError> {
        *self.lock_taken() = self.clock.monotonic();
        let mut members = self.members()?;
        self.check_topics(positions, &members)?;
        let count = members.len().max(1) as u64;
        members.rotate_left(usize::try_from(turn % count).unwrap_or(0));
        let (mut rows, mut bytes) = (limits.rows, limits.bytes);
        let mut ranges = Ranges::new();
        let mut records = SourceRecords::default();
        let mut ahead = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        ahead.retain(&members);
        for member in &members {
            let until = limits.until.as_ref().map(|until| member.of(until));
            let Some(end) = until.unwrap_or(Some(i64::MAX)) else { continue };
            let from = self.position(member, positions)?;
            if member.of(positions).is_some_and(|position| position != from) {
                // The jump is committed with the batch, also if nothing is there to read.
                range_of(&mut ranges, member, from, from);
            }
            let wanted = from.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX));
            let to = end.min(member.end()).min(wanted);
            if from >= to || bytes == 0 {
                continue;
            }
            let mut reader = ahead.reader(member, from);
            bytes = bytes.saturating_sub(reader.take(member, to, bytes, &mut records)?);
            rows = rows.saturating_sub(reader.next.abs_diff(from));
            range_of(&mut ranges, member, from, reader.next);
            ahead.keep(member, reader);
        }
        Ok(self.pinned(ranges, records))
    }

    fn pinned(&self, ranges: Ranges, records: SourceRecords) -> Pinned {
        Pinned::new(ranges, Taken::new(records, &self.options.format))
    }

    /// A topic of a pattern may go; but not with records that nobody has read.
    fn check_topics(&self, positions: &Offsets, members: &[Member]) -> Result<(), SourceError> {
        if !self.options.fail_on_data_loss {
            return Ok(());
        }
        let gone = |topic: &&String| {
            self.options.topics.takes(topic) && !members.iter().any(|member| *member.topic == ***topic)
        };
        match positions.keys().find(gone) {
            Some(topic) => Err(SourceError::NoTopic { topic: topic.clone() }),
            None => Ok(()),
        }
    }

    fn take_again(&self, ranges: &Ranges) -> Result<Pinned, SourceError> {
        let members = self.members()?;
        let mut own = Ranges::new();
        let mut records = SourceRecords::default();
        for (topic, partitions) in ranges.iter().filter(|(topic, _)| self.options.topics.takes(topic)) {
            for (index, (from, to)) in partitions {
                let found = members
                    .iter()
                    .find(|member| *member.topic == **topic && member.partition.index() == *index)
                    .ok_or_else(|| SourceError::NoPartition { topic: topic.clone(), partition: *index })?;
                if found.partition.log_start_offset() > *from || found.end() < *to {
                    return Err(found.lost(*from, *to));
                }
                range_of(&mut own, found, *from, *to);
                Ahead::default().reader(found, *from).take(found, *to, usize::MAX, &mut records)?;
            }
        }
        Ok(self.pinned(own, records))
    }

    /// A producer may have been content with less, but what a query has committed must not stand on records that
    /// a power cut can take.
    async fn flush(&self, pinned: &Pinned) -> Result<(), SourceError> {
        for member in self.members()? {
            if member.of(&pinned.ranges).is_none_or(|(from, to)| from >= to) {
                continue;
            }
            member.partition.flush().await.map_err(|source| SourceError::Flush {
                topic: member.topic.to_string(),
                partition: member.partition.index(),
                source,
            })?;
        }
        Ok(())
    }

    /// Where to go on, if the log still has it.
    fn position(&self, member: &Member, positions: &Offsets) -> Result<i64, SourceError> {
        let (start, end) = (member.partition.log_start_offset(), member.partition.high_watermark());
        let position = member.position(positions);
        if (start..=end).contains(&position) {
            return Ok(position);
        }
        let lost = member.lost(position, if position < start { start } else { end });
        if self.options.fail_on_data_loss {
            return Err(lost);
        }
        tracing::warn!(error = %lost, "went on where the log begins");
        Ok(start)
    }

    /// Each partition's offset at a place. `unnamed` is meant where offsets name no number.
    fn at(
        &self,
        place: &Place,
        members: &[Member],
        unnamed: fn(&Member) -> i64,
    ) -> Result<Offsets, SourceError> {
        let mut offsets = Offsets::new();
        for member in members {
            let (earliest, latest) = (member.partition.log_start_offset(), member.end());
            let offset = match place {
                Place::Earliest => earliest,
                Place::Latest => latest,
                Place::Offsets(given) => match member.of(given) {
                    Some(offset) => Place::resolve(offset, earliest, latest),
                    None => unnamed(member),
                },
                Place::Times { every, each, or_latest } => match every.or_else(|| member.of(each)) {
                    Some(time) => at_time(member, time, *or_latest)?,
                    None => unnamed(member),
                },
            };
            offsets.entry(member.topic.to_string()).or_default().insert(member.partition.index(), offset);
        }
        Ok(offsets)
    }
}

fn range_of(ranges: &mut Ranges, member: &Member, from: i64, to: i64) {
    let topic = ranges.entry(member.topic.to_string()).or_default();
    topic.insert(member.partition.index(), (from, to));
}

fn at_time(member: &Member, time: i64, or_latest: bool) -> Result<i64, SourceError> {
    let found = member.partition.offset_for_timestamp(time);
    match found.map_err(|source| member.unreadable(source))? {
        Some(found) => Ok(found.offset),
        None if or_latest => Ok(member.end()),
        None => {
            let (topic, partition) = (member.topic.to_string(), member.partition.index());
            Err(SourceError::NoTime { topic, partition, time })
        }
    }
}

impl Source for TopicSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>> {
        let start = || {
            self.at(&self.options.starting, &self.members()?, |member| member.partition.log_start_offset())
        };
        ready(start()).boxed()
    }

    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>> {
        self.wait(positions).map(Ok).boxed()
    }

    fn pin<'a>(
        &'a self,
        positions: &'a Offsets,
        limits: &'a Limits,
        turn: u64,
    ) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        ready(self.take(positions, limits, turn)).boxed()
    }

    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        ready(self.take_again(ranges)).boxed()
    }

    fn secure<'a>(&'a self, pinned: &'a Pinned) -> BoxFuture<'a, Result<bool, SourceError>> {
        async { self.flush(pinned).await.map(|()| true) }.boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        let bounds = || {
            let members = self.members()?;
            // `latest` is where a stream begins; everything that is there comes before it.
            let from = match &self.options.starting {
                Place::Latest => &Place::Earliest,
                other => other,
            };
            let from = self.at(from, &members, |member| member.partition.log_start_offset())?;
            Ok(Some(Bounds { from, until: self.at(&self.options.ending, &members, Member::end)? }))
        };
        ready(bounds()).boxed()
    }

    fn progress(&self, positions: &Offsets) -> Standing {
        collect(&self.members().unwrap_or_default(), |member| SourceOffset {
            offset: member.position(positions),
            end: member.end(),
        })
    }
}

#[cfg(test)]
mod tests;
