//! Where to begin looking: by offset, and by time. Both indexes are sparse, and both can be rebuilt.

use record::BatchHeader;

pub(crate) use offset::{OffsetEntry, OffsetIndex};
pub(crate) use time::{TimeEntry, TimeIndex};

mod offset;
mod time;

/// The two indexes of one segment, and what has to be known to go on writing them.
#[derive(Debug, Clone)]
pub(crate) struct Index {
    base_offset: i64,
    interval_bytes: u64,
    pub(crate) offsets: OffsetIndex,
    pub(crate) times: TimeIndex,
    /// The greatest timestamp so far, and the last offset of the batch that has it.
    newest: TimeEntry,
    bytes_since_entry: u64,
}

impl Index {
    pub(crate) fn new(base_offset: i64, interval_bytes: u64) -> Self {
        let newest = TimeEntry::NONE;
        let (offsets, times) = (OffsetIndex::default(), TimeIndex::default());
        Self { base_offset, interval_bytes, offsets, times, newest, bytes_since_entry: 0 }
    }

    /// An index read from its files; the batches from the last entry on have still to be noted.
    pub(crate) fn from_parts(
        base_offset: i64,
        interval: u64,
        offsets: OffsetIndex,
        times: TimeIndex,
    ) -> Self {
        let newest = times.last();
        Self { newest, offsets, times, ..Self::new(base_offset, interval) }
    }

    /// Takes note of a batch. To be called for every batch, in order.
    pub(crate) fn note(&mut self, header: &BatchHeader, position: u64) {
        let relative = self.relative(header.last_offset());
        if header.max_timestamp > self.newest.timestamp {
            self.newest = TimeEntry { timestamp: header.max_timestamp, relative };
        }
        if self.bytes_since_entry > self.interval_bytes {
            let position = u32::try_from(position).expect("a segment is smaller than 4 GiB");
            self.offsets.push(OffsetEntry { relative, position });
            self.times.push(self.newest);
            self.bytes_since_entry = 0;
        }
        self.bytes_since_entry += header.total_bytes() as u64;
    }

    /// Adds the entry that tells the greatest timestamp of the whole segment.
    pub(crate) fn seal(&mut self) {
        self.times.push(self.newest);
    }

    pub(crate) fn max_timestamp(&self) -> i64 {
        self.newest.timestamp
    }

    /// Positions from which the batch with `offset` may be found, the nearest first, each with the last offset of
    /// the batch that must lie there.
    pub(crate) fn starts(&self, offset: i64) -> impl Iterator<Item = (u64, i64)> + '_ {
        let relative = u32::try_from(offset - self.base_offset).unwrap_or(u32::MAX);
        let entries = self.offsets.up_to(relative);
        entries
            .iter()
            .rev()
            .map(|entry| (u64::from(entry.position), self.base_offset + i64::from(entry.relative)))
    }

    /// An offset that lies before or in the first batch with `timestamp` or a later one.
    pub(crate) fn offset_before(&self, timestamp: i64) -> i64 {
        self.times
            .before(timestamp)
            .map_or(self.base_offset, |entry| self.base_offset + i64::from(entry.relative))
    }

    fn relative(&self, offset: i64) -> u32 {
        u32::try_from(offset - self.base_offset).expect("a segment spans fewer than 2^31 offsets")
    }
}
