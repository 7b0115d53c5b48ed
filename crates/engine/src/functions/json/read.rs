//! `from_json`: what does not fit its type becomes NULL, and nothing else with it (Spark's PERMISSIVE mode).

use std::sync::Arc;

use base64::Engine as _;
use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray,
    StructArray, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, FieldRef, Float32Type, Float64Type, Int8Type, Int16Type,
    Int32Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;

use super::value::{Json, parse};
use crate::functions::own::{Call, refused, wrong};
use crate::functions::schema::{self, Options};
use crate::functions::time::{self, Zone};

/// The field that receives a record which cannot be read.
const CORRUPT: &str = "_corrupt_record";

pub(super) type Cells<'v, 'a> = Vec<Option<&'v Json<'a>>>;

pub(super) fn from_json(call: &Call) -> Result<ArrayRef> {
    let options = Options::read(call, 2)?;
    let texts = schema::strings(&call.arguments[0])?;
    let given: Vec<Option<&str>> =
        texts.iter().map(|text| text.filter(|text| !text.trim().is_empty())).collect();
    let parsed: Vec<Option<Json<'_>>> = given.iter().map(|text| parse((*text)?)).collect();
    let fail_fast = options.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("FAILFAST"));
    if fail_fast && given.iter().zip(&parsed).any(|(text, json)| text.is_some() && json.is_none()) {
        let reason = "from_json: a record is not JSON, and the mode is FAILFAST; PERMISSIVE answers NULL";
        return refused("MALFORMED_RECORD_IN_PARSING", reason);
    }
    let DataType::Struct(fields) = &call.gives else { return rootless(call, &parsed, &options) };
    let broken = |json: &Option<Json<'_>>| !matches!(json, Some(Json::Object(_)));
    let mut columns = Vec::with_capacity(fields.len());
    for field in fields {
        if field.name() == CORRUPT && *field.data_type() == DataType::Utf8 {
            let texts = given.iter().zip(&parsed).map(|(text, json)| text.filter(|_| broken(json)));
            columns.push(Arc::new(texts.collect::<StringArray>()) as ArrayRef);
            continue;
        }
        let cells = parsed.iter().map(|json| last(json.as_ref()?, field.name())).collect();
        columns.push(build(&cells, field.data_type(), &options)?);
    }
    let known: Vec<bool> = given.iter().map(Option::is_some).collect();
    schema::structure(&call.gives, columns, Some(NullBuffer::from(known)))
}

/// Schemas that are an array or a map.
fn rootless(call: &Call, parsed: &[Option<Json<'_>>], options: &Options) -> Result<ArrayRef> {
    let structs =
        matches!(&call.gives, DataType::List(item) if matches!(item.data_type(), DataType::Struct(_)));
    // One object counts as an array of one.
    let lists: Vec<Option<Json<'_>>> = parsed
        .iter()
        .map(|json| match json {
            Some(object @ Json::Object(_)) if structs => Some(Json::List(vec![object.clone()])),
            other => other.clone(),
        })
        .collect();
    build(&lists.iter().map(Option::as_ref).collect(), &call.gives, options)
}

/// Of a name that comes twice, the last counts.
pub(super) fn last<'v, 'a>(json: &'v Json<'a>, name: &str) -> Option<&'v Json<'a>> {
    match json {
        Json::Object(fields) => fields.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value),
        _ => None,
    }
}

pub(super) fn build(cells: &Cells<'_, '_>, gives: &DataType, options: &Options) -> Result<ArrayRef> {
    Ok(match gives {
        DataType::Boolean => Arc::new(cells.iter().map(|cell| truth((*cell)?)).collect::<BooleanArray>()),
        DataType::Int8 => numbers::<Int8Type>(cells, gives, whole),
        DataType::Int16 => numbers::<Int16Type>(cells, gives, whole),
        DataType::Int32 => numbers::<Int32Type>(cells, gives, whole),
        DataType::Int64 => numbers::<Int64Type>(cells, gives, whole),
        DataType::Float32 => numbers::<Float32Type>(cells, gives, |json| Some(fraction(json)? as f32)),
        DataType::Float64 => numbers::<Float64Type>(cells, gives, fraction),
        DataType::Utf8 => {
            let texts = cells.iter().map(|cell| cell.filter(|json| **json != Json::Null).map(Json::shown));
            Arc::new(texts.collect::<StringArray>())
        }
        DataType::Binary => {
            let bytes: Vec<Option<Vec<u8>>> = cells.iter().map(|cell| binary((*cell)?)).collect();
            Arc::new(bytes.iter().map(Option::as_deref).collect::<BinaryArray>())
        }
        DataType::Decimal128(..) => {
            let digits = cells.iter().map(|cell| match cell {
                Some(Json::Number(digits)) => Some(*digits),
                _ => None,
            });
            cast(&digits.collect::<StringArray>(), gives)?
        }
        DataType::Date32 => {
            let format = options.pattern("dateFormat")?;
            numbers::<Date32Type>(cells, gives, |json| time::read_date(written(json)?, format.as_ref()))
        }
        DataType::Timestamp(_, local) => {
            let (name, zone) = match local {
                Some(_) => ("timestampFormat", options.zone()),
                None => ("timestampNTZFormat", Zone::UTC),
            };
            let format = options.pattern(name)?;
            numbers::<TimestampMicrosecondType>(cells, gives, |json| match json {
                Json::Number(seconds) => seconds.parse::<i64>().ok()?.checked_mul(1_000_000),
                json => time::read_instant(written(json)?, format.as_ref(), zone),
            })
        }
        DataType::List(item) => list(cells, item, options)?,
        DataType::Struct(fields) => {
            let columns = fields.iter().map(|field| {
                let below = cells.iter().map(|cell| last((*cell)?, field.name())).collect();
                build(&below, field.data_type(), options)
            });
            let columns = columns.collect::<Result<Vec<_>>>()?;
            let known: Vec<bool> = cells.iter().map(|cell| matches!(cell, Some(Json::Object(_)))).collect();
            Arc::new(StructArray::try_new_with_length(
                fields.clone(),
                columns,
                Some(NullBuffer::from(known)),
                cells.len(),
            )?)
        }
        DataType::Map(entries, _) => map(cells, entries, options)?,
        other => new_null_array(other, cells.len()),
    })
}

fn numbers<T: ArrowPrimitiveType>(
    cells: &Cells<'_, '_>,
    gives: &DataType,
    read: impl Fn(&Json<'_>) -> Option<T::Native>,
) -> ArrayRef {
    let array: PrimitiveArray<T> = cells.iter().map(|cell| read((*cell)?)).collect();
    Arc::new(array.with_data_type(gives.clone()))
}

fn truth(json: &Json<'_>) -> Option<bool> {
    match json {
        Json::Boolean(value) => Some(*value),
        _ => None,
    }
}

fn whole<N: std::str::FromStr>(json: &Json<'_>) -> Option<N> {
    match json {
        Json::Number(digits) => digits.parse().ok(),
        _ => None,
    }
}

fn fraction(json: &Json<'_>) -> Option<f64> {
    match json {
        Json::Number(digits) => digits.parse().ok(),
        Json::Text(text) if matches!(text.as_ref(), "NaN" | "Infinity" | "-Infinity" | "INF" | "-INF") => {
            text.parse().ok()
        }
        _ => None,
    }
}

fn binary(json: &Json<'_>) -> Option<Vec<u8>> {
    base64::engine::general_purpose::STANDARD.decode(written(json)?).ok()
}

fn written<'v>(json: &'v Json<'_>) -> Option<&'v str> {
    match json {
        Json::Text(text) => Some(text.as_ref()),
        _ => None,
    }
}

fn list(cells: &Cells<'_, '_>, item: &FieldRef, options: &Options) -> Result<ArrayRef> {
    let (mut below, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let before = below.len();
        known.push(matches!(cell, Some(Json::List(_))));
        if let Some(Json::List(items)) = cell {
            below.extend(items.iter().map(Some));
        }
        lengths.push(below.len() - before);
    }
    let items = build(&below, item.data_type(), options)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, Some(NullBuffer::from(known)))?))
}

fn map(cells: &Cells<'_, '_>, entries: &FieldRef, options: &Options) -> Result<ArrayRef> {
    let DataType::Struct(parts) = entries.data_type() else { return wrong("a map has keys and values") };
    let (mut keys, mut below, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for cell in cells {
        let before = below.len();
        known.push(matches!(cell, Some(Json::Object(_))));
        if let Some(Json::Object(fields)) = cell {
            keys.extend(fields.iter().map(|(name, _)| Json::Text(name.clone())));
            below.extend(fields.iter().map(|(_, value)| Some(value)));
        }
        lengths.push(below.len() - before);
    }
    let keys = build(&keys.iter().map(Some).collect(), parts[0].data_type(), options)?;
    if keys.null_count() > 0 {
        return wrong("from_json: keys of a map are strings");
    }
    let values = build(&below, parts[1].data_type(), options)?;
    let pairs = StructArray::try_new(parts.clone(), vec![keys, values], None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries),
        offsets,
        pairs,
        Some(NullBuffer::from(known)),
        false,
    )?))
}
