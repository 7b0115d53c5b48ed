//! When keys end: a key that holds a time is of no use once the watermark has passed it.
//!
//! The watermark, as in Spark, says that nothing older is expected. A window ends when the watermark reaches its end;
//! an instant ends when the watermark has passed it. Times are microseconds since the epoch.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::record_batch::RecordBatch;

/// Which key column holds the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeKey {
    /// Its place among the columns; if that is none of the key's, its values never change.
    pub(crate) column: usize,
    /// How it is to be read.
    pub(crate) kind: TimeKind,
    /// How long after that time the key ends, in microseconds.
    pub(crate) after_us: i64,
}

impl TimeKey {
    /// The lowest watermark that ends each of these state rows.
    pub(crate) fn ends(self, rows: &RecordBatch) -> Vec<i64> {
        let mut ends = self.kind.ends(rows.column(self.column));
        ends.iter_mut().for_each(|end| *end = end.saturating_add(self.after_us));
        ends
    }
}

/// How a time column is to be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeKind {
    /// A timestamp in microseconds.
    Instant,
    /// A struct of `start` and `end`.
    Window,
}

/// Slots by the lowest watermark that ends them.
#[derive(Debug)]
pub(super) struct Expiry {
    key: TimeKey,
    slots: BTreeMap<i64, Vec<u32>>,
    listed: usize,
}

impl TimeKind {
    /// The lowest watermark that ends each row; the highest of all where there is no time.
    pub(crate) fn ends(self, times: &ArrayRef) -> Vec<i64> {
        const NEVER: i64 = i64::MAX;
        let (ends, nulls, after) = match self {
            TimeKind::Instant => (times.clone(), times.nulls().cloned(), 1),
            TimeKind::Window => {
                let windows = times.as_struct();
                (windows.column(windows.num_columns() - 1).clone(), windows.nulls().cloned(), 0)
            }
        };
        let ends = ends.as_primitive::<TimestampMicrosecondType>();
        (0..ends.len())
            .map(|row| {
                let absent = ends.is_null(row) || nulls.as_ref().is_some_and(|nulls| nulls.is_null(row));
                if absent { NEVER } else { ends.value(row).saturating_add(after) }
            })
            .collect()
    }
}

impl Expiry {
    pub(super) fn new(key: TimeKey) -> Self {
        Expiry { key, slots: BTreeMap::new(), listed: 0 }
    }

    pub(super) fn key(&self) -> TimeKey {
        self.key
    }

    /// The lowest watermark that ends each of these state rows.
    pub(super) fn ends(&self, rows: &RecordBatch) -> Vec<i64> {
        self.key.ends(rows)
    }

    pub(super) fn add(&mut self, slot: u32, end: i64) {
        self.slots.entry(end).or_default().push(slot);
        self.listed += 1;
    }

    /// Forgets slots, given their state rows.
    pub(super) fn remove(&mut self, rows: &RecordBatch, slots: &[u32]) {
        let mut going: Vec<(i64, u32)> = self.ends(rows).into_iter().zip(slots.iter().copied()).collect();
        going.sort_unstable();
        for together in going.chunk_by(|one, other| one.0 == other.0) {
            let Some(listed) = self.slots.get_mut(&together[0].0) else { continue };
            let before = listed.len();
            listed.retain(|slot| together.binary_search(&(together[0].0, *slot)).is_err());
            self.listed -= before - listed.len();
            if listed.is_empty() {
                self.slots.remove(&together[0].0);
            }
        }
    }

    /// The slots that `watermark` ends, the oldest first.
    pub(super) fn until(&self, watermark: i64) -> impl Iterator<Item = u32> {
        self.slots.range(..=watermark).flat_map(|(_, slots)| slots.iter().copied())
    }

    /// The same, and forgets them.
    pub(super) fn take(&mut self, watermark: i64) -> Vec<u32> {
        let mut taken = Vec::new();
        while let Some(first) = self.slots.first_entry().filter(|first| *first.key() <= watermark) {
            taken.extend(first.remove());
        }
        self.listed -= taken.len();
        taken
    }

    /// Bytes held, about.
    pub(super) fn size(&self) -> usize {
        self.listed * size_of::<u32>() + self.slots.len() * size_of::<(i64, Vec<u32>)>()
    }
}
