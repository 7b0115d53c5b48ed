//! The loop of a query: what happens with each batch, in order, and what a crash leaves behind.
//!
//! An intent is durable before the batch has any effect; the done is durable after all of them. A batch
//! that has begun and is not done runs again at the next start: over the same records, with the same model
//! versions, at the same time, so that it makes the same rows, of which the sink leaves out what is there.
//!
//! When the next batch is there already, its intent and the done before it become durable together.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use env::Env;
use futures::FutureExt;
use ml::Model;
use tokio::sync::watch;

use crate::error::{QueryError, chain};
use crate::models::reference::Reference;
use crate::models::{Entry, Pin, Pins, Registry, Version};
use crate::operator::learn::learn;
use crate::operator::scope::Refusals;
use crate::operator::stateful::Merged;
use crate::plan::compile::Compiled;
use crate::plan::pipeline::{Inputs, Observed, Pipeline};
use crate::query::driver::input::Input;
use crate::query::feed::{self, Feed};
use crate::query::journal::{Done, Frame, Intent, Journal, ModelRecord, Ranges, Snapshot, Start};
use crate::query::lookup::Lookup;
use crate::query::output::{Output, without};
use crate::query::progress::{Phase, Progress};
use crate::query::report::{Batch, Reporter, Stopwatch};
use crate::query::trigger::{Pace, Trigger};
use crate::sink::dead_letter::{DeadLetterSink, Refused};
use crate::sink::json::encode;
use crate::sink::side_topic::{Part, SideTopic};
use crate::sink::{Delivery, Sink};
use crate::source::Rows;
use crate::status::QueryState;

mod input;

/// A query and everything it owns.
pub(crate) struct Query {
    pub(crate) feeds: Vec<Feed>,
    /// Tables that it joins its streams with.
    pub(crate) lookups: Vec<Lookup>,
    pub(crate) plan: Compiled,
    pub(crate) effect: Effect,
    pub(crate) dead_letters: DeadLetterSink,
    /// Where rows go that come too late.
    pub(crate) late: Option<SideTopic>,
    pub(crate) trigger: Trigger,
    /// Whether a batch's rows take the place of all before: complete mode.
    pub(crate) replaces: bool,
    pub(crate) registry: Arc<Registry>,
    pub(crate) journal: Journal,
    pub(crate) start: Start,
    pub(crate) standing: Snapshot,
    /// The batch that was under way, with the versions it had pinned.
    pub(crate) undone: Option<(Intent, Pins)>,
    /// The batch that has run, until its done is durable.
    pub(crate) ended: Option<Ended>,
    /// The versions that the query itself names: kept for as long as it lives.
    #[expect(dead_code, reason = "holding them is what they are for")]
    pub(crate) held: Vec<Pin>,
    pub(crate) journal_bytes_max: u64,
    pub(crate) env: Env,
    pub(crate) progress: Arc<Progress>,
    pub(crate) changed: watch::Sender<u64>,
}

/// A batch that has run, with what is to be told when its done is durable.
pub(crate) struct Ended {
    intent: Intent,
    done: Done,
    /// The state's changes, or the model.
    blob: Bytes,
    learnt: Option<(Arc<Entry>, Version)>,
    watch: Stopwatch,
}

/// What becomes of a query's rows.
pub(crate) enum Effect {
    /// They go to a sink.
    Write { sink: Box<dyn Sink> },
    /// A model learns from them.
    Learn { entry: Arc<Entry>, model: Box<Model> },
}

/// A batch that only the clock calls for begins so many milliseconds after the last one began, at the earliest.
const TIMERS_MS: i64 = 100;

impl Query {
    /// Runs until told to stop, or until something fails that waiting does not mend.
    pub(crate) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let ended = self.run_batches(&mut stop).await;
        let query = &self.progress.identity().name;
        match ended {
            Ok(()) => self.progress.ended(QueryState::Stopped, None),
            Err(error) => {
                let error = chain(&error);
                tracing::error!(%query, %error, "query failed");
                self.progress.ended(QueryState::Failed, Some(error));
            }
        }
        self.changed.send_modify(|changes| *changes += 1);
    }

    async fn run_batches(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), QueryError> {
        let ran = self.run_until_told(stop).await;
        let settled = self.settle(None);
        ran.and(settled)
    }

    async fn run_until_told(&mut self, stop: &mut watch::Receiver<bool>) -> Result<(), QueryError> {
        for lookup in &mut self.lookups {
            lookup.load(&self.standing.offsets).await?;
        }
        self.write_again().await?;
        if !self.run_undone(stop).await? {
            return Ok(());
        }
        let mut pace = Pace::begin(self.trigger, &self.feeds, &self.env.clock).await?;
        self.progress.enters(Phase::Waiting);
        self.changed.send_modify(|changes| *changes += 1);
        while self.fired(&mut pace, stop).await? {
            self.progress.enters(Phase::Working);
            let mut watch = Stopwatch::start(&self.env.clock);
            let mut pinned = self.pin(&pace).await?;
            if pinned.is_empty() && !self.is_due(self.env.clock.now_ms()) {
                self.settle(None)?;
                self.progress.enters(Phase::Waiting);
                continue;
            }
            watch.ended("latestOffset");
            if !self.complete(&mut pinned).await? {
                self.progress.enters(Phase::Waiting);
                continue;
            }
            let (intent, pins) = self.intend(pinned.ranges())?;
            self.settle(Some(&intent))?;
            watch.ended("walCommit");
            self.run_batch(intent, &pins, pinned, watch).await?;
            if matches!(self.effect, Effect::Learn { .. }) {
                // The next batch may ask the model.
                self.settle(None)?;
            }
            self.progress.enters(Phase::Waiting);
        }
        Ok(())
    }

    /// Runs the batch again that was under way when the program ended; false if told to stop before its records came.
    async fn run_undone(&mut self, stop: &mut watch::Receiver<bool>) -> Result<bool, QueryError> {
        let Some((intent, pins)) = self.undone.take() else { return Ok(true) };
        let mut watch = Stopwatch::start(&self.env.clock);
        // What was read may be in a cluster that is away for now.
        let pinned = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return Ok(false),
            pinned = self.reread(&intent.ranges) => pinned?,
        };
        watch.ended("walCommit");
        self.run_batch(intent, &pins, pinned, watch).await?;
        self.settle(None)?;
        Ok(true)
    }

    /// Waits for the next batch; false when there is none. The last one's done waits only for a batch that is there.
    async fn fired(&mut self, pace: &mut Pace, stop: &mut watch::Receiver<bool>) -> Result<bool, QueryError> {
        // Timers that end one behind the other share a batch.
        let next_ms = self.plan.scope.time_ms().saturating_add(TIMERS_MS);
        let due_ms = self.plan.pipeline.due_ms().map(|due| due.max(next_ms));
        if self.ended.is_some() {
            let now = pace.fired(&self.feeds, &self.standing.offsets, due_ms, stop).now_or_never();
            match now {
                Some(fired) => return Ok(fired?),
                None => self.settle(None)?,
            }
        }
        Ok(pace.fired(&self.feeds, &self.standing.offsets, due_ms, stop).await?)
    }

    /// Gives the whole result to a sink that has forgotten it.
    async fn write_again(&mut self) -> Result<(), QueryError> {
        let Effect::Write { sink } = &mut self.effect else { return Ok(()) };
        if !(self.replaces && sink.forgets() && self.standing.batch > 0) {
            return Ok(());
        }
        let rows = self.feeds.iter().map(Feed::no_rows).collect::<Vec<_>>();
        let batch = self.standing.batch + 1;
        let watermarks = self.plan.pipeline.watermarks();
        let (moment, _) = feed::moment(&self.feeds, &rows, watermarks, batch, &self.standing);
        let tables: Vec<_> = self.lookups.iter().map(Lookup::now).collect();
        let merged = self.plan.pipeline.run(Inputs { streams: &rows, tables: &tables }, &moment).await;
        self.plan.pipeline.abort();
        let output = Output::of(merged?, &Refusals::new())?;
        let delivery = Delivery {
            batch: self.standing.batch,
            time_ms: self.env.clock.now_ms(),
            first: self.standing.rows_written,
            partitions: 0,
            replaces: true,
            numbers: &mut self.standing.numbers.clone(),
        };
        sink.write(&output.batches, delivery).await?;
        Ok(())
    }

    /// Everything between intent and done.
    async fn run_batch(
        &mut self,
        intent: Intent,
        pins: &Pins,
        pinned: Input,
        mut watch: Stopwatch,
    ) -> Result<(), QueryError> {
        let mut records = Vec::with_capacity(self.feeds.len());
        let mut refused = Vec::with_capacity(self.feeds.len());
        let mut rows = Vec::with_capacity(self.feeds.len());
        let mut rows_read = 0;
        for (feed, pinned) in self.feeds.iter().zip(pinned.streams) {
            let read: Rows = pinned.rows(&feed.shape)?;
            rows_read += (read.batch.num_rows() + read.refused.len()) as u64;
            records.push(read.records);
            rows.push(read.batch);
            refused.push(read.refused);
        }
        watch.ended("getBatch");
        self.bind(&intent, pins);
        let mut done = Done {
            batch: intent.batch,
            rows_read,
            numbers: self.standing.numbers.clone(),
            ..Done::default()
        };
        for (lookup, pinned) in self.lookups.iter_mut().zip(pinned.tables) {
            for pinned in pinned {
                let read = lookup.take_in(pinned)?;
                records.push(read.records);
                refused.push(read.refused);
            }
        }
        let output = self.run_plan(rows, &mut refused[0], &mut done).await?;
        done.rows_written = match &mut self.effect {
            Effect::Write { sink } => {
                let delivery = Delivery {
                    batch: intent.batch,
                    time_ms: intent.time_ms,
                    first: self.standing.rows_written,
                    partitions: intent.sink_partitions,
                    replaces: self.replaces,
                    numbers: &mut done.numbers,
                };
                sink.write(&output.batches, delivery).await?
            }
            Effect::Learn { entry, model } => {
                let (records, refused) = (&output.records, &mut refused[0]);
                let taught = learn(model.as_mut(), entry, &output.batches, records, refused)?;
                done.refused = taught.unplaced;
                taught.learned
            }
        };
        self.write_late(&output.late, &intent, &mut done).await?;
        done.refused += self.plan.scope.unplaced();
        let refused = refused.iter().zip(&records).map(|(rows, records)| Refused { rows, records });
        let refused: Vec<Refused<'_>> = refused.collect();
        done.refused += refused.iter().map(|refused| refused.rows.len() as u64).sum::<u64>();
        let part = Part { batch: intent.batch, time_ms: intent.time_ms, first: self.standing.refused };
        done.samples = self.dead_letters.write(&refused, part, &mut done.numbers).await?;
        watch.ended("addBatch");
        self.ended = Some(self.end(intent, done, watch)?);
        Ok(())
    }

    /// Counts the rows that came too late, and writes them where they were asked for.
    async fn write_late(
        &mut self,
        late: &[RecordBatch],
        intent: &Intent,
        done: &mut Done,
    ) -> Result<(), QueryError> {
        done.late = late.iter().map(|rows| rows.num_rows() as u64).sum();
        if let Some(topic) = &mut self.late {
            let rows = encode(late, None).map_err(crate::error::SinkError::Encode)?;
            let part = Part { batch: intent.batch, time_ms: intent.time_ms, first: self.standing.late };
            topic.write(rows, part, &mut done.numbers).await?;
        }
        Ok(())
    }

    /// Decides everything that a repetition must not decide anew.
    fn intend(&self, ranges: Ranges) -> Result<(Intent, Pins), QueryError> {
        let mut held = Pins::new();
        let (mut pins, mut champions) = (BTreeMap::new(), BTreeMap::new());
        for model in &self.plan.models {
            let reference = Reference::parse(model).ok();
            let pin = reference.and_then(|named| self.registry.answering(&named.model)?.pin(named.at));
            pins.insert(model.clone(), pin.as_ref().map(|pin| pin.version.number));
            if let Some(pin) = pin {
                if self.registry.contest(model).is_some() {
                    champions.insert(model.clone(), pin.model().to_owned());
                }
                held.insert(model.clone(), pin);
            }
        }
        let sink_partitions = match &self.effect {
            Effect::Write { sink } => sink.partitions()?,
            Effect::Learn { .. } => 0,
        };
        let intent = Intent {
            batch: self.standing.batch + 1,
            time_ms: self.env.clock.now_ms(),
            ranges,
            pins,
            champions,
            sink_partitions,
        };
        Ok((intent, held))
    }

    fn bind(&self, intent: &Intent, held: &Pins) {
        let version = |model: &str| held.get(model).map(|pin| Arc::clone(&pin.version));
        let pins = intent.pins.keys().map(|model| (model.clone(), version(model)));
        self.plan.scope.bind(Arc::new(pins.collect()), intent.time_ms);
    }

    /// Runs the plan over each feed's rows; notes how far event time has come.
    async fn run_plan(
        &mut self,
        mut rows: Vec<RecordBatch>,
        refused: &mut Refusals,
        done: &mut Done,
    ) -> Result<Output, QueryError> {
        let tables: Vec<_> = self.lookups.iter().map(Lookup::now).collect();
        let mut merged = Merged::default();
        let brings = rows.iter().any(|rows| rows.num_rows() > 0);
        let mut observed = self.plan.pipeline.watermarks().to_vec();
        if brings {
            observed = self.plan.pipeline.observe(Inputs { streams: &rows, tables: &tables }).await?;
        }
        let at = |rows: &[RecordBatch], observed: &[Observed]| {
            feed::moment(&self.feeds, rows, observed, done.batch, &self.standing)
        };
        let (mut moment, mut event_times) = at(&rows, &observed);
        if brings || self.is_due(self.plan.scope.time_ms()) {
            let inputs = Inputs { streams: &rows, tables: &tables };
            merged = self.plan.pipeline.run(inputs, &moment).await?;
        }
        if take_refusals(&self.plan, refused) && self.plan.pipeline.is_stateful() {
            // Some rows cannot be used, which only the plan could tell: again without them.
            self.plan.pipeline.abort();
            rows = rows.iter().map(|rows| without(rows, refused)).collect::<Result<_, _>>()?;
            let inputs = Inputs { streams: &rows, tables: &tables };
            let observed = self.plan.pipeline.observe(inputs).await?;
            (moment, event_times) = at(&rows, &observed);
            merged = self.plan.pipeline.run(inputs, &moment).await?;
            take_refusals(&self.plan, refused);
        }
        done.event_times = event_times;
        done.watermark = moment.watermark;
        Ok(Output::of(merged, refused)?)
    }

    /// Whether something is to be done at this time, rows or not.
    fn is_due(&self, now_ms: i64) -> bool {
        self.plan.pipeline.due_ms().is_some_and(|due| due <= now_ms)
    }

    /// Goes on from the batch, in memory.
    fn end(&mut self, intent: Intent, mut done: Done, watch: Stopwatch) -> Result<Ended, QueryError> {
        done.committed_ms = self.env.clock.now_ms();
        let mut standing = self.standing.clone();
        standing.apply(&intent, &done);
        let mut blob = Bytes::new();
        if self.plan.pipeline.is_stateful() {
            blob = self.plan.pipeline.changelog()?;
        }
        let mut learnt = None;
        if let Effect::Learn { entry, model } = &self.effect
            && done.rows_written > 0
        {
            let record = ModelRecord {
                query: self.start.query,
                version: entry.next_number(),
                committed_ms: done.committed_ms,
                rows_learned: model.rows_learned(),
                recent: model.recent_figure(),
                offsets: standing.offsets.clone(),
            };
            let snapshot = Bytes::from(model.snapshot());
            done.model = Some(record.clone());
            blob = match self.plan.pipeline.is_stateful() {
                true => {
                    done.state_bytes = Some(blob.len() as u64);
                    Bytes::from([blob, snapshot.clone()].concat())
                }
                false => snapshot.clone(),
            };
            learnt = Some((Arc::clone(entry), Version::learnt(record, snapshot, Model::clone(model))));
        }
        self.standing = standing;
        self.plan.pipeline.commit();
        Ok(Ended { intent, done, blob, learnt, watch })
    }

    /// Makes the last batch's offsets, numbers, state and model durable, together, and the intent of the next one with
    /// them; then tells of it.
    fn settle(&mut self, next: Option<&Intent>) -> Result<(), QueryError> {
        let Some(ended) = self.ended.take() else {
            return next.map_or(Ok(()), |intent| self.journal_append(&Frame::Intent(intent.clone())));
        };
        let Ended { intent, done, blob, learnt, mut watch } = ended;
        let Done { rows_read, rows_written, late, .. } = done;
        self.journal_append(&Frame::Done(Done { next: next.cloned(), ..done }, blob))?;
        for feed in &self.feeds {
            feed.source.commit(&self.standing.offsets);
        }
        if let Some((entry, version)) = learnt {
            entry.publish(version);
        }
        self.shorten_journal(next)?;
        watch.ended("commitOffsets");
        let pipeline = Some(&self.plan.pipeline).filter(|pipeline| pipeline.is_stateful());
        let batch =
            Batch { intent, rows_read, rows_written, late, state: pipeline.map(Pipeline::figures), watch };
        self.progress.committed(batch, &self.standing);
        self.changed.send_modify(|changes| *changes += 1);
        Ok(())
    }

    /// Who tells of its batches: one for each run.
    pub(crate) fn reporter(&self) -> Reporter {
        let name = &self.progress.identity().name;
        let sink = match &self.effect {
            Effect::Write { sink } => sink.description(),
            Effect::Learn { .. } => format!("model[{name}]"),
        };
        Reporter::new(name, &self.start, &sink, self.env.random.as_ref())
    }

    fn journal_append(&mut self, frame: &Frame) -> Result<(), QueryError> {
        self.journal.append(frame).map_err(QueryError::Journal)
    }

    /// Replaces what has grown long by what it amounts to; the intent of the next batch stays.
    fn shorten_journal(&mut self, next: Option<&Intent>) -> Result<(), QueryError> {
        if !self.journal.is_long(self.journal_bytes_max) {
            return Ok(());
        }
        let mut frames = vec![Frame::Start(self.start.clone())];
        if let Effect::Learn { entry, .. } = &self.effect {
            let versions = entry.to_keep().into_iter();
            frames.extend(versions.map(|v| Frame::Version(v.record.clone(), v.snapshot.clone())));
        }
        let state = self.plan.pipeline.snapshot()?;
        frames.push(Frame::Snapshot(self.standing.clone(), state));
        frames.extend(next.cloned().map(Frame::Intent));
        self.journal.rewrite(&frames).map_err(QueryError::Journal)
    }
}

/// Adds what the plan's functions refused; says whether there was any.
fn take_refusals(plan: &Compiled, refused: &mut Refusals) -> bool {
    let taken = plan.scope.take_refusals();
    let any = !taken.is_empty();
    for (record, reason) in taken {
        refused.entry(record).or_insert(reason);
    }
    any
}
