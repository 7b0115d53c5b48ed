//! Randomness: the operating system's, or a seeded sequence that repeats.

use std::collections::hash_map::RandomState;
use std::fmt::Debug;
use std::hash::BuildHasher;
use std::sync::atomic::{AtomicU64, Ordering};

/// A source of random numbers for names and ids. Not for secrets: those need a cryptographic source.
pub trait Random: Send + Sync + Debug {
    /// The next 64 random bits.
    fn next_u64(&self) -> u64;

    /// The next 16 random bytes, enough for one UUID.
    fn next_16_bytes(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.next_u64().to_be_bytes());
        bytes[8..].copy_from_slice(&self.next_u64().to_be_bytes());
        bytes
    }
}

/// Random numbers that differ from run to run: the standard library's keyed hash, whose key comes from the
/// operating system.
#[derive(Debug, Default, Clone)]
pub struct OsRandom {
    _private: (),
}

impl OsRandom {
    /// A source of its own.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Random for OsRandom {
    fn next_u64(&self) -> u64 {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        RandomState::new().hash_one(CALLS.fetch_add(1, Ordering::Relaxed))
    }
}

/// The same numbers for the same seed, on every machine (the SplitMix64 sequence).
#[derive(Debug)]
pub struct SeededRandom {
    state: AtomicU64,
}

impl SeededRandom {
    /// The sequence that belongs to `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }

    /// A number below `limit`, which must not be zero. Slightly uneven for huge limits; good enough for tests.
    pub fn below(&self, limit: u64) -> u64 {
        assert!(limit > 0, "there is no number below zero");
        self.next_u64() % limit
    }
}

impl Random for SeededRandom {
    fn next_u64(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        let state = self.state.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_numbers() {
        let (one, two) = (SeededRandom::new(7), SeededRandom::new(7));
        let numbers: Vec<u64> = (0..4).map(|_| one.next_u64()).collect();
        assert_eq!(numbers, (0..4).map(|_| two.next_u64()).collect::<Vec<_>>());
        assert_ne!(numbers[0], SeededRandom::new(8).next_u64());
    }

    #[test]
    fn the_systems_numbers_differ() {
        let random = OsRandom::new();
        assert_ne!(random.next_16_bytes(), random.next_16_bytes());
    }
}
