//! Types: Arrow's, which the engine computes with, and the notations in which Spark's clients know them.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};

use crate::error::{Result, SparkError};

pub(crate) mod json;
pub(crate) mod message;
pub(crate) mod noted;
pub(crate) mod nulls;
pub(crate) mod tree;
pub(crate) mod unique;
pub(crate) mod zone;

/// The zone of Spark's `TIMESTAMP`, an instant, wherever it is computed with.
pub(crate) const UTC: &str = "UTC";

pub(crate) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

/// The type in which Spark would have the values: one kind of text, no unsigned numbers, microseconds.
pub(crate) fn canonical(data_type: &DataType) -> DataType {
    match data_type {
        DataType::Utf8View | DataType::LargeUtf8 => DataType::Utf8,
        DataType::BinaryView | DataType::LargeBinary | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 => DataType::Float32,
        DataType::Date64 => DataType::Date32,
        DataType::Decimal256(precision, scale) => DataType::Decimal128((*precision).min(38), *scale),
        DataType::Decimal32(precision, scale) | DataType::Decimal64(precision, scale) => {
            DataType::Decimal128(*precision, *scale)
        }
        DataType::Timestamp(_, Some(_)) => instant(),
        DataType::Timestamp(_, None) => DataType::Timestamp(TimeUnit::Microsecond, None),
        DataType::Dictionary(_, values) => canonical(values),
        DataType::List(item)
        | DataType::LargeList(item)
        | DataType::FixedSizeList(item, _)
        | DataType::ListView(item)
        | DataType::LargeListView(item) => {
            let known = Field::new_list_field(canonical(item.data_type()), true);
            DataType::List(Arc::new(known.with_metadata(noted::kept(item))))
        }
        DataType::Struct(fields) => DataType::Struct(fields.iter().map(canonical_field).collect()),
        DataType::Map(entries, sorted) => {
            let DataType::Struct(parts) = entries.data_type() else { return data_type.clone() };
            let parts: Fields = parts.iter().map(canonical_field).collect();
            let entries = Field::new(entries.name(), DataType::Struct(parts), entries.is_nullable());
            DataType::Map(Arc::new(entries), *sorted)
        }
        other => other.clone(),
    }
}

fn canonical_field(field: &FieldRef) -> FieldRef {
    Arc::new(field.as_ref().clone().with_data_type(canonical(field.data_type())))
}

/// A schema as a script writes it: DDL such as `a INT, b STRING`, or JSON.
pub(crate) fn parse_schema(text: &str) -> Result<Schema> {
    let parsed = parse_type(text)?;
    match parsed {
        DataType::Struct(fields) => Ok(Schema::new(fields)),
        other => Ok(Schema::new(vec![json::user(text, Field::new("value", other, true))])),
    }
}

/// A type as a script writes it, DDL or JSON.
pub(crate) fn parse_type(text: &str) -> Result<DataType> {
    let text = text.trim();
    if text.starts_with(['{', '"']) {
        return json::read(text);
    }
    if text.is_empty() {
        return Ok(DataType::Struct(Fields::empty()));
    }
    if ["VOID", "NULL"].iter().any(|word| text.eq_ignore_ascii_case(word)) {
        return Ok(DataType::Null);
    }
    engine::dataframe::parse_type(&plain(text)).map_err(|error| SparkError::parse(error.to_string()))
}

/// `VARCHAR(10)` and `CHAR(3)` are texts here.
fn plain(text: &str) -> String {
    let mut rest = text;
    let mut plain = String::with_capacity(text.len());
    while let Some(at) = rest.to_ascii_lowercase().find("char(") {
        let start = rest[..at].rfind(|c: char| !c.is_ascii_alphanumeric()).map_or(0, |before| before + 1);
        let Some(end) = rest[at..].find(')') else { break };
        plain.push_str(&rest[..start]);
        plain.push_str("STRING");
        rest = &rest[at + end + 1..];
    }
    plain + rest
}

/// The type as error messages have it: `BIGINT`.
pub(crate) fn name(data_type: &DataType) -> String {
    engine::dataframe::type_name(data_type)
}
