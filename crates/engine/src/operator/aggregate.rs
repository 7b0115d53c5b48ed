//! Aggregation that goes on from batch to batch.
//!
//! A batch's new rows become state rows ([`Cut::partial`]); the stored state rows of the same keys join
//! them; together they become one state row per key ([`Cut::reduce`]), which is staged; the results leave
//! ([`Cut::finish`]). Nothing of it touches the state until [`IncrementalAggregate::commit`], so a failed
//! batch is forgotten by [`IncrementalAggregate::abort`] and runs again under the same id.
//!
//! A batch costs in proportion to its rows and the keys they touch. State is never dropped by itself: a key
//! that was seen stays, and [`Config::state_bytes_max`] is where that ends.

use std::sync::Arc;

use datafusion::arrow::compute::concat_batches;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;

use crate::plan::incremental::{Cut, CutError, OutputMode};
use crate::state::StateError;
use crate::state::key::KeyGroups;
use crate::state::record::{Kind, Owner, Reader, Writer};
use crate::state::store::StateStore;

pub(crate) mod measure;

/// Rows per batch when many state rows are read or written.
const CHUNK_ROWS: usize = 8192;

/// Whose state it is, what leaves, and how large it may grow.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// The query's lasting id.
    pub(crate) query: String,
    /// Which of the query's stateful operators this is, counted from 0.
    pub(crate) operator: u32,
    /// Which rows leave after a batch.
    pub(crate) output: OutputMode,
    /// Bytes that the state may take in memory.
    pub(crate) state_bytes_max: usize,
}

/// Why a batch could not be merged or state not be written or restored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum AggregateError {
    /// An expression or a function failed on these rows.
    #[error("aggregate batch {batch}")]
    Run {
        /// The batch.
        batch: u64,
        /// What DataFusion said.
        source: DataFusionError,
    },
    /// The batch is not newer than what was committed.
    #[error("batch {batch} comes after batch {last} was committed")]
    Old {
        /// The batch that came.
        batch: u64,
        /// The newest committed one.
        last: u64,
    },
    /// The state could not be changed, written or read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The aggregation of one query with its state.
#[derive(Debug)]
pub(crate) struct IncrementalAggregate {
    cut: Cut,
    config: Config,
    context: Arc<TaskContext>,
    store: StateStore,
    last_batch: Option<u64>,
    staged_batch: Option<u64>,
}

impl IncrementalAggregate {
    /// Cuts `plan` for incremental runs; see [`Cut::try_new`] for what it must look like.
    ///
    /// # Errors
    /// The part of the plan that cannot run incrementally.
    pub(crate) fn try_new(
        plan: &Arc<dyn ExecutionPlan>,
        config: Config,
        context: Arc<TaskContext>,
    ) -> Result<Self, CutError> {
        let cut = Cut::try_new(plan, config.output)?;
        let store = StateStore::try_new(cut.layout.clone(), KeyGroups::DEFAULT)
            .map_err(|error| DataFusionError::External(error.into()))?;
        Ok(Self { cut, config, context, store, last_batch: None, staged_batch: None })
    }

    /// Aggregates the rows of a batch, all columns of the streaming table, and stages the new state of the
    /// keys they touch. Gives the results of these keys, or of all keys in complete mode. The same rows over
    /// the same state give the same results in the same order, also after a restore.
    ///
    /// A global aggregate has a single key, which any row of `input` touches, even one that a filter drops.
    /// When the future is dropped half-way, [`Self::abort`] the batch.
    ///
    /// # Errors
    /// The state is as it was, and the batch may be merged again.
    pub(crate) async fn merge(
        &mut self,
        batch: u64,
        input: Vec<RecordBatch>,
    ) -> Result<Vec<RecordBatch>, AggregateError> {
        self.store.check_unstaged(batch)?;
        if let Some(last) = self.last_batch.filter(|last| *last >= batch) {
            return Err(AggregateError::Old { batch, last });
        }
        let rows = self.new_state(batch, input).await?;
        self.store.stage(batch, &rows)?;
        self.staged_batch = Some(batch);
        let results = match self.check_size() {
            Ok(()) => self.results(batch, rows).await,
            Err(error) => Err(error.into()),
        };
        if results.is_err() {
            self.abort();
        }
        results
    }

    /// The staged changes as a record for the journal; none when the batch touched no key.
    pub(crate) fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        let Some((batch, rows, groups)) = self.store.staged().filter(|staged| staged.1.num_rows() > 0) else {
            return Ok(None);
        };
        let mut writer = Writer::try_new(Kind::Changelog, &self.owner(), Some(batch), self.store.layout())?;
        writer.push(rows, groups)?;
        writer.finish().map(Some)
    }

    /// Makes the staged batch the state.
    pub(crate) fn commit(&mut self) {
        if let Some(batch) = self.staged_batch.take() {
            self.store.commit();
            self.last_batch = Some(batch);
        }
    }

    /// Forgets the staged batch.
    pub(crate) fn abort(&mut self) {
        self.staged_batch = None;
        self.store.abort();
    }

    /// All committed state as a record.
    pub(crate) fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        let mut writer =
            Writer::try_new(Kind::Snapshot, &self.owner(), self.last_batch, self.store.layout())?;
        for chunk in self.store.by_group(CHUNK_ROWS) {
            let (rows, groups) = chunk?;
            writer.push(&rows, groups)?;
        }
        writer.finish()
    }

    /// Replaces the state by a snapshot and the changelogs after it, oldest first; those that the snapshot
    /// already holds are passed over. Gives the batch of the newest record.
    ///
    /// # Errors
    /// The state is as it was.
    pub(crate) fn restore<'a>(
        &mut self,
        snapshot: Option<&'a [u8]>,
        changelogs: impl IntoIterator<Item = &'a [u8]>,
    ) -> Result<Option<u64>, AggregateError> {
        let mut store = StateStore::try_new(self.cut.layout.clone(), self.store.groups())?;
        let mut newest = None;
        if let Some(bytes) = snapshot {
            newest = self.replay(&mut store, bytes, Kind::Snapshot, None)?;
        }
        let covered = newest;
        for bytes in changelogs {
            let batch = self.replay(&mut store, bytes, Kind::Changelog, covered)?;
            let Some(found) = batch else { continue };
            if let Some(last) = newest.filter(|last| *last >= found) {
                return Err(StateError::Order { last, found }.into());
            }
            newest = batch;
        }
        self.store = store;
        self.staged_batch = None;
        self.last_batch = newest;
        Ok(newest)
    }

    /// How many keys have state.
    pub(crate) fn keys(&self) -> usize {
        self.store.len()
    }

    /// Bytes of memory that the state takes.
    pub(crate) fn size(&self) -> usize {
        self.store.size()
    }

    fn owner(&self) -> Owner {
        Owner {
            query: self.config.query.clone(),
            operator: self.config.operator,
            key_groups: self.store.groups().count(),
        }
    }

    /// One new state row for each key that `input` touches.
    async fn new_state(&self, batch: u64, input: Vec<RecordBatch>) -> Result<RecordBatch, AggregateError> {
        let schema = &self.store.layout().schema;
        if input.iter().all(|rows| rows.num_rows() == 0) {
            return Ok(RecordBatch::new_empty(Arc::clone(schema)));
        }
        let run = |source| AggregateError::Run { batch, source };
        let fresh = self.cut.partial.run(input, &self.context).await.map_err(run)?;
        let mut rows: Vec<RecordBatch> = self.store.find(&fresh)?.into_iter().collect();
        rows.extend(fresh);
        let merged = self.cut.reduce.run(rows, &self.context).await.map_err(run)?;
        Ok(concat_batches(schema, &merged).map_err(StateError::from)?)
    }

    fn check_size(&self) -> Result<(), StateError> {
        let (needed, limit) = (self.store.size(), self.config.state_bytes_max);
        if needed > limit { Err(StateError::Full { needed, limit }) } else { Ok(()) }
    }

    async fn results(&self, batch: u64, changed: RecordBatch) -> Result<Vec<RecordBatch>, AggregateError> {
        let mut rows = Vec::new();
        match self.config.output {
            OutputMode::Update if changed.num_rows() == 0 => return Ok(Vec::new()),
            OutputMode::Update => {}
            OutputMode::Complete => {
                rows = self.store.untouched(CHUNK_ROWS).collect::<Result<Vec<_>, _>>()?;
            }
        }
        if changed.num_rows() > 0 {
            rows.push(changed);
        }
        let run = |source| AggregateError::Run { batch, source };
        self.cut.finish.run(rows, &self.context).await.map_err(run)
    }

    /// Puts one record into `store`. Gives its batch, or nothing when `covered` already includes it.
    fn replay(
        &self,
        store: &mut StateStore,
        bytes: &[u8],
        kind: Kind,
        covered: Option<u64>,
    ) -> Result<Option<u64>, StateError> {
        let corrupt = |reason| StateError::Corrupt { position: 0, reason };
        let mut reader = Reader::try_new(bytes, &self.owner(), &self.cut.layout)?;
        if reader.kind != kind {
            return Err(corrupt("a snapshot stands where a changelog belongs, or the other way round"));
        }
        if kind == Kind::Changelog && reader.batch.is_none() {
            return Err(corrupt("a changelog without a batch"));
        }
        if covered.is_some() && reader.batch <= covered {
            return Ok(None);
        }
        while let Some((rows, groups)) = reader.next_rows()? {
            store.stage(reader.batch.unwrap_or(0), &rows)?;
            if store.staged().is_none_or(|(.., computed)| computed != groups.values().to_vec()) {
                return Err(corrupt("a key lies in another key group than it should"));
            }
            store.commit();
        }
        Ok(reader.batch)
    }
}

#[cfg(test)]
mod tests;
