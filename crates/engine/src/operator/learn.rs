//! The end of a query that teaches a model.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, RecordBatch};
use datafusion::arrow::compute::{cast, concat};
use datafusion::common::Result;
use ml::{Batch, Model};

use crate::operator::features::{FeatureColumn, coerced};
use crate::operator::scope::Refusals;

/// The column that a model learns from.
pub(crate) const FEATURES: &str = "features";

/// Teaches the rows of one micro-batch, all at once: where a batch ends matters to the update rule.
/// Says how many were learnt; the others are added to `refused`, by the record numbers in `records`.
pub(crate) fn learn(
    model: &mut Model,
    name: &str,
    batches: &[RecordBatch],
    records: &[usize],
    refused: &mut Refusals,
) -> Result<u64> {
    let columns: Vec<ArrayRef> =
        batches.iter().filter_map(|batch| batch.column_by_name(FEATURES)).map(Arc::clone).collect();
    let columns: Vec<&dyn Array> = columns.iter().map(AsRef::as_ref).collect();
    if columns.is_empty() {
        return Ok(0);
    }
    let column = concat(&columns)?;
    let column = cast(&column, &coerced("a model", column.data_type())?)?;
    let column = FeatureColumn::new(&column)?;
    let report = model.learn(&Batch::vectors(column.features()?));
    for rejected in report.rejected {
        let reason = if column.is_null(rejected.row) {
            format!("model {name}: the features are null")
        } else {
            format!("model {name}: {}", rejected.reason)
        };
        if let Some(record) = records.get(rejected.row) {
            refused.entry(*record).or_insert(reason);
        }
    }
    Ok(report.learned as u64)
}
