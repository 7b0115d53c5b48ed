//! One state row for each key, of those that a batch brings and those that are stored.
//!
//! The store has told already which rows have the same key ([`Groups`]), so that DataFusion's accumulators are asked
//! directly, without a plan that would find that out by itself.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};
use datafusion::common::Result;
use datafusion::logical_expr::{EmitTo, GroupsAccumulator};
use datafusion::physical_expr::GroupsAccumulatorAdapter;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;

use crate::plan::incremental::Cut;
use crate::state::store::groups::Groups;

/// Brings together the `fresh` state rows of each key, and before them the `stored` one, which the first keys have.
pub(super) fn reduce(
    cut: &Cut,
    fresh: &RecordBatch,
    stored: Option<&RecordBatch>,
    groups: &Groups,
) -> Result<RecordBatch> {
    if stored.is_none() && groups.is_each_row() {
        return Ok(fresh.clone());
    }
    let (schema, keys) = (&cut.layout.schema, cut.layout.keys);
    let known: Vec<usize> = (0..stored.map_or(0, RecordBatch::num_rows)).collect();
    let mut columns: Vec<ArrayRef> = groups.first_of(&fresh.columns()[..keys]).map_err(external)?;
    for function in &cut.functions {
        let state = columns.len()..columns.len() + function.state_fields()?.len();
        let mut accumulator = accumulator(function, keys > 0)?;
        if let Some(stored) = stored {
            // Accumulators take it that each of so many groups has had a row.
            accumulator.merge_batch(&stored.columns()[state.clone()], &known, known.len())?;
        }
        accumulator.merge_batch(&fresh.columns()[state], groups.of_row(), groups.len())?;
        columns.extend(accumulator.state(EmitTo::All)?);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(groups.len()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// As DataFusion's plans choose it: the states of the two kinds differ.
fn accumulator(function: &Arc<AggregateFunctionExpr>, grouped: bool) -> Result<Box<dyn GroupsAccumulator>> {
    if grouped && function.groups_accumulator_supported() {
        return function.create_groups_accumulator();
    }
    let function = Arc::clone(function);
    Ok(Box::new(GroupsAccumulatorAdapter::new(move || function.create_accumulator())))
}

fn external(error: crate::state::StateError) -> datafusion::common::DataFusionError {
    datafusion::common::DataFusionError::External(error.into())
}
