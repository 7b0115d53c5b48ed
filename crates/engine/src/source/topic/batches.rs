//! The record batches of what was pinned, and the records in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use topics::AbortedTransaction;

use crate::error::SourceError;
use crate::source::format::Format;
use crate::source::shape::Shape;
use crate::source::{Content, Rows, SourceRecord};

/// A record batch may not unpack to more.
const UNCOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// The batches of the log that hold what was pinned.
#[derive(Debug)]
pub(super) struct Batches {
    /// In order of topic and partition.
    fetched: Vec<Fetched>,
    format: Format,
}

/// A range of one partition.
#[derive(Debug)]
pub(super) struct Fetched {
    pub(super) topic: Arc<str>,
    pub(super) partition: u32,
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) chunks: Vec<Bytes>,
    /// The producer and the first offset of transactions that ended without effect.
    pub(super) taken_back: Vec<AbortedTransaction>,
}

impl Fetched {
    pub(super) fn bytes(&self) -> usize {
        self.chunks.iter().map(Bytes::len).sum()
    }

    /// The records in order of their offsets.
    fn records(&self, records: &mut Vec<SourceRecord>) -> Result<(), SourceError> {
        // Where two chunks overlap in a batch, its records come once.
        let mut next = self.from;
        let mut aborted: BTreeSet<i64> = BTreeSet::new();
        let mut taken_back: Vec<&AbortedTransaction> = self.taken_back.iter().collect();
        taken_back.sort_unstable_by_key(|transaction| transaction.first_offset);
        let mut pending = taken_back.into_iter().peekable();
        for batch in self.chunks.iter().flat_map(record::batches) {
            let batch = batch?;
            while let Some(transaction) = pending.next_if(|t| t.first_offset < batch.header.next_offset()) {
                aborted.insert(transaction.producer_id);
            }
            if batch.header.next_offset() <= next {
                continue;
            }
            let producer = batch.header.producer_id;
            if batch.header.is_control() {
                // The transaction has ended; the producer may have begun another one.
                aborted.remove(&producer);
                continue;
            }
            if batch.header.is_transactional() && aborted.contains(&producer) {
                continue;
            }
            for record in batch.records(UNCOMPRESSED_BYTES_MAX)? {
                let record::Record { offset, timestamp, key, value, headers } = record?;
                if (next..self.to).contains(&offset) {
                    next = offset + 1;
                    let (topic, partition) = (Arc::clone(&self.topic), self.partition);
                    records.push(SourceRecord { topic, partition, offset, timestamp, key, value, headers });
                }
            }
        }
        Ok(())
    }
}

impl Batches {
    pub(super) fn new(mut fetched: Vec<Fetched>, format: &Format) -> Self {
        fetched.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        Batches { fetched, format: format.clone() }
    }
}

impl Content for Batches {
    fn rows(&self, shape: &Shape) -> Result<Rows, SourceError> {
        let mut records = Vec::new();
        for fetched in &self.fetched {
            fetched.records(&mut records)?;
        }
        shape.decode(&self.format, records).map_err(SourceError::Decode)
    }
}
