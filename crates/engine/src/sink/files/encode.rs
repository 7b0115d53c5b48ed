//! Rows as the bytes of a file.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, FieldRef, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::LineDelimitedWriter;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::error::SqlError;
use crate::sql::types::type_name;

/// What a file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// An object per line; NULL is left out, as Spark leaves it out.
    Json,
    Csv {
        header: bool,
        separator: u8,
        null: String,
    },
    /// One column of strings, a line each.
    Text,
    Parquet(Compression),
}

impl Format {
    pub(crate) fn extension(&self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv { .. } => "csv",
            Format::Text => "txt",
            Format::Parquet(_) => "parquet",
        }
    }

    /// # Errors
    /// The format cannot hold such columns.
    pub(crate) fn check(&self, columns: &[FieldRef]) -> Result<(), SqlError> {
        match self {
            Format::Json => Ok(()),
            Format::Csv { .. } => match columns.iter().find(|column| is_nested(column.data_type())) {
                None => Ok(()),
                Some(column) => {
                    let reason = "csv has no arrays, maps or structs; write json, or to_json of the column";
                    Err(SqlError::invalid(column.name(), reason))
                }
            },
            Format::Text => match columns {
                [only] if *only.data_type() == DataType::Utf8 => Ok(()),
                _ => Err(SqlError::invalid("format text", "takes one column of type STRING")),
            },
            Format::Parquet(_) => match columns.iter().find(|column| !has_place(column.data_type())) {
                None => Ok(()),
                Some(column) => {
                    let reason = format!("parquet has no {}; CAST it", type_name(column.data_type()));
                    Err(SqlError::invalid(column.name(), reason))
                }
            },
        }
    }

    /// `columns` are those of the table: what Spark's types make of the query's.
    pub(super) fn encode(&self, batches: &[RecordBatch], columns: &SchemaRef) -> Result<Vec<u8>, ArrowError> {
        match self {
            Format::Json => {
                let mut writer = LineDelimitedWriter::new(Vec::new());
                writer.write_batches(&batches.iter().collect::<Vec<_>>())?;
                writer.finish()?;
                Ok(writer.into_inner())
            }
            Format::Csv { header, separator, null } => {
                let builder = csv::WriterBuilder::new().with_header(*header).with_delimiter(*separator);
                let mut writer = builder.with_null(null.clone()).build(Vec::new());
                for batch in batches {
                    writer.write(batch)?;
                }
                Ok(writer.into_inner())
            }
            Format::Text => text(batches),
            Format::Parquet(compression) => parquet(batches, columns, *compression),
        }
    }
}

fn is_nested(data_type: &DataType) -> bool {
    data_type.is_nested() || matches!(data_type, DataType::Binary)
}

/// Whether Parquet, as Spark reads it, has such a type.
fn has_place(data_type: &DataType) -> bool {
    match data_type {
        DataType::Interval(_) | DataType::Duration(_) | DataType::Time32(_) | DataType::Time64(_) => false,
        DataType::List(item) | DataType::Map(item, _) => has_place(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| has_place(field.data_type())),
        _ => true,
    }
}

/// The same rows make the same bytes.
fn parquet(
    batches: &[RecordBatch],
    columns: &SchemaRef,
    compression: Compression,
) -> Result<Vec<u8>, ArrowError> {
    let properties = WriterProperties::builder().set_compression(compression).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), Arc::clone(columns), Some(properties))?;
    for batch in batches {
        let cast = |(column, field): (&ArrayRef, &FieldRef)| cast(column, field.data_type());
        let stored = batch.columns().iter().zip(columns.fields()).map(cast);
        writer.write(&RecordBatch::try_new(Arc::clone(columns), stored.collect::<Result<_, _>>()?)?)?;
    }
    Ok(writer.into_inner()?)
}

fn text(batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
    let mut bytes = Vec::new();
    for batch in batches {
        let column = cast(batch.column(0), &DataType::Utf8)?;
        let lines = column.as_string::<i32>();
        for row in 0..lines.len() {
            // NULL is an empty line.
            if lines.is_valid(row) {
                bytes.extend_from_slice(lines.value(row).as_bytes());
            }
            bytes.push(b'\n');
        }
    }
    Ok(bytes)
}
