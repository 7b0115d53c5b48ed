//! The last offset of each key, in bounded memory: keys are 128 bits of hash, as in Kafka, under secrets of this map's
//! own, so that nobody can make two keys meet.

use std::hash::{BuildHasher, RandomState};

/// Slots of the first table.
const SLOTS_MIN: usize = 1 << 10;
const SLOT_BYTES: usize = size_of::<Slot>();
const FREE: i64 = -1;

#[derive(Debug, Clone, Copy)]
struct Slot {
    hash: [u64; 2],
    offset: i64,
}

/// An open-addressed table that doubles as long as old and new one together stay within the limit.
#[derive(Debug)]
pub(super) struct KeyMap {
    slots: Vec<Slot>,
    used: usize,
    limit_bytes: usize,
    /// The most bytes that were held at a time.
    peak_bytes: usize,
    secrets: [RandomState; 2],
}

impl KeyMap {
    /// A map that takes at most `limit_bytes`, or its smallest size if that is more.
    pub(super) fn new(limit_bytes: usize) -> Self {
        let secrets = [RandomState::new(), RandomState::new()];
        Self { slots: Vec::new(), used: 0, limit_bytes, peak_bytes: 0, secrets }
    }

    /// The most memory that it took so far.
    pub(super) fn bytes(&self) -> usize {
        self.peak_bytes
    }

    /// Notes that `key` was seen at `offset`, which is higher than any before. False if there is no room.
    pub(super) fn put(&mut self, key: &[u8], offset: i64) -> bool {
        if self.used * 4 >= self.slots.len() * 3 && !self.grow() && self.used * 10 >= self.slots.len() * 9 {
            return false;
        }
        let hash = self.hash(key);
        let at = self.place(hash);
        self.used += usize::from(self.slots[at].offset == FREE);
        self.slots[at] = Slot { hash, offset };
        true
    }

    /// The last offset of `key`.
    pub(super) fn get(&self, key: &[u8]) -> Option<i64> {
        if self.used == 0 {
            return None;
        }
        Some(self.slots[self.place(self.hash(key))].offset).filter(|offset| *offset != FREE)
    }

    fn hash(&self, key: &[u8]) -> [u64; 2] {
        [self.secrets[0].hash_one(key), self.secrets[1].hash_one(key)]
    }

    /// The slot of a hash, or the free one where it would be.
    #[expect(clippy::cast_possible_truncation, reason = "the low bits are as good as any")]
    fn place(&self, hash: [u64; 2]) -> usize {
        let mask = self.slots.len() - 1;
        let mut at = hash[0] as usize & mask;
        while self.slots[at].offset != FREE && self.slots[at].hash != hash {
            at = (at + 1) & mask;
        }
        at
    }

    fn grow(&mut self) -> bool {
        let slots = (self.slots.len() * 2).max(SLOTS_MIN);
        let bytes = (slots + self.slots.len()) * SLOT_BYTES;
        if !self.slots.is_empty() && bytes > self.limit_bytes {
            return false;
        }
        self.peak_bytes = self.peak_bytes.max(bytes);
        let empty = vec![Slot { hash: [0; 2], offset: FREE }; slots];
        for slot in std::mem::replace(&mut self.slots, empty) {
            if slot.offset != FREE {
                let at = self.place(slot.hash);
                self.slots[at] = slot;
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_offset_of_each_key_is_known() {
        let mut map = KeyMap::new(1 << 20);
        assert_eq!(map.get(b"a"), None);
        for offset in 0..10_000_i64 {
            assert!(map.put(&(offset % 777).to_be_bytes(), offset));
        }
        for key in 0..777_i64 {
            let last = (0..10_000).rev().find(|offset| offset % 777 == key);
            assert_eq!(map.get(&key.to_be_bytes()), last);
        }
        assert_eq!(map.get(&777_i64.to_be_bytes()), None);
    }

    #[test]
    fn a_full_map_says_so_and_stays_within_its_limit() {
        let mut map = KeyMap::new(200_000);
        let taken = (0_i64..).take_while(|key| map.put(&key.to_be_bytes(), *key)).count();
        assert!((3_000..8_000).contains(&taken), "{taken}");
        assert!(map.bytes() <= 200_000, "{}", map.bytes());
        assert_eq!(map.get(&0_i64.to_be_bytes()), Some(0));
    }
}
