//! Timestamp to offset: 12 bytes per entry, as in Kafka's `.timeindex` files.

const ENTRY_BYTES: usize = 12;

/// No record up to the batch that ends with the segment's base offset + `relative` is newer than `timestamp`, and
/// that batch is as new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TimeEntry {
    pub(crate) timestamp: i64,
    pub(crate) relative: u32,
}

impl TimeEntry {
    /// Before the first record. Records without a time have -1 too.
    pub(crate) const NONE: Self = Self { timestamp: -1, relative: 0 };
}

/// Entries in ascending order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct TimeIndex {
    entries: Vec<TimeEntry>,
}

impl TimeIndex {
    /// Adds an entry, unless time stood still since the last one.
    pub(crate) fn push(&mut self, entry: TimeEntry) {
        if entry.timestamp > self.last().timestamp {
            self.entries.push(entry);
        }
    }

    pub(crate) fn last(&self) -> TimeEntry {
        self.entries.last().copied().unwrap_or(TimeEntry::NONE)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The last entry that is not newer than `timestamp`.
    pub(crate) fn before(&self, timestamp: i64) -> Option<TimeEntry> {
        let count = self.entries.partition_point(|entry| entry.timestamp < timestamp);
        count.checked_sub(1).map(|last| self.entries[last])
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len() * ENTRY_BYTES);
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.timestamp.to_be_bytes());
            bytes.extend_from_slice(&entry.relative.to_be_bytes());
        }
        bytes
    }

    /// Nothing, when the bytes cannot be a time index.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let entries: Vec<TimeEntry> = chunks.iter().map(parse).collect();
        let ascending =
            |pair: &[TimeEntry]| pair[0].timestamp < pair[1].timestamp && pair[0].relative < pair[1].relative;
        let sound =
            entries.windows(2).all(ascending) && entries.first().is_none_or(|entry| entry.timestamp >= 0);
        (rest.is_empty() && sound).then_some(Self { entries })
    }
}

fn parse(bytes: &[u8; ENTRY_BYTES]) -> TimeEntry {
    let mut timestamp = [0; 8];
    let mut relative = [0; 4];
    timestamp.copy_from_slice(&bytes[..8]);
    relative.copy_from_slice(&bytes[8..]);
    TimeEntry { timestamp: i64::from_be_bytes(timestamp), relative: u32::from_be_bytes(relative) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> TimeIndex {
        let mut index = TimeIndex::default();
        for (timestamp, relative) in [(1_000, 9), (1_000, 12), (2_000, 29)] {
            index.push(TimeEntry { timestamp, relative });
        }
        index
    }

    #[test]
    fn time_that_stands_still_makes_no_entry() {
        assert_eq!(index().entries.len(), 2);
    }

    #[test]
    fn entries_survive_their_bytes() {
        assert_eq!(TimeIndex::from_bytes(&index().to_bytes()), Some(index()));
        assert_eq!(TimeIndex::from_bytes(&index().to_bytes()[1..]), None);
        assert_eq!(TimeIndex::from_bytes(&[index().to_bytes(), vec![0; 12]].concat()), None);
    }

    #[test]
    fn the_last_entry_before_a_time() {
        assert_eq!(index().before(1_000), None, "the record itself may be the first");
        assert_eq!(index().before(1_001).map(|entry| entry.relative), Some(9));
        assert_eq!(index().before(i64::MAX).map(|entry| entry.relative), Some(29));
    }
}
