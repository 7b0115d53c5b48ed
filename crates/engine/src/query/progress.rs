//! What a running query tells about itself.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use env::Clock;

use crate::operator::stateful::StateFigures;
use crate::query::journal::Snapshot;
use crate::query::report::{Batch, Noted, QueryProgress, Reporter};
use crate::source::Source;
use crate::status::{DeadLetters, Offsets, Percentiles, QueryKind, QueryState, QueryStatus};

/// Batches that the percentiles are taken over.
const BATCHES_KEPT: usize = 512;

/// Batches that are told of in full, as many as Spark keeps.
const REPORTS_KEPT: usize = 100;

/// The time that the rate is taken over.
const RATE_OVER: Duration = Duration::from_secs(10);

/// What does not change while a query lives.
#[derive(Debug, Clone)]
pub(crate) struct Identity {
    pub(crate) name: String,
    pub(crate) id: u64,
    pub(crate) sql: String,
    pub(crate) kind: QueryKind,
    pub(crate) sink: Option<String>,
}

/// A query's window to the outside. The driver publishes, anybody reads.
#[derive(Debug)]
pub(crate) struct Progress {
    identity: Identity,
    sources: Vec<Arc<dyn Source>>,
    clock: Arc<dyn Clock>,
    begun: Duration,
    current: Mutex<Current>,
}

/// What a query is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Phase {
    /// It looks where it was.
    #[default]
    Starting,
    /// There is nothing to read.
    Waiting,
    /// A batch runs.
    Working,
}

#[derive(Debug)]
struct Current {
    phase: Phase,
    state: QueryState,
    error: Option<String>,
    standing: Snapshot,
    figures: Option<StateFigures>,
    batches: VecDeque<Measured>,
    reporter: Option<Reporter>,
    recent: VecDeque<Noted>,
}

#[derive(Debug, Clone, Copy)]
struct Measured {
    at: Duration,
    took_ms: f64,
    rows: u64,
}

impl Progress {
    pub(crate) fn new(
        identity: Identity,
        sources: Vec<Arc<dyn Source>>,
        clock: Arc<dyn Clock>,
        standing: Snapshot,
    ) -> Self {
        let begun = clock.monotonic();
        let current = Current {
            phase: Phase::default(),
            state: QueryState::Running,
            error: None,
            standing,
            figures: None,
            batches: VecDeque::new(),
            reporter: None,
            recent: VecDeque::new(),
        };
        Progress { identity, sources, clock, begun, current: Mutex::new(current) }
    }

    pub(crate) fn identity(&self) -> &Identity {
        &self.identity
    }

    /// After a committed batch, with which the query stands there.
    pub(crate) fn committed(&self, batch: Batch, standing: &Snapshot) {
        let at = self.clock.monotonic();
        let took_ms = at.saturating_sub(batch.watch.begun).as_secs_f64() * 1_000.0;
        let ends = self.sources.iter().map(|source| source.progress(&standing.offsets)).collect();
        let mut current = self.lock();
        current.standing.clone_from(standing);
        current.figures = batch.state;
        current.batches.push_back(Measured { at, took_ms, rows: batch.rows_read });
        if current.batches.len() > BATCHES_KEPT {
            current.batches.pop_front();
        }
        if let Some(reporter) = &mut current.reporter {
            let noted = reporter.note(batch, standing, ends);
            current.recent.push_back(noted);
            if current.recent.len() > REPORTS_KEPT {
                current.recent.pop_front();
            }
        }
    }

    /// The query runs: from now on its batches are told of.
    pub(crate) fn running(&self, reporter: Reporter) {
        self.lock().reporter = Some(reporter);
    }

    /// What it is at.
    pub(crate) fn phase(&self) -> Phase {
        self.lock().phase
    }

    pub(crate) fn enters(&self, phase: Phase) {
        self.lock().phase = phase;
    }

    /// The lasting id, and that of this run; none before it runs.
    pub(crate) fn ids(&self) -> Option<(String, String)> {
        self.lock().reporter.as_ref().map(Reporter::ids)
    }

    pub(crate) fn sources(&self) -> &[Arc<dyn Source>] {
        &self.sources
    }

    /// How many batches there were, and how far they went.
    pub(crate) fn standing(&self) -> (u64, Offsets) {
        let current = self.lock();
        (current.standing.batch, current.standing.offsets.clone())
    }

    pub(crate) fn outcome(&self) -> (QueryState, Option<String>) {
        let current = self.lock();
        (current.state, current.error.clone())
    }

    /// The last batches, the oldest first.
    pub(crate) fn recent(&self) -> Vec<QueryProgress> {
        let current = self.lock();
        let Some(reporter) = &current.reporter else { return Vec::new() };
        let names = || self.sources.iter().map(|source| source.name());
        current.recent.iter().map(|noted| reporter.report(noted, names())).collect()
    }

    pub(crate) fn ended(&self, state: QueryState, error: Option<String>) {
        let mut current = self.lock();
        current.state = state;
        current.error = error;
    }

    pub(crate) fn status(&self) -> QueryStatus {
        let now = self.clock.monotonic();
        let current = self.lock();
        let standing = &current.standing;
        let source = self.sources.iter().flat_map(|source| source.progress(&standing.offsets)).collect();
        QueryStatus {
            name: self.identity.name.clone(),
            id: self.identity.id,
            sql: self.identity.sql.clone(),
            kind: self.identity.kind,
            state: current.state,
            error: current.error.clone(),
            batch_id: standing.batch,
            rows_total: standing.rows_read,
            rows_written: standing.rows_written,
            rows_per_second: rate(&current.batches, self.begun, now),
            batch_ms: percentiles(&current.batches),
            source,
            dead_letters: DeadLetters {
                count: standing.refused,
                topic: crate::sink::dead_letter::topic_of(&self.identity.name),
                samples: standing.samples.clone(),
            },
            sink: self.identity.sink.clone(),
            state_rows: current.figures.map(|figures| figures.keys as u64),
            state_bytes: current.figures.map(|figures| figures.bytes as u64),
            watermark_us: standing.watermark,
            rows_late: standing.late,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[expect(clippy::cast_precision_loss, reason = "a rate for people to read")]
fn rate(batches: &VecDeque<Measured>, begun: Duration, now: Duration) -> f64 {
    let since = now.saturating_sub(RATE_OVER);
    let rows: u64 = batches.iter().filter(|batch| batch.at >= since).map(|batch| batch.rows).sum();
    let span = now.saturating_sub(begun).clamp(Duration::from_secs(1), RATE_OVER);
    rows as f64 / span.as_secs_f64()
}

fn percentiles(batches: &VecDeque<Measured>) -> Percentiles {
    let mut took: Vec<f64> = batches.iter().map(|batch| batch.took_ms).collect();
    took.sort_by(f64::total_cmp);
    let at = |percent: usize| {
        let index = (took.len() * percent).div_ceil(100).saturating_sub(1);
        took.get(index).copied().unwrap_or(0.0)
    };
    Percentiles { p50: at(50), p99: at(99) }
}
