//! Reads a topic of the embedded log, in process: pins how far a batch goes, then gives its records.

use std::collections::BTreeMap;

use bytes::Bytes;
use futures::future::{BoxFuture, pending, select_all};
use topics::{Partition, Topic, Topics};

use crate::error::SourceError;
use crate::query::journal::Ranges;
use crate::sql::options::StartingOffsets;
use crate::status::SourceOffset;

/// Bytes asked from a partition at once.
const READ_BYTES: usize = 1024 * 1024;

/// A record batch may not unpack to more.
const UNCOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// How much one batch may take in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    pub(crate) rows: u64,
    pub(crate) bytes: usize,
}

/// One record of a batch.
#[derive(Debug, Clone)]
pub(crate) struct SourceRecord {
    pub(crate) partition: u32,
    pub(crate) offset: i64,
    pub(crate) timestamp: i64,
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
}

/// A range of each partition with the bytes that hold it.
#[derive(Debug, Default)]
pub(crate) struct Pinned {
    pub(crate) ranges: Ranges,
    fetched: Vec<Fetched>,
}

#[derive(Debug)]
struct Fetched {
    partition: u32,
    from: i64,
    to: i64,
    chunks: Vec<Bytes>,
}

/// A topic as a source.
#[derive(Debug, Clone)]
pub(crate) struct TopicSource {
    topics: Topics,
    name: String,
    fail_on_data_loss: bool,
}

impl TopicSource {
    pub(crate) fn new(topics: &Topics, name: &str, fail_on_data_loss: bool) -> Self {
        TopicSource { topics: topics.clone(), name: name.to_owned(), fail_on_data_loss }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    fn topic(&self) -> Result<Topic, SourceError> {
        self.topics.topic(&self.name).ok_or_else(|| SourceError::NoTopic { topic: self.name.clone() })
    }

    fn partitions(&self) -> Result<Vec<Partition>, SourceError> {
        let topic = self.topic()?;
        Ok((0..topic.partition_count()).filter_map(|index| topic.partition(index)).collect())
    }

    /// Where a new query begins.
    pub(crate) fn start(&self, starting: StartingOffsets) -> Result<BTreeMap<u32, i64>, SourceError> {
        let offset = |partition: &Partition| match starting {
            StartingOffsets::Earliest => partition.log_start_offset(),
            StartingOffsets::Latest => partition.high_watermark(),
        };
        Ok(self.partitions()?.iter().map(|partition| (partition.index(), offset(partition))).collect())
    }

    /// How far the positions are from the ends.
    pub(crate) fn progress(&self, positions: &BTreeMap<u32, i64>) -> BTreeMap<u32, SourceOffset> {
        let Ok(partitions) = self.partitions() else { return BTreeMap::new() };
        partitions
            .iter()
            .map(|partition| {
                let start = || partition.log_start_offset();
                let offset = positions.get(&partition.index()).copied().unwrap_or_else(start);
                (partition.index(), SourceOffset { offset, end: partition.high_watermark() })
            })
            .collect()
    }

    /// Waits until there is something after the positions. A partition that came to be since begins at its
    /// start.
    pub(crate) async fn ready(&self, positions: &BTreeMap<u32, i64>) {
        // Subscribe before looking, so that nothing falls between.
        let mut topics = self.topics.changed();
        loop {
            let partitions = self.partitions().unwrap_or_default();
            let mut ends: Vec<_> = partitions.iter().map(|p| (p.index(), p.watch())).collect();
            let new = ends.iter_mut().zip(&partitions).any(|((index, end), partition)| {
                let position = positions.get(index).copied().unwrap_or_else(|| partition.log_start_offset());
                // A position past the end: the topic was made anew, and `pin` says so.
                *end.borrow_and_update() != position
            });
            if new {
                return;
            }
            let mut changes: Vec<BoxFuture<'_, ()>> = vec![Box::pin(async {
                if topics.changed().await.is_err() {
                    pending::<()>().await;
                }
            })];
            for (_, end) in &mut ends {
                changes.push(Box::pin(async {
                    if end.changed().await.is_err() {
                        pending::<()>().await;
                    }
                }));
            }
            select_all(changes).await;
        }
    }

    /// Takes what is there, within the limits. The partition that goes first changes with `turn`, so that
    /// none waits for ever behind another.
    pub(crate) fn pin(
        &self,
        positions: &BTreeMap<u32, i64>,
        limits: Limits,
        turn: u64,
    ) -> Result<Pinned, SourceError> {
        let mut partitions = self.partitions()?;
        let count = partitions.len().max(1) as u64;
        partitions.rotate_left(usize::try_from(turn % count).unwrap_or(0));
        let mut left = limits;
        let mut ranges = BTreeMap::new();
        let mut fetched = Vec::new();
        for partition in &partitions {
            let position = positions.get(&partition.index()).copied();
            let from = self.position(partition, position)?;
            if position.is_some_and(|position| position != from) {
                // The jump is committed with the batch, also if nothing is there to read.
                ranges.insert(partition.index(), (from, from));
            }
            let wanted = i64::try_from(left.rows).unwrap_or(i64::MAX);
            let to = partition.high_watermark().min(from.saturating_add(wanted));
            if from >= to || left.bytes == 0 {
                continue;
            }
            let part = self.fetch(partition, from, to, left.bytes)?;
            left.bytes = left.bytes.saturating_sub(part.bytes());
            left.rows = left.rows.saturating_sub(part.to.abs_diff(part.from));
            ranges.insert(part.partition, (part.from, part.to));
            fetched.push(part);
        }
        fetched.sort_by_key(|part| part.partition);
        Ok(Pinned { ranges: BTreeMap::from([(self.name.clone(), ranges)]), fetched })
    }

    /// Takes what one partition has between two offsets, within the limits.
    pub(crate) fn pin_one(
        &self,
        index: u32,
        from: i64,
        end: i64,
        limits: Limits,
    ) -> Result<Pinned, SourceError> {
        let lost = || SourceError::Lost { topic: self.name.clone(), partition: index, from, to: end };
        let partition = self.topic()?.partition(index).ok_or_else(lost)?;
        let to = end.min(from.saturating_add(i64::try_from(limits.rows).unwrap_or(i64::MAX)));
        let fetched = self.fetch(&partition, from, to, limits.bytes)?;
        let range = BTreeMap::from([(index, (from, fetched.to))]);
        Ok(Pinned { ranges: BTreeMap::from([(self.name.clone(), range)]), fetched: vec![fetched] })
    }

    /// Makes what was pinned durable: a producer may have been content with less, but what a query has
    /// committed must not stand on records that a power cut can take.
    pub(crate) async fn secure(&self, pinned: &Pinned) -> Result<(), SourceError> {
        let topic = self.topic()?;
        for fetched in &pinned.fetched {
            let Some(partition) = topic.partition(fetched.partition) else { continue };
            partition.flush().await.map_err(|source| SourceError::Flush {
                topic: self.name.clone(),
                partition: fetched.partition,
                source,
            })?;
        }
        Ok(())
    }

    /// Reads ranges that were pinned before.
    pub(crate) fn reread(&self, ranges: &Ranges) -> Result<Pinned, SourceError> {
        let topic = self.topic()?;
        let mut fetched = Vec::new();
        for (index, (from, to)) in ranges.get(&self.name).into_iter().flatten() {
            let lost =
                || SourceError::Lost { topic: self.name.clone(), partition: *index, from: *from, to: *to };
            let partition = topic.partition(*index).ok_or_else(lost)?;
            if partition.log_start_offset() > *from || partition.high_watermark() < *to {
                return Err(lost());
            }
            fetched.push(self.fetch(&partition, *from, *to, usize::MAX)?);
        }
        Ok(Pinned { ranges: ranges.clone(), fetched })
    }

    /// Where to go on, if the log still has it.
    fn position(&self, partition: &Partition, position: Option<i64>) -> Result<i64, SourceError> {
        let (start, end) = (partition.log_start_offset(), partition.high_watermark());
        let position = position.unwrap_or(start);
        if (start..=end).contains(&position) {
            return Ok(position);
        }
        let (from, to) = (position, if position < start { start } else { end });
        let lost = SourceError::Lost { topic: self.name.clone(), partition: partition.index(), from, to };
        if self.fail_on_data_loss {
            return Err(lost);
        }
        tracing::warn!(error = %lost, "went on where the log begins");
        Ok(start)
    }

    fn fetch(&self, partition: &Partition, from: i64, to: i64, bytes: usize) -> Result<Fetched, SourceError> {
        let mut fetched = Fetched { partition: partition.index(), from, to: from, chunks: Vec::new() };
        let mut left = bytes;
        while fetched.to < to && left > 0 {
            let read = partition.read(fetched.to, READ_BYTES.min(left), true).map_err(|source| {
                SourceError::Read { topic: self.name.clone(), partition: partition.index(), source }
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

impl Pinned {
    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.values().all(BTreeMap::is_empty)
    }

    /// Where the range of a partition ends.
    pub(crate) fn end(&self, partition: u32) -> Option<i64> {
        self.fetched.iter().find(|fetched| fetched.partition == partition).map(|fetched| fetched.to)
    }

    /// The records in order of partition and offset.
    pub(crate) fn records(&self) -> Result<Vec<SourceRecord>, SourceError> {
        let mut records = Vec::new();
        for fetched in &self.fetched {
            // Where two chunks overlap in a batch, its records come once.
            let mut next = fetched.from;
            for batch in fetched.chunks.iter().flat_map(record::batches) {
                let batch = batch?;
                if batch.header.is_control() || batch.header.next_offset() <= next {
                    continue;
                }
                for record in batch.records(UNCOMPRESSED_BYTES_MAX)? {
                    let record::Record { offset, timestamp, key, value, .. } = record?;
                    if (next..fetched.to).contains(&offset) {
                        next = offset + 1;
                        let partition = fetched.partition;
                        records.push(SourceRecord { partition, offset, timestamp, key, value });
                    }
                }
            }
        }
        Ok(records)
    }
}
