//! Writes rows to a topic of the embedded log, each once.
//!
//! A query writes under one producer id for all its life. The rows that it writes to a partition are
//! numbered; the number is the record's sequence. A batch that runs again after a crash makes the same rows
//! with the same numbers, and those that the partition has are left out.

use std::collections::BTreeMap;

use record::{BatchBuilder, Built, Compression, Producer, partition_for_key};
use topics::{Acks, AppendError, AppendFuture, ErrorKind, Partition, Topics};

use crate::error::SinkError;
use crate::query::journal::Numbers;
use crate::sink::outgoing::{Outgoing, OutgoingRecord};

/// A record batch is closed when its records take this much.
const BATCH_BYTES: usize = 256 * 1024;

/// What a record mostly takes beside its key and its value.
const RECORD_BYTES: usize = 12;

/// Sequences are numbers modulo this.
const SEQUENCES: i64 = 1 << 31;

/// Rows without a key go to one partition so many at a time: few rows are one record batch and one flush, as Kafka's
/// own producers have it (KIP-480).
const TURN_ROWS: u64 = 1024;

/// How long to wait when the log has too much to write already.
const BACKOFF: std::time::Duration = std::time::Duration::from_millis(5);

/// A topic as a sink of one query.
#[derive(Debug)]
pub(crate) struct TopicSink {
    topics: Topics,
    name: String,
    producer_id: i64,
}

impl TopicSink {
    pub(crate) fn new(topics: &Topics, name: &str, producer_id: i64) -> Self {
        TopicSink { topics: topics.clone(), name: name.to_owned(), producer_id }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// How many partitions rows can go to.
    pub(crate) fn partition_count(&self) -> Result<u32, SinkError> {
        let topic = self.topics.topic(&self.name);
        topic
            .map(|topic| topic.partition_count())
            .ok_or_else(|| SinkError::NoTopic { topic: self.name.clone() })
    }

    /// Writes the rows and waits until they are durable. `first` numbers the first of them among all rows
    /// of the query; rows without a key take turns by that number, [`TURN_ROWS`] at a time. `numbers` moves on.
    pub(crate) async fn write(
        &self,
        rows: Outgoing,
        first: u64,
        partitions: u32,
        time_ms: i64,
        numbers: &mut Numbers,
    ) -> Result<(), SinkError> {
        if rows.is_empty() {
            return Ok(());
        }
        let mut by_partition: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (row, record) in rows.iter().enumerate() {
            let turn = (first + row as u64) / TURN_ROWS;
            let partition = match (record.partition, record.key) {
                (Some(partition), _) => partition,
                (None, Some(key)) => partition_for_key(key, partitions),
                (None, None) => u32::try_from(turn % u64::from(partitions)).unwrap_or(0),
            };
            by_partition.entry(partition).or_default().push(row);
        }
        let numbers = numbers.entry(self.name.clone()).or_default();
        let mut waiting = Vec::new();
        for (index, own) in by_partition {
            let next = numbers.entry(index).or_insert(0);
            let partition = self.partition(index)?;
            let written = self.already_written(&partition, *next, own.len());
            let records = own[written..].iter().map(|row| rows.get(*row));
            let batches = self.batches(records, *next + written as i64, time_ms);
            let alone = batches.len() == 1 && own.len() == rows.len();
            for batch in batches {
                waiting.push((index, self.enqueue(&partition, batch, alone).await?));
            }
            *next += own.len() as i64;
        }
        // The batches hold them now.
        drop(rows);
        for (index, appended) in waiting {
            appended.await.map_err(|source| self.append_error(index, source))?;
        }
        Ok(())
    }

    fn partition(&self, index: u32) -> Result<Partition, SinkError> {
        let topic = self.topics.topic(&self.name);
        let topic = topic.ok_or_else(|| SinkError::NoTopic { topic: self.name.clone() })?;
        let lost = || SinkError::NoPartition { topic: self.name.clone(), partition: index };
        topic.partition(index).ok_or_else(lost)
    }

    /// How many of the rows, whose first has the number `first`, the partition has.
    fn already_written(&self, partition: &Partition, first: i64, rows: usize) -> usize {
        let Some((_, last)) = partition.last_sequence(self.producer_id) else { return 0 };
        let ahead = (i64::from(last) + 1 - first).rem_euclid(SEQUENCES);
        usize::try_from(ahead).ok().filter(|ahead| *ahead <= rows).unwrap_or(0)
    }

    fn batches<'a>(
        &self,
        records: impl Iterator<Item = OutgoingRecord<'a>> + Clone,
        first: i64,
        time_ms: i64,
    ) -> Vec<Built> {
        let bytes_of = |record: OutgoingRecord<'_>| {
            RECORD_BYTES + record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len)
        };
        let mut left = records.clone().map(bytes_of).sum::<usize>();
        let mut batches = Vec::new();
        let mut open: Option<BatchBuilder> = None;
        for (number, record) in (first..).zip(records) {
            let builder = open.get_or_insert_with(|| {
                let base_sequence = i32::try_from(number.rem_euclid(SEQUENCES)).expect("less than 2^31");
                let producer = Producer { id: self.producer_id, epoch: 0, base_sequence };
                let mut builder = BatchBuilder::new(Compression::None, producer);
                builder.reserve(left.min(BATCH_BYTES));
                builder
            });
            builder.push(time_ms, record.key, record.value, record.headers);
            left -= bytes_of(record);
            if builder.uncompressed_bytes() >= BATCH_BYTES {
                batches.extend(open.take().map(BatchBuilder::finish));
            }
        }
        batches.extend(open.map(BatchBuilder::finish));
        batches
    }

    /// A batch that is written `alone` is flushed on this thread, which is the query's own; several are flushed together
    /// on another one.
    async fn enqueue(
        &self,
        partition: &Partition,
        batch: Built,
        alone: bool,
    ) -> Result<AppendFuture, SinkError> {
        loop {
            let appended = match alone {
                true => partition.append_built(batch.clone()),
                false => partition.enqueue_built(batch.clone(), Acks::All),
            };
            match appended {
                Err(error) if error.kind() == ErrorKind::Retry => tokio::time::sleep(BACKOFF).await,
                other => return other.map_err(|source| self.append_error(partition.index(), source)),
            }
        }
    }

    fn append_error(&self, partition: u32, source: AppendError) -> SinkError {
        SinkError::Append { topic: self.name.clone(), partition, source }
    }
}
