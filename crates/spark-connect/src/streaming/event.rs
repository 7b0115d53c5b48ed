//! What is told of queries, as Spark writes it in JSON.

use engine::QueryProgress;
use serde_json::{Value, json};

use crate::streaming::{Event, Query};

/// `StreamingQueryEventType`s of the message.
const PROGRESS: i32 = 1;
const TERMINATED: i32 = 2;

/// A batch of a query.
pub(crate) fn progress(query: &Query, progress: &QueryProgress) -> Value {
    let mut value = serde_json::to_value(progress).unwrap_or_default();
    if let Some(figures) = query.figures.of(&progress.timestamp) {
        value["observedMetrics"] = figures;
    }
    value["name"] = query.handle.name().map_or(Value::Null, Value::from);
    value
}

pub(super) fn progress_event(query: &Query, told: &QueryProgress) -> Event {
    Event { json: json!({ "progress": progress(query, told) }).to_string(), kind: PROGRESS }
}

/// The beginning of a query, at a time in ISO 8601.
pub(crate) fn started(query: &Query, timestamp: &str) -> String {
    json!({
        "id": query.id,
        "runId": query.run_id,
        "name": query.handle.name(),
        "timestamp": timestamp,
        "jobTags": [],
    })
    .to_string()
}

pub(super) fn terminated(query: &Query) -> Event {
    let failure = query.failure();
    let json = json!({
        "id": query.id,
        "runId": query.run_id,
        "exception": failure.as_ref().map(crate::error::SparkError::message),
        "errorClassOnException": failure.map(|failure| failure.condition),
    });
    Event { json: json.to_string(), kind: TERMINATED }
}
