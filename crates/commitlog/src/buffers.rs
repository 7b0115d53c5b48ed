//! Memory to read into, used again and again: what was written to lately is in the core's cache, and has its pages.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::reader::lock;

/// How many buffers wait to be used again.
const KEPT: usize = 8;
/// Larger ones are not kept.
const KEPT_BYTES: usize = 256 << 10;
/// Sizes are multiples of this.
const STEP_BYTES: usize = 64 << 10;

/// Buffers that wait to be used again: two megabytes at most.
#[derive(Default)]
pub(crate) struct Buffers {
    free: Mutex<Vec<Box<[u8]>>>,
}

/// A buffer in use; it comes back when it is dropped.
pub(crate) struct Buffer {
    bytes: Box<[u8]>,
    /// How much of it was filled.
    filled: usize,
    home: Arc<Buffers>,
}

impl Buffers {
    /// A buffer of at least `bytes`, with anything in it.
    pub(crate) fn take(self: &Arc<Self>, bytes: usize) -> Buffer {
        let mut free = lock(&self.free);
        let fitting = free.iter().rposition(|buffer| buffer.len() >= bytes);
        let kept = fitting.map(|at| free.swap_remove(at));
        drop(free);
        let bytes = kept.unwrap_or_else(|| vec![0; bytes.next_multiple_of(STEP_BYTES)].into_boxed_slice());
        Buffer { bytes, filled: 0, home: Arc::clone(self) }
    }
}

impl Buffer {
    /// What of it is to be filled.
    pub(crate) fn space(&mut self, bytes: usize) -> &mut [u8] {
        &mut self.bytes[..bytes]
    }

    /// The filled part, which is given away; the memory comes back when the last slice of it is dropped.
    pub(crate) fn filled(mut self, bytes: usize) -> Bytes {
        self.filled = bytes;
        Bytes::from_owner(self)
    }
}

impl AsRef<[u8]> for Buffer {
    fn as_ref(&self) -> &[u8] {
        &self.bytes[..self.filled]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let bytes = std::mem::take(&mut self.bytes);
        if bytes.len() > KEPT_BYTES {
            return;
        }
        let mut free = lock(&self.home.free);
        if free.len() < KEPT {
            free.push(bytes);
        }
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").field("free", &lock(&self.free).len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_used_again() {
        let buffers = Arc::new(Buffers::default());
        let mut buffer = buffers.take(100);
        buffer.space(3).copy_from_slice(b"abc");
        let bytes = buffer.filled(3);
        let slice = bytes.slice(1..);
        drop(bytes);
        assert_eq!((&slice[..], lock(&buffers.free).len()), (&b"bc"[..], 0), "a slice holds it");
        drop(slice);
        assert_eq!(lock(&buffers.free).len(), 1);
        assert_eq!(buffers.take(STEP_BYTES).space(STEP_BYTES)[..3], *b"abc");
    }

    #[test]
    fn few_and_small_ones_are_kept() {
        let buffers = Arc::new(Buffers::default());
        drop(buffers.take(KEPT_BYTES + 1));
        assert!(lock(&buffers.free).is_empty());
        drop((0..2 * KEPT).map(|_| buffers.take(1)).collect::<Vec<_>>());
        assert_eq!(lock(&buffers.free).len(), KEPT);
    }
}
