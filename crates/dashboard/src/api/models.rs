//! Models over HTTP: `POST /models/NAME/predict` for the web service next door, export and import.
//!
//! A row is an object with the features by name, or an array for a model that learns from arrays; a body is one row,
//! an array of rows, or `{"rows": [..]}`. A row that cannot be answered says why; the others are answered.

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use engine::{Detail, Predicted};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::body;
use crate::door::Door;
use crate::error::ApiError;

/// `?version=7&probabilities=true&explanation=true`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Wanted {
    version: Option<u64>,
    probabilities: bool,
    explanation: bool,
}

impl Wanted {
    fn of(&self, name: &str) -> String {
        match self.version {
            Some(version) => format!("{name}@{version}"),
            None => name.to_owned(),
        }
    }
}

pub(crate) async fn predict(
    State(door): State<Door>,
    Path(name): Path<String>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Predicted>, ApiError> {
    let rows = rows(body::json(&headers, body, "a row, or an array of rows")?);
    let detail = Detail { probabilities: wanted.probabilities, explanation: wanted.explanation };
    Ok(Json(door.engine.predict(&wanted.of(&name), &rows, detail)?))
}

/// One row of a model that learns from arrays is an array of numbers, and many are an array of arrays.
fn rows(body: Value) -> Vec<Value> {
    match body {
        Value::Array(rows) if rows.iter().all(|row| row.is_object() || row.is_array()) => rows,
        Value::Object(mut fields) => match fields.get_mut("rows").map(Value::take) {
            Some(Value::Array(rows)) => rows,
            Some(row) => vec![row],
            None => vec![Value::Object(fields)],
        },
        row => vec![row],
    }
}

/// `?version=7&format=onnx`
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Export {
    version: Option<u64>,
    format: Form,
}

/// What a model is written as.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Form {
    #[default]
    Json,
    Onnx,
}

pub(crate) async fn export(
    State(door): State<Door>,
    Path(name): Path<String>,
    Query(export): Query<Export>,
) -> Result<Response, ApiError> {
    let wanted = Wanted { version: export.version, ..Wanted::default() }.of(&name);
    match export.format {
        Form::Json => Ok(Json(door.engine.export_model(&wanted)?).into_response()),
        Form::Onnx => {
            let graph = door.engine.export_onnx(&wanted)?;
            Ok(([(CONTENT_TYPE, "application/octet-stream")], graph).into_response())
        }
    }
}

#[derive(Debug, Serialize)]
pub(crate) struct Imported {
    model: String,
    version: u64,
}

pub(crate) async fn import(
    State(door): State<Door>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Json<Imported>, ApiError> {
    let exported = body::json(&headers, body, "an exported model")?;
    let version = door.engine.import_model(&name, exported).await?;
    Ok(Json(Imported { model: name, version }))
}
