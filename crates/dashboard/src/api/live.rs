//! `GET /api/live`: a snapshot, then frames as server-sent events, until either side ends it.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use futures::stream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::error::RecvError;

use crate::door::Door;
use crate::error::{ApiError, ErrorKind};
use crate::feed::{Feed, Watching};

struct Watcher {
    feed: Feed,
    watching: Watching,
    begun: bool,
    /// Given back when the browser is gone.
    _place: OwnedSemaphorePermit,
}

pub(crate) async fn live(State(door): State<Door>) -> Result<Response, ApiError> {
    let place = door.watchers.clone().try_acquire_owned().map_err(|_| {
        let message = format!("{} browsers watch already; close one", door.config.watchers_max);
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, ErrorKind::Retry, message)
    })?;
    let watching = door.feed.watch().await?;
    let watcher = Watcher { feed: door.feed, watching, begun: false, _place: place };
    let body = Body::from_stream(stream::unfold(watcher, next));
    Ok(([(CONTENT_TYPE, "text/event-stream")], body).into_response())
}

async fn next(mut watcher: Watcher) -> Option<(Result<Bytes, Infallible>, Watcher)> {
    let bytes = if watcher.begun { watcher.frame().await? } else { watcher.begin() };
    Some((Ok(bytes), watcher))
}

impl Watcher {
    fn begin(&mut self) -> Bytes {
        self.begun = true;
        std::mem::take(&mut self.watching.snapshot)
    }

    /// `None` when the server stops. Who fell behind misses what was between and begins anew.
    async fn frame(&mut self) -> Option<Bytes> {
        match self.watching.frames.recv().await {
            Ok(frame) => Some(frame),
            Err(RecvError::Closed) => None,
            Err(RecvError::Lagged(missed)) => {
                tracing::debug!(missed, "a browser reads too slowly and gets a snapshot");
                self.watching = self.feed.watch().await.ok()?;
                Some(self.begin())
            }
        }
    }
}
