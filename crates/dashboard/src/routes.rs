//! Which path leads where.

use std::sync::Arc;
use std::sync::atomic::AtomicU32;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use axum::routing::{get, post};
use engine::Engine;
use env::Env;
use tokio::sync::Semaphore;
use topics::Topics;

use crate::api::{live, read, records, sql};
use crate::feed::Feed;
use crate::{Config, asset, guard, metrics};

/// What every handler can reach.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) config: Arc<Config>,
    pub(crate) topics: Topics,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    pub(crate) feed: Feed,
    pub(crate) watchers: Arc<Semaphore>,
    /// Spreads rows over the partitions of a topic.
    pub(crate) turn: Arc<AtomicU32>,
}

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
        .route("/api/models", get(read::models))
        .route("/api/models/{name}/history", get(read::history))
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
