//! Reads a topic of the embedded log, in process: pins how far a batch goes, then gives its records.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures::FutureExt;
use futures::future::{BoxFuture, pending, ready, select_all};
use topics::{Partition, Topic, Topics};

use crate::error::SourceError;
use crate::query::journal::Ranges;
use crate::source::json::JsonDecoder;
use crate::source::shape::Shape;
use crate::source::{Bounds, Content, Limits, Pinned, Rows, Source, SourceRecord, Standing};
use crate::sql::options::StartingOffsets;
use crate::status::{Offsets, SourceOffset};

/// Bytes asked from a partition at once.
const READ_BYTES: usize = 1024 * 1024;

/// A record batch may not unpack to more.
const UNCOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The batches of the log that hold what was pinned.
#[derive(Debug)]
struct Batches(Vec<Fetched>);

#[derive(Debug)]
struct Fetched {
    topic: Arc<str>,
    partition: u32,
    from: i64,
    to: i64,
    chunks: Vec<Bytes>,
}

/// A topic as a source.
#[derive(Debug, Clone)]
pub(crate) struct TopicSource {
    topics: Topics,
    name: Arc<str>,
    starting: StartingOffsets,
    fail_on_data_loss: bool,
}

/// The offsets of one topic.
type Positions = BTreeMap<u32, i64>;

impl TopicSource {
    pub(crate) fn new(
        topics: &Topics,
        name: &str,
        starting: StartingOffsets,
        fail_on_data_loss: bool,
    ) -> Self {
        TopicSource { topics: topics.clone(), name: name.into(), starting, fail_on_data_loss }
    }

    fn topic(&self) -> Result<Topic, SourceError> {
        let gone = || SourceError::NoTopic { topic: self.name.to_string() };
        self.topics.topic(&self.name).ok_or_else(gone)
    }

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let topic = self.topic()?;
        Ok((0..topic.partition_count()).filter_map(|index| topic.partition(index)).collect())
    }

    fn offsets(&self, offset: impl Fn(&Partition) -> i64) -> Result<Offsets, SourceError> {
        let partitions = self.partitions()?;
        let offsets = partitions.iter().map(|partition| (partition.index(), offset(partition))).collect();
        Ok(BTreeMap::from([(self.name.to_string(), offsets)]))
    }

    async fn wait(&self, positions: Option<&Positions>) {
        let position = |partition: &Partition| {
            let known = positions.and_then(|positions| positions.get(&partition.index()).copied());
            // A partition that came to be since begins at its start.
            known.unwrap_or_else(|| partition.log_start_offset())
        };
        // Subscribe before looking, so that nothing falls between.
        let mut topics = self.topics.changed();
        loop {
            let partitions = self.partitions().unwrap_or_default();
            let mut ends: Vec<_> = partitions.iter().map(Partition::watch).collect();
            let new = ends.iter_mut().zip(&partitions).any(|(end, partition)| {
                // A position past the end: the topic was made anew, and `pin` says so.
                *end.borrow_and_update() != position(partition)
            });
            if new {
                return;
            }
            let mut changes: Vec<BoxFuture<'_, ()>> = vec![Box::pin(async {
                if topics.changed().await.is_err() {
                    pending::<()>().await;
                }
            })];
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

    fn take(&self, positions: &Offsets, limits: &Limits, turn: u64) -> Result<Pinned, SourceError> {
        let mut partitions = self.partitions()?;
        let count = partitions.len().max(1) as u64;
        partitions.rotate_left(usize::try_from(turn % count).unwrap_or(0));
        let (mut rows, mut bytes) = (limits.rows, limits.bytes);
        let mut ranges = BTreeMap::new();
        let mut fetched = Vec::new();
        let positions = positions.get(&*self.name);
        for partition in &partitions {
            let Some(end) = self.end(partition, limits) else { continue };
            let position = positions.and_then(|positions| positions.get(&partition.index()).copied());
            let from = self.position(partition, position)?;
            if position.is_some_and(|position| position != from) {
                // The jump is committed with the batch, also if nothing is there to read.
                ranges.insert(partition.index(), (from, from));
            }
            let to = end.min(from.saturating_add(i64::try_from(rows).unwrap_or(i64::MAX)));
            if from >= to || bytes == 0 {
                continue;
            }
            let part = self.fetch(partition, from, to, bytes)?;
            bytes = bytes.saturating_sub(part.bytes());
            rows = rows.saturating_sub(part.to.abs_diff(part.from));
            ranges.insert(part.partition, (part.from, part.to));
            fetched.push(part);
        }
        fetched.sort_by_key(|part| part.partition);
        Ok(Pinned::new(BTreeMap::from([(self.name.to_string(), ranges)]), Batches(fetched)))
    }

    /// Where reading ends; `None` if the partition is not to be read at all.
    fn end(&self, partition: &Partition, limits: &Limits) -> Option<i64> {
        let end = partition.high_watermark();
        let Some(until) = &limits.until else { return Some(end) };
        Some(end.min(*until.get(&*self.name)?.get(&partition.index())?))
    }

    fn take_again(&self, ranges: &Ranges) -> Result<Pinned, SourceError> {
        let topic = self.topic()?;
        let ranges = ranges.get(&*self.name).cloned().unwrap_or_default();
        let mut fetched = Vec::new();
        for (index, (from, to)) in &ranges {
            let lost = || SourceError::Lost {
                topic: self.name.to_string(),
                partition: *index,
                from: *from,
                to: *to,
            };
            let partition = topic.partition(*index).ok_or_else(lost)?;
            if partition.log_start_offset() > *from || partition.high_watermark() < *to {
                return Err(lost());
            }
            fetched.push(self.fetch(&partition, *from, *to, usize::MAX)?);
        }
        Ok(Pinned::new(BTreeMap::from([(self.name.to_string(), ranges)]), Batches(fetched)))
    }

    /// A producer may have been content with less, but what a query has committed must not stand on records that
    /// a power cut can take.
    async fn flush(&self, pinned: &Pinned) -> Result<(), SourceError> {
        let topic = self.topic()?;
        for (index, (from, to)) in pinned.ranges.get(&*self.name).into_iter().flatten() {
            let Some(partition) = topic.partition(*index).filter(|_| from < to) else { continue };
            partition.flush().await.map_err(|source| SourceError::Flush {
                topic: self.name.to_string(),
                partition: *index,
                source,
            })?;
        }
        Ok(())
    }

    /// Where to go on, if the log still has it.
    fn position(&self, partition: &Partition, position: Option<i64>) -> Result<i64, SourceError> {
        let (start, end) = (partition.log_start_offset(), partition.high_watermark());
        let position = position.unwrap_or(start);
        if (start..=end).contains(&position) {
            return Ok(position);
        }
        let (from, to) = (position, if position < start { start } else { end });
        let lost = SourceError::Lost { topic: self.name.to_string(), partition: partition.index(), from, to };
        if self.fail_on_data_loss {
            return Err(lost);
        }
        tracing::warn!(error = %lost, "went on where the log begins");
        Ok(start)
    }

    fn fetch(&self, partition: &Partition, from: i64, to: i64, bytes: usize) -> Result<Fetched, SourceError> {
        let mut fetched = Fetched {
            topic: Arc::clone(&self.name),
            partition: partition.index(),
            from,
            to: from,
            chunks: Vec::new(),
        };
        let mut left = bytes;
        while fetched.to < to && left > 0 {
            let read = partition.read(fetched.to, READ_BYTES.min(left), true).map_err(|source| {
                SourceError::Read { topic: self.name.to_string(), partition: partition.index(), source }
            })?;
            let end = last_end(&read.bytes)?;
            left = left.saturating_sub(read.bytes.len());
            if end <= fetched.to {
                // Offsets without records: they were compacted away.
                fetched.to = to;
                break;
            }
            fetched.to = end.min(to);
            fetched.chunks.push(read.bytes);
        }
        Ok(fetched)
    }
}

/// The offset after the last batch in the bytes; -1 if there is none.
fn last_end(bytes: &Bytes) -> Result<i64, SourceError> {
    let mut end = -1;
    for batch in record::batches(bytes) {
        end = batch?.header.next_offset();
    }
    Ok(end)
}

impl Fetched {
    fn bytes(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }
}

impl Source for TopicSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>> {
        let offset = |partition: &Partition| match self.starting {
            StartingOffsets::Earliest => partition.log_start_offset(),
            StartingOffsets::Latest => partition.high_watermark(),
        };
        ready(self.offsets(offset)).boxed()
    }

    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>> {
        self.wait(positions.get(&*self.name)).map(Ok).boxed()
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

    fn secure<'a>(&'a self, pinned: &'a Pinned) -> BoxFuture<'a, Result<(), SourceError>> {
        self.flush(pinned).boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        let bounds = || {
            let from = self.offsets(Partition::log_start_offset)?;
            Ok(Some(Bounds { from, until: self.offsets(Partition::high_watermark)? }))
        };
        ready(bounds()).boxed()
    }

    fn progress(&self, positions: &Offsets) -> Standing {
        let positions = positions.get(&*self.name);
        let partitions = self.partitions().unwrap_or_default();
        let standing = partitions.iter().map(|partition| {
            let start = || partition.log_start_offset();
            let offset = positions.and_then(|positions| positions.get(&partition.index()).copied());
            let end = partition.high_watermark();
            (partition.index(), SourceOffset { offset: offset.unwrap_or_else(start), end })
        });
        BTreeMap::from([(self.name.to_string(), standing.collect())])
    }
}

impl Content for Batches {
    fn rows(&self, shape: &Shape) -> Result<Rows, SourceError> {
        shape.decode(&JsonDecoder, self.records()?).map_err(SourceError::Decode)
    }
}

impl Batches {
    /// The records in order of partition and offset.
    fn records(&self) -> Result<Vec<SourceRecord>, SourceError> {
        let mut records = Vec::new();
        for fetched in &self.0 {
            // Where two chunks overlap in a batch, its records come once.
            let mut next = fetched.from;
            for batch in fetched.chunks.iter().flat_map(record::batches) {
                let batch = batch?;
                if batch.header.is_control() || batch.header.next_offset() <= next {
                    continue;
                }
                for record in batch.records(UNCOMPRESSED_BYTES_MAX)? {
                    let record::Record { offset, timestamp, key, value, headers } = record?;
                    if (next..fetched.to).contains(&offset) {
                        next = offset + 1;
                        let (topic, partition) = (Arc::clone(&fetched.topic), fetched.partition);
                        records.push(SourceRecord {
                            topic,
                            partition,
                            offset,
                            timestamp,
                            key,
                            value,
                            headers,
                        });
                    }
                }
            }
        }
        Ok(records)
    }
}
