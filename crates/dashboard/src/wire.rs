//! The JSON of the live feed and of the API. `web/src/wire.ts` says the same in TypeScript.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::Gallery;

/// This process.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Server {
    /// Differs after every start.
    pub(crate) instance: String,
    pub(crate) started_ms: i64,
    pub(crate) version: &'static str,
}

/// Where an image came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Enrolled,
    Uploaded,
}

/// An image and its answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Image {
    pub(crate) id: Arc<str>,
    pub(crate) kind: Kind,
    /// One character per pixel: 0 to 16 in base 17.
    pub(crate) pixels: Option<Arc<str>>,
    pub(crate) segment: Option<u32>,
    pub(crate) segment_raw: Option<u32>,
    pub(crate) label: Option<Arc<str>>,
    pub(crate) model_version: Option<u64>,
    pub(crate) latency_ms: Option<u64>,
    pub(crate) at_ms: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Cluster {
    pub(crate) segment: u32,
    pub(crate) size: u64,
    /// Most frequent first.
    pub(crate) labels: Vec<(String, u64)>,
    pub(crate) mean: Option<String>,
    /// Newest first; only in a snapshot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) members: Option<Vec<Image>>,
}

/// One second of the run, by the timestamps of the records.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Point {
    /// Unix seconds.
    pub(crate) t: i64,
    pub(crate) answers: u64,
    /// Records appended to all topics; `None` for seconds in which nobody counted.
    pub(crate) records: Option<u64>,
    pub(crate) p50: Option<u64>,
    pub(crate) p99: Option<u64>,
    pub(crate) purity: Option<f64>,
    pub(crate) purity_raw: Option<f64>,
    pub(crate) ari: Option<f64>,
    pub(crate) ari_raw: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Score {
    pub(crate) judged: u64,
    pub(crate) purity: Option<f64>,
    pub(crate) purity_raw: Option<f64>,
    pub(crate) ari: Option<f64>,
    pub(crate) ari_raw: Option<f64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Scores {
    pub(crate) all: Score,
    pub(crate) recent: Score,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Latency {
    pub(crate) count: u64,
    pub(crate) p50: Option<u64>,
    pub(crate) p99: Option<u64>,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub(crate) struct Latencies {
    pub(crate) enrolled: Latency,
    pub(crate) uploaded: Latency,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Topic {
    pub(crate) name: String,
    pub(crate) partitions: u32,
    pub(crate) records: u64,
    pub(crate) per_second: f64,
}

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Query {
    pub(crate) name: String,
    pub(crate) state: engine::QueryState,
    pub(crate) error: Option<String>,
    pub(crate) sink: Option<String>,
    pub(crate) batch_id: u64,
    pub(crate) rows_total: u64,
    pub(crate) rows_per_second: f64,
    pub(crate) batch_p50_ms: Option<f64>,
    pub(crate) batch_p99_ms: Option<f64>,
    pub(crate) done: i64,
    pub(crate) end: i64,
    pub(crate) dead_letters: u64,
    pub(crate) samples: Vec<engine::DeadLetter>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Model {
    pub(crate) name: String,
    pub(crate) algorithm: String,
    pub(crate) version: u64,
    pub(crate) rows_learned: u64,
    pub(crate) updated_ms: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Version {
    pub(crate) version: u64,
    pub(crate) committed_ms: i64,
    pub(crate) rows_learned: u64,
}

pub(crate) type Versions = BTreeMap<String, Vec<Version>>;

#[derive(Debug, Clone, Serialize)]
pub(crate) struct Status {
    pub(crate) now_ms: i64,
    pub(crate) answered: u64,
    pub(crate) scores: Scores,
    pub(crate) latency: Latencies,
    /// Records of gallery topics that are not what the page reads, by topic.
    pub(crate) unreadable: BTreeMap<String, u64>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) queries: Vec<Query>,
    pub(crate) models: Vec<Model>,
}

#[derive(Debug, Serialize)]
pub(crate) struct Snapshot<'a> {
    pub(crate) server: &'a Server,
    pub(crate) gallery: Option<&'a Gallery>,
    pub(crate) points: Vec<Point>,
    pub(crate) images: Vec<Image>,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) status: Status,
    pub(crate) versions: Versions,
}

#[derive(Debug, Serialize)]
pub(crate) struct Tick {
    pub(crate) status: Status,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) points: Vec<Point>,
    pub(crate) versions: Versions,
}

#[derive(Debug, Serialize)]
pub(crate) struct Images {
    pub(crate) images: Vec<Image>,
    pub(crate) skipped: u64,
}
