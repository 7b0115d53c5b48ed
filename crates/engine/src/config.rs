//! What the engine is told at its start.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::sink::console::Console;

/// Settings of an engine.
#[derive(Debug, Clone)]
pub struct Config {
    /// The program's data directory; the engine keeps its files in `engine` below it.
    pub data_dir: PathBuf,
    /// Threads that run queries.
    pub worker_threads: usize,
    /// Records per batch, unless `maxOffsetsPerTrigger` says otherwise.
    pub batch_rows_max: usize,
    /// Bytes of record batches read for one batch. One record batch is always taken.
    pub batch_bytes_max: usize,
    /// Bytes of state that one aggregating query may hold in memory.
    pub state_bytes_max: usize,
    /// A query's journal is rewritten when it has grown by this much.
    pub journal_bytes_max: u64,
    /// Rows that one answer holds; a longer one is cut and says so.
    pub answer_rows_max: usize,
    /// Where tables `USING console` print.
    pub console: Console,
    /// The Kafka whose topics are meant where a table names none, in librdkafka's settings: `bootstrap.servers` and
    /// what else it takes to get there. `None` is this program's own log.
    pub kafka: Option<BTreeMap<String, String>>,
    /// How object stores are reached, in Hadoop's words (`fs.s3a.endpoint`), over what `AWS_*` variables say.
    pub storage: BTreeMap<String, String>,
    /// Addresses of this program's own Kafka door: a table that names one of them means its log.
    pub kafka_addresses: Vec<String>,
}

impl Config {
    /// The usual settings over a directory.
    pub fn new(data_dir: impl Into<PathBuf>) -> Self {
        Config {
            data_dir: data_dir.into(),
            worker_threads: 2,
            batch_rows_max: 10_000,
            batch_bytes_max: 8 * 1024 * 1024,
            state_bytes_max: 512 * 1024 * 1024,
            journal_bytes_max: 8 * 1024 * 1024,
            answer_rows_max: 10_000,
            console: Console::default(),
            kafka: None,
            storage: BTreeMap::new(),
            kafka_addresses: Vec::new(),
        }
    }
}
