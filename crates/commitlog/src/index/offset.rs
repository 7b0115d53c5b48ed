//! Offset to position: 8 bytes per entry, as in Kafka's `.index` files.

const ENTRY_BYTES: usize = 8;

/// The batch at `position` ends with the segment's base offset + `relative`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OffsetEntry {
    pub(crate) relative: u32,
    pub(crate) position: u32,
}

/// Entries in ascending order of both numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct OffsetIndex {
    entries: Vec<OffsetEntry>,
}

impl OffsetIndex {
    pub(crate) fn push(&mut self, entry: OffsetEntry) {
        debug_assert!(self.entries.last().is_none_or(|last| ascending(last, &entry)), "entries ascend");
        self.entries.push(entry);
    }

    pub(crate) fn last(&self) -> Option<OffsetEntry> {
        self.entries.last().copied()
    }

    /// The entries whose offset is `relative` or lower.
    pub(crate) fn up_to(&self, relative: u32) -> &[OffsetEntry] {
        &self.entries[..self.entries.partition_point(|entry| entry.relative <= relative)]
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.entries.len() * ENTRY_BYTES);
        for entry in &self.entries {
            bytes.extend_from_slice(&entry.relative.to_be_bytes());
            bytes.extend_from_slice(&entry.position.to_be_bytes());
        }
        bytes
    }

    /// Nothing, when the bytes cannot be the index of a segment of `segment_bytes`.
    pub(crate) fn from_bytes(bytes: &[u8], segment_bytes: u64) -> Option<Self> {
        let (chunks, rest) = bytes.as_chunks::<ENTRY_BYTES>();
        let entries: Vec<OffsetEntry> = chunks.iter().map(parse).collect();
        let ascend = entries.windows(2).all(|pair| ascending(&pair[0], &pair[1]));
        let inside = entries.last().is_none_or(|last| u64::from(last.position) < segment_bytes);
        (rest.is_empty() && ascend && inside).then_some(Self { entries })
    }
}

fn ascending(one: &OffsetEntry, next: &OffsetEntry) -> bool {
    one.relative < next.relative && one.position < next.position
}

fn parse(bytes: &[u8; ENTRY_BYTES]) -> OffsetEntry {
    let number = u64::from_be_bytes(*bytes);
    OffsetEntry { relative: (number >> 32) as u32, position: (number & u64::from(u32::MAX)) as u32 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index() -> OffsetIndex {
        let mut index = OffsetIndex::default();
        for (relative, position) in [(9, 100), (19, 5000), (29, 9100)] {
            index.push(OffsetEntry { relative, position });
        }
        index
    }

    #[test]
    fn entries_survive_their_bytes() {
        assert_eq!(OffsetIndex::from_bytes(&index().to_bytes(), 10_000), Some(index()));
        assert_eq!(index().to_bytes()[..8], [0, 0, 0, 9, 0, 0, 0, 100]);
    }

    #[test]
    fn bytes_that_cannot_be_an_index_are_refused() {
        let good = index().to_bytes();
        assert_eq!(OffsetIndex::from_bytes(&good[..23], 10_000), None, "half an entry");
        assert_eq!(OffsetIndex::from_bytes(&good, 9_000), None, "a position behind the end");
        let zeros = [good, vec![0; 8]].concat();
        assert_eq!(OffsetIndex::from_bytes(&zeros, 10_000), None, "a preallocated tail");
    }

    #[test]
    fn entries_up_to_an_offset() {
        assert_eq!(index().up_to(8).len(), 0);
        assert_eq!(index().up_to(19).len(), 2);
        assert_eq!(index().up_to(1000).len(), 3);
    }
}
