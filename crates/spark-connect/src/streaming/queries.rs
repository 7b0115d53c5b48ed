//! The queries of a session, and who listens to them.

use std::collections::VecDeque;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use engine::streaming::StreamQuery;
use tokio::sync::{mpsc, watch};

use crate::error::{Class, Result, SparkError};
use crate::plan::Figures;
use crate::python::Guard;
use crate::session::lock;
use crate::streaming::event;

/// Queries that have ended and can still be asked about.
const ENDED_MAX: usize = 100;
/// How long the functions of a batch may go on when their query stops.
const PATIENCE: Duration = Duration::from_secs(5);
/// Events that wait for the listeners of a client.
const EVENTS_WAITING: usize = 1000;

/// A query as its client knows it.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) id: String,
    pub(crate) run_id: String,
    pub(crate) handle: StreamQuery,
    /// The model that learns its rows.
    pub(crate) learns: Option<String>,
    /// What was observed of its batches.
    pub(crate) figures: Arc<Figures>,
    /// The Python that its functions run in, as long as it runs.
    python: Mutex<Option<Guard>>,
    /// `awaitAnyTermination` does not count it any more.
    forgotten: Mutex<bool>,
    /// Listeners know that it has ended.
    told: watch::Sender<bool>,
}

impl Query {
    /// Why it ended, if it failed.
    pub(crate) fn failure(&self) -> Option<SparkError> {
        let error = self.handle.condition().error?;
        let text =
            format!("Query [id = {}, runId = {}] terminated with exception: {error}", self.id, self.run_id);
        Some(
            SparkError::new(Class::StreamingQuery, "STREAM_FAILED", "XXKST", text)
                .with("id", &self.id)
                .with("runId", &self.run_id)
                .with("message", error),
        )
    }

    /// Ends it after the batch that it is at; Python that does not come to an end is ended.
    pub(crate) async fn stop(&self) {
        let mut stopping = pin!(self.handle.stop());
        if tokio::time::timeout(PATIENCE, &mut stopping).await.is_err() {
            if let Some(python) = &*lock(&self.python) {
                python.stop();
            }
            stopping.await;
        }
    }

    pub(crate) fn is_active(&self) -> bool {
        self.handle.condition().active
    }
}

/// What listeners are told: the event as JSON, and its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) json: String,
    pub(crate) kind: i32,
}

/// A session's queries.
#[derive(Debug)]
pub(crate) struct Streams {
    queries: Mutex<VecDeque<Arc<Query>>>,
    listening: Mutex<Option<mpsc::Sender<Event>>>,
    /// Counts up when a query is added.
    added: watch::Sender<u64>,
}

impl Default for Streams {
    fn default() -> Self {
        Streams { queries: Mutex::default(), listening: Mutex::default(), added: watch::channel(0).0 }
    }
}

impl Streams {
    /// Takes a query in, and tells listeners of it from now on.
    pub(crate) fn add(
        self: &Arc<Self>,
        handle: StreamQuery,
        python: Guard,
        learns: Option<String>,
        figures: Arc<Figures>,
    ) -> Arc<Query> {
        let (id, run_id) = handle.ids();
        let query = Arc::new(Query {
            id,
            run_id,
            handle,
            learns,
            figures,
            python: Mutex::new(Some(python)),
            forgotten: Mutex::new(false),
            told: watch::channel(false).0,
        });
        {
            let mut queries = lock(&self.queries);
            let ended = queries.iter().filter(|query| !query.is_active()).count();
            if ended > ENDED_MAX
                && let Some(oldest) = queries.iter().position(|query| !query.is_active())
            {
                queries.remove(oldest);
            }
            queries.push_back(Arc::clone(&query));
        }
        self.added.send_modify(|count| *count += 1);
        tokio::spawn(follow(Arc::downgrade(self), Arc::clone(&query)));
        query
    }

    /// Those that run.
    pub(crate) fn active(&self) -> Vec<Arc<Query>> {
        lock(&self.queries).iter().filter(|query| query.is_active()).cloned().collect()
    }

    /// The run of a query.
    pub(crate) fn run(&self, id: &str, run_id: &str) -> Result<Arc<Query>> {
        let queries = lock(&self.queries);
        let found = queries.iter().find(|query| query.id == id && query.run_id == run_id);
        found.cloned().ok_or_else(|| {
            let text = format!("Streaming query {id} is not found");
            SparkError::new(Class::Analysis, "STREAMING_QUERY_NOT_FOUND", "42704", text)
        })
    }

    /// Refuses a name that a running query has.
    pub(crate) fn check_name(&self, name: &str) -> Result<()> {
        if self.active().iter().any(|query| query.handle.name() == Some(name)) {
            return Err(SparkError::illegal(format!(
                "Cannot start query with name {name} as a query with that name is already active in this SparkSession"
            )));
        }
        Ok(())
    }

    /// Waits for a query that has ended since the last [`Streams::reset`].
    pub(crate) async fn any_ended(&self) -> Arc<Query> {
        let mut added = self.added.subscribe();
        loop {
            let mut changed = None;
            for query in lock(&self.queries).iter() {
                changed.get_or_insert_with(|| query.handle.watch());
                if !query.is_active() && !*lock(&query.forgotten) {
                    return Arc::clone(query);
                }
            }
            match changed {
                Some(mut changed) => {
                    tokio::select! {
                        _ = added.changed() => {}
                        _ = changed.changed() => {}
                    }
                }
                None => {
                    let _ = added.changed().await;
                }
            }
        }
    }

    /// Forgets which queries have ended.
    pub(crate) fn reset(&self) {
        for query in lock(&self.queries).iter().filter(|query| !query.is_active()) {
            *lock(&query.forgotten) = true;
        }
    }

    /// From now on events go here; `None` if they go somewhere already.
    pub(crate) fn listen(&self) -> Option<mpsc::Receiver<Event>> {
        let mut listening = lock(&self.listening);
        if listening.as_ref().is_some_and(|sender| !sender.is_closed()) {
            return None;
        }
        let (send, receive) = mpsc::channel(EVENTS_WAITING);
        *listening = Some(send);
        Some(receive)
    }

    pub(crate) fn is_listening(&self) -> bool {
        lock(&self.listening).as_ref().is_some_and(|sender| !sender.is_closed())
    }

    /// Events go nowhere any more, once those of ended queries are told.
    pub(crate) async fn stop_listening(&self) {
        let ended: Vec<_> = lock(&self.queries).iter().filter(|query| !query.is_active()).cloned().collect();
        for query in ended {
            let _ = query.told.subscribe().wait_for(|told| *told).await;
        }
        *lock(&self.listening) = None;
    }

    /// Tells the listeners, unless they are too far behind.
    fn post(&self, event: Event) {
        if let Some(sender) = lock(&self.listening).as_ref()
            && sender.try_send(event).is_err()
        {
            tracing::debug!("an event of a query was not taken by its listeners");
        }
    }

    /// Stops all of them.
    pub(crate) async fn end(&self) {
        *lock(&self.listening) = None;
        let queries: Vec<_> = lock(&self.queries).drain(..).collect();
        for query in queries {
            query.stop().await;
        }
    }
}

/// Tells of a query's batches and of its end.
async fn follow(streams: std::sync::Weak<Streams>, query: Arc<Query>) {
    let mut changed = query.handle.watch();
    let mut told = None;
    loop {
        let active = query.is_active();
        let Some(streams) = streams.upgrade() else { return };
        for progress in query.handle.progress() {
            if told.is_none_or(|told| progress.batch_id > told) {
                told = Some(progress.batch_id);
                streams.post(event::progress_event(&query, &progress));
            }
        }
        if !active {
            *lock(&query.python) = None;
            streams.post(event::terminated(&query));
            query.told.send_replace(true);
            return;
        }
        drop(streams);
        if changed.changed().await.is_err() {
            return;
        }
    }
}
