//! Key bytes by slot. A slot that was freed is given to the next key, and its bytes are reclaimed in bulk.

/// Dead bytes that are not worth a copy.
const SLACK_BYTES: usize = 4096;

/// Key bytes by slot.
#[derive(Debug, Default)]
pub(super) struct Arena {
    bytes: Vec<u8>,
    /// Where the bytes of a slot begin and end.
    spans: Vec<(usize, usize)>,
    free: Vec<u32>,
    dead_bytes: usize,
}

impl Arena {
    /// How many slots are in use.
    pub(super) fn len(&self) -> usize {
        self.spans.len() - self.free.len()
    }

    /// Bytes held.
    pub(super) fn size(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<(usize, usize)>() + self.free.capacity() * 4
    }

    /// The key of a slot in use.
    pub(super) fn get(&self, slot: u32) -> &[u8] {
        let (start, end) = self.spans[slot as usize];
        &self.bytes[start..end]
    }

    /// Gives the key a slot.
    pub(super) fn push(&mut self, key: &[u8]) -> u32 {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(key);
        let span = (start, self.bytes.len());
        if let Some(slot) = self.free.pop() {
            self.spans[slot as usize] = span;
            return slot;
        }
        self.spans.push(span);
        let slot = u32::try_from(self.spans.len() - 1).expect("stage checked the number of keys");
        assert_ne!(slot, u32::MAX, "stage checked the number of keys");
        slot
    }

    /// Frees a slot in use.
    pub(super) fn remove(&mut self, slot: u32) {
        let (start, end) = std::mem::take(&mut self.spans[slot as usize]);
        self.dead_bytes += end - start;
        self.free.push(slot);
        if self.dead_bytes > SLACK_BYTES.max(self.bytes.len() / 2) {
            self.compact();
        }
    }

    fn compact(&mut self) {
        let mut bytes = Vec::with_capacity(self.bytes.len() - self.dead_bytes);
        for (start, end) in &mut self.spans {
            let moved = bytes.len();
            bytes.extend_from_slice(&self.bytes[*start..*end]);
            (*start, *end) = (moved, bytes.len());
        }
        self.bytes = bytes;
        self.dead_bytes = 0;
    }
}
