//! `[engine]`: how much the queries may take.

use std::num::NonZeroUsize;

use serde::{Deserialize, Serialize};

/// Settings of the queries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct EngineSettings {
    /// Threads that run queries.
    pub worker_threads: NonZeroUsize,
    /// Bytes of state that one query may hold in memory; it fails with the batch that would exceed them.
    pub state_bytes_max: NonZeroUsize,
    /// Rows that one answer holds; a longer one is cut and says so.
    pub answer_rows_max: NonZeroUsize,
}

impl Default for EngineSettings {
    fn default() -> Self {
        let usual = engine::Config::new("");
        let some = |number| NonZeroUsize::new(number).unwrap_or(NonZeroUsize::MIN);
        EngineSettings {
            worker_threads: some(usual.worker_threads),
            state_bytes_max: some(usual.state_bytes_max),
            answer_rows_max: some(usual.answer_rows_max),
        }
    }
}
