//! Reading what needs no waiting: batches that lie in memory, here or in the system's cache of the file, and that were
//! verified before.
//!
//! A checksum is looked at once per run of the program, when a batch is appended, when a start walks over it, or when it
//! is read for the first time. What was verified is read again without: only the headers are followed, from a place where
//! a batch is known to begin. Wherever anything is unexpected the careful way is taken instead, see `reader`.

use std::sync::Arc;

use bytes::Bytes;
use record::{Batch, BatchHeader, HEADER_BYTES};

use crate::Error;
use crate::buffers::Buffers;
use crate::reader::LogReader;
use crate::scan::LEADER_EPOCH;
use crate::segment::Segment;

/// More is not read at once without asking for another thread: copying it takes too long.
const BYTES_MAX: usize = 1 << 20;
/// The least that is read, so that a small limit finds a whole batch.
const BYTES_MIN: usize = 16 << 10;
/// How much is read before the first batch that is wanted, where only the index tells about its place.
const SLACK_BYTES: usize = 16 << 10;

/// What is asked for.
#[derive(Debug, Clone, Copy)]
struct Wanted {
    from: i64,
    up_to: i64,
    max_bytes: usize,
    min_one: bool,
}

/// Where whole batches lie in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Found {
    start: usize,
    end: usize,
    next_offset: i64,
}

impl LogReader {
    /// What [`read`](Self::read) answers, if that takes no waiting for a disk and no long work. `None`: ask the other one,
    /// where waiting is allowed.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] outside of the log.
    pub fn read_now(
        &self,
        from: i64,
        up_to: i64,
        max_bytes: usize,
        min_one: bool,
    ) -> Result<Option<Bytes>, Error> {
        self.check_range(from, up_to)?;
        if from == up_to {
            return Ok(Some(Bytes::new()));
        }
        if max_bytes > BYTES_MAX {
            return Ok(None);
        }
        if let Some(bytes) = self.read_tail(from, up_to, max_bytes, min_one) {
            return Ok(Some(bytes));
        }
        let segments = self.shared.segments();
        let at = segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        let wanted = Wanted { from, up_to, max_bytes, min_one };
        Ok(wanted.of(&segments[at], &self.shared.buffers))
    }
}

impl Wanted {
    fn of(self, segment: &Segment, buffers: &Arc<Buffers>) -> Option<Bytes> {
        if self.max_bytes == 0 && !self.min_one {
            return Some(Bytes::new());
        }
        let (position, known) = match segment.place_of(self.from) {
            Some(position) => (position, true),
            None => (segment.start_before(self.from)?, false),
        };
        let slack = if known { 0 } else { SLACK_BYTES };
        let left = usize::try_from(segment.size().checked_sub(position)?).unwrap_or(usize::MAX);
        let length = self.max_bytes.max(BYTES_MIN).saturating_add(slack).min(left);
        let mut buffer = buffers.take(length);
        let read = segment.read_now(buffer.space(length), position)?;
        let bytes = buffer.filled(read);
        if !known && !begins_soundly(&bytes) {
            return None;
        }
        let found = self.find(&bytes)?;
        let place = |at: usize| position + at as u64;
        if !segment.places().is_verified(place(found.start), place(found.end)) {
            return None;
        }
        segment.places().note(self.from, found.next_offset, place(found.end));
        Some(compact(&bytes, length, found))
    }

    /// Follows the headers. Nothing where they are not as they should be, or no whole batch is there that is wanted.
    fn find(self, bytes: &[u8]) -> Option<Found> {
        let (mut at, mut expected) = (0, i64::MIN);
        let mut found: Option<Found> = None;
        while at + HEADER_BYTES <= bytes.len() {
            let header = BatchHeader::parse(&bytes[at..]).ok()?;
            if header.base_offset < expected || header.partition_leader_epoch != LEADER_EPOCH {
                return None;
            }
            expected = header.next_offset();
            let end = at + header.total_bytes();
            if end > bytes.len() || header.base_offset >= self.up_to {
                break;
            }
            if header.last_offset() >= self.from {
                let start = found.map_or(at, |found| found.start);
                if end - start > self.max_bytes && !(self.min_one && found.is_none()) {
                    break;
                }
                found = Some(Found { start, end, next_offset: expected });
            }
            at = end;
        }
        found
    }
}

/// A small part of a buffer does not keep all of it from being used again.
fn compact(bytes: &Bytes, buffer_bytes: usize, found: Found) -> Bytes {
    let slice = bytes.slice(found.start..found.end);
    if slice.len() < buffer_bytes / 4 { Bytes::copy_from_slice(&slice) } else { slice }
}

/// Whether the first batch is a whole one and its checksum fits: then a batch begins here indeed.
fn begins_soundly(bytes: &Bytes) -> bool {
    let whole = |header: &BatchHeader| header.total_bytes() <= bytes.len();
    BatchHeader::parse(bytes)
        .ok()
        .filter(whole)
        .and_then(|header| Batch::parse(&bytes.slice(..header.total_bytes())).ok())
        .is_some_and(|batch| batch.verify_crc().is_ok())
}
