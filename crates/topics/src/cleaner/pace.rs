//! The turn of others: compaction reads and writes no faster than it may, and can be told to stop at any batch.

use std::time::Duration;

use env::Clock;

use super::{Cleaner, lock};

/// After so many bytes somebody looks at the clock, and others may go first.
const SLICE_BYTES: usize = 1 << 20;

pub(super) struct Pace<'a> {
    clock: &'a dyn Clock,
    cleaner: &'a Cleaner,
    bytes_per_second: f64,
    started: Duration,
    taken: usize,
    slice: usize,
}

impl<'a> Pace<'a> {
    pub(super) fn new(clock: &'a dyn Clock, cleaner: &'a Cleaner, bytes_per_second: f64) -> Self {
        let started = clock.monotonic();
        Self { clock, cleaner, bytes_per_second, started, taken: 0, slice: 0 }
    }

    /// Notes what was read or written, waits if that was too fast, and answers whether to go on.
    pub(super) fn took(&mut self, bytes: usize) -> bool {
        self.slice += bytes;
        if self.slice < SLICE_BYTES {
            return true;
        }
        self.taken += std::mem::take(&mut self.slice);
        std::thread::yield_now();
        self.wait();
        !self.cleaner.is_stopping()
    }

    fn wait(&self) {
        #[expect(clippy::cast_precision_loss, reason = "a rate needs no last digit")]
        let seconds = self.taken as f64 / self.bytes_per_second;
        let Ok(due) = Duration::try_from_secs_f64(seconds) else { return };
        let elapsed = self.clock.monotonic().saturating_sub(self.started);
        let signal = lock(&self.cleaner.signal);
        if due > elapsed && !signal.stop {
            // Woken early, it waits less: the next slice makes up for it.
            drop(self.cleaner.changed.wait_timeout(signal, due - elapsed));
        }
    }
}
