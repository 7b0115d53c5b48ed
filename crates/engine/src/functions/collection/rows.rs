//! What generators unnest: arrays and maps as arrays of what becomes a row.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int32Array, ListArray, StructArray, UInt32Array};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::Result;

use crate::functions::own::{Call, Planned, list_of, wrong};

/// The type of an entry: an array's item, or a map's key and value.
fn entry(given: &DataType) -> Result<DataType> {
    match given {
        DataType::List(item) => Ok(item.data_type().clone()),
        DataType::Map(entries, _) => match entries.data_type() {
            // A row that has no entry shows NULL for both.
            DataType::Struct(parts) => Ok(DataType::Struct(
                parts.iter().map(|part| part.as_ref().clone().with_nullable(true)).collect::<Fields>(),
            )),
            other => Ok(other.clone()),
        },
        _ => wrong("explode takes an array or a map"),
    }
}

pub(super) fn items_gives(planned: &Planned<'_>) -> Result<DataType> {
    Ok(list_of(entry(&planned.types[0])?))
}

pub(super) fn positioned_gives(planned: &Planned<'_>) -> Result<DataType> {
    let mut fields = vec![Field::new("pos", DataType::Int32, true)];
    match (&planned.types[0], entry(&planned.types[0])?) {
        (DataType::Map(..), DataType::Struct(parts)) => {
            fields.extend(parts.iter().map(|part| part.as_ref().clone()));
        }
        (_, item) => fields.push(Field::new("col", item, true)),
    }
    Ok(list_of(DataType::Struct(Fields::from(fields))))
}

/// The entries, for each row their number within it, and how many a row has.
struct Entries {
    values: ArrayRef,
    positions: Vec<Option<i32>>,
    lengths: Vec<usize>,
    known: Vec<bool>,
}

fn entries(call: &Call) -> Result<Entries> {
    let outer = call.name.ends_with("_outer");
    let given = &call.arguments[0];
    let (values, offsets): (ArrayRef, &[i32]) = match given.data_type() {
        DataType::List(_) => {
            let list = given.as_list::<i32>();
            (Arc::clone(list.values()), list.value_offsets())
        }
        DataType::Map(..) => {
            let map = given.as_map();
            let DataType::Struct(fields) = entry(given.data_type())? else {
                return wrong("a map has entries");
            };
            let pairs = StructArray::try_new(fields, map.entries().columns().to_vec(), None)?;
            (Arc::new(pairs), map.value_offsets())
        }
        _ => return wrong("explode takes an array or a map"),
    };
    let (mut chosen, mut positions, mut lengths, mut known) =
        (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for row in 0..call.rows {
        let range = if given.is_valid(row) { offsets[row]..offsets[row + 1] } else { 0..0 };
        let before = chosen.len();
        for (position, place) in range.enumerate() {
            chosen.push(u32::try_from(place).ok());
            positions.push(i32::try_from(position).ok());
        }
        if outer && chosen.len() == before {
            chosen.push(None);
            positions.push(None);
        }
        lengths.push(chosen.len() - before);
        known.push(outer || given.is_valid(row));
    }
    let values = take(&values, &UInt32Array::from(chosen), None)?;
    Ok(Entries { values, positions, lengths, known })
}

fn listed(gives: &DataType, items: ArrayRef, lengths: Vec<usize>, known: Vec<bool>) -> Result<ArrayRef> {
    let DataType::List(item) = gives else { return wrong("the answer is no array") };
    let offsets = OffsetBuffer::from_lengths(lengths);
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, Some(NullBuffer::from(known)))?))
}

pub(super) fn items(call: &Call) -> Result<ArrayRef> {
    let Entries { values, lengths, known, .. } = entries(call)?;
    listed(&call.gives, values, lengths, known)
}

pub(super) fn positioned(call: &Call) -> Result<ArrayRef> {
    let Entries { values, positions, lengths, known } = entries(call)?;
    let DataType::List(item) = &call.gives else { return wrong("the answer is no array") };
    let DataType::Struct(fields) = item.data_type() else { return wrong("the answer has no positions") };
    let mut columns: Vec<ArrayRef> = vec![Arc::new(Int32Array::from(positions))];
    match call.arguments[0].data_type() {
        DataType::Map(..) => {
            let pairs = values.as_struct();
            columns.extend(
                (0..pairs.num_columns())
                    .map(|place| super::field_of(pairs, place))
                    .collect::<Result<Vec<_>>>()?,
            );
        }
        _ => columns.push(values),
    }
    let items = StructArray::try_new(fields.clone(), columns, None)?;
    listed(&call.gives, Arc::new(items), lengths, known)
}

/// `zip_named('a', a, 'b', b)`: the structs that `arrays_zip` makes.
pub(super) fn zip_gives(planned: &Planned<'_>) -> Result<DataType> {
    let mut fields = Vec::new();
    for (pair, constants) in planned.types.chunks(2).zip(planned.constants.chunks(2)) {
        let name = constants[0].and_then(|constant| constant.try_as_str().flatten());
        match (name, pair.get(1)) {
            (Some(name), Some(DataType::List(item))) => {
                fields.push(Field::new(name, item.data_type().clone(), true));
            }
            _ => return wrong("arrays_zip takes arrays"),
        }
    }
    Ok(list_of(DataType::Struct(Fields::from(fields))))
}

pub(super) fn zip(call: &Call) -> Result<ArrayRef> {
    let lists: Vec<&ListArray> =
        call.arguments.iter().skip(1).step_by(2).map(AsArray::as_list::<i32>).collect();
    let (mut chosen, mut lengths, mut known) = (vec![Vec::new(); lists.len()], Vec::new(), Vec::new());
    for row in 0..call.rows {
        let valid = lists.iter().all(|list| list.is_valid(row));
        let longest = lists.iter().map(|list| list.value_length(row)).max().unwrap_or(0);
        let length = if valid { longest } else { 0 };
        for (list, chosen) in lists.iter().zip(&mut chosen) {
            let start = list.value_offsets()[row];
            let places = (0..length).map(|place| {
                (place < list.value_length(row)).then_some(u32::try_from(start + place).unwrap_or(0))
            });
            chosen.extend(places);
        }
        lengths.push(usize::try_from(length).unwrap_or(0));
        known.push(valid);
    }
    let columns =
        lists.iter().zip(chosen).map(|(list, chosen)| take(list.values(), &UInt32Array::from(chosen), None));
    let columns = columns.collect::<std::result::Result<Vec<_>, _>>()?;
    let DataType::List(item) = &call.gives else { return wrong("the answer is no array") };
    let DataType::Struct(fields) = item.data_type() else { return wrong("the answer has no fields") };
    let items = StructArray::try_new(fields.clone(), columns, None)?;
    listed(&call.gives, Arc::new(items), lengths, known)
}
