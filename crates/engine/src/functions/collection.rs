//! Arrays, maps and structs.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, MapArray, StructArray, UInt32Array, new_null_array,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::{cast, interleave, take};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};

use crate::functions::own::{Call, Kind, Own, Planned, boolean, first, int, is_text, long, refused, wrong};
use crate::sql::types::type_name;

mod lists;
mod more;
mod rows;

pub(super) use lists::{backwards as reversed, joined};

const ANY: Kind = Kind::Any;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("subscript", &[ANY, ANY], element_gives, subscript),
    Own::new("element_at", &[ANY, ANY], element_gives, element_at),
    Own::new("try_element_at", &[ANY, ANY], element_gives, element_at),
    Own::new("get", &[ANY, ANY], element_gives, element_at),
    Own::new("part", &[ANY, Kind::Long], part_gives, part),
    Own::new("size", &[ANY], int, size).also(&["cardinality", "array_size"]),
    Own::new("items", &[ANY], rows::items_gives, rows::items),
    Own::new("items_outer", &[ANY], rows::items_gives, rows::items),
    Own::new("positioned", &[ANY], rows::positioned_gives, rows::positioned),
    Own::new("positioned_outer", &[ANY], rows::positioned_gives, rows::positioned),
    Own::new("sort_array", &[ANY, Kind::Boolean], first, lists::sort_array).optional(1),
    Own::new("array_sort", &[ANY], first, lists::array_sort),
    Own::new("array_contains", &[ANY, ANY], boolean, lists::array_contains),
    Own::new("array_position", &[ANY, ANY], long, lists::array_position),
    Own::new("array_remove", &[ANY, ANY], first, lists::array_remove),
    Own::new("array_append", &[ANY, ANY], first, |call| lists::with_item(call, lists::End::Back)),
    Own::new("array_prepend", &[ANY, ANY], first, |call| lists::with_item(call, lists::End::Front)),
    Own::new("array_insert", &[ANY, Kind::Int, ANY], first, more::array_insert),
    Own::new("flatten", &[ANY], more::flatten_gives, more::flatten),
    Own::new("str_to_map", &[Kind::Text, Kind::Text, Kind::Text], more::str_to_map_gives, more::str_to_map)
        .optional(2),
    Own::new("arrays_overlap", &[ANY, ANY], boolean, lists::arrays_overlap),
    Own::new("sequence", &[ANY, ANY, ANY], lists::sequence_gives, lists::sequence).optional(1),
    Own::new("zip_named", &[ANY], rows::zip_gives, rows::zip).variadic(),
    Own::new("map_contains_key", &[ANY, ANY], boolean, map_contains_key),
    Own::new("map_concat", &[ANY], first, map_concat).variadic(),
];

/// What an array, a map or a struct holds under a key.
fn element_gives(planned: &Planned<'_>) -> Result<DataType> {
    match &planned.types[0] {
        DataType::List(item) => Ok(item.data_type().clone()),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) => Ok(parts[1].data_type().clone()),
            _ => wrong("a map has keys and values"),
        },
        DataType::Struct(fields) => {
            let constant = planned.constants.get(1).copied().flatten();
            let name = constant.and_then(|constant| constant.try_as_str().flatten());
            let found =
                name.and_then(|name| fields.iter().find(|field| field.name().eq_ignore_ascii_case(name)));
            match found {
                Some(field) => Ok(field.data_type().clone()),
                None => {
                    let known: Vec<&str> = fields.iter().map(|field| field.name().as_str()).collect();
                    wrong(format!(
                        "no field {}; there are {}",
                        name.unwrap_or("of that name"),
                        known.join(", ")
                    ))
                }
            }
        }
        DataType::Null => Ok(DataType::Null),
        other => wrong(format!("{}: a value of {} has no parts", planned.name, type_name(other))),
    }
}

/// `a[0]`: arrays from 0, and what lies beyond is an error, as in Spark.
fn subscript(call: &Call) -> Result<ArrayRef> {
    match call.arguments[0].data_type() {
        DataType::List(_) => at(call, 0, true),
        _ => lookup(call),
    }
}

/// `element_at(a, 1)`: arrays from 1, or from -1 at the end.
fn element_at(call: &Call) -> Result<ArrayRef> {
    match call.arguments[0].data_type() {
        DataType::List(_) => at(call, i64::from(call.name != "get"), call.name == "element_at"),
        _ => lookup(call),
    }
}

fn at(call: &Call, base: i64, strict: bool) -> Result<ArrayRef> {
    let list = call.arguments[0].as_list::<i32>();
    let index = cast(&call.arguments[1], &DataType::Int64)?;
    let index = index.as_primitive::<Int64Type>();
    let mut chosen = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        if list.is_null(row) || index.is_null(row) {
            chosen.push(None);
            continue;
        }
        let (length, wanted) = (i64::from(list.value_length(row)), index.value(row));
        if base == 1 && wanted == 0 {
            return refused("INVALID_INDEX_OF_ZERO", "element_at counts arrays from 1");
        }
        let from_end = base == 1 && wanted < 0;
        let place = if from_end { length + wanted } else { wanted - base };
        if !(0..length).contains(&place) {
            if strict {
                let condition =
                    if base == 0 { "INVALID_ARRAY_INDEX" } else { "INVALID_ARRAY_INDEX_IN_ELEMENT_AT" };
                let reason = format!(
                    "the index {wanted} is out of an array of {length}; get() and try_element_at() answer NULL instead"
                );
                return refused(condition, &reason);
            }
            chosen.push(None);
            continue;
        }
        chosen.push(u32::try_from(i64::from(list.value_offsets()[row]) + place).ok());
    }
    Ok(take(list.values(), &UInt32Array::from(chosen), None)?)
}

fn lookup(call: &Call) -> Result<ArrayRef> {
    let holder = &call.arguments[0];
    match holder.data_type() {
        DataType::Map(..) => {
            let map = holder.as_map();
            let found = keys_at(map, &call.arguments[1])?;
            Ok(take(map.values(), &UInt32Array::from(found), None)?)
        }
        DataType::Struct(fields) => {
            let name = ScalarValue::try_from_array(&call.arguments[1], 0)?;
            let name = name.try_as_str().flatten().unwrap_or_default();
            let place = fields.iter().position(|field| field.name().eq_ignore_ascii_case(name));
            field_of(holder.as_struct(), place.unwrap_or(usize::MAX))
        }
        _ => Ok(new_null_array(&call.gives, call.rows)),
    }
}

/// For each row, where its key lies among the map's entries.
fn keys_at(map: &MapArray, wanted: &ArrayRef) -> Result<Vec<Option<u32>>> {
    let wanted = cast(wanted, map.keys().data_type())?;
    let offsets = map.value_offsets();
    let mut found = Vec::with_capacity(map.len());
    for row in 0..map.len() {
        let entries = offsets[row]..offsets[row + 1];
        let mut place = None;
        if map.is_valid(row) && wanted.is_valid(row) {
            for entry in entries {
                let index = usize::try_from(entry).unwrap_or(0);
                if same(map.keys(), index, &wanted, row)? {
                    place = u32::try_from(entry).ok();
                }
            }
        }
        found.push(place);
    }
    Ok(found)
}

/// Whether two values are equal.
fn same(one: &ArrayRef, index: usize, other: &ArrayRef, at: usize) -> Result<bool> {
    if is_text(one.data_type()) && one.data_type() == other.data_type() && *one.data_type() == DataType::Utf8
    {
        return Ok(one.as_string::<i32>().value(index) == other.as_string::<i32>().value(at));
    }
    Ok(ScalarValue::try_from_array(one, index)? == ScalarValue::try_from_array(other, at)?)
}

/// A field, NULL where the struct is.
fn field_of(holder: &StructArray, place: usize) -> Result<ArrayRef> {
    let Some(column) = holder.columns().get(place) else { return wrong("no such field") };
    if holder.null_count() == 0 {
        return Ok(Arc::clone(column));
    }
    let rows = (0..holder.len()).map(|row| holder.is_valid(row).then_some(u32::try_from(row).unwrap_or(0)));
    Ok(take(column, &rows.collect::<UInt32Array>(), None)?)
}

fn part_gives(planned: &Planned<'_>) -> Result<DataType> {
    let place = planned.constants.get(1).copied().flatten().and_then(|place| match place {
        ScalarValue::Int64(Some(place)) => usize::try_from(*place).ok(),
        _ => None,
    });
    match (&planned.types[0], place) {
        (DataType::Struct(fields), Some(place)) if place < fields.len() => {
            Ok(fields[place].data_type().clone())
        }
        (DataType::Struct(fields), _) => wrong(format!("there are only {} columns to name", fields.len())),
        _ => wrong("there is only one column to name"),
    }
}

fn part(call: &Call) -> Result<ArrayRef> {
    let place = call.arguments[1].as_primitive::<Int64Type>().value(0);
    field_of(call.arguments[0].as_struct(), usize::try_from(place).unwrap_or(usize::MAX))
}

fn size(call: &Call) -> Result<ArrayRef> {
    let sizes: Int32Array = match call.arguments[0].data_type() {
        DataType::List(_) => {
            let list = call.arguments[0].as_list::<i32>();
            (0..call.rows).map(|row| list.is_valid(row).then(|| list.value_length(row))).collect()
        }
        DataType::Map(..) => {
            let map = call.arguments[0].as_map();
            (0..call.rows).map(|row| map.is_valid(row).then(|| map.value_length(row))).collect()
        }
        DataType::Null => Int32Array::new_null(call.rows),
        other => return wrong(format!("size takes an array or a map, not {}", type_name(other))),
    };
    Ok(Arc::new(sizes))
}

fn map_contains_key(call: &Call) -> Result<ArrayRef> {
    let Some(map) = call.arguments[0].as_map_opt() else { return wrong("map_contains_key takes a map") };
    let found = keys_at(map, &call.arguments[1])?;
    let answers = found.iter().enumerate().map(|(row, place)| map.is_valid(row).then_some(place.is_some()));
    Ok(Arc::new(answers.collect::<datafusion::arrow::array::BooleanArray>()))
}

/// The entries of all maps; a key that two of them have is an error, as in Spark.
fn map_concat(call: &Call) -> Result<ArrayRef> {
    let DataType::Map(entries, _) = &call.gives else { return wrong("map_concat takes maps") };
    let maps: Vec<ArrayRef> =
        call.arguments.iter().map(|map| Ok(cast(map, &call.gives)?)).collect::<Result<_>>()?;
    let all: Vec<&dyn Array> = maps.iter().map(|map| map.as_map().entries() as &dyn Array).collect();
    let (mut chosen, mut lengths, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let before = chosen.len();
        let valid = maps.iter().all(|map| map.is_valid(row));
        known.push(valid);
        for (number, map) in maps.iter().enumerate().filter(|_| valid) {
            let offsets = map.as_map().value_offsets();
            chosen.extend(
                (offsets[row]..offsets[row + 1]).map(|entry| (number, usize::try_from(entry).unwrap_or(0))),
            );
        }
        let mut keys = std::collections::BTreeSet::new();
        for (number, entry) in &chosen[before..] {
            let key = ScalarValue::try_from_array(maps[*number].as_map().keys(), *entry)?.to_string();
            if !keys.insert(key.clone()) {
                return refused("DUPLICATED_MAP_KEY", &format!("map_concat: the key {key} comes twice"));
            }
        }
        lengths.push(chosen.len() - before);
    }
    let pairs = interleave(&all, &chosen)?.as_struct().clone();
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(MapArray::try_new(
        Arc::clone(entries),
        offsets,
        pairs,
        Some(NullBuffer::from(known)),
        false,
    )?))
}
