//! The end of a query that teaches a model.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::common::{Result, plan_err};
use ml::{LearnReport, Model};

use crate::models::Entry;
use crate::models::shape::{FeatureShape, Shape};
use crate::operator::rows::{FeatureRows, LabelColumn};
use crate::operator::scope::Refusals;

/// Teaches the rows of one micro-batch, all at once: where a batch ends matters to some update rules.
/// Says how many were learnt; the others are added to `refused`, by the record numbers in `records`.
pub(crate) fn learn(
    model: &mut Model,
    entry: &Entry,
    batches: &[RecordBatch],
    records: &[usize],
    refused: &mut Refusals,
) -> Result<u64> {
    let Some(first) = batches.first() else { return Ok(0) };
    let batch = concat_batches(first.schema_ref(), batches)?;
    let rows = feature_rows(&entry.shape, &batch)?;
    let report = teach(model, &entry.shape, &rows, &batch)?;
    let name = &entry.name;
    for rejected in report.rejected {
        let reason = if rows.is_null(rejected.row) {
            format!("model {name}: the features are null")
        } else {
            format!("model {name}: {}", reason(&entry.shape, rejected.reason))
        };
        if let Some(record) = records.get(rejected.row) {
            refused.entry(*record).or_insert(reason);
        }
    }
    Ok(report.learned as u64)
}

fn teach(model: &mut Model, shape: &Shape, rows: &FeatureRows, batch: &RecordBatch) -> Result<LearnReport> {
    let Some(label) = &shape.label else {
        return rows.with(|batch| model.learn(&batch));
    };
    let labels = LabelColumn::new(label.label, &column(batch, &label.column)?)?;
    rows.with(|batch| labels.with(|labels| model.learn(&batch.with_labels(labels))))
}

/// The columns of the batch that the model learns from.
pub(crate) fn feature_rows(shape: &Shape, batch: &RecordBatch) -> Result<FeatureRows> {
    let arrays: Vec<ArrayRef> = match &shape.features {
        FeatureShape::Columns(columns) => {
            columns.iter().map(|feature| column(batch, &feature.name)).collect::<Result<_>>()?
        }
        FeatureShape::Vector => {
            let label = shape.label.as_ref().map(|label| label.column.as_str());
            let names = batch.schema_ref().fields().iter().zip(batch.columns());
            names
                .filter(|(field, _)| Some(field.name().as_str()) != label)
                .map(|(_, a)| Arc::clone(a))
                .collect()
        }
    };
    FeatureRows::new(shape, &arrays, batch.num_rows())
}

fn column(batch: &RecordBatch, name: &str) -> Result<ArrayRef> {
    match batch.column_by_name(name) {
        Some(column) => Ok(Arc::clone(column)),
        None => plan_err!("the query has no column {name} any more"),
    }
}

/// Says which column is meant by its name.
pub(crate) fn reason(shape: &Shape, rejection: ml::Rejection) -> String {
    let FeatureShape::Columns(columns) = &shape.features else { return rejection.to_string() };
    match rejection.column().and_then(|index| columns.get(index)) {
        Some(column) => format!("{rejection} ({})", column.name),
        None => rejection.to_string(),
    }
}
