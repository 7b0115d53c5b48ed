//! `POST /api/topics/NAME/records`: appends JSON rows to a topic.
//!
//! What we do: one record per row, its value the row as JSON, no key, the server's time; all rows of a request in
//! one batch and so in one partition; answered when they are flushed.
//! What we do not do: create topics, compress, take keys or headers. Kafka's protocol is there for that.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use record::{BatchBuilder, Compression, Producer};
use serde::Serialize;
use serde_json::Value;
use topics::Acks;

use super::body;
use crate::door::Door;
use crate::error::ApiError;

#[derive(Debug, Serialize)]
pub(crate) struct Written {
    topic: String,
    partition: u32,
    base_offset: i64,
    records: usize,
}

pub(crate) async fn append(
    State(door): State<Door>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Written>, ApiError> {
    let topic = door.topics.topic(&name).filter(|topic| !topic.is_internal());
    let topic = topic.ok_or_else(|| ApiError::not_found(format!("topic {name:?} does not exist")))?;
    let rows: Value = body::json(&headers, body, "an array of JSON rows, or one row")?;
    let rows = match rows {
        Value::Array(rows) => rows,
        row => vec![row],
    };
    if rows.is_empty() {
        return Err(ApiError::invalid("there is no row in the array"));
    }
    let index = door.turn.fetch_add(1, Ordering::Relaxed) % topic.partition_count().max(1);
    let partition = topic
        .partition(index)
        .ok_or_else(|| ApiError::not_found(format!("topic {name:?} has no partition")))?;
    let appended = partition.enqueue(batch(&rows, door.env.clock.now_ms()), Acks::All)?.await?;
    Ok(Json(Written {
        topic: name,
        partition: index,
        base_offset: appended.base_offset,
        records: rows.len(),
    }))
}

fn batch(rows: &[Value], now_ms: i64) -> Bytes {
    let mut batch = BatchBuilder::new(Compression::None, Producer::NONE);
    for row in rows {
        batch.push(now_ms, None, Some(row.to_string().as_bytes()), &[]);
    }
    batch.build()
}
