//! What one write will append: batches copied once, numbered in place, and what to undo if the write fails.

use std::mem;

use bytes::{Bytes, BytesMut};
use record::{Batch, BatchHeader};

use crate::Error;
use crate::log::Appended;
use crate::producer_state::{Producer, ProducerState};
use crate::scan::LEADER_EPOCH;

/// How much one write carries, unless a single request is larger: what was copied into the buffer is still in the
/// core's cache when the kernel copies it out again.
const WRITE_BYTES: usize = 128 << 10;

#[derive(Debug)]
pub(crate) struct Stage {
    bytes: BytesMut,
    /// How many bytes of the call's requests may still come.
    to_come: usize,
    next_offset: i64,
    /// Each batch's header with its final offsets, and where it lies in `bytes`.
    headers: Vec<(BatchHeader, u64)>,
    members: Vec<(usize, Appended)>,
    /// Producers as they were, oldest first.
    undo: Vec<(i64, Option<Producer>)>,
}

impl Stage {
    pub(crate) fn new(next_offset: i64, to_come: usize) -> Self {
        Self {
            bytes: BytesMut::new(),
            to_come,
            next_offset,
            headers: Vec::new(),
            members: Vec::new(),
            undo: Vec::new(),
        }
    }

    pub(crate) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    pub(crate) fn next_offset(&self) -> i64 {
        self.next_offset
    }

    pub(crate) fn headers(&self) -> impl Iterator<Item = (&BatchHeader, u64)> {
        self.headers.iter().map(|(header, at)| (header, *at))
    }

    /// Whether the stage should be written before another request of this size.
    pub(crate) fn is_full(&self, bytes: usize) -> bool {
        !self.bytes.is_empty() && self.bytes.len() + bytes > WRITE_BYTES
    }

    /// Adds the request with number `at`.
    pub(crate) fn add(
        &mut self,
        at: usize,
        batches: &[Batch],
        append_time: i64,
        producers: &mut ProducerState,
    ) {
        let base_offset = self.next_offset;
        let request_bytes = batches.iter().map(|batch| batch.bytes.len()).sum();
        if self.bytes.capacity() == 0 {
            self.bytes.reserve(self.to_come.min(WRITE_BYTES).max(request_bytes));
        }
        self.to_come = self.to_come.saturating_sub(request_bytes);
        for batch in batches {
            self.add_batch(batch, append_time, producers);
        }
        let last_offset = self.next_offset - 1;
        let appended = Appended { base_offset, last_offset, log_append_time: append_time, duplicate: false };
        self.members.push((at, appended));
    }

    fn add_batch(&mut self, batch: &Batch, append_time: i64, producers: &mut ProducerState) {
        let start = self.bytes.len();
        if append_time >= 0 {
            let mut stamped = BytesMut::from(&batch.bytes[..]);
            record::set_log_append_time(&mut stamped, append_time);
            self.bytes.extend_from_slice(&stamped);
        } else {
            self.bytes.extend_from_slice(&batch.bytes);
        }
        record::assign_offsets(&mut self.bytes[start..], self.next_offset, LEADER_EPOCH);
        let header = BatchHeader::parse(&self.bytes[start..]).expect("it was parsed before it was copied");
        if header.producer_id >= 0 {
            self.undo.push((header.producer_id, producers.get(header.producer_id).copied()));
            producers.note(&header);
        }
        self.next_offset = header.next_offset();
        self.headers.push((header, start as u64));
    }

    /// The bytes to write; the stage is empty for the next ones once it was answered or refused.
    pub(crate) fn take_bytes(&mut self) -> Bytes {
        mem::take(&mut self.bytes).freeze()
    }

    /// The write succeeded.
    pub(crate) fn answer(&mut self, answers: &mut [Option<Result<Appended, Error>>]) {
        for (at, appended) in self.members.drain(..) {
            answers[at] = Some(Ok(appended));
        }
        self.headers.clear();
        self.undo.clear();
    }

    /// The write failed: nothing of it happened, and the log goes on at `next_offset`.
    pub(crate) fn refuse(
        &mut self,
        answers: &mut [Option<Result<Appended, Error>>],
        error: &Error,
        next_offset: i64,
        producers: &mut ProducerState,
    ) {
        for (at, _) in self.members.drain(..) {
            answers[at] = Some(Err(error.clone()));
        }
        for (producer_id, before) in self.undo.drain(..).rev() {
            producers.restore(producer_id, before);
        }
        self.headers.clear();
        self.next_offset = next_offset;
    }
}
