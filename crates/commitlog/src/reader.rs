//! Reading a log, from any thread, while its owner appends.

use std::path::PathBuf;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use bytes::{Bytes, BytesMut};

use crate::Error;
use crate::buffers::Buffers;
use crate::compaction::Cleaned;
use crate::producer_state::ProducerState;
use crate::scan::Piece;
use crate::segment::Segment;
use crate::tail::Tail;

/// The smallest and the largest read from a file.
const WINDOW_BYTES: std::ops::RangeInclusive<usize> = 16 << 10..=1 << 20;

/// A time that nobody has looked up.
pub(crate) const UNKNOWN_MS: i64 = i64::MIN;

/// What the owner of a log and its readers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) dir: PathBuf,
    pub(crate) uncompressed_bytes_max: usize,
    /// Never empty; the last one is being written. Replaced as a whole when a segment comes or goes.
    pub(crate) segments: RwLock<Arc<Vec<Arc<Segment>>>>,
    pub(crate) log_start_offset: AtomicI64,
    /// When the active segment got its first batch, as far as somebody looked.
    pub(crate) active_since_ms: AtomicI64,
    /// How far compaction came, once somebody looked.
    pub(crate) cleaned: Mutex<Option<Cleaned>>,
    pub(crate) tail: Mutex<Tail>,
    pub(crate) buffers: Arc<Buffers>,
    pub(crate) producers: Mutex<ProducerState>,
}

/// Reads a log. Cheap to clone. Knows nothing of the high watermark: its owner says up to where readers may see.
#[derive(Debug, Clone)]
pub struct LogReader {
    pub(crate) shared: Arc<Shared>,
}

impl LogReader {
    /// The first offset that may be read.
    #[must_use]
    pub fn log_start_offset(&self) -> i64 {
        self.shared.log_start_offset.load(Ordering::Acquire)
    }

    /// Whole batches from the one that contains `from`, none that begins at `up_to` or later, together at most
    /// `max_bytes`; with `min_one` the first one comes however large it is. Empty at `up_to`.
    ///
    /// # Errors
    /// [`Error::OutOfRange`] outside of the log, [`Error::Corrupt`] where bytes are rotten, [`Error::Io`].
    pub fn read(&self, from: i64, up_to: i64, max_bytes: usize, min_one: bool) -> Result<Bytes, Error> {
        self.check_range(from, up_to)?;
        if from == up_to {
            return Ok(Bytes::new());
        }
        if let Some(bytes) = self.read_tail(from, up_to, max_bytes, min_one) {
            return Ok(bytes);
        }
        let segments = self.shared.segments();
        let first = segments.partition_point(|segment| segment.base_offset() <= from).saturating_sub(1);
        for (at, segment) in segments.iter().enumerate().skip(first) {
            let end = segments.get(at + 1).map_or(up_to, |next| next.base_offset());
            let reading = Reading { from, up_to, end, max_bytes, min_one };
            if let Some(slices) = reading.of(segment)? {
                return Ok(joined(slices));
            }
        }
        Ok(Bytes::new())
    }

    pub(crate) fn check_range(&self, from: i64, up_to: i64) -> Result<(), Error> {
        let start = self.log_start_offset();
        if from < start || from > up_to {
            return Err(Error::OutOfRange { offset: from, start, end: up_to });
        }
        Ok(())
    }

    /// What the newest batches in memory have of it.
    pub(crate) fn read_tail(&self, from: i64, up_to: i64, max_bytes: usize, min_one: bool) -> Option<Bytes> {
        let slices = lock(&self.shared.tail).read(from, up_to, max_bytes, min_one)?;
        Some(joined(slices))
    }

    /// The offset and timestamp of the first record at or after `timestamp` below `up_to`. Exact: records are
    /// looked at.
    ///
    /// # Errors
    /// [`Error::Io`]. Rotten batches are passed over.
    pub fn offset_for_timestamp(&self, timestamp: i64, up_to: i64) -> Result<Option<(i64, i64)>, Error> {
        let start = self.log_start_offset();
        for segment in self.shared.segments().iter() {
            let limit = self.shared.uncompressed_bytes_max;
            let found = segment.find_time(timestamp, (start, up_to), limit)?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    /// The offset and timestamp of the first of the newest records below `up_to`.
    ///
    /// # Errors
    /// [`Error::Io`].
    pub fn max_timestamp(&self, up_to: i64) -> Result<Option<(i64, i64)>, Error> {
        let mut newest = -1;
        for segment in self.shared.segments().iter() {
            newest = newest.max(segment.max_timestamp()?);
        }
        if newest < 0 { Ok(None) } else { self.offset_for_timestamp(newest, up_to) }
    }

    /// The epoch and last sequence number of an idempotent producer, as far as it is remembered.
    #[must_use]
    pub fn last_sequence(&self, producer_id: i64) -> Option<(i16, i32)> {
        lock(&self.shared.producers).epoch_and_last_sequence(producer_id)
    }

    /// How many bytes of batches lie on disk.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.shared.segments().iter().map(|segment| segment.size()).sum()
    }
}

impl Shared {
    /// Takes note of the time of an append to the active segment; the first one counts.
    pub(crate) fn note_append(&self, now_ms: i64) {
        if self.active_since_ms.load(Ordering::Acquire) == UNKNOWN_MS {
            self.active_since_ms.store(now_ms, Ordering::Release);
        }
    }

    /// When the active segment got its first batch, as far as that is known.
    pub(crate) fn active_since(&self) -> Option<i64> {
        Some(self.active_since_ms.load(Ordering::Acquire)).filter(|since| *since != UNKNOWN_MS)
    }

    pub(crate) fn segments(&self) -> Arc<Vec<Arc<Segment>>> {
        Arc::clone(&self.segments.read().unwrap_or_else(PoisonError::into_inner))
    }
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One read of one segment.
#[derive(Debug, Clone, Copy)]
struct Reading {
    from: i64,
    up_to: i64,
    /// The offset after this segment's last.
    end: i64,
    max_bytes: usize,
    min_one: bool,
}

impl Reading {
    /// Slices of whole batches, or nothing if this segment has none from here on.
    fn of(self, segment: &Segment) -> Result<Option<Vec<Bytes>>, Error> {
        let window = self.max_bytes.saturating_add(*WINDOW_BYTES.start());
        let mut scan =
            segment.scan_from(self.from, window.clamp(*WINDOW_BYTES.start(), *WINDOW_BYTES.end()))?;
        let mut slices: Vec<Bytes> = Vec::new();
        let mut taken = 0;
        while let Some(piece) = scan.next_piece().map_err(segment.failed("reading"))? {
            match piece {
                Piece::Batch { position, batch } => {
                    let header = &batch.header;
                    let end = position + batch.bytes.len() as u64;
                    segment.places().note_verified(position, end);
                    if header.last_offset() < self.from {
                        continue;
                    }
                    let fits = taken + batch.bytes.len() <= self.max_bytes || (self.min_one && taken == 0);
                    if header.base_offset >= self.up_to || !fits {
                        return Ok(Some(slices));
                    }
                    let before = if taken == 0 { self.from } else { header.base_offset };
                    segment.places().note(before, header.next_offset(), end);
                    taken += batch.bytes.len();
                    slices.push(batch.bytes);
                }
                Piece::Rot { .. } if taken > 0 => break,
                Piece::Rot { from: position, resumes, .. } => {
                    let next_offset = resumes.unwrap_or(self.end);
                    if self.from < next_offset {
                        return Err(Error::Corrupt { path: segment.path(), position, next_offset });
                    }
                }
            }
        }
        Ok((taken > 0).then_some(slices))
    }
}

/// One piece of memory: the slices as they lie if they lie side by side, a copy otherwise.
fn joined(mut slices: Vec<Bytes>) -> Bytes {
    if slices.len() <= 1 {
        return slices.pop().unwrap_or_default();
    }
    let mut out = BytesMut::with_capacity(slices.iter().map(Bytes::len).sum());
    for slice in &slices {
        out.extend_from_slice(slice);
    }
    out.freeze()
}
