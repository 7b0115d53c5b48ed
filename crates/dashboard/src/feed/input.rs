//! One partition of a gallery topic, read record by record.

use std::collections::VecDeque;
use std::sync::Arc;

use bytes::Bytes;
use topics::{Partition, ReadError};

use super::event::{self, Event, Role};
use crate::Gallery;

/// Bytes of batches read at a time.
const READ_BYTES: usize = 1 << 20;
/// What one batch may unpack to.
const BATCH_BYTES_MAX: usize = 16 << 20;

#[derive(Debug)]
pub(super) struct Input {
    pub(super) role: Role,
    pub(super) topic: Arc<str>,
    pub(super) id: uuid::Uuid,
    pub(super) partition: Partition,
    next: i64,
    buffer: VecDeque<Event>,
}

/// What one read brought.
#[derive(Debug)]
pub(super) struct Chunk {
    events: VecDeque<Event>,
    next: i64,
    /// Records that are not what the page reads.
    pub(super) unreadable: u64,
}

impl Input {
    /// Begins `history` records before the end.
    pub(super) fn new(role: Role, topic: &topics::Topic, partition: Partition, history: u32) -> Self {
        let next = partition.log_start_offset().max(partition.high_watermark() - i64::from(history));
        Input { role, topic: topic.name().into(), id: topic.id(), partition, next, buffer: VecDeque::new() }
    }

    /// The timestamp of the next event, if one is at hand.
    pub(super) fn head_ms(&self) -> Option<i64> {
        self.buffer.front().map(|event| event.at_ms)
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.buffer.pop_front()
    }

    /// What to read next, if the buffer is empty and the log has more.
    pub(super) fn wanted(&self) -> Option<(Partition, Role, i64)> {
        let more = self.next < self.partition.high_watermark();
        (self.buffer.is_empty() && more).then(|| (self.partition.clone(), self.role, self.next))
    }

    pub(super) fn fill(&mut self, chunk: Chunk) {
        self.next = chunk.next;
        self.buffer = chunk.events;
    }
}

/// Reads and decodes; blocks on the disk. Goes around what cannot be read: the page is no judge of the log.
pub(super) fn read(partition: &Partition, role: Role, from: i64, gallery: &Gallery) -> Chunk {
    match partition.read(from, READ_BYTES, true) {
        Ok(found) => decode(&found.bytes, role, from, gallery),
        Err(error) => {
            let next = match &error {
                ReadError::OutOfRange { start, end, .. } => from.clamp(*start, (*end).max(*start)),
                ReadError::Corrupt { next_offset, .. } => *next_offset,
                ReadError::Io { .. } | ReadError::Deleted { .. } => partition.high_watermark(),
            };
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                from,
                next,
                "a gallery topic was not read"
            );
            Chunk { events: VecDeque::new(), next: next.max(from), unreadable: 0 }
        }
    }
}

fn decode(bytes: &Bytes, role: Role, from: i64, gallery: &Gallery) -> Chunk {
    let mut chunk = Chunk { events: VecDeque::new(), next: from, unreadable: 0 };
    for batch in record::batches(bytes) {
        let Ok(batch) = batch else { break };
        let next = batch.header.next_offset();
        if !batch.header.is_control() {
            match batch.records(BATCH_BYTES_MAX) {
                Ok(records) => take(&mut chunk, records, role, from, gallery),
                Err(_) => chunk.unreadable += 1,
            }
        }
        chunk.next = next.max(chunk.next);
    }
    chunk
}

fn take(chunk: &mut Chunk, records: record::Records, role: Role, from: i64, gallery: &Gallery) {
    for record in records {
        let Ok(record) = record else {
            chunk.unreadable += 1;
            return;
        };
        if record.offset < from {
            continue;
        }
        let value = record.value.as_deref().unwrap_or_default();
        match event::read(role, gallery, record.timestamp, value) {
            Some(event) => chunk.events.push_back(event),
            None => chunk.unreadable += 1,
        }
    }
}
