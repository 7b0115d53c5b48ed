//! Aggregation that goes on from batch to batch.
//!
//! A batch's new rows become state rows ([`Cut::partial`]); the stored state rows of the same keys join
//! them; together they become one state row per key ([`reduce`]), which is staged; the results leave
//! ([`Cut::finish`]). Nothing of it touches the state until [`Operator::commit`], so a failed batch is
//! forgotten by [`Operator::abort`] and runs again under the same id.
//!
//! A batch costs in proportion to its rows and the keys they touch. Where a key carries event time, the
//! watermark ends it: rows that come later are left out, and its state goes. Without one, a key that was seen
//! stays, and [`Config::state_bytes_max`] is where that ends.
//!
//! `SELECT DISTINCT` is an aggregation without functions, and `DISTINCT ON` one that asks each column's first value:
//! in append mode such a row leaves when its key is first seen, and the key is all that is remembered. If the row
//! has event time and the key has none, the key is forgotten when the watermark's delay has passed after the row:
//! Spark's `dropDuplicatesWithinWatermark`.

use std::sync::Arc;

use datafusion::arrow::array::{BooleanArray, new_null_array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, not, take_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use futures::future::BoxFuture;

use crate::operator::aggregate::reduce::reduce;
use crate::operator::stateful::{Config, Merged, Moment, Operator, OperatorError, StateFigures};
use crate::plan::event_time;
use crate::plan::incremental::{Cut, CutError, raw_aggregate};
use crate::plan::watermark::relabelled;
use crate::state::StateError;
use crate::state::expiry::{TimeKey, TimeKind};
use crate::state::keeper::{CHUNK_ROWS, Keeper};
use crate::state::key::KeyGroups;
use crate::state::store::StateStore;
use crate::state::store::groups::Located;

pub(crate) mod measure;
mod reduce;
mod session;

pub(crate) use session::session_key;

/// Which rows leave after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Those of the keys that the watermark has ended; without functions, those of new keys.
    Append,
    /// Those of the keys that the batch touched.
    Update,
    /// Those of all keys.
    Complete,
}

/// What an aggregation reads and tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    /// Which rows leave.
    pub(crate) output: OutputMode,
    /// With them, in update mode, those leave whose place they take.
    pub(crate) takes_back: bool,
    /// What it reads are such rows.
    pub(crate) reads_changes: bool,
}

impl Told {
    /// Rows alone, of rows alone.
    pub(crate) fn only(output: OutputMode) -> Self {
        Told { output, takes_back: false, reads_changes: false }
    }
}

/// The aggregation of one query with its state.
#[derive(Debug)]
pub(crate) struct IncrementalAggregate {
    cut: Cut,
    told: Told,
    /// What leaves is called, where the cut asks other functions than the query.
    schema: Option<SchemaRef>,
    context: Arc<TaskContext>,
    keeper: Keeper,
    /// What tells a row's time, and how.
    time: Option<(TimeKind, Arc<dyn PhysicalExpr>)>,
    /// In append mode every key leaves once: when it is first seen.
    first_only: bool,
    /// Which key is a session, whose bounds its rows decide.
    session: Option<usize>,
}

/// What a batch changes.
struct Change {
    /// One new state row for each key that it touches.
    rows: RecordBatch,
    /// Where their keys are.
    located: Option<Located>,
    /// State rows that have become part of others.
    absorbed: Option<RecordBatch>,
    /// What was stored of the keys that are known already.
    stored: Option<RecordBatch>,
}

impl IncrementalAggregate {
    /// Cuts `aggregate` for incremental runs; see [`Cut::try_new`] for what it must look like.
    ///
    /// # Errors
    /// The part of the plan that cannot run incrementally.
    pub(crate) fn try_new(
        aggregate: &AggregateExec,
        told: Told,
        config: Config,
        context: Arc<TaskContext>,
    ) -> Result<Self, CutError> {
        let cut = if told.reads_changes { Cut::over_changes(aggregate)? } else { Cut::try_new(aggregate)? };
        let raw = raw_aggregate(aggregate)?;
        let session = session_key(raw);
        let first_only = told.output == OutputMode::Append && session.is_none() && asks_only_first(raw);
        let time = match time_key(raw)? {
            None if first_only => time_of_first(raw)?,
            key => key,
        };
        let place = time.as_ref().map(|(key, _)| *key);
        let store = StateStore::try_new(cut.layout.clone(), KeyGroups::DEFAULT, place)
            .and_then(|store| match session {
                Some(session) => store.relate((0..cut.layout.keys).filter(|key| *key != session).collect()),
                None => Ok(store),
            })
            .map_err(|error| DataFusionError::External(error.into()))?;
        let time = time.map(|(key, expression)| (key.kind, expression));
        let Config { query, operator, state_bytes_max } = config;
        let keeper = Keeper::new(store, query, operator, state_bytes_max);
        let schema = told.reads_changes.then(|| aggregate.schema());
        Ok(Self { cut, told, schema, context, keeper, time, first_only, session })
    }

    /// Whether a key's row is complete some day: when the watermark ends the key, or at once where there is nothing
    /// to aggregate.
    pub(crate) fn completes(&self) -> bool {
        self.time.is_some() || self.first_only
    }

    fn store(&self) -> &StateStore {
        self.keeper.store()
    }

    async fn merge_staged(
        &mut self,
        input: Vec<RecordBatch>,
        back: Vec<RecordBatch>,
        moment: &Moment,
    ) -> Result<Merged, OperatorError> {
        let (batch, output) = (moment.batch, self.told.output);
        self.keeper.check(batch)?;
        let run = |source| OperatorError::Run { batch, source };
        let (input, late) = self.in_time(input, moment.late).map_err(run)?;
        let (back, _) = self.in_time(back, moment.late).map_err(run)?;
        let Change { rows, located, absorbed, stored } = self.new_state(batch, input, back).await?;
        let watermark = moment.watermark.filter(|_| output != OutputMode::Complete);
        let (ending, staying) = self.keeper.split(&rows, watermark)?;
        let kept = if self.first_only { self.only_keys(&staying)? } else { staying };
        let located = located.filter(|_| ending.num_rows() == 0);
        self.keeper.stage(batch, &kept, located, absorbed.as_ref(), watermark)?;
        let leaving = match (output, watermark) {
            _ if self.first_only => vec![rows],
            (OutputMode::Append, Some(watermark)) => {
                let mut leaving: Vec<RecordBatch> =
                    self.store().ended(watermark, &ending)?.into_iter().collect();
                leaving.push(ending);
                leaving
            }
            (OutputMode::Append, None) => Vec::new(),
            (OutputMode::Update, _) => vec![rows],
            (OutputMode::Complete, _) => {
                let mut all = self.store().untouched(CHUNK_ROWS).collect::<Result<Vec<_>, _>>()?;
                all.push(rows);
                all
            }
        };
        let before = stored.filter(|_| self.told.takes_back).into_iter().collect();
        let back = self.results(batch, before).await?;
        Ok(Merged { rows: self.results(batch, leaving).await?, back, late })
    }

    /// The rows whose key has not ended yet, and the others.
    fn in_time(
        &self,
        input: Vec<RecordBatch>,
        late: Option<i64>,
    ) -> Result<(Vec<RecordBatch>, Vec<RecordBatch>), DataFusionError> {
        let (Some((kind, time)), Some(watermark)) = (&self.time, late) else {
            return Ok((input, Vec::new()));
        };
        let (mut kept, mut dropped) = (Vec::new(), Vec::new());
        for rows in input {
            let times = time.evaluate(&rows)?.into_array(rows.num_rows())?;
            let ends = kind.ends(&times);
            if ends.iter().all(|end| *end > watermark) {
                kept.push(rows);
                continue;
            }
            let in_time: BooleanArray = ends.iter().map(|end| Some(*end > watermark)).collect();
            kept.push(filter_record_batch(&rows, &in_time)?);
            dropped.push(filter_record_batch(&rows, &not(&in_time)?)?);
        }
        Ok((kept, dropped))
    }

    /// What the rows of a batch change, one state row for each key that they touch.
    async fn new_state(
        &self,
        batch: u64,
        input: Vec<RecordBatch>,
        back: Vec<RecordBatch>,
    ) -> Result<Change, OperatorError> {
        let schema = &self.store().layout().schema;
        if input.iter().chain(&back).all(|rows| rows.num_rows() == 0) {
            return Ok(Change {
                rows: RecordBatch::new_empty(Arc::clone(schema)),
                located: None,
                absorbed: None,
                stored: None,
            });
        }
        let run = |source| OperatorError::Run { batch, source };
        let mut fresh = self.cut.partial.run(vec![input], &self.context).await.map_err(run)?;
        if back.iter().any(|rows| rows.num_rows() > 0) {
            let taken = self.cut.partial.run(vec![back], &self.context).await.map_err(run)?;
            let opposite = taken.iter().map(|rows| self.cut.taken_back(rows)).collect::<Result<Vec<_>, _>>();
            fresh.extend(opposite.map_err(|error| run(DataFusionError::External(error.into())))?);
        }
        if let Some(column) = self.session {
            let session::Joined { rows, absorbed } = session::join(self.store(), column, &fresh)?;
            let groups = self.store().group(&rows)?;
            let rows = reduce(&self.cut, &rows, None, &groups).map_err(run)?;
            let (located, absorbed) = (Some(groups.located()), Some(absorbed));
            return Ok(Change { rows, located, absorbed, stored: None });
        }
        let fresh = concat_batches(schema, &fresh).map_err(StateError::from)?;
        let groups = self.store().group(&fresh)?;
        if self.first_only {
            let (first, located) = groups.unknown();
            let rows = take_record_batch(&fresh, &first).map_err(StateError::from)?;
            return Ok(Change { rows, located: Some(located), absorbed: None, stored: None });
        }
        let groups = groups.known_first();
        let stored = self.store().rows_of_known(&groups)?;
        let rows = reduce(&self.cut, &fresh, stored.as_ref(), &groups).map_err(run)?;
        Ok(Change { rows, located: Some(groups.located()), absorbed: None, stored })
    }

    /// State rows without what nobody will ask again.
    fn only_keys(&self, rows: &RecordBatch) -> Result<RecordBatch, StateError> {
        let layout = self.store().layout();
        let time = self.store().time().map(|time| time.column);
        let columns = rows.columns().iter().zip(layout.schema.fields()).enumerate();
        let columns = columns.map(|(index, (column, field))| {
            let asked = index < layout.keys || Some(index) == time || !field.is_nullable();
            if asked { Arc::clone(column) } else { new_null_array(field.data_type(), rows.num_rows()) }
        });
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&layout.schema), columns.collect(), &options)?)
    }

    async fn results(
        &self,
        batch: u64,
        mut rows: Vec<RecordBatch>,
    ) -> Result<Vec<RecordBatch>, OperatorError> {
        rows.retain(|rows| rows.num_rows() > 0);
        if rows.is_empty() && self.told.output != OutputMode::Complete {
            return Ok(Vec::new());
        }
        let run = |source| OperatorError::Run { batch, source };
        let results = self.cut.finish.run(vec![rows], &self.context).await.map_err(run)?;
        match &self.schema {
            Some(schema) => {
                results.iter().map(|rows| relabelled(rows, schema)).collect::<Result<_, _>>().map_err(run)
            }
            None => Ok(results),
        }
    }
}

impl Operator for IncrementalAggregate {
    /// Aggregates the rows of a batch and stages the new state of the keys they touch. Gives the results of the
    /// keys that leave in the output mode.
    ///
    /// A global aggregate has a single key, which any row of the input touches. When the future is dropped
    /// half-way, [`Operator::abort`] the batch.
    fn merge<'a>(
        &'a mut self,
        mut inputs: Vec<Vec<RecordBatch>>,
        moment: &'a Moment,
    ) -> BoxFuture<'a, Result<Merged, OperatorError>> {
        Box::pin(async move {
            let back = if self.told.reads_changes && inputs.len() > 1 { inputs.pop() } else { None };
            let input = inputs.pop().unwrap_or_default();
            let merged = self.merge_staged(input, back.unwrap_or_default(), moment).await;
            if merged.is_err() && self.keeper.has_staged(moment.batch) {
                self.abort();
            }
            merged
        })
    }

    fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.keeper.changelog()
    }

    fn commit(&mut self) {
        self.keeper.commit();
    }

    fn abort(&mut self) {
        self.keeper.abort();
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        self.keeper.snapshot()
    }

    fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, OperatorError> {
        Ok(self.keeper.restore(snapshot, changelogs)?)
    }

    fn figures(&self) -> StateFigures {
        StateFigures::of([&self.keeper])
    }
}

/// Where state rows have their time, and what tells it of a row.
type Time = (TimeKey, Arc<dyn PhysicalExpr>);

/// The first key that carries event time.
fn time_key(raw: &AggregateExec) -> Result<Option<Time>, CutError> {
    let input = raw.input().schema();
    let keys = raw.group_expr().expr().iter().enumerate();
    for (column, (key, _)) in keys {
        let field = key.return_field(&input)?;
        if let Some(kind) = event_time::kind(&field) {
            return Ok(Some((TimeKey { column, kind, after_us: 0 }, Arc::clone(key))));
        }
    }
    Ok(None)
}

/// The first row's event time, with the delay that ends its key.
fn time_of_first(raw: &AggregateExec) -> Result<Option<Time>, CutError> {
    let input = raw.input().schema();
    let mut column = raw.group_expr().num_group_exprs();
    for function in raw.aggr_expr() {
        if let [time] = function.expressions().as_slice() {
            let field = time.return_field(&input)?;
            if let (Some(kind), Some(after_us)) = (event_time::kind(&field), event_time::delay(&field)) {
                return Ok(Some((TimeKey { column, kind, after_us }, Arc::clone(time))));
            }
        }
        column += function.state_fields()?.len();
    }
    Ok(None)
}

/// Whether later rows of a key change nothing.
pub(crate) fn asks_only_first(raw: &AggregateExec) -> bool {
    let first = |function: &Arc<AggregateFunctionExpr>| {
        function.fun().name() == "first_value" && function.order_bys().is_empty() && !function.ignore_nulls()
    };
    raw.aggr_expr().iter().all(first) && raw.filter_expr().iter().all(Option::is_none)
}

#[cfg(test)]
mod tests;
