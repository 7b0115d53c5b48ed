//! What a plan gave, less what was refused.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, BooleanArray, RecordBatch};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::Int64Type;
use datafusion::common::Result;

use crate::operator::scope::Refusals;
use crate::operator::stateful::Merged;
use crate::plan::compile::row_index;

/// Rows on their way to the sink or the model.
#[derive(Debug, Default)]
pub(crate) struct Output {
    pub(crate) batches: Vec<RecordBatch>,
    /// The record behind each row; empty if rows stand for no single record.
    pub(crate) records: Vec<usize>,
    /// Rows that came too late for an operator.
    pub(crate) late: Vec<RecordBatch>,
}

impl Output {
    /// Rows that carry the number of a record in the hidden column lose those that were refused, and the column.
    pub(crate) fn of(merged: Merged, refused: &Refusals) -> Result<Self> {
        let mut output = Output { late: merged.late, ..Output::default() };
        for batch in merged.rows {
            let Some(index) = row_index(&batch) else {
                output.batches.push(batch);
                continue;
            };
            let mut batch = without(&batch, refused)?;
            let numbers = Arc::clone(batch.column(index));
            let numbers = numbers.as_primitive::<Int64Type>().values();
            output.records.extend(numbers.iter().filter_map(|number| usize::try_from(*number).ok()));
            batch.remove_column(index);
            output.batches.push(batch);
        }
        Ok(output)
    }
}

/// The rows whose records were not refused.
pub(crate) fn without(batch: &RecordBatch, refused: &Refusals) -> Result<RecordBatch> {
    let Some(numbers) = row_index(batch).map(|index| batch.column(index)).filter(|_| !refused.is_empty())
    else {
        return Ok(batch.clone());
    };
    let numbers = numbers.as_primitive::<Int64Type>();
    let keep: BooleanArray = (0..numbers.len())
        .map(|row| {
            let number = usize::try_from(numbers.value(row)).ok();
            Some(!number.is_some_and(|number| refused.contains_key(&number)))
        })
        .collect();
    Ok(filter_record_batch(batch, &keep)?)
}
