//! The record's own columns, there for queries that name them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BinaryBuilder, Int32Array, Int64Array, ListArray, StringArray,
    StringBuilder, StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};

use crate::operator::scope::ROW;
use crate::source::records::{Selected, SourceRecord};
use crate::sql::types::UTC;

/// Their names, as Spark's Kafka source calls them, with an underscore before.
pub(crate) const COLUMNS: [&str; 6] = ["_key", "_topic", "_partition", "_offset", "_timestamp", "_headers"];

/// Whether a table may not have a column of this name.
pub(crate) fn is_reserved(name: &str) -> bool {
    name.eq_ignore_ascii_case(ROW) || COLUMNS.iter().any(|column| column.eq_ignore_ascii_case(name))
}

/// The field of a metadata column.
pub(crate) fn field(name: &str) -> Option<FieldRef> {
    let data_type = match name {
        "_key" => DataType::Binary,
        "_topic" => DataType::Utf8,
        "_partition" => DataType::Int32,
        "_offset" => DataType::Int64,
        "_timestamp" => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        "_headers" => headers_type(),
        _ => return None,
    };
    Some(Arc::new(Field::new(name, data_type, true)))
}

/// The column's values over some of the records.
pub(crate) fn column(name: &str, records: Selected<'_>) -> Option<ArrayRef> {
    let records = records.iter();
    Some(match name {
        "_key" => Arc::new(BinaryArray::from_iter(records.map(|record| record.key))),
        "_topic" => Arc::new(StringArray::from_iter_values(records.map(|record| record.topic))),
        "_partition" => {
            Arc::new(Int32Array::from_iter(records.map(|record| i32::try_from(record.partition).ok())))
        }
        "_offset" => Arc::new(Int64Array::from_iter_values(records.map(|record| record.offset))),
        "_timestamp" => {
            let micros = records.map(|record| record.timestamp.saturating_mul(1_000));
            Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone(UTC))
        }
        "_headers" => headers(records),
        _ => return None,
    })
}

fn header_fields() -> Fields {
    let key = Field::new("key", DataType::Utf8, true);
    Fields::from(vec![key, Field::new("value", DataType::Binary, true)])
}

/// As Spark's Kafka source has it.
pub(crate) fn headers_type() -> DataType {
    DataType::List(Arc::new(Field::new_list_field(DataType::Struct(header_fields()), true)))
}

/// NULL for a record without headers, as Spark has it.
pub(crate) fn headers<'a>(records: impl Iterator<Item = SourceRecord<'a>>) -> ArrayRef {
    let (mut keys, mut values) = (StringBuilder::new(), BinaryBuilder::new());
    let (mut lengths, mut present) = (Vec::new(), Vec::new());
    for record in records {
        for (key, value) in record.headers {
            keys.append_value(String::from_utf8_lossy(key));
            values.append_option(value.as_deref());
        }
        lengths.push(record.headers.len());
        present.push(!record.headers.is_empty());
    }
    let entries: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
    let entries = StructArray::new(header_fields(), entries, None);
    let item = Arc::new(Field::new_list_field(entries.data_type().clone(), true));
    let (lengths, present) = (OffsetBuffer::from_lengths(lengths), NullBuffer::from(present));
    Arc::new(ListArray::new(item, lengths, Arc::new(entries), Some(present)))
}
