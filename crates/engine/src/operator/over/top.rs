//! The first rows of each partition: `row_number() OVER (PARTITION BY page ORDER BY visits DESC) <= 3`.
//!
//! ```text
//! new rows -> in one order with the first rows of their partitions so far -> the first ones stay
//!                                                                         -> those with another place than before leave
//! ```
//!
//! A place may be taken by another row later: the last row of a place counts, as in update mode. Where the number
//! itself is not asked for, a row leaves once, when it comes among the first. The state is the first rows themselves.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, UInt64Array};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, ScalarValue};
use datafusion::logical_expr::Operator as Op;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use datafusion::physical_expr::{PhysicalExpr, split_conjunction};
use futures::future::BoxFuture;

use super::frame::Windows;
use super::rows::{ID, Numbered, Order};
use crate::operator::stateful::{Config, Merged, Moment, Operator, OperatorError, StateFigures};
use crate::plan::incremental::CutError;
use crate::state::StateError;
use crate::state::keeper::Keeper;
use crate::state::key::KeyGroups;
use crate::state::layout::{Layout, Part, types};
use crate::state::store::StateStore;

/// How many rows of a partition a filter above lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit {
    /// The column that it compares.
    pub(crate) column: usize,
    /// The last number that passes.
    pub(crate) rows: u64,
    /// Whether anybody sees the number.
    pub(crate) told: bool,
}

impl Limit {
    /// The limits that a condition sets to columns.
    pub(crate) fn of(predicate: &Arc<dyn PhysicalExpr>) -> Vec<(usize, u64)> {
        split_conjunction(predicate).into_iter().filter_map(limit).collect()
    }
}

/// `column <= 3`, in any of its spellings.
fn limit(condition: &Arc<dyn PhysicalExpr>) -> Option<(usize, u64)> {
    let compared = condition.downcast_ref::<BinaryExpr>()?;
    let (column, op, literal) = match compared.left().downcast_ref::<Column>() {
        Some(column) => (column, *compared.op(), compared.right()),
        None => (compared.right().downcast_ref::<Column>()?, compared.op().swap()?, compared.left()),
    };
    let number = match literal.downcast_ref::<Literal>()?.value() {
        ScalarValue::UInt64(Some(number)) => *number,
        ScalarValue::Int64(Some(number)) => u64::try_from(*number).ok()?,
        ScalarValue::Int32(Some(number)) => u64::try_from(*number).ok()?,
        _ => return None,
    };
    let rows = match op {
        Op::LtEq | Op::Eq => number,
        Op::Lt => number.checked_sub(1)?,
        _ => return None,
    };
    Some((column.index(), rows))
}

/// The first rows of each partition, kept from batch to batch.
#[derive(Debug)]
pub(crate) struct TopRows {
    first: Keeper,
    numbered: Numbered,
    order: Order,
    limit: Limit,
    output: SchemaRef,
}

/// What becomes of the rows of a batch and of those that were first before.
#[derive(Debug, Default)]
struct Places {
    /// Rows that leave, and the place of each.
    leaving: Vec<(u64, u64)>,
    stay: Vec<bool>,
}

impl TopRows {
    /// Prepares `row_number` under a limit.
    ///
    /// # Errors
    /// Keys that cannot be kept.
    pub(crate) fn try_new(windows: &Windows<'_>, limit: Limit, config: &Config) -> Result<Self, CutError> {
        let input = windows.input.schema();
        let (numbered, partition) = Numbered::try_new(&input, windows.partition_by())?;
        let parts = vec![
            Part { name: "rows".to_owned(), content: types(input.fields()) },
            Part { name: "functions".to_owned(), content: format!("{windows} first {}", limit.rows) },
        ];
        let layout = Layout { schema: Arc::clone(numbered.schema()), keys: 1, parts };
        let store = StateStore::try_new(layout, KeyGroups::DEFAULT, None)
            .and_then(|store| store.relate(partition))
            .map_err(|error| DataFusionError::External(error.into()))?;
        let Config { query, operator, state_bytes_max } = config.clone();
        Ok(TopRows {
            first: Keeper::new(store, query, operator, state_bytes_max),
            order: Order::try_new(windows.order_by(), &input)?,
            numbered,
            limit,
            output: windows.node.schema(),
        })
    }

    fn merge_staged(&mut self, input: Vec<RecordBatch>, moment: &Moment) -> Result<Merged, OperatorError> {
        let run = |source| OperatorError::Run { batch: moment.batch, source };
        let fresh = self.numbered.rows(input).map_err(run)?;
        let store = self.first.store();
        let values: Vec<ArrayRef> =
            store.relation().iter().map(|column| Arc::clone(fresh.column(*column))).collect();
        let before =
            if fresh.num_rows() == 0 { None } else { store.related_to(&values, fresh.num_rows())? };
        let before = before.unwrap_or_else(|| RecordBatch::new_empty(fresh.schema()));
        let both = concat_batches(&fresh.schema(), [&before, &fresh]).map_err(StateError::from)?;
        let known = before.num_rows();
        let Places { leaving, stay } = self.places(&both, known)?;
        let staying = |from, count| BooleanArray::from(stay[from..from + count].to_vec());
        let gone: BooleanArray = stay[..known].iter().map(|stay| Some(!stay)).collect();
        let gone = filter_record_batch(&before, &gone).map_err(StateError::from)?;
        let new = filter_record_batch(&fresh, &staying(known, fresh.num_rows())).map_err(StateError::from)?;
        self.first.stage(moment.batch, &new, None, Some(&gone), None)?;
        Ok(Merged { rows: vec![self.results(&both, &leaving)?], ..Merged::default() })
    }

    /// The order decides; the first `known` rows were first before.
    fn places(&self, both: &RecordBatch, known: usize) -> Result<Places, StateError> {
        let families = self.first.store().families(both)?;
        let keys = self.order.keys(&self.numbered.own(both)?, both.column(ID))?;
        let mut order: Vec<usize> = (0..both.num_rows()).collect();
        order.sort_unstable_by(|one, other| {
            let by_family = families.get(*one).cmp(families.get(*other));
            by_family.then_with(|| keys.row(*one).cmp(&keys.row(*other)))
        });
        let mut places = Places { leaving: Vec::new(), stay: vec![false; both.num_rows()] };
        let (mut family, mut now, mut then) = (None, 0, 0);
        for row in order {
            if family != Some(families.get(row)) {
                (family, now, then) = (Some(families.get(row)), 0, 0);
            }
            now += 1;
            then += u64::from(row < known);
            places.stay[row] = now <= self.limit.rows;
            let moved = self.limit.told && then != now;
            if places.stay[row] && (row >= known || moved) {
                places.leaving.push((row as u64, now));
            }
        }
        Ok(places)
    }

    fn results(&self, both: &RecordBatch, leaving: &[(u64, u64)]) -> Result<RecordBatch, StateError> {
        let rows = UInt64Array::from_iter_values(leaving.iter().map(|(row, _)| *row));
        let own = take_record_batch(&self.numbered.own(both)?, &rows)?;
        let mut columns = own.columns().to_vec();
        columns.push(Arc::new(UInt64Array::from_iter_values(leaving.iter().map(|(_, place)| *place))));
        Ok(RecordBatch::try_new(Arc::clone(&self.output), columns)?)
    }
}

impl Operator for TopRows {
    fn merge<'a>(
        &'a mut self,
        mut inputs: Vec<Vec<RecordBatch>>,
        moment: &'a Moment,
    ) -> BoxFuture<'a, Result<Merged, OperatorError>> {
        Box::pin(async move {
            self.first.check(moment.batch)?;
            let merged = self.merge_staged(inputs.pop().unwrap_or_default(), moment);
            if merged.is_err() {
                self.abort();
            }
            merged
        })
    }

    fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.first.changelog()
    }

    fn commit(&mut self) {
        self.first.commit();
    }

    fn abort(&mut self) {
        self.first.abort();
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        self.first.snapshot()
    }

    fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, OperatorError> {
        let newest = self.first.restore(snapshot, changelogs)?;
        self.numbered.go_on(self.first.next_number(ID)?);
        Ok(newest)
    }

    fn figures(&self) -> StateFigures {
        StateFigures::of([&self.first])
    }
}
