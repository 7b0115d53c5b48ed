//! Functions of arrays where Spark's answers differ from DataFusion's.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Int64Array, ListArray, UInt32Array, new_empty_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{SortOptions, cast, concat, interleave, sort_to_indices, take};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;

use super::{more, same};
use crate::functions::own::{Call, Planned, list_of, refused, wrong};

fn list(call: &Call) -> Result<&ListArray> {
    match call.arguments[0].as_list_opt::<i32>() {
        Some(list) => Ok(list),
        None => wrong(format!("{} takes an array", call.name)),
    }
}

/// The rows of `list` made anew from what `choose` says of each, as places among its values.
fn chosen(
    list: &ListArray,
    mut choose: impl FnMut(usize, std::ops::Range<u32>) -> Result<Option<Vec<u32>>>,
) -> Result<ArrayRef> {
    let (mut places, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..list.len() {
        let range = list.value_offsets()[row].cast_unsigned()..list.value_offsets()[row + 1].cast_unsigned();
        let kept = if list.is_valid(row) { choose(row, range)? } else { None };
        known.push(kept.is_some());
        lengths.push(kept.as_ref().map_or(0, Vec::len));
        places.extend(kept.unwrap_or_default());
    }
    let values = take(list.values(), &UInt32Array::from(places), None)?;
    let DataType::List(item) = list.data_type() else { return wrong("no array") };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, Some(NullBuffer::from(known)))?))
}

fn sorted(call: &Call, options: impl Fn(usize) -> SortOptions) -> Result<ArrayRef> {
    let list = list(call)?;
    chosen(list, |row, range| {
        let items = list.value(row);
        let order = sort_to_indices(&items, Some(options(row)), None)?;
        Ok(Some(order.values().iter().map(|place| range.start + place).collect()))
    })
}

/// NULL first when rising, last when falling.
pub(super) fn sort_array(call: &Call) -> Result<ArrayRef> {
    let rising = call.arguments.get(1).map(AsArray::as_boolean);
    sorted(call, |row| {
        let descending = rising.is_some_and(|rising| rising.is_valid(row) && !rising.value(row));
        SortOptions { descending, nulls_first: !descending }
    })
}

/// Rising, NULL last.
pub(super) fn array_sort(call: &Call) -> Result<ArrayRef> {
    sorted(call, |_| SortOptions { descending: false, nulls_first: false })
}

/// The array and what is looked for in it, of one type.
fn sought(call: &Call) -> Result<(&ListArray, ArrayRef)> {
    let list = list(call)?;
    if call.name == "array_contains" && call.arguments[1].data_type().is_null() {
        return refused("DATATYPE_MISMATCH", "array_contains looks for a value, not for NULL");
    }
    Ok((list, cast(&call.arguments[1], list.values().data_type())?))
}

fn places(list: &ListArray, row: usize) -> std::ops::Range<usize> {
    let offsets = list.value_offsets();
    usize::try_from(offsets[row]).unwrap_or(0)..usize::try_from(offsets[row + 1]).unwrap_or(0)
}

/// NULL if the value is not there but might be one of the NULLs.
pub(super) fn array_contains(call: &Call) -> Result<ArrayRef> {
    let (list, wanted) = sought(call)?;
    let mut answers = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if list.is_null(row) || wanted.is_null(row) {
            answers.push(None);
            continue;
        }
        let mut answer = Some(false);
        for place in places(list, row) {
            if list.values().is_null(place) {
                answer = None;
            } else if same(list.values(), place, &wanted, row)? {
                answer = Some(true);
                break;
            }
        }
        answers.push(answer);
    }
    Ok(Arc::new(BooleanArray::from(answers)))
}

/// From 1; 0 where it is not.
pub(super) fn array_position(call: &Call) -> Result<ArrayRef> {
    let (list, wanted) = sought(call)?;
    let mut answers = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if list.is_null(row) || wanted.is_null(row) {
            answers.push(None);
            continue;
        }
        let mut answer = 0;
        for (number, place) in places(list, row).enumerate() {
            if list.values().is_valid(place) && same(list.values(), place, &wanted, row)? {
                answer = i64::try_from(number + 1).unwrap_or(i64::MAX);
                break;
            }
        }
        answers.push(Some(answer));
    }
    Ok(Arc::new(Int64Array::from(answers)))
}

pub(super) fn array_remove(call: &Call) -> Result<ArrayRef> {
    let (list, wanted) = sought(call)?;
    chosen(list, |row, range| {
        if wanted.is_null(row) {
            return Ok(None);
        }
        let mut kept = Vec::new();
        for place in range {
            let index = place as usize;
            if list.values().is_null(index) || !same(list.values(), index, &wanted, row)? {
                kept.push(place);
            }
        }
        Ok(Some(kept))
    })
}

/// Where an item is added.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum End {
    Front,
    Back,
}

pub(super) fn with_item(call: &Call, end: End) -> Result<ArrayRef> {
    let (list, item) = sought(call)?;
    let (mut picked, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = picked.len();
        if list.is_valid(row) {
            if end == End::Front {
                picked.push((1, row));
            }
            picked.extend(places(list, row).map(|place| (0, place)));
            if end == End::Back {
                picked.push((1, row));
            }
        }
        known.push(list.is_valid(row));
        lengths.push(picked.len() - before);
    }
    let values = interleave(&[list.values().as_ref(), item.as_ref()], &picked)?;
    let DataType::List(field) = list.data_type() else { return wrong("no array") };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(NullBuffer::from(known)))?))
}

/// NULL if nothing is shared, both have items, and one of them is NULL.
pub(super) fn arrays_overlap(call: &Call) -> Result<ArrayRef> {
    let one = list(call)?;
    let other = cast(&call.arguments[1], call.arguments[0].data_type())?;
    let other = other.as_list::<i32>();
    let mut answers = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if one.is_null(row) || other.is_null(row) {
            answers.push(None);
            continue;
        }
        let (mut shared, mut unknown) = (false, false);
        for place in places(one, row) {
            for against in places(other, row) {
                if one.values().is_null(place) || other.values().is_null(against) {
                    unknown = true;
                } else {
                    shared |= same(one.values(), place, other.values(), against)?;
                }
            }
        }
        answers.push(if shared || !unknown { Some(shared) } else { None });
    }
    Ok(Arc::new(BooleanArray::from(answers)))
}

pub(super) fn sequence_gives(planned: &Planned<'_>) -> Result<DataType> {
    match (&planned.types[0], &planned.types[1], planned.types.len()) {
        (one, other, _) if one.is_integer() && other.is_integer() => {
            Ok(list_of(if one == other { one.clone() } else { DataType::Int64 }))
        }
        (DataType::Date32, DataType::Date32, 2) => Ok(list_of(DataType::Date32)),
        (one, other, 3) if one.is_temporal() && one == other => Ok(list_of(one.clone())),
        _ => wrong("sequence takes whole numbers, two dates, or two dates or times and an interval"),
    }
}

pub(super) fn sequence(call: &Call) -> Result<ArrayRef> {
    let DataType::List(field) = &call.gives else { return wrong("no array") };
    let item = field.data_type();
    if item.is_temporal() && call.arguments.len() > 2 {
        return more::calendar(call);
    }
    let ends: Vec<ArrayRef> = call
        .arguments
        .iter()
        .map(|end| {
            cast(
                &cast(end, if item == &DataType::Date32 { &DataType::Int32 } else { &DataType::Int64 })?,
                &DataType::Int64,
            )
        })
        .collect::<std::result::Result<_, _>>()?;
    let ends: Vec<&Int64Array> = ends.iter().map(AsArray::as_primitive::<Int64Type>).collect();
    let (mut values, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = values.len();
        let valid = ends.iter().all(|end| end.is_valid(row));
        known.push(valid);
        if valid {
            let (start, stop) = (ends[0].value(row), ends[1].value(row));
            let step = ends.get(2).map_or(if stop >= start { 1 } else { -1 }, |step| step.value(row));
            let runs = (step > 0 && stop >= start) || (step < 0 && stop <= start) || start == stop;
            if !runs {
                return wrong(format!("sequence: from {start} no step of {step} leads to {stop}"));
            }
            let count = if step == 0 { 1 } else { (stop - start) / step + 1 };
            if count > 10_000_000 {
                return wrong(format!("sequence: {count} items are more than 10,000,000"));
            }
            values.extend((0..count).map(|number| start + number * step));
        }
        lengths.push(values.len() - before);
    }
    let values: ArrayRef = Arc::new(Int64Array::from(values));
    let between = if item == &DataType::Date32 { cast(&values, &DataType::Int32)? } else { values };
    let values = if between.is_empty() { new_empty_array(item) } else { cast(&between, item)? };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(NullBuffer::from(known)))?))
}

/// Arrays one behind the other.
pub(in crate::functions) fn joined(call: &Call) -> Result<ArrayRef> {
    let DataType::List(field) = &call.gives else { return wrong("no array") };
    let lists: Vec<ArrayRef> =
        call.arguments.iter().map(|list| cast(list, &call.gives)).collect::<std::result::Result<_, _>>()?;
    let (mut parts, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let valid = lists.iter().all(|list| list.is_valid(row));
        known.push(valid);
        let items: Vec<ArrayRef> =
            lists.iter().filter(|_| valid).map(|list| list.as_list::<i32>().value(row)).collect();
        lengths.push(items.iter().map(Array::len).sum());
        parts.extend(items);
    }
    let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
    let values = if parts.is_empty() { new_empty_array(field.data_type()) } else { concat(&parts)? };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, values, Some(NullBuffer::from(known)))?))
}

/// The array from its end.
pub(in crate::functions) fn backwards(call: &Call) -> Result<ArrayRef> {
    chosen(list(call)?, |_, range| Ok(Some(range.rev().collect())))
}
