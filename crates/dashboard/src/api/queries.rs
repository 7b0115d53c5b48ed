//! Queries: what their batches did, stopping them, letting them go on.

use axum::Json;
use axum::extract::{Path, State};
use engine::{QueryProgress, QueryStatus};

use crate::door::Door;
use crate::error::ApiError;

pub(crate) async fn progress(
    State(door): State<Door>,
    Path(name): Path<String>,
) -> Result<Json<Vec<QueryProgress>>, ApiError> {
    door.engine.progress(&name).map(Json).ok_or_else(|| unknown(&name))
}

pub(crate) async fn stop(
    State(door): State<Door>,
    Path(name): Path<String>,
) -> Result<Json<QueryStatus>, ApiError> {
    door.engine.stop_query(&name).await?;
    status(&door, &name)
}

pub(crate) async fn start(
    State(door): State<Door>,
    Path(name): Path<String>,
) -> Result<Json<QueryStatus>, ApiError> {
    door.engine.start_query(&name).await?;
    status(&door, &name)
}

fn status(door: &Door, name: &str) -> Result<Json<QueryStatus>, ApiError> {
    let queries = door.engine.queries();
    let query = queries.into_iter().find(|query| query.name.eq_ignore_ascii_case(name));
    query.map(Json).ok_or_else(|| unknown(name))
}

fn unknown(name: &str) -> ApiError {
    ApiError::not_found(format!("query {name:?} does not exist"))
}
