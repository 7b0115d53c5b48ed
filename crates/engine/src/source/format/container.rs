//! Files that hold rows of their own and say which: nothing of them can be read line by line.

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

use crate::source::format::{avro, fit};
use crate::sql::types::UTC;

/// How many rows are unpacked at a time.
const BATCH_ROWS: usize = 8_192;
/// What the names begin with under which a door notes something about a column.
const NOTED: &str = "spark.";

/// The kind of such files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Container {
    Parquet,
    Avro,
}

impl Container {
    /// The columns that a file has; fields that no column can hold are left out.
    pub(crate) fn columns(self, bytes: Bytes) -> Result<Vec<FieldRef>, ArrowError> {
        match self {
            Container::Parquet => {
                let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
                let fields: Vec<FieldRef> = builder.schema().fields().iter().map(instant).collect();
                let columns = fit::columns(&Schema::new(fields)).into_iter();
                Ok(columns.map(|column| noted(&column, builder.schema())).collect())
            }
            Container::Avro => {
                let reason = "an Avro file's columns are not found by themselves; name a schema";
                Err(ArrowError::InvalidArgumentError(reason.to_owned()))
            }
        }
    }

    /// The rows of a file, as columns of a table; those that the file does not have are NULL.
    pub(crate) fn read(self, bytes: Bytes, columns: &SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
        match self {
            Container::Parquet => parquet(bytes, columns),
            Container::Avro => avro::container(bytes, columns),
        }
    }
}

/// What instants of old files are kept as: they count nanoseconds and say no zone.
fn instant(field: &FieldRef) -> FieldRef {
    match field.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, None) => {
            let instant = DataType::Timestamp(TimeUnit::Nanosecond, Some(UTC.into()));
            Arc::new(field.as_ref().clone().with_data_type(instant))
        }
        _ => Arc::clone(field),
    }
}

/// The column with what a door noted about it when the file was written.
fn noted(column: &FieldRef, file: &Schema) -> FieldRef {
    let known = file.field_with_name(column.name()).map(Field::metadata).into_iter().flatten();
    let known = known.filter(|(name, _)| name.starts_with(NOTED));
    let known = known.map(|(name, value)| (name.clone(), value.clone())).collect();
    Arc::new(column.as_ref().clone().with_metadata(known))
}

/// Only the columns that are wanted are unpacked.
fn parquet(bytes: Bytes, columns: &SchemaRef) -> Result<Vec<RecordBatch>, ArrowError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(bytes)?;
    let wanted = |name: &str| columns.fields().iter().any(|column| column.name().eq_ignore_ascii_case(name));
    let roots = builder.schema().fields().iter().enumerate().filter(|(_, field)| wanted(field.name()));
    let roots: Vec<usize> = roots.map(|(index, _)| index).collect();
    let mask = ProjectionMask::roots(builder.parquet_schema(), roots);
    let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build()?;
    reader.map(|batch| fit::fit(&batch?, columns)).collect()
}
