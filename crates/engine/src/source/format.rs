//! What the bytes of a record mean: records of one format to the columns of a table.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryArray, Int32Array, RecordBatch, RecordBatchOptions, StringArray,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::arrow::error::ArrowError;

use crate::source::format::avro::Avro;
use crate::source::format::csv::Csv;
use crate::source::format::protobuf::Protobuf;
use crate::source::metadata;
use crate::source::records::{Selected, SourceRecords};

pub(crate) mod avro;
pub(crate) mod container;
pub(crate) mod csv;
mod fit;
mod json;
pub(crate) mod protobuf;

/// How a record's value is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Format {
    /// One object.
    Json,
    /// One line.
    Csv(Csv),
    /// One value of a schema.
    Avro(Box<Avro>),
    /// One message.
    Protobuf(Box<Protobuf>),
    /// The whole value is one string.
    Text,
    /// The whole value is the one column, as it is.
    Raw,
    /// Nothing is read: key, value and where they stand, as Spark's Kafka source gives them.
    Record,
}

impl Format {
    /// The columns of a table that names none; `None` if they cannot be known.
    pub(crate) fn columns(&self, headers: bool) -> Option<Vec<FieldRef>> {
        let field = |name: &str, data_type| Arc::new(Field::new(name, data_type, true));
        match self {
            Format::Text => Some(vec![field("value", DataType::Utf8)]),
            Format::Raw => Some(vec![field("value", DataType::Binary)]),
            Format::Record => {
                let names = ["key", "value", "topic", "partition", "offset", "timestamp", "timestampType"];
                let names = names.into_iter().chain(headers.then_some("headers"));
                Some(names.filter_map(|name| Some(field(name, record_type(name)?))).collect())
            }
            Format::Avro(avro) => Some(avro.columns()),
            Format::Protobuf(protobuf) => Some(protobuf.columns()),
            Format::Json | Format::Csv(_) => None,
        }
    }

    /// What is wrong with columns that a table names.
    pub(crate) fn misfit(&self, columns: &[FieldRef]) -> Option<String> {
        let only = |wanted: &DataType, name: &str| {
            let fits = matches!(columns, [column] if column.data_type() == wanted);
            (!fits).then(|| format!("this format has one column of type {name}"))
        };
        match self {
            Format::Json => None,
            Format::Csv(_) => columns
                .iter()
                .find(|column| column.data_type().is_nested())
                .map(|column| format!("column {}: CSV holds no arrays and no structs", column.name())),
            Format::Avro(avro) => avro.misfit(columns),
            Format::Protobuf(protobuf) => protobuf.misfit(columns),
            Format::Text => only(&DataType::Utf8, "STRING"),
            Format::Raw => only(&DataType::Binary, "BINARY"),
            Format::Record => columns
                .iter()
                .find(|column| record_type(column.name()).as_ref() != Some(column.data_type()))
                .map(|column| {
                    format!(
                        "column {}: without a format the columns are key BINARY, value BINARY, topic STRING, \
                         partition INT, offset BIGINT, timestamp TIMESTAMP, timestampType INT and headers",
                        column.name()
                    )
                }),
        }
    }

    /// The rows of some of the records; an error if one of them cannot be read.
    pub(crate) fn read(
        &self,
        columns: &SchemaRef,
        records: &SourceRecords,
        numbers: &[usize],
    ) -> Result<RecordBatch, ArrowError> {
        if numbers.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(columns)));
        }
        let rows = records.select(numbers);
        match self {
            Format::Json => json::read(columns, rows),
            Format::Csv(csv) => csv.read(columns, rows),
            Format::Avro(avro) => avro.read(columns, rows),
            Format::Protobuf(protobuf) => protobuf.read(columns, rows),
            Format::Text => {
                let texts: Result<Vec<_>, ArrowError> = rows.values().map(text).collect();
                let texts: ArrayRef = Arc::new(StringArray::from(texts?));
                single(columns, &texts, rows.len())
            }
            Format::Raw => {
                let values: ArrayRef = Arc::new(BinaryArray::from_iter(rows.values()));
                single(columns, &values, rows.len())
            }
            Format::Record => {
                let column = |field: &FieldRef| record_column(field.name(), rows);
                batch(columns, columns.fields().iter().map(column).collect::<Result<_, _>>()?, rows.len())
            }
        }
    }
}

/// A query may use none of the columns.
fn single(columns: &SchemaRef, values: &ArrayRef, rows: usize) -> Result<RecordBatch, ArrowError> {
    batch(columns, columns.fields().iter().map(|_| Arc::clone(values)).collect(), rows)
}

fn batch(columns: &SchemaRef, arrays: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch, ArrowError> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    RecordBatch::try_new_with_options(Arc::clone(columns), arrays, &options)
}

fn text(value: Option<&[u8]>) -> Result<Option<&str>, ArrowError> {
    let Some(value) = value else { return Ok(None) };
    std::str::from_utf8(value).map(Some).map_err(|error| wrong(&format!("the value is not UTF-8: {error}")))
}

fn record_type(name: &str) -> Option<DataType> {
    match name {
        "value" => Some(DataType::Binary),
        "timestampType" => Some(DataType::Int32),
        other => Some(metadata::field(&format!("_{other}"))?.data_type().clone()),
    }
}

fn record_column(name: &str, records: Selected<'_>) -> Result<ArrayRef, ArrowError> {
    match name {
        "value" => Ok(Arc::new(BinaryArray::from_iter(records.values()))),
        "timestampType" => Ok(Arc::new(Int32Array::from_iter_values(records.iter().map(|_| 0)))),
        other => metadata::column(&format!("_{other}"), records)
            .ok_or_else(|| ArrowError::InvalidArgumentError(format!("no such column: {other}"))),
    }
}

fn wrong(reason: &str) -> ArrowError {
    ArrowError::JsonError(reason.to_owned())
}

/// What is wrong with a record, in Arrow's words or the reader's own.
pub(crate) fn reason(error: ArrowError) -> String {
    match error {
        ArrowError::JsonError(text) if text.starts_with("the value") || text.starts_with("malformed") => text,
        ArrowError::JsonError(text) if text.contains("Encountered unexpected") || text.contains("UTF-8") => {
            format!("malformed JSON: {text}")
        }
        ArrowError::AvroError(text) => format!("malformed Avro: {text}"),
        ArrowError::ExternalError(error) => error.to_string(),
        ArrowError::CsvError(text) | ArrowError::ParseError(text) => format!("malformed CSV: {text}"),
        ArrowError::JsonError(text)
        | ArrowError::NotYetImplemented(text)
        | ArrowError::InvalidArgumentError(text) => format!("wrong type: {text}"),
        other => format!("wrong type: {other}"),
    }
}
