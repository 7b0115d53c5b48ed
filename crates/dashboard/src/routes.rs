//! Which path leads where.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};

use crate::api::{live, models, queries, read, records, sql};
use crate::door::Door;
use crate::{asset, guard, metrics};

pub(crate) fn router(door: Door) -> Router {
    Router::new()
        .route("/", get(asset::index))
        .route("/assets/{name}", get(asset::asset))
        .route("/healthz", get(read::healthz))
        .route("/metrics", get(metrics::metrics))
        .route("/api/status", get(read::status))
        .route("/api/topics", get(read::topics))
        .route("/api/topics/{name}/records", post(records::append))
        .route("/api/queries", get(read::queries))
        .route("/api/queries/{name}/progress", get(queries::progress))
        .route("/api/queries/{name}/stop", post(queries::stop))
        .route("/api/queries/{name}/start", post(queries::start))
        .route("/api/models", get(read::models))
        .route("/api/models/{name}/history", get(read::history))
        .route("/api/models/{name}/export", get(models::export))
        .route(
            "/api/models/{name}/import",
            post(models::import).layer(DefaultBodyLimit::max(door.config.model_bytes_max)),
        )
        .route("/models/{name}/predict", post(models::predict))
        .route("/api/dead-letters", get(read::dead_letters))
        .route("/api/scores", get(read::scores))
        .route("/api/sql", post(sql::execute))
        .route("/api/live", get(live::live))
        .fallback(guard::not_found)
        .method_not_allowed_fallback(guard::wrong_method)
        .layer(DefaultBodyLimit::max(door.config.body_bytes_max))
        .layer(middleware::from_fn_with_state(door.clone(), guard::check))
        .with_state(door)
}
