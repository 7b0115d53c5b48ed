//! Sessions: rows of a key that follow one another within the gap are one group.
//!
//! `session_window(time, gap)` makes each row a session of its own, `[time, time + gap]`. Sessions of the same other
//! keys that overlap or touch are one (as Spark's `MergingSessionsIterator` has it): here the state rows of a batch
//! meet the stored ones of their keys, and each gets the bounds of the session that it has become part of.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, is_not_null};
use datafusion::arrow::datatypes::TimestampMicrosecondType;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::physical_expr::expressions::Column;
use datafusion::physical_expr::{PhysicalExpr, ScalarFunctionExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::projection::ProjectionExec;

use crate::plan::event_time::window::SESSION;
use crate::state::StateError;
use crate::state::store::StateStore;

/// Which key of the aggregation is a session, if one is.
pub(crate) fn session_key(raw: &AggregateExec) -> Option<usize> {
    raw.group_expr().expr().iter().position(|(key, _)| is_session(key, raw.input()))
}

/// Whether it is the call itself, or a column that a projection below has made of it.
fn is_session(key: &Arc<dyn PhysicalExpr>, input: &Arc<dyn ExecutionPlan>) -> bool {
    if let Some(call) = key.downcast_ref::<ScalarFunctionExpr>() {
        return call.name() == SESSION;
    }
    let (Some(column), Some(below)) = (key.downcast_ref::<Column>(), input.downcast_ref::<ProjectionExec>())
    else {
        return false;
    };
    let made = below.expr().get(column.index());
    made.is_some_and(|made| is_session(&made.expr, below.input()))
}

/// State rows whose sessions have found together.
#[derive(Debug)]
pub(super) struct Joined {
    /// The rows of each session have its bounds; a session may have several.
    pub(super) rows: RecordBatch,
    /// Stored rows that have become part of one.
    pub(super) absorbed: RecordBatch,
}

/// Joins the sessions of new state rows with those in the store. `column` is where they are.
pub(super) fn join(store: &StateStore, column: usize, fresh: &[RecordBatch]) -> Result<Joined, StateError> {
    let schema = &store.layout().schema;
    let fresh = concat_batches(schema, fresh)?;
    // A row without time belongs to no session.
    let fresh = filter_record_batch(&fresh, &is_not_null(fresh.column(column))?)?;
    let values: Vec<ArrayRef> =
        store.relation().iter().map(|column| Arc::clone(fresh.column(*column))).collect();
    let stored = store.related_to(&values, fresh.num_rows())?;
    let stored = stored.unwrap_or_else(|| RecordBatch::new_empty(Arc::clone(schema)));
    let rows = concat_batches(schema, [&fresh, &stored])?;
    let (starts, ends) = bounds(&rows, column);
    let families = store.families(&rows)?;
    let mut order: Vec<usize> = (0..rows.num_rows()).collect();
    order.sort_by_key(|row| (families.get(*row), starts[*row]));

    let (mut wide_starts, mut wide_ends) = (starts.clone(), ends.clone());
    let mut touched = vec![false; rows.num_rows()];
    let mut begin = 0;
    while begin < order.len() {
        let first = order[begin];
        let (mut end, mut session) = (ends[first], begin + 1);
        while let Some(next) = order.get(session).copied() {
            if families.get(next) != families.get(first) || starts[next] > end {
                break;
            }
            end = end.max(ends[next]);
            session += 1;
        }
        let members = &order[begin..session];
        let has_fresh = members.iter().any(|row| *row < fresh.num_rows());
        for row in members {
            (wide_starts[*row], wide_ends[*row]) = (starts[first], end);
            touched[*row] = has_fresh;
        }
        begin = session;
    }
    let absorbed = BooleanArray::from(touched[fresh.num_rows()..].to_vec());
    let absorbed = filter_record_batch(&stored, &absorbed)?;
    let widened = with_bounds(&rows, column, wide_starts, wide_ends)?;
    Ok(Joined { rows: filter_record_batch(&widened, &BooleanArray::from(touched))?, absorbed })
}

fn bounds(rows: &RecordBatch, column: usize) -> (Vec<i64>, Vec<i64>) {
    let sessions = rows.column(column).as_struct();
    let times =
        |part: usize| sessions.column(part).as_primitive::<TimestampMicrosecondType>().values().to_vec();
    (times(0), times(1))
}

fn with_bounds(
    rows: &RecordBatch,
    column: usize,
    starts: Vec<i64>,
    ends: Vec<i64>,
) -> Result<RecordBatch, StateError> {
    let sessions = rows.column(column).as_struct();
    let times = |part: usize, times: Vec<i64>| -> ArrayRef {
        let data_type = sessions.column(part).data_type().clone();
        Arc::new(TimestampMicrosecondArray::from(times).with_data_type(data_type))
    };
    let wide = StructArray::try_new(sessions.fields().clone(), vec![times(0, starts), times(1, ends)], None)?;
    let mut columns = rows.columns().to_vec();
    columns[column] = Arc::new(wide);
    Ok(RecordBatch::try_new(rows.schema(), columns)?)
}
