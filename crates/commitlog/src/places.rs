//! What reading a segment has taught: where batches begin, and which bytes were verified.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::reader::lock;

/// Readers that go on where they stopped: as many at a time as there are places.
const PLACES: usize = 4;

/// Where batches begin, and which bytes were verified in this run of the program: those up to one position, and those from
/// another one on.
#[derive(Debug)]
pub(crate) struct Places {
    ring: Mutex<Ring>,
    verified_to: AtomicU64,
    verified_from: AtomicU64,
}

#[derive(Debug, Default)]
struct Ring {
    /// Offsets, and the positions of the batches that begin with them.
    places: [Option<(i64, u64)>; PLACES],
    next: usize,
}

impl Places {
    /// Nothing known of the first `size` bytes. Whatever is appended behind them is verified before.
    pub(crate) fn new(size: u64) -> Self {
        Self { ring: Mutex::default(), verified_to: AtomicU64::new(0), verified_from: AtomicU64::new(size) }
    }

    /// The position of the batch that begins with `offset`, if somebody has come there.
    pub(crate) fn find(&self, offset: i64) -> Option<u64> {
        let ring = lock(&self.ring);
        ring.places.iter().flatten().find(|place| place.0 == offset).map(|place| place.1)
    }

    /// Behind the batch that ends before `offset` is `position`.
    pub(crate) fn note(&self, from: i64, offset: i64, position: u64) {
        let mut ring = lock(&self.ring);
        // A reader that goes on leaves its old place.
        let old = ring.places.iter().position(|place| place.is_some_and(|place| place.0 == from));
        let at = old.unwrap_or(ring.next);
        if old.is_none() {
            ring.next = (ring.next + 1) % PLACES;
        }
        ring.places[at] = Some((offset, position));
    }

    /// These bytes were found sound.
    pub(crate) fn note_verified(&self, from: u64, to: u64) {
        if from <= self.verified_to.load(Ordering::Acquire) {
            self.verified_to.fetch_max(to, Ordering::AcqRel);
        }
    }

    pub(crate) fn is_verified(&self, from: u64, to: u64) -> bool {
        let verified_to = self.verified_to.load(Ordering::Acquire);
        let verified_from = self.verified_from.load(Ordering::Acquire);
        to <= verified_to || from >= verified_from || verified_from <= verified_to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_verified_grows_together() {
        let places = Places::new(100);
        assert!(places.is_verified(100, 200) && !places.is_verified(99, 101) && !places.is_verified(0, 10));
        places.note_verified(50, 80);
        assert!(!places.is_verified(50, 80), "there is a gap before it");
        places.note_verified(0, 60);
        places.note_verified(50, 80);
        assert!(places.is_verified(10, 80) && !places.is_verified(10, 81));
        places.note_verified(80, 100);
        assert!(places.is_verified(0, 300));
    }

    #[test]
    fn readers_that_go_on_keep_one_place_each() {
        let places = Places::new(0);
        places.note(0, 10, 1_000);
        for step in 1..100 {
            places.note(step * 20, step * 20 + 20, 7);
        }
        assert_eq!(places.find(10), Some(1_000), "one reader does not push another one out");
        assert_eq!(places.find(2_000), Some(7));
        (0..4).for_each(|other| places.note(5_000 + other * 2, 6_000 + other, 9));
        assert_eq!(places.find(10), None);
    }
}
