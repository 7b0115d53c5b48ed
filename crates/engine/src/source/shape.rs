//! Which columns a batch is wanted with: what the source's format holds, then the records' own.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;

use crate::operator::scope::{ROW, Refusals};
use crate::source::format::{self, Format};
use crate::source::records::SourceRecords;
use crate::source::{Rows, metadata};

/// The columns of a batch, sorted by where they come from.
#[derive(Debug, Clone)]
pub(crate) struct Shape {
    /// What the source gives.
    values: SchemaRef,
    /// What leaves: metadata and the record's number come after the values.
    schema: SchemaRef,
}

impl Shape {
    /// `schema` is the table's columns, then any of [`metadata::COLUMNS`], then [`ROW`] if it is wanted.
    pub(crate) fn new(schema: SchemaRef) -> Self {
        let values: Vec<FieldRef> =
            schema.fields().iter().filter(|field| !metadata::is_reserved(field.name())).cloned().collect();
        Shape { values: Arc::new(Schema::new(values)), schema }
    }

    /// What the source gives, before the records' own.
    pub(crate) fn values(&self) -> &SchemaRef {
        &self.values
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of all records that can be read, and what is wrong with the others.
    ///
    /// All of them are read at once. Only when that fails is each looked at alone, so that a bad one costs nothing
    /// but itself.
    pub(crate) fn decode(&self, format: &Format, records: SourceRecords) -> Result<Rows, ArrowError> {
        let every: Vec<usize> = (0..records.len()).collect();
        if let Ok(values) = format.read(&self.values, &records, &every) {
            let batch = self.widen(&values, &records, &every)?;
            return Ok(Rows { batch, records, refused: Refusals::new() });
        }
        let mut good = Vec::with_capacity(records.len());
        let mut refused = Refusals::new();
        for number in every {
            match format.read(&self.values, &records, &[number]) {
                Ok(_) => good.push(number),
                Err(error) => {
                    refused.insert(number, format::reason(error));
                }
            }
        }
        let values = format.read(&self.values, &records, &good)?;
        let batch = self.widen(&values, &records, &good)?;
        Ok(Rows { batch, records, refused })
    }

    /// Adds the columns that are not in the values. `numbers` says which record each row came from.
    pub(crate) fn widen(
        &self,
        values: &RecordBatch,
        records: &SourceRecords,
        numbers: &[usize],
    ) -> Result<RecordBatch, ArrowError> {
        let mut columns: Vec<ArrayRef> = values.columns().to_vec();
        for field in self.schema.fields().iter().skip(columns.len()) {
            let column = if field.name() == ROW {
                let numbers = numbers.iter().map(|number| i64::try_from(*number).unwrap_or(i64::MAX));
                Arc::new(Int64Array::from_iter_values(numbers))
            } else {
                metadata::column(field.name(), records.select(numbers)).ok_or_else(|| {
                    ArrowError::InvalidArgumentError(format!("no such column: {}", field.name()))
                })?
            };
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}
