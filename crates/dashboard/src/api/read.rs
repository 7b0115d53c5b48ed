//! What can be read at once: everything the page shows, as JSON.

use axum::Json;
use axum::extract::{Path, State};
use serde::Serialize;

use crate::Gallery;
use crate::door::Door;
use crate::error::ApiError;
use crate::feed::{Report, Stopped};
use crate::wire::{Cluster, Latencies, Scores, Server, Status, Topic};

impl From<Stopped> for ApiError {
    fn from(_: Stopped) -> Self {
        ApiError::stopping()
    }
}

pub(crate) async fn healthz() -> &'static str {
    "ok\n"
}

#[derive(Debug, Serialize)]
pub(crate) struct Whole {
    server: Server,
    gallery: Option<Gallery>,
    #[serde(flatten)]
    status: Status,
}

pub(crate) async fn status(State(door): State<Door>) -> Result<Json<Whole>, ApiError> {
    let Report { server, status, .. } = door.feed.report().await?;
    Ok(Json(Whole { server, gallery: door.config.gallery.clone(), status }))
}

pub(crate) async fn topics(State(door): State<Door>) -> Result<Json<Vec<Topic>>, ApiError> {
    Ok(Json(door.feed.report().await?.status.topics))
}

pub(crate) async fn queries(State(door): State<Door>) -> Json<Vec<engine::QueryStatus>> {
    Json(door.engine.queries())
}

pub(crate) async fn models(State(door): State<Door>) -> Json<Vec<engine::ModelStatus>> {
    Json(door.engine.models())
}

pub(crate) async fn history(
    State(door): State<Door>,
    Path(name): Path<String>,
) -> Result<Json<Vec<engine::ModelVersion>>, ApiError> {
    let known = door.engine.models().iter().any(|model| model.name == name);
    if !known {
        return Err(ApiError::not_found(format!("model {name:?} does not exist")));
    }
    Ok(Json(door.engine.model_history(&name)))
}

#[derive(Debug, Serialize)]
pub(crate) struct Refused {
    query: String,
    #[serde(flatten)]
    letters: engine::DeadLetters,
}

pub(crate) async fn dead_letters(State(door): State<Door>) -> Json<Vec<Refused>> {
    let refused = |query: engine::QueryStatus| Refused { query: query.name, letters: query.dead_letters };
    Json(door.engine.queries().into_iter().map(refused).collect())
}

#[derive(Debug, Serialize)]
pub(crate) struct Judged {
    answered: u64,
    #[serde(flatten)]
    scores: Scores,
    latency: Latencies,
    clusters: Vec<Cluster>,
}

pub(crate) async fn scores(State(door): State<Door>) -> Result<Json<Judged>, ApiError> {
    let Report { status, clusters, .. } = door.feed.report().await?;
    let Status { answered, scores, latency, .. } = status;
    Ok(Json(Judged { answered, scores, latency, clusters }))
}
