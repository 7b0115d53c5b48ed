//! The loop of a query: what happens with each batch, in order, and what a crash leaves behind.
//!
//! An intent is durable before the batch has any effect; the done is durable after all of them. A batch
//! that has begun and is not done runs again at the next start: over the same records, with the same model
//! versions, at the same time, so that it makes the same rows, of which the sink leaves out what is there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use env::Env;
use ml::Model;
use tokio::sync::watch;

use crate::error::{QueryError, chain};
use crate::models::reference::Reference;
use crate::models::{Entry, Pin, Pins, Registry, Version};
use crate::operator::aggregate::IncrementalAggregate;
use crate::operator::learn::learn;
use crate::operator::scope::Refusals;
use crate::plan::compile::Compiled;
use crate::query::journal::{Done, Frame, Intent, Journal, ModelRecord, Snapshot, Start};
use crate::query::output::{Output, without};
use crate::query::progress::Progress;
use crate::query::trigger;
use crate::sink::dead_letter::DeadLetterSink;
use crate::sink::{Delivery, Sink};
use crate::source::shape::Shape;
use crate::source::{Limits, Pinned, Rows, Source};
use crate::status::QueryState;

/// A query and everything it owns.
pub(crate) struct Query {
    pub(crate) source: Arc<dyn Source>,
    pub(crate) shape: Shape,
    pub(crate) plan: Compiled,
    pub(crate) aggregate: Option<IncrementalAggregate>,
    pub(crate) effect: Effect,
    pub(crate) dead_letters: DeadLetterSink,
    pub(crate) registry: Arc<Registry>,
    pub(crate) journal: Journal,
    pub(crate) start: Start,
    pub(crate) standing: Snapshot,
    /// The batch that was under way, with the versions it had pinned.
    pub(crate) undone: Option<(Intent, Pins)>,
    /// The versions that the query itself names: kept for as long as it lives.
    #[expect(dead_code, reason = "holding them is what they are for")]
    pub(crate) held: Vec<Pin>,
    pub(crate) limits: Limits,
    pub(crate) journal_bytes_max: u64,
    pub(crate) env: Env,
    pub(crate) progress: Arc<Progress>,
    pub(crate) changed: watch::Sender<u64>,
}

/// What becomes of a query's rows.
pub(crate) enum Effect {
    /// They go to a sink.
    Write { sink: Box<dyn Sink> },
    /// A model learns from them.
    Learn { entry: Arc<Entry>, model: Box<Model> },
}

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
        if let Some((intent, pins)) = self.undone.take() {
            let begun = self.env.clock.monotonic();
            let pinned = self.source.reread(&intent.ranges).await?;
            self.run_batch(&intent, &pins, &pinned, begun).await?;
        }
        while trigger::fired(self.source.as_ref(), &self.standing.offsets, stop).await? {
            let begun = self.env.clock.monotonic();
            let positions = &self.standing.offsets;
            let pinned = self.source.pin(positions, &self.limits, self.standing.batch).await?;
            if pinned.is_empty() {
                continue;
            }
            self.source.secure(&pinned).await?;
            let (intent, pins) = self.intend(&pinned)?;
            self.journal_append(&Frame::Intent(intent.clone()))?;
            self.run_batch(&intent, &pins, &pinned, begun).await?;
        }
        Ok(())
    }

    /// Everything between intent and done.
    async fn run_batch(
        &mut self,
        intent: &Intent,
        pins: &Pins,
        pinned: &Pinned,
        begun: Duration,
    ) -> Result<(), QueryError> {
        let Rows { batch: rows, records, mut refused } = pinned.rows(&self.shape)?;
        self.bind(intent, pins);
        let output = self.run_plan(intent.batch, rows, &mut refused).await?;
        let mut done = Done {
            batch: intent.batch,
            rows_read: records.len() as u64,
            numbers: self.standing.numbers.clone(),
            ..Done::default()
        };
        done.rows_written = match &mut self.effect {
            Effect::Write { sink } => {
                let delivery = Delivery {
                    batch: intent.batch,
                    time_ms: intent.time_ms,
                    first: self.standing.rows_written,
                    partitions: intent.sink_partitions,
                    numbers: &mut done.numbers,
                };
                sink.write(&output.batches, delivery).await?
            }
            Effect::Learn { entry, model } => {
                learn(model.as_mut(), entry, &output.batches, &output.records, &mut refused)?
            }
        };
        done.refused = refused.len() as u64;
        done.samples = self.dead_letters.write(&refused, &records, intent.time_ms, &mut done.numbers).await?;
        self.commit(intent, done)?;
        self.publish(records.len() as u64, begun);
        Ok(())
    }

    /// Decides everything that a repetition must not decide anew.
    fn intend(&self, pinned: &Pinned) -> Result<(Intent, Pins), QueryError> {
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
            ranges: pinned.ranges.clone(),
            pins,
            champions,
            sink_partitions,
        };
        Ok((intent, held))
    }

    fn bind(&self, intent: &Intent, held: &Pins) {
        let version = |model: &str| held.get(model).map(|pin| Arc::clone(&pin.version));
        let pins = intent.pins.keys().map(|model| (model.clone(), version(model)));
        self.plan.scope.bind(Arc::new(pins.collect()));
    }

    async fn run_plan(
        &mut self,
        batch: u64,
        rows: RecordBatch,
        refused: &mut Refusals,
    ) -> Result<Output, QueryError> {
        if rows.num_rows() == 0 {
            return Ok(Output::default());
        }
        let Some(aggregate) = &mut self.aggregate else {
            let batches = self.plan.run(rows).await?;
            take_refusals(&self.plan, refused);
            return Ok(Output::numbered(batches, refused)?);
        };
        let mut groups = aggregate.merge(batch, vec![rows.clone()]).await?;
        if take_refusals(&self.plan, refused) {
            // Some rows cannot be used, which only the plan could tell: again without them.
            aggregate.abort();
            groups = aggregate.merge(batch, vec![without(&rows, refused)?]).await?;
            take_refusals(&self.plan, refused);
        }
        Ok(Output::groups(groups))
    }

    /// Makes the batch's offsets, numbers, state and model durable, together.
    fn commit(&mut self, intent: &Intent, mut done: Done) -> Result<(), QueryError> {
        done.committed_ms = self.env.clock.now_ms();
        let mut standing = self.standing.clone();
        standing.apply(intent, &done);
        let mut blob = Bytes::new();
        if let Some(aggregate) = &mut self.aggregate {
            blob = aggregate.changelog()?.map_or_else(Bytes::new, Bytes::from);
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
            blob = Bytes::from(model.snapshot());
            done.model = Some(record.clone());
            learnt = Some((Arc::clone(entry), Version::learnt(record, blob.clone(), Model::clone(model))));
        }
        self.journal_append(&Frame::Done(done, blob))?;
        self.standing = standing;
        self.source.commit(&self.standing.offsets);
        if let Some(aggregate) = &mut self.aggregate {
            aggregate.commit();
        }
        if let Some((entry, version)) = learnt {
            entry.publish(version);
        }
        self.shorten_journal()
    }

    fn publish(&self, rows: u64, begun: Duration) {
        let state_rows = self.aggregate.as_ref().map(|aggregate| aggregate.keys() as u64);
        self.progress.committed(&self.standing, state_rows, rows, begun);
        self.changed.send_modify(|changes| *changes += 1);
    }

    fn journal_append(&mut self, frame: &Frame) -> Result<(), QueryError> {
        // The disk makes this thread wait: others take over its tasks meanwhile.
        let append = || self.journal.append(frame);
        tokio::task::block_in_place(append).map_err(QueryError::Journal)
    }

    /// Replaces what has grown long by what it amounts to.
    fn shorten_journal(&mut self) -> Result<(), QueryError> {
        if !self.journal.is_long(self.journal_bytes_max) {
            return Ok(());
        }
        let mut frames = vec![Frame::Start(self.start.clone())];
        if let Effect::Learn { entry, .. } = &self.effect {
            let versions = entry.to_keep().into_iter();
            frames.extend(versions.map(|v| Frame::Version(v.record.clone(), v.snapshot.clone())));
        }
        let state = match &self.aggregate {
            Some(aggregate) => Bytes::from(aggregate.snapshot()?),
            None => Bytes::new(),
        };
        frames.push(Frame::Snapshot(self.standing.clone(), state));
        tokio::task::block_in_place(|| self.journal.rewrite(&frames)).map_err(QueryError::Journal)
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
