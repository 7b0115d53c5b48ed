//! `OVER` in event time: each row with what came before it, once the watermark says that nothing can come between.
//!
//! ```text
//! new rows -> wait until the watermark has passed them -> with the rows before them through DataFusion's window node
//!                                                      -> those that later rows will look back at are kept
//! ```
//!
//! Either the rows of a partition are in order of event time, and each looks back a bounded way: so many rows, or so
//! much time. Or the partition itself has an end, being that of a window: then it waits as a whole, and any function
//! and frame goes: `row_number() OVER (PARTITION BY window ORDER BY visits DESC)`. [`frame`] tells which.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, not};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{LexOrdering, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ReplaceChildrenOptions};
use futures::future::BoxFuture;

use crate::operator::stateful::{Config, Merged, Moment, Operator, OperatorError, StateFigures};
use crate::plan::incremental::CutError;
use crate::plan::slot::Slot;
use crate::plan::stage::Stage;
use crate::state::StateError;
use crate::state::expiry::TimeKey;
use crate::state::keeper::{self, Keeper};
use crate::state::key::KeyGroups;
use crate::state::layout::{Layout, Part, types};
use crate::state::store::StateStore;
use frame::{Frame, Look};
use rows::{ID, Numbered, Order};

mod frame;
mod rows;
pub(crate) mod top;

pub(crate) use frame::{Windows, windows};

/// The window functions of a query over the rows that wait and those that are looked back at.
#[derive(Debug)]
pub(crate) struct Over {
    /// Rows that the watermark has not passed.
    waiting: Keeper,
    /// Rows that have left and that others will look back at.
    history: Keeper,
    /// How far they do.
    look: Look,
    numbered: Numbered,
    time: TimeKey,
    functions: Stage,
    /// In which order rows are looked back at.
    order: Order,
    slot: SchemaRef,
    output: SchemaRef,
    context: Arc<TaskContext>,
}

impl Over {
    /// Prepares a window node.
    ///
    /// # Errors
    /// Functions that would need rows that are still to come, or all that ever came.
    pub(crate) fn try_new(
        windows: &Windows<'_>,
        config: &Config,
        context: Arc<TaskContext>,
    ) -> Result<Self, CutError> {
        let Frame { time, kind, look, partition } = Frame::of(windows)?;
        let input = windows.input.schema();
        let (numbered, places) = Numbered::try_new(&input, [&time].into_iter().chain(&partition))?;
        let time = TimeKey { column: places[0], kind, after_us: 0 };
        let partition = places[1..].to_vec();
        let parts = vec![
            Part { name: "rows".to_owned(), content: types(input.fields()) },
            Part { name: "functions".to_owned(), content: windows.to_string() },
        ];
        let layout = Layout { schema: Arc::clone(numbered.schema()), keys: 1, parts };
        let store = |time| StateStore::try_new(layout.clone(), KeyGroups::DEFAULT, time);
        let external = |error: StateError| DataFusionError::External(error.into());
        let waiting = store(Some(time)).map_err(external)?;
        let looked_back = look.only_time().map(|after_us| TimeKey { after_us, ..time });
        let history = store(looked_back).and_then(|store| store.relate(partition)).map_err(external)?;
        let (functions, slot) = functions(windows, &input)?;
        let Config { query, operator, state_bytes_max } = config.clone();
        Ok(Over {
            waiting: Keeper::new(waiting, query.clone(), operator, state_bytes_max),
            history: Keeper::new(history, query, operator + 1, state_bytes_max),
            look,
            numbered,
            time,
            functions,
            order: Order::try_new(windows.order_by(), &input)?,
            slot,
            output: windows.node.schema(),
            context,
        })
    }

    async fn merge_staged(
        &mut self,
        input: Vec<RecordBatch>,
        moment: &Moment,
    ) -> Result<Merged, OperatorError> {
        let batch = moment.batch;
        let run = |source| OperatorError::Run { batch, source };
        let fresh = self.numbered.rows(input).map_err(run)?;
        let (late, fresh) = self.waiting.split(&fresh, moment.late)?;
        let (ended, staying) = self.waiting.split(&fresh, moment.watermark)?;
        self.waiting.stage(batch, &staying, None, None, moment.watermark)?;
        let mut ready = Vec::new();
        if let Some(watermark) = moment.watermark {
            ready.extend(self.waiting.store().ended(watermark, &ended)?);
        }
        ready.push(ended);
        let schema = Arc::clone(&self.waiting.store().layout().schema);
        let ready = concat_batches(&schema, &ready).map_err(StateError::from)?;
        let before = self.before(&ready)?;
        let rows = self.results(&before, &ready).await.map_err(run)?;
        self.keep(moment, &before, &ready)?;
        let late = if late.num_rows() > 0 { vec![self.numbered.own(&late)?] } else { Vec::new() };
        Ok(Merged { rows, late, ..Merged::default() })
    }

    /// The rows that these look back at.
    fn before(&self, ready: &RecordBatch) -> Result<RecordBatch, StateError> {
        let store = self.history.store();
        let keys: Vec<ArrayRef> =
            store.relation().iter().map(|column| Arc::clone(ready.column(*column))).collect();
        let rows = if ready.num_rows() == 0 { None } else { store.related_to(&keys, ready.num_rows())? };
        Ok(rows.unwrap_or_else(|| RecordBatch::new_empty(ready.schema())))
    }

    async fn results(
        &self,
        before: &RecordBatch,
        ready: &RecordBatch,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        if ready.num_rows() == 0 {
            return Ok(Vec::new());
        }
        let marked =
            |rows, ready| self.marked(rows, ready).map_err(|error| DataFusionError::External(error.into()));
        let rows = [marked(before, false)?, marked(ready, true)?];
        let found = self.functions.run(vec![rows.to_vec()], &self.context).await?;
        let own = self.slot.fields().len() - 2;
        let mut results = Vec::with_capacity(found.len());
        for rows in found {
            let rows = filter_record_batch(&rows, rows.column(own + 1).as_boolean())?;
            let mut columns = rows.columns().to_vec();
            columns.drain(own..own + 2);
            results.push(RecordBatch::try_new(Arc::clone(&self.output), columns)?);
        }
        Ok(results)
    }

    /// Rows as the plan wants them: their own columns, number, and whether they are results.
    fn marked(&self, rows: &RecordBatch, ready: bool) -> Result<RecordBatch, StateError> {
        let mut columns = self.numbered.own(rows)?.columns().to_vec();
        columns.push(Arc::clone(rows.column(ID)));
        columns.push(Arc::new(BooleanArray::from(vec![ready; rows.num_rows()])));
        Ok(RecordBatch::try_new(Arc::clone(&self.slot), columns)?)
    }

    /// Stages what later rows will look back at.
    fn keep(&mut self, moment: &Moment, before: &RecordBatch, ready: &RecordBatch) -> Result<(), StateError> {
        let store = self.history.store();
        let both = concat_batches(&store.layout().schema, [before, ready])?;
        let families = store.families(&both)?;
        let times = self.time.ends(&both);
        let newest_first = self.order.newest_first(&self.numbered.own(&both)?, both.column(ID))?;
        let mut seen: HashMap<&[u8], usize> = HashMap::new();
        let mut kept = vec![false; both.num_rows()];
        for row in newest_first {
            let newer = seen.entry(families.get(row)).or_default();
            let in_time = self.look.time_us.is_some_and(|span| {
                moment.watermark.is_none_or(|watermark| times[row].saturating_add(span) > watermark)
            });
            kept[row] = *newer < self.look.rows || in_time;
            *newer += 1;
        }
        let kept = BooleanArray::from(kept);
        let (old, new) = (kept.slice(0, before.num_rows()), kept.slice(before.num_rows(), ready.num_rows()));
        let gone = filter_record_batch(before, &not(&old)?)?;
        let new = filter_record_batch(ready, &new)?;
        self.history.stage(moment.batch, &new, None, Some(&gone), moment.watermark)
    }

    fn keepers(&self) -> [&Keeper; 2] {
        [&self.waiting, &self.history]
    }
}

/// The window node over sorted rows of a slot: own columns, number, and a mark that it carries through.
fn functions(windows: &Windows<'_>, input: &SchemaRef) -> Result<(Stage, SchemaRef), CutError> {
    let mut fields = input.fields().to_vec();
    fields.push(Arc::new(Field::new("__id", DataType::UInt64, false)));
    fields.push(Arc::new(Field::new("__ready", DataType::Boolean, false)));
    let schema: SchemaRef = Arc::new(Schema::new(fields));
    let slot = Slot::new(Arc::clone(&schema));
    let mut order: Vec<PhysicalSortExpr> =
        windows.partition_by().iter().cloned().map(PhysicalSortExpr::new_default).collect();
    order.extend_from_slice(windows.order_by());
    let number: Arc<dyn PhysicalExpr> = Arc::new(Column::new("__id", input.fields().len()));
    order.push(PhysicalSortExpr::new_default(number));
    let mut sorted = slot.leaf(None)?;
    if let Some(order) = LexOrdering::new(order) {
        sorted = Arc::new(SortExec::new(order, sorted));
    }
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    let plan = Arc::clone(windows.node).replace_children(vec![sorted], options)?;
    Ok((Stage::new(plan, vec![slot]), schema))
}

impl Operator for Over {
    fn merge<'a>(
        &'a mut self,
        mut inputs: Vec<Vec<RecordBatch>>,
        moment: &'a Moment,
    ) -> BoxFuture<'a, Result<Merged, OperatorError>> {
        Box::pin(async move {
            for keeper in self.keepers() {
                keeper.check(moment.batch)?;
            }
            let merged = self.merge_staged(inputs.pop().unwrap_or_default(), moment).await;
            if merged.is_err() {
                self.abort();
            }
            merged
        })
    }

    fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        keeper::changelog(self.keepers())
    }

    fn commit(&mut self) {
        self.waiting.commit();
        self.history.commit();
    }

    fn abort(&mut self) {
        self.waiting.abort();
        self.history.abort();
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        keeper::snapshot(self.keepers())
    }

    fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, OperatorError> {
        let newest = keeper::restore([&mut self.waiting, &mut self.history], snapshot, changelogs)?;
        self.numbered.go_on(self.waiting.next_number(ID)?.max(self.history.next_number(ID)?));
        Ok(newest)
    }

    fn figures(&self) -> StateFigures {
        StateFigures::of(self.keepers())
    }
}
