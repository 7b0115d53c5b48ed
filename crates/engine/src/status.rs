//! What the engine tells about itself: queries, models, rows it could not use.
//!
//! Everything here is a plain value that serialises to JSON; the doors show it as it is.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Offsets by topic, then by partition.
pub type Offsets = BTreeMap<String, BTreeMap<u32, i64>>;

/// A running, failed or stopped query.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct QueryStatus {
    /// The streaming table or the model that it fills.
    pub name: String,
    /// Its number; never used again, also when a query of the same name replaces it.
    pub id: u64,
    /// The statement that created it.
    pub sql: String,
    /// What it does with its rows.
    pub kind: QueryKind,
    /// Whether it runs.
    pub state: QueryState,
    /// Why it failed.
    pub error: Option<String>,
    /// The last committed batch; 0 before the first one.
    pub batch_id: u64,
    /// Records read since the query was created.
    pub rows_total: u64,
    /// Rows written to the sink (or learnt) since the query was created.
    pub rows_written: u64,
    /// Records read per second, over the last ten seconds.
    pub rows_per_second: f64,
    /// From the moment that the query saw new records to the committed batch, over the last 512 batches.
    pub batch_ms: Percentiles,
    /// topic -> partition -> how far the query has committed, and where the partition ends.
    pub source: BTreeMap<String, BTreeMap<u32, SourceOffset>>,
    /// Rows that it could not use.
    pub dead_letters: DeadLetters,
    /// The topic it writes to; `None` for a model.
    pub sink: Option<String>,
    /// Keys held in state; `None` for a query that remembers nothing between batches.
    pub state_rows: Option<u64>,
    /// Bytes that the state takes in memory.
    pub state_bytes: Option<u64>,
    /// How far event time has come, in microseconds since the epoch: nothing older is expected. `None` without a
    /// watermark, or before the first row.
    pub watermark_us: Option<i64>,
    /// Rows that came later than the watermark allows, since the query was created.
    pub rows_late: u64,
}

/// What a query does with its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryKind {
    /// It writes them to a topic.
    Sink,
    /// A model learns from them.
    Learn,
}

/// Whether a query runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum QueryState {
    /// It waits for records or works on them.
    Running,
    /// It met an error that it cannot pass; it tries again at the next start.
    Failed,
    /// It was stopped.
    Stopped,
}

/// Two percentiles, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// The 99th percentile.
    pub p99: f64,
}

/// How far a query has read a partition.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct SourceOffset {
    /// The next offset to read: everything before it is committed.
    pub offset: i64,
    /// The partition's high watermark.
    pub end: i64,
}

/// The rows that a query could not use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct DeadLetters {
    /// How many since the query was created.
    pub count: u64,
    /// The topic that holds them all.
    pub topic: String,
    /// The latest, newest last.
    pub samples: Vec<DeadLetter>,
}

/// One row that a query could not use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// What is wrong with it.
    pub reason: String,
    /// Where it stands.
    pub topic: String,
    /// Where it stands.
    pub partition: u32,
    /// Where it stands.
    pub offset: i64,
    /// The beginning of its value.
    pub value: String,
}

/// A model and its current version.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ModelStatus {
    /// Its name.
    pub name: String,
    /// `streaming_kmeans`, ..., or `onnx` for a network that does not learn.
    pub algorithm: String,
    /// What it was created with, beside the algorithm.
    pub options: BTreeMap<String, String>,
    /// The columns it learns from; `None` where a row is one array.
    pub features: Option<Vec<String>>,
    /// The column that holds the label; `None` if it learns without.
    pub label: Option<String>,
    /// One more for each committed batch that taught it something; 0 before the first one.
    pub version: u64,
    /// The version that answers, if it was pinned; otherwise the current one does.
    pub serving: Option<u64>,
    /// Rows learnt since it was created.
    pub rows_learned: u64,
    /// When the current version was committed, in Unix milliseconds.
    pub updated_ms: Option<i64>,
    /// The version has learnt everything before these offsets.
    pub offsets: Offsets,
    /// How well it has predicted each row before it learned it; null for what has no labels.
    pub evaluation: serde_json::Value,
    /// What the algorithm tells: centres, weights, parameters.
    pub detail: serde_json::Value,
}

/// One version of a model.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelVersion {
    /// Its number.
    pub version: u64,
    /// When it was committed, in Unix milliseconds.
    pub committed_ms: i64,
    /// Rows learnt up to it.
    pub rows_learned: u64,
    /// Its accuracy, or its mean absolute error, over the last rows before it learnt them; `None` without labels.
    pub recent: Option<f64>,
    /// It has learnt everything before these offsets.
    pub offsets: Offsets,
}
