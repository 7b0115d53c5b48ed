//! The task that owns the board and serves its watchers.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::Bytes;
use engine::Engine;
use env::Env;
use tokio::sync::{broadcast, mpsc, watch};
use tokio::time::{Instant, MissedTickBehavior};
use topics::Topics;

use super::board::{Board, Members};
use super::gauge::Gauge;
use super::merge::Merge;
use super::{FRAMES_MAX, Feed, REQUESTS_MAX, Report, Request, Watching, engine_view, frame};
use crate::Config;
use crate::stop::stopped;
use crate::wire::{Server, Snapshot, Status, Tick, Versions};

/// Between two frames of images: as often as an eye follows.
const FRAME_EVERY: Duration = Duration::from_millis(100);
const TICK_EVERY: Duration = Duration::from_secs(1);
/// Ticks after the last event, without any watcher: the open second must still be closed.
const TICKS_AFTER: u8 = 3;
/// Events taken before the next request is looked at.
const EVENTS_AT_ONCE: usize = 500;

#[derive(Debug)]
pub(crate) struct FeedTask {
    topics: Topics,
    engine: Engine,
    env: Env,
    config: Config,
    server: Server,
    requests: mpsc::Receiver<Request>,
    frames: broadcast::Sender<Bytes>,
    merge: Option<Merge>,
    board: Board,
    gauge: Gauge,
    /// The newest version of each model that watchers were told about.
    told: BTreeMap<String, u64>,
    ticks_left: u8,
    more: bool,
    flush_at: Option<Instant>,
}

impl FeedTask {
    pub(crate) fn new(
        config: &Config,
        server: Server,
        topics: Topics,
        engine: Engine,
        env: Env,
    ) -> (Feed, FeedTask) {
        let (sender, requests) = mpsc::channel(REQUESTS_MAX);
        let (frames, _) = broadcast::channel(FRAMES_MAX);
        let merge = config.gallery.clone().map(|gallery| Merge::new(gallery, config.history_records_max));
        let task = FeedTask {
            topics,
            engine,
            env,
            config: config.clone(),
            server,
            requests,
            frames,
            merge,
            board: Board::new(),
            gauge: Gauge::default(),
            told: BTreeMap::new(),
            ticks_left: 0,
            more: true,
            flush_at: None,
        };
        (Feed { requests: sender }, task)
    }

    /// Runs until `stop` becomes true or its sender is gone. Then every watcher's feed ends.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut changed = self.topics.changed();
        let mut tick = tokio::time::interval(TICK_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let grown = self.merge.as_ref().map(Merge::grown).unwrap_or_default();
        self.discover();
        loop {
            let flush_at = self.flush_at.unwrap_or_else(Instant::now);
            tokio::select! {
                biased;
                () = stopped(&mut stop) => return,
                Some(request) = self.requests.recv() => self.answer(request),
                Ok(()) = changed.changed() => self.discover(),
                _ = tick.tick(), if self.is_active() => self.tick(),
                () = tokio::time::sleep_until(flush_at), if self.flush_at.is_some() => self.flush(),
                () = std::future::ready(()), if self.more => self.take().await,
                () = grown.notified() => self.more = true,
            }
        }
    }

    fn discover(&mut self) {
        if let Some(merge) = &mut self.merge {
            merge.discover(&self.topics);
        }
    }

    /// Without watchers and without events the feed sleeps.
    fn is_active(&self) -> bool {
        self.ticks_left > 0 || self.frames.receiver_count() > 0
    }

    async fn take(&mut self) {
        let Some(merge) = &mut self.merge else {
            self.more = false;
            return;
        };
        let events = merge.next(EVENTS_AT_ONCE).await;
        self.more = events.len() == EVENTS_AT_ONCE;
        if events.is_empty() {
            return;
        }
        self.ticks_left = TICKS_AFTER;
        events.into_iter().for_each(|event| self.board.take(event));
        if self.frames.receiver_count() == 0 {
            self.board.take_images();
        } else if self.board.is_urgent() {
            self.flush();
        } else if self.flush_at.is_none() {
            self.flush_at = Some(Instant::now() + FRAME_EVERY);
        }
    }

    fn flush(&mut self) {
        self.flush_at = None;
        if let Some(images) = self.board.take_images() {
            self.send("images", &images);
        }
    }

    fn tick(&mut self) {
        self.ticks_left = self.ticks_left.saturating_sub(1);
        let now_ms = self.env.clock.now_ms();
        let records = self.gauge.look(&self.topics, now_ms);
        self.board.tick(now_ms, records);
        let points = self.board.fresh_points();
        if self.frames.receiver_count() == 0 {
            if self.ticks_left == 0 {
                self.gauge.rest();
            }
            return;
        }
        // A tick counts images, so it comes after them.
        self.flush();
        let status = self.status();
        let versions = self.new_versions(&status);
        self.send("tick", &Tick { status, clusters: self.board.clusters(Members::Left), points, versions });
    }

    fn new_versions(&mut self, status: &Status) -> Versions {
        let told = &self.told;
        let versions = engine_view::versions(&self.engine, &status.models, |name| told.get(name).copied());
        self.told = status.models.iter().map(|model| (model.name.clone(), model.version)).collect();
        versions
    }

    fn send(&self, event: &str, data: &impl serde::Serialize) {
        // An error means that nobody watches any more.
        let _ = self.frames.send(frame::frame(event, data));
    }

    fn answer(&mut self, request: Request) {
        // Whoever asked may have gone away meanwhile; then the reply is dropped.
        match request {
            Request::Watch(reply) => {
                let frames = self.frames.subscribe();
                let _ = reply.send(Watching { snapshot: self.snapshot(), frames });
            }
            Request::Report(reply) => {
                let _ = reply.send(self.report());
            }
        }
    }

    fn snapshot(&mut self) -> Bytes {
        let status = self.status();
        let versions = engine_view::versions(&self.engine, &status.models, |_| None);
        let snapshot = Snapshot {
            server: &self.server,
            gallery: self.config.gallery.as_ref(),
            points: self.board.points(),
            images: self.board.images(),
            clusters: self.board.clusters(Members::Included),
            status,
            versions,
        };
        frame::frame("snapshot", &snapshot)
    }

    fn report(&self) -> Report {
        Report {
            server: self.server.clone(),
            status: self.status(),
            clusters: self.board.clusters(Members::Left),
            latencies: self.board.histograms(),
            watchers: self.frames.receiver_count(),
        }
    }

    fn status(&self) -> Status {
        Status {
            now_ms: self.env.clock.now_ms(),
            answered: self.board.answered(),
            scores: self.board.scores(),
            latency: self.board.latencies(),
            unreadable: self.merge.as_ref().map(|merge| merge.unreadable.clone()).unwrap_or_default(),
            topics: self.gauge.topics(&self.topics),
            queries: engine_view::queries(&self.engine),
            models: engine_view::models(&self.engine),
        }
    }
}
