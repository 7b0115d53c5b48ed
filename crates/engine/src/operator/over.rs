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

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray, UInt64Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, not};
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::arrow::row::{RowConverter, SortField};
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

mod frame;

pub(crate) use frame::{Windows, windows};

/// Where a state row has its number. Its own columns come next; what is computed of them, last.
const ID: usize = 0;
/// Where its own columns begin.
const OWN: usize = 1;

/// The window functions of a query over the rows that wait and those that are looked back at.
#[derive(Debug)]
pub(crate) struct Over {
    /// Rows that the watermark has not passed.
    waiting: Keeper,
    /// Rows that have left and that others will look back at.
    history: Keeper,
    /// How far they do.
    look: Look,
    /// What is computed of a row besides its own columns.
    computed: Vec<Arc<dyn PhysicalExpr>>,
    time: TimeKey,
    functions: Stage,
    /// In which order rows are looked back at.
    order: Order,
    slot: SchemaRef,
    output: SchemaRef,
    context: Arc<TaskContext>,
    next: u64,
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
        let mut fields = vec![Arc::new(Field::new("id", DataType::UInt64, false))];
        fields.extend(input.fields().iter().cloned());
        let mut computed = Vec::new();
        let mut place = |expression: &Arc<dyn PhysicalExpr>| -> Result<usize, CutError> {
            if let Some(column) = expression.downcast_ref::<Column>() {
                return Ok(OWN + column.index());
            }
            let field = expression.return_field(&input)?;
            fields.push(Arc::new(field.as_ref().clone().with_name(format!("computed {}", computed.len()))));
            computed.push(Arc::clone(expression));
            Ok(fields.len() - 1)
        };
        let time = TimeKey { column: place(&time)?, kind, after_us: 0 };
        let partition = partition.iter().map(&mut place).collect::<Result<Vec<_>, _>>()?;
        let parts = vec![
            Part { name: "rows".to_owned(), content: types(input.fields()) },
            Part { name: "functions".to_owned(), content: windows.to_string() },
        ];
        let layout = Layout { schema: Arc::new(Schema::new(fields)), keys: 1, parts };
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
            computed,
            time,
            functions,
            order: Order::try_new(windows.order_by(), &input)?,
            slot,
            output: windows.node.schema(),
            context,
            next: 0,
        })
    }

    async fn merge_staged(
        &mut self,
        input: Vec<RecordBatch>,
        moment: &Moment,
    ) -> Result<Merged, OperatorError> {
        let batch = moment.batch;
        let run = |source| OperatorError::Run { batch, source };
        let fresh = self.state_rows(input).map_err(run)?;
        let (late, fresh) = self.waiting.split(&fresh, moment.late)?;
        let (ended, staying) = self.waiting.split(&fresh, moment.watermark)?;
        self.waiting.stage(batch, &staying, None, moment.watermark)?;
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
        let late = if late.num_rows() > 0 { vec![self.own(&late)?] } else { Vec::new() };
        Ok(Merged { rows, late })
    }

    fn state_rows(&mut self, input: Vec<RecordBatch>) -> Result<RecordBatch, DataFusionError> {
        let schema = Arc::clone(&self.waiting.store().layout().schema);
        let mut batches = Vec::with_capacity(input.len());
        for rows in input {
            let count = rows.num_rows() as u64;
            let ids = UInt64Array::from_iter_values(self.next..self.next + count);
            self.next += count;
            let mut columns: Vec<ArrayRef> = vec![Arc::new(ids)];
            columns.extend_from_slice(rows.columns());
            for expression in &self.computed {
                columns.push(expression.evaluate(&rows)?.into_array(rows.num_rows())?);
            }
            batches.push(RecordBatch::try_new(Arc::clone(&schema), columns)?);
        }
        Ok(concat_batches(&schema, &batches)?)
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
        let rows = [self.marked(before, false)?, self.marked(ready, true)?];
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
    fn marked(&self, rows: &RecordBatch, ready: bool) -> Result<RecordBatch, DataFusionError> {
        let own = self.slot.fields().len() - 2;
        let mut columns = rows.columns()[OWN..OWN + own].to_vec();
        columns.push(Arc::clone(rows.column(ID)));
        columns.push(Arc::new(BooleanArray::from(vec![ready; rows.num_rows()])));
        Ok(RecordBatch::try_new(Arc::clone(&self.slot), columns)?)
    }

    fn own(&self, rows: &RecordBatch) -> Result<RecordBatch, StateError> {
        let own: Vec<usize> = (OWN..OWN + self.slot.fields().len() - 2).collect();
        Ok(rows.project(&own)?)
    }

    /// Stages what later rows will look back at.
    fn keep(&mut self, moment: &Moment, before: &RecordBatch, ready: &RecordBatch) -> Result<(), StateError> {
        let store = self.history.store();
        let both = concat_batches(&store.layout().schema, [before, ready])?;
        let families = store.families(&both)?;
        let times = self.time.ends(&both);
        let newest_first = self.order.newest_first(&self.own(&both)?, both.column(ID))?;
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
        self.history.stage(moment.batch, &new, Some(&gone), moment.watermark)
    }

    fn keepers(&self) -> [&Keeper; 2] {
        [&self.waiting, &self.history]
    }
}

/// The order of a window node.
#[derive(Debug)]
struct Order {
    by: Vec<Arc<dyn PhysicalExpr>>,
    converter: RowConverter,
}

impl Order {
    fn try_new(by: &[PhysicalSortExpr], input: &SchemaRef) -> Result<Self, DataFusionError> {
        let field =
            |key: &PhysicalSortExpr| Ok(SortField::new_with_options(key.expr.data_type(input)?, key.options));
        let mut fields = by.iter().map(field).collect::<Result<Vec<_>, DataFusionError>>()?;
        fields.push(SortField::new(DataType::UInt64));
        let by = by.iter().map(|key| Arc::clone(&key.expr)).collect();
        Ok(Order { by, converter: RowConverter::new(fields)? })
    }

    /// The last row first; of those alike, the one that came last.
    fn newest_first(&self, rows: &RecordBatch, ids: &ArrayRef) -> Result<Vec<usize>, StateError> {
        let values = self.by.iter().map(|key| key.evaluate(rows)?.into_array(rows.num_rows()));
        let mut values = values.collect::<Result<Vec<_>, _>>().map_err(ArrowError::from)?;
        values.push(Arc::clone(ids));
        let keys = self.converter.convert_columns(&values)?;
        let mut order: Vec<usize> = (0..rows.num_rows()).collect();
        order.sort_unstable_by(|one, other| keys.row(*other).cmp(&keys.row(*one)));
        Ok(order)
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
        self.next = self.waiting.next_number(ID)?.max(self.history.next_number(ID)?);
        Ok(newest)
    }

    fn figures(&self) -> StateFigures {
        StateFigures::of(self.keepers())
    }
}
