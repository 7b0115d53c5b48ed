//! Rows that are records already: Spark's columns `key`, `value`, `topic`, `partition` and `headers`.

use std::collections::BTreeMap;

use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Int32Type};
use datafusion::arrow::error::ArrowError;
use record::Header;

use crate::error::SqlError;
use crate::sink::outgoing::{Outgoing, OutgoingRecord};
use crate::source::metadata::headers_type;
use crate::sql::types::type_name;

/// The columns that a record can be made of. `value` has to be there.
const COLUMNS: [&str; 5] = ["key", "value", "topic", "partition", "headers"];

/// Whether rows of these columns are records: there is a value, and nothing that a record has no place for.
pub(crate) fn are_records(columns: &[FieldRef]) -> bool {
    columns.iter().any(|column| column.name() == "value")
        && columns.iter().all(|column| COLUMNS.contains(&column.name().as_str()))
}

/// Whether each row says its topic.
pub(crate) fn name_topics(columns: &[FieldRef]) -> bool {
    are_records(columns) && columns.iter().any(|column| column.name() == "topic")
}

/// # Errors
/// A column has a type that its part of a record cannot hold.
pub(crate) fn check(columns: &[FieldRef]) -> Result<(), SqlError> {
    let text = |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::Binary);
    for column in columns {
        let data_type = column.data_type();
        let (fits, wanted) = match column.name().as_str() {
            "key" | "value" => (text(data_type), "STRING or BINARY".to_owned()),
            "topic" => (*data_type == DataType::Utf8, "STRING".to_owned()),
            "partition" => (data_type.is_integer(), "INT".to_owned()),
            _ => (header_parts(data_type), type_name(&headers_type())),
        };
        if !fits {
            let reason = format!("is {}; a record's has to be {wanted}", type_name(data_type));
            return Err(SqlError::invalid(format!("column {}", column.name()), reason));
        }
    }
    Ok(())
}

fn header_parts(data_type: &DataType) -> bool {
    let DataType::List(item) = data_type else { return false };
    let DataType::Struct(fields) = item.data_type() else { return false };
    let text = |at: usize, name: &str| {
        fields.get(at).is_some_and(|field| {
            field.name() == name && matches!(field.data_type(), DataType::Utf8 | DataType::Binary)
        })
    };
    fields.len() == 2 && text(0, "key") && text(1, "value")
}

/// What says the topic of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TopicBy {
    /// The option `topic`, whatever its column says: so does Spark.
    Option,
    /// The column; the table's name where that is NULL.
    Column,
}

/// The records of each topic, in the rows' order; `topic` is that of rows which name none.
pub(crate) fn records(
    batches: &[RecordBatch],
    topic: &str,
    by: TopicBy,
) -> Result<BTreeMap<String, Outgoing>, ArrowError> {
    let mut topics: BTreeMap<String, Outgoing> = BTreeMap::new();
    for batch in batches {
        let column = |name: &str, wanted: &DataType| -> Result<Option<ArrayRef>, ArrowError> {
            batch.column_by_name(name).map(|column| cast(column, wanted)).transpose()
        };
        let (keys, values) = (column("key", &DataType::Binary)?, column("value", &DataType::Binary)?);
        let names = column("topic", &DataType::Utf8)?;
        let partitions = column("partition", &DataType::Int32)?;
        let headers = column("headers", &headers_type())?;
        for row in 0..batch.num_rows() {
            let name = names.as_ref().filter(|names| by == TopicBy::Column && names.is_valid(row));
            let name = name.map_or(topic, |names| names.as_string::<i32>().value(row));
            let partition = partitions.as_ref().filter(|partitions| partitions.is_valid(row));
            let partition = partition.map(|partitions| partitions.as_primitive::<Int32Type>().value(row));
            let headers = headers.as_ref().map(|headers| headers_at(headers, row)).unwrap_or_default();
            let record = OutgoingRecord {
                key: bytes_at(keys.as_ref(), row),
                value: bytes_at(values.as_ref(), row),
                partition: partition.and_then(|partition| u32::try_from(partition).ok()),
                headers: &headers,
            };
            topics.entry(name.to_owned()).or_default().push(record);
        }
    }
    Ok(topics)
}

fn bytes_at(column: Option<&ArrayRef>, row: usize) -> Option<&[u8]> {
    let column = column.filter(|column| column.is_valid(row))?;
    Some(column.as_binary::<i32>().value(row))
}

fn headers_at(column: &ArrayRef, row: usize) -> Vec<Header> {
    if column.is_null(row) {
        return Vec::new();
    }
    let entries = column.as_list::<i32>().value(row);
    let entries = entries.as_struct();
    let keys = entries.column(0).as_string::<i32>();
    (0..entries.len())
        .map(|entry| {
            let key = Bytes::copy_from_slice(keys.value(entry).as_bytes());
            (key, bytes_at(Some(entries.column(1)), entry).map(Bytes::copy_from_slice))
        })
        .collect()
}
