//! Memory to read into, used again and again: what was written to lately is in the core's cache, and has its pages.

use std::fmt;
use std::sync::{Arc, Mutex};

use bytes::Bytes;

use crate::reader::lock;

/// How much memory waits to be used again: what the response to a fetch from a hundred partitions takes.
const KEPT_BYTES: usize = 8 << 20;
/// Larger buffers are not kept.
const BUFFER_BYTES: usize = 256 << 10;
/// Sizes are multiples of this.
const STEP_BYTES: usize = 64 << 10;

/// Buffers that wait to be used again.
#[derive(Default)]
pub(crate) struct Buffers {
    free: Mutex<Free>,
}

#[derive(Default)]
struct Free {
    buffers: Vec<Box<[u8]>>,
    /// Of all of them.
    bytes: usize,
}

impl Free {
    /// One of at least this size, the one that came last.
    fn take(&mut self, bytes: usize) -> Option<Box<[u8]>> {
        let at = self.buffers.iter().rposition(|buffer| buffer.len() >= bytes)?;
        let taken = self.buffers.swap_remove(at);
        self.bytes -= taken.len();
        Some(taken)
    }

    fn keep(&mut self, buffer: Box<[u8]>) {
        if buffer.len() <= BUFFER_BYTES && self.bytes + buffer.len() <= KEPT_BYTES {
            self.bytes += buffer.len();
            self.buffers.push(buffer);
        }
    }
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
        let kept = lock(&self.free).take(bytes);
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
        lock(&self.home.free).keep(std::mem::take(&mut self.bytes));
    }
}

impl fmt::Debug for Buffers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Buffers").field("free", &lock(&self.free).buffers.len()).finish()
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
        assert_eq!((&slice[..], lock(&buffers.free).buffers.len()), (&b"bc"[..], 0), "a slice holds it");
        drop(slice);
        assert_eq!(lock(&buffers.free).buffers.len(), 1);
        assert_eq!(buffers.take(STEP_BYTES).space(STEP_BYTES)[..3], *b"abc");
    }

    #[test]
    fn few_and_small_ones_are_kept() {
        let buffers = Arc::new(Buffers::default());
        drop(buffers.take(BUFFER_BYTES + 1));
        assert!(lock(&buffers.free).buffers.is_empty());
        let used: Vec<Buffer> = (0..2 * KEPT_BYTES / STEP_BYTES).map(|_| buffers.take(1)).collect();
        drop(used);
        assert_eq!(lock(&buffers.free).bytes, KEPT_BYTES);
        let again = buffers.take(STEP_BYTES);
        assert_eq!(lock(&buffers.free).bytes, KEPT_BYTES - STEP_BYTES);
        drop(again);
    }
}
