//! `CAST`, as Spark does it: an error where the value does not fit, NULL with `TRY_CAST`.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, ListArray, MapArray, PrimitiveArray, StringArray, StructArray,
    new_null_array,
};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options};
use datafusion::arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type,
    Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;

use crate::functions::own::{Call, Kind, Own, Planned, is_bytes, is_text, refused, text, wrong};
use crate::functions::time::Zone;
use crate::functions::{schema, time};
use crate::sql::types::type_name;

mod show;

pub(crate) use show::{pretty, shown};

pub(super) const CAST: Own = Own::new("cast_to", &[Kind::Any, Kind::Text], target, cast_to);
pub(super) const TRY_CAST: Own = Own::new("try_cast_to", &[Kind::Any, Kind::Text], target, cast_to);

pub(super) const FUNCTIONS: &[Own] = &[CAST, TRY_CAST, Own::new("typeof", &[Kind::Any], text, type_of)];

fn target(planned: &Planned<'_>) -> Result<DataType> {
    schema::planned(planned)
}

fn type_of(call: &Call) -> Result<ArrayRef> {
    let name = type_name(call.arguments[0].data_type()).to_lowercase().replace(", ", ",").replace(": ", ":");
    Ok(Arc::new(StringArray::from(vec![name; call.rows])))
}

fn cast_to(call: &Call) -> Result<ArrayRef> {
    let forgiving = call.name.starts_with("try_");
    changed(&call.arguments[0], &call.gives, Manner { forgiving, zone: call.zone })
}

/// How values become others.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Manner {
    /// What does not fit is NULL and no error.
    pub(crate) forgiving: bool,
    /// In which instants are days and hours.
    pub(crate) zone: Zone,
}

/// The values as another type.
pub(crate) fn changed(given: &ArrayRef, to: &DataType, manner: Manner) -> Result<ArrayRef> {
    let Manner { forgiving, zone } = manner;
    let from = given.data_type();
    if from == to {
        return Ok(Arc::clone(given));
    }
    match (from, to) {
        (DataType::Null, _) => Ok(new_null_array(to, given.len())),
        (_, DataType::Utf8) if is_bytes(from) => {
            let bytes = given.as_binary::<i32>();
            let texts =
                bytes.iter().map(|bytes| bytes.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
            Ok(Arc::new(texts.collect::<StringArray>()))
        }
        (_, DataType::Utf8) => shown(given, zone),
        (_, DataType::Binary) if is_text(from) => Ok(cast(given, to)?),
        (DataType::Utf8, _) => from_text(given, to, manner),
        (DataType::Timestamp(_, Some(_)), to) if to.is_numeric() => from_instant(given, to, forgiving),
        (from, DataType::Timestamp(_, Some(_))) if from.is_numeric() => to_instant(given, to),
        (DataType::Date32 | DataType::Timestamp(_, None), DataType::Timestamp(_, Some(_))) => {
            Ok(cast(&time::to_instants(given, zone)?, to)?)
        }
        (DataType::Timestamp(_, Some(_)), DataType::Date32 | DataType::Timestamp(_, None)) => {
            Ok(cast(&time::to_local(given, zone)?, to)?)
        }
        (from, to) if from.is_floating() && to.is_integer() => truncated(given, to, forgiving),
        (DataType::List(_), DataType::List(item)) => {
            let list = given.as_list::<i32>();
            let values = changed(list.values(), item.data_type(), manner)?;
            let nulls = list.nulls().cloned();
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, nulls)?))
        }
        (DataType::Struct(_), DataType::Struct(fields))
            if fields.len() == given.as_struct().num_columns() =>
        {
            let columns = given.as_struct().columns().iter().zip(fields);
            let columns = columns.map(|(column, field)| changed(column, field.data_type(), manner));
            let columns = columns.collect::<Result<Vec<_>>>()?;
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, given.nulls().cloned())?))
        }
        (DataType::Map(..), DataType::Map(entries, _)) => {
            let map = given.as_map();
            let DataType::Struct(parts) = entries.data_type() else { return wrong("a map has entries") };
            let keys = changed(map.keys(), parts[0].data_type(), manner)?;
            let values = changed(map.values(), parts[1].data_type(), manner)?;
            let pairs = StructArray::try_new(parts.clone(), vec![keys, values], None)?;
            let nulls = map.nulls().cloned();
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), map.offsets().clone(), pairs, nulls, false)?))
        }
        _ => fitted(given, to, forgiving),
    }
}

fn unfit<T>(condition: &str, value: &str, to: &DataType) -> Result<T> {
    let reason = format!("'{value}' cannot be cast to {}; TRY_CAST answers NULL instead", type_name(to));
    refused(condition, &reason)
}

/// The planner's own cast; where it fails, a number does not fit.
fn fitted(given: &dyn Array, to: &DataType, forgiving: bool) -> Result<ArrayRef> {
    let options = CastOptions { safe: forgiving, ..CastOptions::default() };
    let condition = match (given.data_type(), to) {
        (DataType::Utf8, _) => "CAST_INVALID_INPUT",
        (_, DataType::Decimal128(..)) => "NUMERIC_VALUE_OUT_OF_RANGE",
        (from, to) if from.is_numeric() && to.is_numeric() => "CAST_OVERFLOW",
        _ => return Ok(cast_with_options(given, to, &options)?),
    };
    cast_with_options(given, to, &options)
        .or_else(|error| refused(condition, &format!("{error}; TRY_CAST answers NULL instead")))
}

fn from_text(given: &ArrayRef, to: &DataType, manner: Manner) -> Result<ArrayRef> {
    let Manner { forgiving, zone: session } = manner;
    let texts = given.as_string::<i32>();
    Ok(match to {
        DataType::Boolean => {
            let read = |text: &str| match text.trim().to_lowercase().as_str() {
                "t" | "true" | "y" | "yes" | "1" => Some(true),
                "f" | "false" | "n" | "no" | "0" => Some(false),
                _ => None,
            };
            let values =
                texts.iter().map(|text| one(text, to, forgiving, read)).collect::<Result<BooleanArray>>()?;
            Arc::new(values)
        }
        DataType::Int8 => numbers::<Int8Type>(texts, to, forgiving, whole)?,
        DataType::Int16 => numbers::<Int16Type>(texts, to, forgiving, whole)?,
        DataType::Int32 => numbers::<Int32Type>(texts, to, forgiving, whole)?,
        DataType::Int64 => numbers::<Int64Type>(texts, to, forgiving, whole)?,
        DataType::Float32 => {
            numbers::<Float32Type>(texts, to, forgiving, |text| Some(fraction(text)? as f32))?
        }
        DataType::Float64 => numbers::<Float64Type>(texts, to, forgiving, fraction)?,
        DataType::Date32 => numbers::<Date32Type>(texts, to, forgiving, |text| time::read_date(text, None))?,
        DataType::Timestamp(_, zone) => {
            let local = zone.is_none();
            numbers::<TimestampMicrosecondType>(texts, to, forgiving, |text| {
                if local { time::read_local(text) } else { time::read_instant(text, None, session) }
            })?
        }
        _ => {
            let trimmed: ArrayRef =
                Arc::new(texts.iter().map(|text| text.map(str::trim)).collect::<StringArray>());
            fitted(&trimmed, to, forgiving)?
        }
    })
}

fn one<T>(
    text: Option<&str>,
    to: &DataType,
    forgiving: bool,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>> {
    let Some(text) = text else { return Ok(None) };
    match read(text) {
        None if !forgiving => unfit("CAST_INVALID_INPUT", text, to),
        value => Ok(value),
    }
}

fn numbers<T: ArrowPrimitiveType>(
    texts: &StringArray,
    to: &DataType,
    forgiving: bool,
    read: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let values = texts.iter().map(|text| one(text, to, forgiving, &read));
    let values: PrimitiveArray<T> = values.collect::<Result<Vec<_>>>()?.into_iter().collect();
    Ok(Arc::new(values.with_data_type(to.clone())))
}

fn whole<N: std::str::FromStr>(text: &str) -> Option<N> {
    text.trim().parse().ok()
}

fn fraction(text: &str) -> Option<f64> {
    let text = text.trim();
    let known = text.to_lowercase();
    match known.trim_start_matches(['+', '-']) {
        "inf" | "infinity" => {
            return Some(if known.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY });
        }
        "nan" => return Some(f64::NAN),
        _ => {}
    }
    // Java reads its own suffixes.
    let bare = known
        .strip_suffix(['d', 'f'])
        .filter(|bare| bare.ends_with(|c: char| c.is_ascii_digit() || c == '.'));
    bare.unwrap_or(&known).parse().ok()
}

/// Seconds since 1970.
fn from_instant(given: &ArrayRef, to: &DataType, forgiving: bool) -> Result<ArrayRef> {
    let micros = given.as_primitive::<TimestampMicrosecondType>();
    if to.is_integer() {
        let seconds: PrimitiveArray<Int64Type> = micros.unary(|micros| micros.div_euclid(1_000_000));
        return fitted(&seconds, to, forgiving);
    }
    let seconds: PrimitiveArray<Float64Type> = micros.unary(|micros| micros as f64 / 1e6);
    Ok(cast(&seconds, to)?)
}

fn to_instant(given: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let micros: PrimitiveArray<TimestampMicrosecondType> = if given.data_type().is_integer() {
        let seconds = cast(given, &DataType::Int64)?;
        seconds.as_primitive::<Int64Type>().unary_opt(|seconds| seconds.checked_mul(1_000_000))
    } else {
        let seconds = cast(given, &DataType::Float64)?;
        seconds
            .as_primitive::<Float64Type>()
            .unary_opt(|seconds| seconds.is_finite().then_some((seconds * 1e6) as i64))
    };
    Ok(Arc::new(micros.with_data_type(to.clone())))
}

/// Towards zero; what does not fit is an error.
fn truncated(given: &ArrayRef, to: &DataType, forgiving: bool) -> Result<ArrayRef> {
    let values = cast(given, &DataType::Float64)?;
    let mut wholes = Vec::with_capacity(values.len());
    for value in values.as_primitive::<Float64Type>() {
        let whole = value.map(f64::trunc);
        // 2^63 itself is one too many.
        let fits = whole
            .is_none_or(|whole| (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&whole));
        if !fits && !forgiving {
            return unfit("CAST_OVERFLOW", &value.unwrap_or_default().to_string(), to);
        }
        wholes.push(whole.filter(|_| fits).map(|whole| whole as i64));
    }
    let wholes: ArrayRef = Arc::new(PrimitiveArray::<Int64Type>::from(wholes));
    fitted(&wholes, to, forgiving)
}
