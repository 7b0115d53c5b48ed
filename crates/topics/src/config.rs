//! Settings of the store.

use std::collections::BTreeMap;
use std::path::PathBuf;

/// How the store works. Sizes are bytes.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where everything lies; created when missing, locked while open.
    pub data_dir: PathBuf,
    /// How many threads own logs. A partition belongs to one of them for good.
    pub writer_threads: usize,
    /// Partitions of a topic that is created without a number (`num.partitions`).
    pub default_partitions: u32,
    /// The most partitions a topic may have.
    pub partitions_max: u32,
    /// When a segment is full (`log.segment.bytes`).
    pub segment_bytes: u64,
    /// The largest batch taken (`message.max.bytes`); a topic's `max.message.bytes` goes before it.
    pub message_bytes_max: usize,
    /// Other broker-wide defaults of topics' settings under Kafka's names (`log.retention.ms`, `log.retention.hours`,
    /// `log.cleanup.policy` ...). They go before the two above.
    pub defaults: BTreeMap<String, String>,
    /// The most bytes that a compressed batch may unfold to.
    pub uncompressed_bytes_max: usize,
    /// The most bytes that may wait for one writer thread.
    pub queue_bytes: usize,
    /// The most bytes of each partition's newest batches that are kept in memory for readers at the tail.
    pub tail_bytes: usize,
    /// The most bytes all partitions together keep in memory that way.
    pub tail_bytes_total: usize,
}

impl Config {
    /// The defaults, in `data_dir`.
    #[must_use]
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Self {
            data_dir: data_dir.into(),
            writer_threads: 2,
            default_partitions: 1,
            partitions_max: 10_000,
            segment_bytes: 256 << 20,
            message_bytes_max: 1_048_588,
            defaults: BTreeMap::new(),
            uncompressed_bytes_max: 64 << 20,
            queue_bytes: 64 << 20,
            tail_bytes: 1 << 20,
            tail_bytes_total: 32 << 20,
        }
    }
}
