//! The newest batches, kept in memory for readers that follow the end of the log.

use std::collections::VecDeque;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use record::BatchHeader;

use crate::TailBudget;

/// What one write appended.
#[derive(Debug)]
struct Chunk {
    base_offset: i64,
    next_offset: i64,
    bytes: Bytes,
}

/// A bounded, gapless run of chunks that ends where the log ends.
#[derive(Debug)]
pub(crate) struct Tail {
    chunks: VecDeque<Chunk>,
    bytes: usize,
    limit: usize,
    budget: TailBudget,
}

impl Tail {
    pub(crate) fn new(limit: usize, budget: TailBudget) -> Self {
        Self { chunks: VecDeque::new(), bytes: 0, limit, budget }
    }

    /// Adds what was appended, and forgets the oldest chunks until both limits hold.
    pub(crate) fn push(&mut self, base_offset: i64, next_offset: i64, bytes: Bytes) {
        debug_assert!(self.chunks.back().is_none_or(|last| last.next_offset == base_offset), "no gaps");
        self.bytes += bytes.len();
        let mut total = self.budget.used.fetch_add(bytes.len(), Ordering::Relaxed) + bytes.len();
        self.chunks.push_back(Chunk { base_offset, next_offset, bytes });
        while self.bytes > self.limit || total > self.budget.limit {
            let Some(oldest) = self.chunks.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
            total = self.budget.used.fetch_sub(oldest.bytes.len(), Ordering::Relaxed) - oldest.bytes.len();
        }
    }

    /// Forgets what was appended before `offset`, as far as whole writes go.
    pub(crate) fn forget_before(&mut self, offset: i64) {
        while self.chunks.front().is_some_and(|oldest| oldest.next_offset <= offset) {
            let Some(oldest) = self.chunks.pop_front() else { break };
            self.bytes -= oldest.bytes.len();
            self.budget.used.fetch_sub(oldest.bytes.len(), Ordering::Relaxed);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&mut self) {
        self.budget.used.fetch_sub(self.bytes, Ordering::Relaxed);
        self.chunks.clear();
        self.bytes = 0;
    }

    /// Slices of whole batches from the one that contains `from`, or nothing if that one is not here.
    pub(crate) fn read(&self, from: i64, up_to: i64, max_bytes: usize, min_one: bool) -> Option<Vec<Bytes>> {
        if from < self.chunks.front()?.base_offset {
            return None;
        }
        let first = self.chunks.partition_point(|chunk| chunk.next_offset <= from);
        let mut slices = Vec::new();
        let mut taken = 0;
        for chunk in self.chunks.range(first..) {
            let start = start_in(&chunk.bytes, from);
            let room = max_bytes.saturating_sub(taken);
            let end = end_in(&chunk.bytes, start, up_to, room, min_one && taken == 0);
            if end > start {
                slices.push(chunk.bytes.slice(start..end));
                taken += end - start;
            }
            if end < chunk.bytes.len() {
                break;
            }
        }
        Some(slices)
    }
}

impl Drop for Tail {
    fn drop(&mut self) {
        self.clear();
    }
}

fn header(bytes: &[u8]) -> BatchHeader {
    BatchHeader::parse(bytes).expect("the tail holds what the log itself has written")
}

fn start_in(bytes: &[u8], from: i64) -> usize {
    let mut at = 0;
    while at < bytes.len() {
        let header = header(&bytes[at..]);
        if header.last_offset() >= from {
            break;
        }
        at += header.total_bytes();
    }
    at
}

fn end_in(bytes: &[u8], start: usize, up_to: i64, room: usize, min_one: bool) -> usize {
    let mut at = start;
    while at < bytes.len() {
        let header = header(&bytes[at..]);
        let fits = at + header.total_bytes() - start <= room || (min_one && at == start);
        if header.base_offset >= up_to || !fits {
            break;
        }
        at += header.total_bytes();
    }
    at
}
