//! Everything that a crate takes from the outside, in one cheap handle.

use std::sync::Arc;

use crate::{Clock, Disk, ManualClock, OsRandom, Random, RealDisk, SeededRandom, SimDisk, SystemClock};

/// Clock, disk and randomness: the real ones, or simulated ones.
#[derive(Clone, Debug)]
pub struct Env {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Where files are.
    pub disk: Arc<dyn Disk>,
    /// Where ids come from.
    pub random: Arc<dyn Random>,
}

impl Env {
    /// The operating system's clock, disk and randomness.
    #[must_use]
    pub fn real() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            disk: Arc::new(RealDisk::new()),
            random: Arc::new(OsRandom::new()),
        }
    }

    /// A clock that is moved by hand, a disk in memory, and numbers that repeat for the same seed.
    #[must_use]
    pub fn simulated(clock: Arc<ManualClock>, disk: &SimDisk, seed: u64) -> Self {
        Self { clock, disk: Arc::new(disk.clone()), random: Arc::new(SeededRandom::new(seed)) }
    }
}
