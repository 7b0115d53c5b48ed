//! What goes wrong, and when.

use std::io;

/// The armed faults of one disk. Counters count down to the operation they hit.
#[derive(Debug, Default)]
pub(super) struct Faults {
    operations: u64,
    operations_left: Option<u64>,
    torn_write: Option<(u64, usize)>,
    failing_sync: Option<u64>,
    capacity: Option<u64>,
}

/// What a write may do.
#[derive(Debug)]
pub(super) enum Verdict {
    All,
    Part(usize, io::Error),
}

impl Faults {
    pub(super) fn operations(&self) -> u64 {
        self.operations
    }

    pub(super) fn cut_after(&mut self, operations: u64) {
        self.operations_left = Some(operations);
    }

    pub(super) fn tear_write(&mut self, nth: u64, kept: usize) {
        assert!(nth > 0, "writes are counted from 1");
        self.torn_write = Some((nth, kept));
    }

    pub(super) fn fail_sync(&mut self, nth: u64) {
        assert!(nth > 0, "syncs are counted from 1");
        self.failing_sync = Some(nth);
    }

    pub(super) fn capacity(&self) -> Option<u64> {
        self.capacity
    }

    pub(super) fn set_capacity(&mut self, bytes: Option<u64>) {
        self.capacity = bytes;
    }

    /// Counts one operation; fails it when the disk was cut off.
    pub(super) fn operation(&mut self) -> io::Result<()> {
        self.operations += 1;
        match &mut self.operations_left {
            Some(0) => Err(io::Error::other("the simulated disk was cut off")),
            Some(left) => {
                *left -= 1;
                Ok(())
            }
            None => Ok(()),
        }
    }

    pub(super) fn sync(&mut self) -> io::Result<()> {
        self.operation()?;
        if hits(&mut self.failing_sync) {
            return Err(io::Error::other("simulated failure of a sync"));
        }
        Ok(())
    }

    pub(super) fn write(&mut self, length: usize, grows: u64, used: u64) -> Verdict {
        if let Err(error) = self.operation() {
            return Verdict::Part(0, error);
        }
        if let Some((nth, kept)) = &mut self.torn_write {
            *nth -= 1;
            if *nth == 0 {
                let kept = *kept;
                self.torn_write = None;
                return Verdict::Part(kept, io::Error::other("simulated failure of a write"));
            }
        }
        match self.capacity {
            Some(capacity) if used + grows > capacity => {
                let missing = usize::try_from(used + grows - capacity).unwrap_or(usize::MAX);
                Verdict::Part(length.saturating_sub(missing), io::ErrorKind::StorageFull.into())
            }
            _ => Verdict::All,
        }
    }
}

fn hits(counter: &mut Option<u64>) -> bool {
    match counter {
        Some(1) => {
            *counter = None;
            true
        }
        Some(left) => {
            *left -= 1;
            false
        }
        None => false,
    }
}
