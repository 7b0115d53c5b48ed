//! The end of a query that teaches a model.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::compute::concat_batches;
use datafusion::common::{Result, plan_err};
use ml::{Batch, Kind, LearnReport, Model};

use crate::models::Entry;
use crate::models::shape::{FeatureShape, Shape};
use crate::operator::earlier;
use crate::operator::rows::{FeatureRows, LabelColumn, Values};
use crate::operator::scope::Refusals;

/// What became of the rows of a micro-batch.
#[derive(Debug, Default)]
pub(crate) struct Taught {
    pub(crate) learned: u64,
    /// Rows that were refused and stand for no single record.
    pub(crate) unplaced: u64,
}

/// Teaches the rows of one micro-batch, all at once: where a batch ends matters to some update rules.
/// Rows that cannot be learnt are added to `refused`, by the record numbers in `records`.
pub(crate) fn learn(
    model: &mut Model,
    entry: &Entry,
    batches: &[RecordBatch],
    records: &[usize],
    refused: &mut Refusals,
) -> Result<Taught> {
    let Some(first) = batches.first() else { return Ok(Taught::default()) };
    let batch = concat_batches(first.schema_ref(), batches)?;
    let rows = feature_rows(&entry.shape, &batch)?;
    let report = teach(model, &entry.shape, &rows, &batch)?;
    let name = &entry.name;
    let mut taught = Taught { learned: report.learned as u64, unplaced: 0 };
    for rejected in report.rejected {
        let reason = if rows.is_null(rejected.row) {
            format!("model {name}: the features are null")
        } else {
            format!("model {name}: {}", reason(&entry.shape, rejected.reason))
        };
        match records.get(rejected.row) {
            Some(record) => drop(refused.entry(*record).or_insert(reason)),
            None => taught.unplaced += 1,
        }
    }
    Ok(taught)
}

fn teach(model: &mut Model, shape: &Shape, rows: &FeatureRows, batch: &RecordBatch) -> Result<LearnReport> {
    let Some(label) = &shape.label else {
        return rows.with(|batch| model.learn(&batch));
    };
    let truth = column(batch, &label.column)?;
    let labels = LabelColumn::new(label.label, &truth)?;
    let weights = shape.beside.weight.as_ref().map(|weight| numbers(&column(batch, weight)?)).transpose()?;
    let earlier = shape.beside.prediction.as_ref().map(|answer| {
        let answers = column(batch, answer)?;
        earlier::answers(label.label, &answers, truth.data_type())
    });
    let (weights, earlier) = (weights.as_deref(), earlier.transpose()?);
    let answers = earlier.as_deref();
    rows.with(|batch| {
        labels.with(|labels| model.learn(&Batch { weights, answers, ..batch.with_labels(labels) }))
    })
}

/// A NaN where there is none.
fn numbers(array: &ArrayRef) -> Result<Vec<f64>> {
    match Values::new(Kind::Number, array)? {
        Values::Numbers(numbers) => Ok(numbers),
        Values::Words(_) => plan_err!("expected numbers"),
    }
}

/// The columns of the batch that the model learns from.
pub(crate) fn feature_rows(shape: &Shape, batch: &RecordBatch) -> Result<FeatureRows> {
    let arrays: Vec<ArrayRef> = match &shape.features {
        FeatureShape::Columns(columns) => {
            columns.iter().map(|feature| column(batch, &feature.name)).collect::<Result<_>>()?
        }
        FeatureShape::Vector => {
            let names = batch.schema_ref().fields().iter().zip(batch.columns());
            names.filter(|(field, _)| shape.is_feature(field.name())).map(|(_, a)| Arc::clone(a)).collect()
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
