//! Settings of one log.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use crate::buffers::Buffers;

/// How a log works. Sizes are bytes.
#[derive(Debug, Clone)]
pub struct Config {
    /// A segment that would grow beyond this is closed and the next one begun (`segment.bytes`). At most 2 GiB,
    /// because index positions have 31 bits.
    pub segment_bytes: u64,
    /// A segment whose first append is older than this is closed too (`segment.ms`).
    pub segment_ms: i64,
    /// Up to this much earlier a segment is closed for its age, each at a time of its own (`segment.jitter.ms`).
    pub segment_jitter_ms: i64,
    /// Whether space for a whole segment is set aside when it is begun (`preallocate`).
    pub preallocate: bool,
    /// One index entry per this many bytes of batches (`index.interval.bytes`).
    pub index_interval_bytes: u64,
    /// Whether batches are stamped with the time of appending (`message.timestamp.type=LogAppendTime`).
    pub log_append_time: bool,
    /// How many idempotent producers are remembered; beyond that those silent for longest are forgotten.
    pub producers_max: usize,
    /// The most bytes that a compressed batch may unfold to when records are looked at.
    pub uncompressed_bytes_max: usize,
    /// The most bytes of newest batches kept in memory.
    pub tail_bytes: usize,
    /// What all logs together keep in memory that way, and its limit.
    pub tail_budget: TailBudget,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            segment_bytes: 256 << 20,
            segment_ms: 7 * 24 * 60 * 60 * 1000,
            segment_jitter_ms: 0,
            preallocate: false,
            index_interval_bytes: 4096,
            log_append_time: false,
            producers_max: 10_000,
            uncompressed_bytes_max: 64 << 20,
            tail_bytes: 1 << 20,
            tail_budget: TailBudget::new(32 << 20),
        }
    }
}

/// Memory that several logs share: for their newest batches, and to read into.
#[derive(Debug, Clone)]
pub struct TailBudget {
    pub(crate) used: Arc<AtomicUsize>,
    pub(crate) limit: usize,
    pub(crate) buffers: Arc<Buffers>,
}

impl TailBudget {
    /// A budget of `limit` bytes of newest batches, shared by all clones.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self { used: Arc::default(), limit, buffers: Arc::default() }
    }
}
