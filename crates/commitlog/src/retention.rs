//! Ending segments for their age, and removing those that nobody is to read any more: by time and by size.
//!
//! Only whole segments go, oldest first, and only what readers may see already: where the log begins is durable before
//! a file is touched. A segment is as old as its newest record (Kafka's rule); one whose records have no time is as old
//! as the next one.

use std::path::PathBuf;
use std::sync::Arc;

use crate::reader::Shared;
use crate::segment::{Segment, failed};
use crate::{Error, Log, LogReader};

/// When segments go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// When their newest record is older than this many milliseconds (`retention.ms`).
    pub ms: Option<i64>,
    /// When the others hold at least this many bytes (`retention.bytes`).
    pub bytes: Option<u64>,
    /// End the segment that is written to when its first batch is older than this many milliseconds.
    pub roll_ms: i64,
}

/// What was removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tidied {
    /// Where the log begins now.
    pub log_start_offset: i64,
    /// Files that nobody looks for any more: the caller removes them, now or later. A start removes them too.
    pub doomed: Vec<PathBuf>,
}

impl LogReader {
    /// Whether [`Log::tidy`] has anything to do. Cheap: looks at what is in memory, once it was read.
    ///
    /// # Errors
    /// When a segment's times cannot be read.
    pub fn is_untidy(&self, retention: &Retention, up_to: i64, now_ms: i64) -> Result<bool, Error> {
        let segments = self.shared.segments();
        Ok(is_old(&self.shared, &segments, retention.roll_ms, now_ms)?
            || expired(&segments, retention, up_to, now_ms)?.count > 0)
    }
}

impl Log {
    /// Ends the active segment if it is old enough, and removes whole segments from the front as `retention` says, as
    /// far as their records lie before `up_to`.
    ///
    /// # Errors
    /// When the disk refuses. What was decided is durable or did not happen.
    pub fn tidy(&mut self, retention: &Retention, up_to: i64, now_ms: i64) -> Result<Tidied, Error> {
        self.check_poison()?;
        let mut segments = self.shared.segments();
        let mut expired = expired(&segments, retention, up_to, now_ms)?;
        if expired.all && up_to < self.next_offset {
            expired = Expired { count: segments.len() - 1, all: false };
        }
        if expired.all || is_old(&self.shared, &segments, retention.roll_ms, now_ms)? {
            self.roll()?;
            segments = self.shared.segments();
        }
        let mut doomed = Vec::new();
        if let Some(first) = segments.get(expired.count).filter(|_| expired.count > 0) {
            for segment in self.begin_at(first.base_offset())? {
                doomed.push(segment.put_aside()?);
            }
            self.disk.sync_dir(self.dir()).map_err(failed("removing segments of", self.dir()))?;
        }
        Ok(Tidied { log_start_offset: self.reader().log_start_offset(), doomed })
    }

    /// The age at which the active segment ends, less its share of the jitter.
    pub(crate) fn segment_ms(&self) -> i64 {
        let jitter = u64::try_from(self.config.segment_jitter_ms).unwrap_or(0);
        if jitter == 0 {
            return self.config.segment_ms;
        }
        // Any function will do that differs from segment to segment and from partition to partition.
        let name = crc32c::crc32c(self.dir().as_os_str().as_encoded_bytes());
        let mixed = (u64::from(name) ^ self.active.base_offset().cast_unsigned())
            .wrapping_mul(0x9e37_79b9_7f4a_7c15)
            >> 16;
        let share = i64::try_from(mixed % (jitter + 1)).unwrap_or(0);
        self.config.segment_ms.saturating_sub(share).max(1)
    }
}

/// How many segments go, and whether the active one is among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Expired {
    count: usize,
    all: bool,
}

fn expired(
    segments: &[Arc<Segment>],
    retention: &Retention,
    up_to: i64,
    now_ms: i64,
) -> Result<Expired, Error> {
    let (active, closed) = segments.split_last().expect("a log has at least one segment");
    let readable = segments.windows(2).take_while(|pair| pair[1].base_offset() <= up_to).count();
    let by_time = match retention.ms {
        Some(ms) => by_time(segments, now_ms.saturating_sub(ms))?,
        None => 0,
    };
    let total: u64 = segments.iter().map(|segment| segment.size()).sum();
    let by_size = retention.bytes.map_or(0, |bytes| by_size(closed, total, bytes));
    let count = by_time.max(by_size);
    let all = count == segments.len() && readable == closed.len() && active.size() > 0;
    Ok(Expired { count: if all { count } else { count.min(readable) }, all })
}

/// How many segments from the front hold nothing as new as `horizon`.
fn by_time(segments: &[Arc<Segment>], horizon: i64) -> Result<usize, Error> {
    let (mut count, mut timeless) = (0, 0);
    for segment in segments {
        let newest = segment.newest_timestamp()?;
        if newest >= horizon {
            break;
        }
        if newest < 0 {
            timeless += 1;
        } else {
            count += timeless + 1;
            timeless = 0;
        }
    }
    Ok(count)
}

fn by_size(closed: &[Arc<Segment>], total: u64, bytes: u64) -> usize {
    let mut surplus = total.saturating_sub(bytes);
    let goes = |segment: &&Arc<Segment>| {
        let fits = segment.size() <= surplus;
        surplus = surplus.saturating_sub(segment.size());
        fits
    };
    closed.iter().take_while(goes).count()
}

/// Whether the active segment holds something and its first batch is `roll_ms` old. After a restart that batch's own
/// time is taken for it, if it lies in the past.
fn is_old(shared: &Shared, segments: &[Arc<Segment>], roll_ms: i64, now_ms: i64) -> Result<bool, Error> {
    let active = segments.last().expect("a log has at least one segment");
    if active.size() == 0 {
        return Ok(false);
    }
    if shared.active_since().is_none() {
        let time = active.first_batch()?.map_or(now_ms, |header| header.max_timestamp);
        shared.note_append(if (0..now_ms).contains(&time) { time } else { now_ms });
    }
    Ok(shared.active_since().is_some_and(|since| now_ms.saturating_sub(since) >= roll_ms))
}
