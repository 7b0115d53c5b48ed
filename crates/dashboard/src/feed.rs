//! The live feed: follows the gallery's topics, keeps what the page shows, and hands it to every watcher.
//!
//! One task owns all of it ([`FeedTask`]); the doors' handlers ask it by message ([`Feed`]). Frames are made once and
//! shared: a browser that reads too slowly misses frames and gets a snapshot instead, and costs no memory.

mod board;
mod bounded;
mod engine_view;
mod event;
mod frame;
mod gauge;
pub(crate) mod histogram;
mod input;
mod judge;
mod merge;
mod pixels;
mod task;
#[cfg(test)]
mod tests;
mod timeline;

use bytes::Bytes;
use tokio::sync::{broadcast, mpsc, oneshot};

use crate::feed::histogram::Histogram;
use crate::wire::{Cluster, Kind, Server, Status};

pub(crate) use task::FeedTask;

/// Handlers that may wait for the feed at a time.
const REQUESTS_MAX: usize = 64;
/// Frames a watcher may be behind.
const FRAMES_MAX: usize = 64;

/// How the handlers reach the feed.
#[derive(Debug, Clone)]
pub(crate) struct Feed {
    requests: mpsc::Sender<Request>,
}

#[derive(Debug)]
enum Request {
    Watch(oneshot::Sender<Watching>),
    Report(oneshot::Sender<Report>),
}

/// All there is so far, and what comes from then on.
#[derive(Debug)]
pub(crate) struct Watching {
    pub(crate) snapshot: Bytes,
    pub(crate) frames: broadcast::Receiver<Bytes>,
}

/// Everything at one moment, for those who ask once.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    pub(crate) server: Server,
    pub(crate) status: Status,
    pub(crate) clusters: Vec<Cluster>,
    pub(crate) latencies: [(Kind, Histogram); 2],
    pub(crate) watchers: usize,
}

/// The feed has ended: the server is stopping.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stopped;

impl Feed {
    pub(crate) async fn watch(&self) -> Result<Watching, Stopped> {
        self.ask(Request::Watch).await
    }

    pub(crate) async fn report(&self) -> Result<Report, Stopped> {
        self.ask(Request::Report).await
    }

    async fn ask<T>(&self, request: impl FnOnce(oneshot::Sender<T>) -> Request) -> Result<T, Stopped> {
        let (reply, answer) = oneshot::channel();
        self.requests.send(request(reply)).await.map_err(|_| Stopped)?;
        answer.await.map_err(|_| Stopped)
    }
}
