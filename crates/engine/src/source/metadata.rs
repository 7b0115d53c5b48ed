//! The record's own columns, there for queries that name them.

use std::sync::Arc;

use datafusion::arrow::array::{
    ArrayRef, BinaryArray, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};

use crate::operator::scope::ROW;
use crate::source::topic::SourceRecord;
use crate::sql::types::UTC;

/// Their names, as Spark's Kafka source calls them, with an underscore before.
pub(crate) const COLUMNS: [&str; 5] = ["_key", "_topic", "_partition", "_offset", "_timestamp"];

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
        _ => return None,
    };
    Some(Arc::new(Field::new(name, data_type, true)))
}

/// The column's values over some of the records.
pub(crate) fn column(name: &str, topic: &str, records: &[&SourceRecord]) -> Option<ArrayRef> {
    let records = records.iter();
    Some(match name {
        "_key" => Arc::new(BinaryArray::from_iter(records.map(|record| record.key.as_deref()))),
        "_topic" => Arc::new(StringArray::from_iter_values(records.map(|_| topic))),
        "_partition" => {
            Arc::new(Int32Array::from_iter(records.map(|record| i32::try_from(record.partition).ok())))
        }
        "_offset" => Arc::new(Int64Array::from_iter_values(records.map(|record| record.offset))),
        "_timestamp" => {
            let micros = records.map(|record| record.timestamp.saturating_mul(1_000));
            Arc::new(TimestampMicrosecondArray::from_iter_values(micros).with_timezone(UTC))
        }
        _ => return None,
    })
}
