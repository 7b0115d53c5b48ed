//! More functions of arrays and maps.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, ListArray, MapArray, StringArray, StructArray, TimestampMicrosecondArray,
    UInt32Array, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, interleave, take};
use datafusion::arrow::datatypes::{
    DataType, Int32Type, IntervalMonthDayNanoType, IntervalUnit, TimestampMicrosecondType,
};
use datafusion::common::Result;
use regex::Regex;

use crate::functions::cast::{Manner, changed};
use crate::functions::own::{Call, Planned, refused, wrong};
use crate::functions::time::{shift, to_instants};
use crate::sql::types::{UTC, map_of};

/// The longest array that is filled up with NULL.
const LENGTH_MAX: i64 = 10_000_000;

/// `array_insert(a, 1, x)` puts `x` first, `array_insert(a, -1, x)` last; gaps are NULL.
pub(super) fn array_insert(call: &Call) -> Result<ArrayRef> {
    let Some(list) = call.arguments[0].as_list_opt::<i32>() else {
        return wrong("array_insert takes an array");
    };
    let DataType::List(field) = list.data_type() else { return wrong("no array") };
    let (positions, item) =
        (call.arguments[1].as_primitive::<Int32Type>(), cast(&call.arguments[2], field.data_type())?);
    let none = new_null_array(field.data_type(), 1);
    let (mut picked, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let valid = list.is_valid(row) && positions.is_valid(row);
        let before = picked.len();
        if valid {
            let (length, position) = (i64::from(list.value_length(row)), i64::from(positions.value(row)));
            if position == 0 {
                return refused("INVALID_INDEX_OF_ZERO", "array_insert counts from 1, or from -1 at the end");
            }
            // Where the item stands among the others; below 0, NULL fills what is between.
            let place = if position > 0 { position - 1 } else { length + position + 1 };
            if place.abs() > LENGTH_MAX {
                return wrong(format!("array_insert: position {position} would make too long an array"));
            }
            let start = usize::try_from(list.value_offsets()[row]).unwrap_or(0);
            let old = |from: i64, to: i64| {
                (from..to).map(move |index| (0, start + usize::try_from(index).unwrap_or(0)))
            };
            picked.extend(old(0, place.clamp(0, length)));
            picked.extend((length..place).map(|_| (2, 0)));
            picked.push((1, row));
            picked.extend((place..0).map(|_| (2, 0)));
            picked.extend(old(place.clamp(0, length), length));
        }
        known.push(valid);
        lengths.push(picked.len() - before);
    }
    let values = interleave(&[list.values().as_ref(), item.as_ref(), none.as_ref()], &picked)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(NullBuffer::from(known)))?))
}

/// `sequence(from, to, INTERVAL 1 MONTH)`: each item is as many steps from the first one.
pub(super) fn calendar(call: &Call) -> Result<ArrayRef> {
    let DataType::List(field) = &call.gives else { return wrong("no array") };
    let steps = cast(&call.arguments[2], &DataType::Interval(IntervalUnit::MonthDayNano))?;
    let steps = steps.as_primitive::<IntervalMonthDayNanoType>();
    let zone = call.zone;
    let ends = [to_instants(&call.arguments[0], zone)?, to_instants(&call.arguments[1], zone)?];
    let [from, to] = ends.each_ref().map(AsArray::as_primitive::<TimestampMicrosecondType>);
    let (mut values, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let valid = from.is_valid(row) && to.is_valid(row) && steps.is_valid(row);
        let before = values.len();
        if valid {
            let (from, to, step) = (from.value(row), to.value(row), steps.value(row));
            let micros = i64::from(step.days) * 86_400_000_000 + step.nanoseconds / 1_000;
            let at = |count: i32| {
                let micros = micros.checked_mul(i64::from(count))?;
                shift(zone, from, step.months.checked_mul(count)?, micros)
            };
            let forward = at(1).is_some_and(|next| next > from);
            let beyond = |value: i64| if forward { value > to } else { value < to };
            let still = at(1) == Some(from);
            if from != to && (still || forward != (to > from)) {
                return wrong("sequence: the steps do not lead from the first value to the last");
            }
            let mut count = 0;
            while let Some(value) = at(count).filter(|value| !beyond(*value)) {
                values.push(value);
                count += 1;
                if still || i64::from(count) > LENGTH_MAX {
                    break;
                }
            }
        }
        known.push(valid);
        lengths.push(values.len() - before);
    }
    let values: ArrayRef = Arc::new(TimestampMicrosecondArray::from(values).with_timezone(UTC));
    let values = changed(&values, field.data_type(), Manner { forgiving: false, zone })?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(NullBuffer::from(known)))?))
}

pub(super) fn flatten_gives(planned: &Planned<'_>) -> Result<DataType> {
    match &planned.types[0] {
        DataType::List(item) if matches!(item.data_type(), DataType::List(_)) => Ok(item.data_type().clone()),
        _ => wrong("flatten takes an array of arrays"),
    }
}

/// NULL where one of the arrays is.
pub(super) fn flatten(call: &Call) -> Result<ArrayRef> {
    let outer = call.arguments[0].as_list::<i32>();
    let Some(inner) = outer.values().as_list_opt::<i32>() else { return wrong("no array of arrays") };
    let DataType::List(field) = &call.gives else { return wrong("no array") };
    let (mut places, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let lists = outer.value_offsets()[row]..outer.value_offsets()[row + 1];
        let lists: Vec<usize> = lists.filter_map(|list| usize::try_from(list).ok()).collect();
        let valid = outer.is_valid(row) && lists.iter().all(|list| inner.is_valid(*list));
        let before = places.len();
        for list in lists.into_iter().filter(|_| valid) {
            let items = inner.value_offsets()[list]..inner.value_offsets()[list + 1];
            places.extend(items.map(i32::cast_unsigned));
        }
        lengths.push(places.len() - before);
        known.push(valid);
    }
    let values = take(inner.values(), &UInt32Array::from(places), None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(NullBuffer::from(known)))?))
}

pub(super) fn str_to_map_gives(_: &Planned<'_>) -> Result<DataType> {
    Ok(map_of(DataType::Utf8, DataType::Utf8))
}

/// `str_to_map('a:1,b:2', ',', ':')`; both separators are regular expressions.
pub(super) fn str_to_map(call: &Call) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = &call.gives else { return wrong("no map") };
    let DataType::Struct(parts) = entries.data_type() else { return wrong("a map has entries") };
    let (mut keys, mut values): (Vec<String>, Vec<Option<String>>) = (Vec::new(), Vec::new());
    let (mut lengths, mut known) = (Vec::new(), Vec::new());
    let mut compiled: Option<([String; 2], [Regex; 2])> = None;
    for row in call.complete() {
        let before = keys.len();
        if let Some(row) = row {
            let written = [(1, ","), (2, ":")].map(|(argument, usual)| {
                if row.count() > argument { row.text(argument).to_owned() } else { usual.to_owned() }
            });
            if compiled.as_ref().is_none_or(|(known, _)| *known != written) {
                let regex = |text: &str| {
                    let reason = |error| format!("str_to_map: '{text}' is not understood: {error}");
                    Regex::new(text).or_else(|error| wrong(reason(error)))
                };
                compiled = Some((written.clone(), [regex(&written[0])?, regex(&written[1])?]));
            }
            let Some((_, [between, within])) = &compiled else { return wrong("no separators") };
            for pair in between.split(row.text(0)) {
                let mut sides = within.splitn(pair, 2);
                let key = sides.next().unwrap_or_default().to_owned();
                if keys[before..].contains(&key) {
                    return refused("DUPLICATED_MAP_KEY", &format!("str_to_map: the key {key} comes twice"));
                }
                keys.push(key);
                values.push(sides.next().map(str::to_owned));
            }
        }
        lengths.push(keys.len() - before);
        known.push(row.is_some());
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(StringArray::from(keys)), Arc::new(StringArray::from(values))];
    let pairs = StructArray::try_new(parts.clone(), columns, None)?;
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries),
        offsets,
        pairs,
        Some(NullBuffer::from(known)),
        false,
    )?))
}
