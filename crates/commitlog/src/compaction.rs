//! Compaction: of the records with one key only the last one stays, below a point that moves forward.
//!
//! A pass reads the keys behind that point into a map of bounded size, then writes every closed segment before the end
//! of the map anew, without the records that the map knows a later one of. Small segments become one. What a pass does:
//!
//! - offsets never change, and a batch keeps its first and last offset, its producer and its sequence numbers;
//! - where batches disappear, one empty batch stands for their offsets, so that offsets stay without gaps;
//! - a batch that is its producer's last one stays, empty if need be: repetitions are recognised by it;
//! - records of aborted transactions go; a marker stays as long as a batch of its transaction was met before it;
//! - a tombstone, and a marker with no data left, stays for `delete.retention.ms` from the pass that first met it so;
//!   that time stands in the batch (KIP-534);
//! - records without a key go: nobody can ask for them.
//!
//! The new segment is written beside the old ones and durable before the log's owner puts it in their place, see
//! [`Log::swap`](crate::Log::swap). Readers in the middle of an old segment finish it.

use std::sync::Arc;

use env::write_atomically;

use crate::reader::{Shared, lock};
use crate::segment::{Segment, failed};
use crate::{Error, LogReader, names};
use aborted::Aborted;
use filter::Filter;
use key_map::KeyMap;
pub use rewrite::Rewritten;
use rewrite::{Outcome, rewrite};
pub(crate) use swap::finish_interrupted;

mod aborted;
mod filter;
mod key_map;
mod rewrite;
mod swap;

/// How a log is compacted. Times are milliseconds.
#[derive(Debug, Clone, PartialEq)]
pub struct CompactionConfig {
    /// The share of never compacted bytes from which on a pass is worth it (`min.cleanable.dirty.ratio`).
    pub min_dirty_ratio: f64,
    /// Younger segments are left alone (`min.compaction.lag.ms`).
    pub min_lag_ms: i64,
    /// Older records are compacted whatever the ratio (`max.compaction.lag.ms`).
    pub max_lag_ms: i64,
    /// How long tombstones stay (`delete.retention.ms`).
    pub delete_retention_ms: i64,
    /// Small segments are joined up to this many bytes (`segment.bytes`).
    pub segment_bytes: u64,
    /// For the new segments' indexes (`index.interval.bytes`).
    pub index_interval_bytes: u64,
    /// The most bytes that a compressed batch may unfold to.
    pub uncompressed_bytes_max: usize,
    /// The most memory for the map of keys (`log.cleaner.dedupe.buffer.size`).
    pub key_map_bytes: usize,
}

/// What there is to compact.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Backlog {
    /// Bytes of closed segments that no pass saw.
    pub dirty_bytes: u64,
    /// Bytes of those that one did.
    pub clean_bytes: u64,
    /// Whether a pass should run.
    pub due: bool,
    from: i64,
    end: i64,
}

/// What passes did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Bytes of segments read to be written anew.
    pub bytes_before: u64,
    /// Bytes written in their place.
    pub bytes_after: u64,
    /// How often the map of keys was filled.
    pub rounds: u32,
    /// The most bytes that the map of keys took.
    pub key_map_bytes: usize,
}

/// How far compaction came: everything before `to` was seen. And when the first tombstone may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Cleaned {
    to: i64,
    horizon_ms: i64,
}

/// No tombstone waits.
const NO_HORIZON: i64 = i64::MAX;

/// What the program around a compaction does for it.
pub trait Assistant {
    /// Called after so many bytes were read or written: the place to wait, so that others get their turn. False stops
    /// the compaction; what was finished stays finished.
    fn pace(&mut self, bytes: usize) -> bool;

    /// Lets the log's owner call [`Log::swap`](crate::Log::swap), and answers what it answered.
    ///
    /// # Errors
    /// Whatever the owner answers.
    fn swap(&mut self, rewritten: Rewritten) -> Result<bool, Error>;
}

impl LogReader {
    /// What there is to compact of the records before `stable_end`, which is the last stable offset.
    ///
    /// # Errors
    /// When a segment cannot be read.
    pub fn backlog(&self, config: &CompactionConfig, stable_end: i64, now_ms: i64) -> Result<Backlog, Error> {
        let segments = self.shared.segments();
        let cleanable = cleanable(&segments, config, stable_end, now_ms)?;
        let end = cleanable.last().map_or(segments[0].base_offset(), |(_, end)| *end);
        let cleaned = self.shared.cleaned(&**segments[0].disk())?;
        let from = if cleaned.to > end { end } else { cleaned.to.max(segments[0].base_offset()) };
        let (mut clean_bytes, mut dirty_bytes) = (0, 0);
        let mut first_dirty = None;
        for (segment, _) in &cleanable {
            if segment.base_offset() < from {
                clean_bytes += segment.size();
            } else {
                first_dirty = first_dirty.or(Some(segment));
                dirty_bytes += segment.size();
            }
        }
        let worth_it = dirty_bytes > 0 && dirty_ratio(dirty_bytes, clean_bytes) >= config.min_dirty_ratio;
        let overdue = match first_dirty {
            Some(segment) if config.max_lag_ms < i64::MAX => segment
                .first_batch()?
                .is_some_and(|first| first.max_timestamp <= now_ms.saturating_sub(config.max_lag_ms)),
            _ => false,
        };
        let tombstones = cleaned.horizon_ms <= now_ms && clean_bytes > 0;
        Ok(Backlog { dirty_bytes, clean_bytes, due: worth_it || overdue || tombstones, from, end })
    }
}

fn dirty_ratio(dirty: u64, clean: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a ratio of sizes needs no last digit")]
    let ratio = dirty as f64 / (dirty + clean) as f64;
    ratio
}

/// The segments that may be written anew, each with the offset behind it: closed, decided, and old enough.
fn cleanable(
    segments: &[Arc<Segment>],
    config: &CompactionConfig,
    stable_end: i64,
    now_ms: i64,
) -> Result<Vec<(Arc<Segment>, i64)>, Error> {
    let mut cleanable = Vec::new();
    for pair in segments.windows(2) {
        let (segment, end) = (&pair[0], pair[1].base_offset());
        let young =
            config.min_lag_ms > 0 && segment.newest_timestamp()? > now_ms.saturating_sub(config.min_lag_ms);
        if end > stable_end || young {
            break;
        }
        cleanable.push((Arc::clone(segment), end));
    }
    Ok(cleanable)
}

/// Compacts what `backlog` found, in as many rounds as the memory for keys asks for. Runs on any thread.
///
/// # Errors
/// When something cannot be read or written. Nothing is lost then; what was not finished is done again.
pub fn compact(
    reader: &LogReader,
    config: &CompactionConfig,
    backlog: &Backlog,
    now_ms: i64,
    assistant: &mut dyn Assistant,
) -> Result<Compacted, Error> {
    let mut done = Compacted::default();
    let mut from = backlog.from;
    loop {
        let segments = segments_before(&reader.shared, backlog.end);
        let aborted = Aborted::new(reader, from, backlog.end);
        let range = (from, backlog.end);
        let Some((map, to)) = fill(&segments, config, range, aborted, assistant)? else { break };
        done.rounds += 1;
        done.key_map_bytes = done.key_map_bytes.max(map.bytes());
        let mut filter = Filter::new(reader, map, to, now_ms, config.delete_retention_ms);
        let touched = segments.iter().take_while(|(segment, _)| segment.base_offset() < to).count();
        let mut left = &segments[..touched];
        while !left.is_empty() {
            let (count, outcome) = rewrite(&reader.shared, left, config, &mut filter, assistant)?;
            match outcome {
                Outcome::Stopped => return Ok(done),
                Outcome::Untouched => {}
                Outcome::Written(rewritten) => {
                    done.bytes_before += rewritten.bytes_before();
                    done.bytes_after += rewritten.size();
                    if !assistant.swap(rewritten)? {
                        return Ok(done);
                    }
                }
            }
            left = &left[count..];
        }
        if !assistant.pace(0) {
            return Ok(done);
        }
        let cleaned = Cleaned { to, horizon_ms: filter.horizon_ms() };
        reader.shared.set_cleaned(&segments[0].0, cleaned)?;
        from = to;
        if to >= backlog.end {
            break;
        }
    }
    Ok(done)
}

type Bounded = (Arc<Segment>, i64);

/// The segments before `end`, each with the offset behind it, as they are now.
fn segments_before(shared: &Shared, end: i64) -> Vec<Bounded> {
    let segments = shared.segments();
    let pairs = segments.windows(2).map(|pair| (Arc::clone(&pair[0]), pair[1].base_offset()));
    pairs.take_while(|(_, behind)| *behind <= end).collect()
}

/// Reads keys from `from` on, until the end or until the map is full; answers how far it came.
fn fill(
    segments: &[Bounded],
    config: &CompactionConfig,
    (from, end): (i64, i64),
    mut aborted: Aborted,
    assistant: &mut dyn Assistant,
) -> Result<Option<(KeyMap, i64)>, Error> {
    let mut map = KeyMap::new(config.key_map_bytes);
    let limit = config.uncompressed_bytes_max;
    if segments.is_empty() {
        return Ok(None);
    }
    for (segment, behind) in segments {
        if *behind <= from {
            continue;
        }
        match rewrite::learn_keys(segment, from, &mut map, (&mut aborted, limit), assistant)? {
            rewrite::Learnt::All => {}
            rewrite::Learnt::FullAt(offset) => return Ok(Some((map, offset))),
            rewrite::Learnt::Stopped => return Ok(None),
        }
    }
    Ok(Some((map, end)))
}

impl Shared {
    /// How far compaction came, from the file of it the first time. Without one, it never began.
    fn cleaned(&self, disk: &dyn env::Disk) -> Result<Cleaned, Error> {
        let mut cleaned = lock(&self.cleaned);
        if let Some(cleaned) = *cleaned {
            return Ok(cleaned);
        }
        let path = self.dir.join(names::CLEANED_FILE);
        let bytes = match disk.read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(failed("reading", &path)(error)),
        };
        // What cannot be read costs a longer pass, and nothing else.
        let read = parse(&bytes).unwrap_or(Cleaned { to: 0, horizon_ms: NO_HORIZON });
        *cleaned = Some(read);
        Ok(read)
    }

    fn set_cleaned(&self, of_disk: &Segment, cleaned: Cleaned) -> Result<(), Error> {
        let path = self.dir.join(names::CLEANED_FILE);
        let text = format!("{} {}\n", cleaned.to, cleaned.horizon_ms);
        write_atomically(&**of_disk.disk(), &path, text.as_bytes()).map_err(failed("writing", &path))?;
        *lock(&self.cleaned) = Some(cleaned);
        Ok(())
    }
}

fn parse(bytes: &[u8]) -> Option<Cleaned> {
    let (to, horizon_ms) = std::str::from_utf8(bytes).ok()?.trim().split_once(' ')?;
    Some(Cleaned { to: to.parse().ok()?, horizon_ms: horizon_ms.parse().ok()? })
}
