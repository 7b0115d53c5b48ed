//! Rows as the bytes of a file.

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::csv;
use datafusion::arrow::datatypes::{DataType, FieldRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::LineDelimitedWriter;

use crate::error::SqlError;

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
}

impl Format {
    pub(crate) fn extension(&self) -> &'static str {
        match self {
            Format::Json => "json",
            Format::Csv { .. } => "csv",
            Format::Text => "txt",
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
        }
    }

    pub(super) fn encode(&self, batches: &[RecordBatch]) -> Result<Vec<u8>, ArrowError> {
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
        }
    }
}

fn is_nested(data_type: &DataType) -> bool {
    data_type.is_nested() || matches!(data_type, DataType::Binary)
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
