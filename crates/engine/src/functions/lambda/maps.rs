//! Lambdas over the entries of maps.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, MapArray, StructArray, UInt32Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{HashSet, Result, ScalarValue};
use datafusion::logical_expr::LambdaArgument;

use super::{Spread, ask, kept, spread};
use crate::functions::own::{refused, wrong};

fn entries(given: &ArrayRef) -> Result<(&MapArray, Spread, ArrayRef, ArrayRef)> {
    let Some(map) = given.as_map_opt() else { return wrong("a map is wanted here") };
    let spread = spread(map, map.value_offsets());
    let places = UInt32Array::from(spread.places.clone());
    Ok((map, spread, take(map.keys(), &places, None)?, take(map.values(), &places, None)?))
}

fn mapped(
    gives: &DataType,
    keys: ArrayRef,
    values: &ArrayRef,
    spread: (Vec<usize>, NullBuffer),
) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = gives else { return wrong("the answer is no map") };
    let DataType::Struct(parts) = entries.data_type() else { return wrong("a map has entries") };
    let values = cast(values, parts[1].data_type())?;
    let pairs = StructArray::try_new(parts.clone(), vec![keys, values], None)?;
    let (lengths, nulls) = spread;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, Some(nulls), false)?))
}

pub(super) fn transform_values(
    given: &ArrayRef,
    lambda: &LambdaArgument,
    gives: &DataType,
) -> Result<ArrayRef> {
    let (_, spread, keys, values) = entries(given)?;
    let answers = ask(lambda, &[Arc::clone(&keys), values], &spread.rows)?;
    mapped(gives, keys, &answers, (spread.lengths, spread.nulls))
}

pub(super) fn filter(given: &ArrayRef, lambda: &LambdaArgument) -> Result<ArrayRef> {
    let (map, spread, keys, values) = entries(given)?;
    let answers = ask(lambda, &[keys, values], &spread.rows)?;
    let (places, lengths) = kept(&spread, &answers)?;
    let (keys, values) = (take(map.keys(), &places, None)?, take(map.values(), &places, None)?);
    mapped(given.data_type(), keys, &values, (lengths, spread.nulls))
}

/// A key that two entries would have is an error, and so is NULL.
pub(super) fn transform_keys(
    given: &ArrayRef,
    lambda: &LambdaArgument,
    gives: &DataType,
) -> Result<ArrayRef> {
    let (_, spread, keys, values) = entries(given)?;
    let answers = ask(lambda, &[keys, Arc::clone(&values)], &spread.rows)?;
    if answers.null_count() > 0 {
        return refused("NULL_MAP_KEY", "transform_keys: a key of a map is not NULL");
    }
    let (mut seen, mut row) = (HashSet::new(), None);
    for (index, at) in spread.rows.iter().enumerate() {
        if row.replace(at) != Some(at) {
            seen.clear();
        }
        let key = ScalarValue::try_from_array(&answers, index)?;
        if !seen.insert(key.clone()) {
            return refused("DUPLICATED_MAP_KEY", &format!("transform_keys: the key {key} comes twice"));
        }
    }
    mapped(gives, answers, &values, (spread.lengths, spread.nulls))
}

/// The keys of both maps, each with both values; NULL for a map that lacks it.
pub(super) fn zip_with(given: &[ArrayRef], lambda: &LambdaArgument, gives: &DataType) -> Result<ArrayRef> {
    let other = cast(&given[1], &with_keys_of(given[1].data_type(), given[0].data_type())?)?;
    let (Some(one), Some(other)) = (given[0].as_map_opt(), other.as_map_opt()) else {
        return wrong("map_zip_with takes two maps");
    };
    let (mut keys, mut values) = (Vec::new(), [Vec::new(), Vec::new()]);
    let (mut rows, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..one.len() {
        let valid = one.is_valid(row) && other.is_valid(row);
        let before = keys.len();
        let range = |map: &MapArray| {
            let offsets = map.value_offsets();
            let range = if valid { offsets[row]..offsets[row + 1] } else { 0..0 };
            range.map(i32::cast_unsigned).collect::<Vec<u32>>()
        };
        let key = |map: &MapArray, entry: u32| ScalarValue::try_from_array(map.keys(), entry as usize);
        let mut unmet: Vec<(u32, ScalarValue)> =
            range(other).into_iter().map(|entry| Ok((entry, key(other, entry)?))).collect::<Result<_>>()?;
        for entry in range(one) {
            let wanted = key(one, entry)?;
            let met = unmet.iter().position(|(_, key)| *key == wanted).map(|place| unmet.remove(place).0);
            keys.push(wanted);
            values[0].push(Some(entry));
            values[1].push(met);
        }
        for (entry, key) in unmet {
            keys.push(key);
            values[0].push(None);
            values[1].push(Some(entry));
        }
        rows.extend((before..keys.len()).map(|_| u32::try_from(row).unwrap_or(u32::MAX)));
        lengths.push(keys.len() - before);
        known.push(valid);
    }
    let keys = if keys.is_empty() { one.keys().slice(0, 0) } else { ScalarValue::iter_to_array(keys)? };
    let [left, right] = values;
    let left = take(one.values(), &UInt32Array::from(left), None)?;
    let right = take(other.values(), &UInt32Array::from(right), None)?;
    let answers = ask(lambda, &[Arc::clone(&keys), left, right], &rows)?;
    mapped(gives, keys, &answers, (lengths, NullBuffer::from(known)))
}

/// The type of a map with another's keys.
fn with_keys_of(given: &DataType, other: &DataType) -> Result<DataType> {
    let (_, value) = super::parts_of("map_zip_with", given)?;
    Ok(crate::sql::types::map_of(super::parts_of("map_zip_with", other)?.0, value))
}
