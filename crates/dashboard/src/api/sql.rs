//! `POST /api/sql`: runs statements.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};

use super::body;
use crate::door::Door;
use crate::error::ApiError;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Statements {
    sql: String,
}

#[derive(Debug, Serialize)]
pub(crate) struct Answers {
    answers: Vec<engine::Answer>,
}

pub(crate) async fn execute(
    State(door): State<Door>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Answers>, ApiError> {
    let Statements { sql } = body::json(&headers, body, r#"{"sql": "..."}"#)?;
    let answers = door.engine.execute(&sql).await?;
    Ok(Json(Answers { answers }))
}
