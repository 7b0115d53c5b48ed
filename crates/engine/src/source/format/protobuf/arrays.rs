//! Fields of messages as Arrow columns.

use std::borrow::Cow;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, Float32Array, Float64Array, Int32Array, Int64Array,
    ListArray, MapArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::datatypes::{DataType, FieldRef, Fields};
use datafusion::arrow::error::ArrowError;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, Value};

use crate::source::format::protobuf::{find, pair, wrong};
use crate::sql::types::UTC;

type Cell<'a> = Option<Cow<'a, Value>>;

/// Some fields of messages, each a column.
pub(super) fn fields(
    wanted: &Fields,
    descriptor: &MessageDescriptor,
    messages: &[Option<&DynamicMessage>],
    zeros: bool,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let column = |wanted: &FieldRef| {
        let field = find(descriptor, wanted.name())
            .ok_or_else(|| wrong(&format!("the message has no field {}", wanted.name())))?;
        let cells = messages.iter().map(|message| message.and_then(|message| cell(message, &field, zeros)));
        many(wanted.data_type(), &field, &cells.collect::<Vec<_>>(), zeros)
    };
    wanted.iter().map(column).collect()
}

/// A field's value; nothing if it is not there, but for lists and maps, which are empty then.
fn cell<'a>(message: &'a DynamicMessage, field: &FieldDescriptor, zeros: bool) -> Cell<'a> {
    let always = field.is_list() || field.is_map() || zeros && !field.supports_presence();
    (always || message.has_field(field)).then(|| message.get_field(field))
}

/// A column of a field that may be repeated.
fn many(
    data_type: &DataType,
    field: &FieldDescriptor,
    cells: &[Cell<'_>],
    zeros: bool,
) -> Result<ArrayRef, ArrowError> {
    match (data_type, pair(field)) {
        (DataType::Map(entries, ordered), Some((key, value))) => {
            let DataType::Struct(types) = entries.data_type() else { return Err(wrong("a map of no pairs")) };
            let (mut keys, mut values, mut lengths) = (Vec::new(), Vec::new(), Vec::new());
            for cell in cells {
                let map = cell.as_deref().and_then(Value::as_map);
                let mut pairs: Vec<_> = map.into_iter().flatten().collect();
                // A hash map gives them in any order; a batch that runs again must give the same.
                pairs.sort_by(|a, b| order(a.0).cmp(&order(b.0)));
                lengths.push(pairs.len());
                for (key, value) in pairs {
                    keys.push(Some(Cow::Owned(Value::from(key.clone()))));
                    values.push(Some(Cow::Borrowed(value)));
                }
            }
            let keys = one(types[0].data_type(), &key.kind(), &keys, zeros)?;
            let values = one(types[1].data_type(), &value.kind(), &values, zeros)?;
            let pairs = StructArray::try_new(types.clone(), vec![keys, values], None)?;
            let nulls = NullBuffer::from(cells.iter().map(Option::is_some).collect::<Vec<_>>());
            let offsets = OffsetBuffer::from_lengths(lengths);
            Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, Some(nulls), *ordered)?))
        }
        (DataType::List(item), None) => {
            let lists =
                || cells.iter().map(|cell| cell.as_deref().and_then(Value::as_list).unwrap_or_default());
            let offsets = OffsetBuffer::from_lengths(lists().map(<[Value]>::len));
            let values: Vec<_> = lists().flatten().map(|value| Some(Cow::Borrowed(value))).collect();
            let values = one(item.data_type(), &field.kind(), &values, zeros)?;
            let nulls = NullBuffer::from(cells.iter().map(Option::is_some).collect::<Vec<_>>());
            Ok(Arc::new(ListArray::try_new(Arc::clone(item), offsets, values, Some(nulls))?))
        }
        _ => one(data_type, &field.kind(), cells, zeros),
    }
}

/// A column of single values.
fn one(data_type: &DataType, kind: &Kind, cells: &[Cell<'_>], zeros: bool) -> Result<ArrayRef, ArrowError> {
    let values = cells.iter().map(Option::as_deref);
    Ok(match data_type {
        DataType::Boolean => {
            values.map(|value| value.and_then(Value::as_bool)).collect::<BooleanArray>().into_array()
        }
        DataType::Int32 => values.map(|value| value.and_then(small)).collect::<Int32Array>().into_array(),
        DataType::Int64 => values.map(|value| value.and_then(large)).collect::<Int64Array>().into_array(),
        DataType::Float32 => {
            values.map(|value| value.and_then(Value::as_f32)).collect::<Float32Array>().into_array()
        }
        DataType::Float64 => {
            values.map(|value| value.and_then(double)).collect::<Float64Array>().into_array()
        }
        DataType::Utf8 => values
            .map(|value| value.and_then(|value| text(kind, value)))
            .collect::<StringArray>()
            .into_array(),
        DataType::Binary => {
            let bytes = values.map(|value| value.and_then(Value::as_bytes).map(AsRef::<[u8]>::as_ref));
            bytes.collect::<BinaryArray>().into_array()
        }
        DataType::Timestamp(..) => {
            let micros = values.map(|value| value.and_then(Value::as_message).and_then(micros));
            micros.collect::<TimestampMicrosecondArray>().with_timezone(UTC).into_array()
        }
        DataType::Struct(types) => {
            let Kind::Message(message) = kind else { return Err(wrong("the field is no message")) };
            let messages: Vec<_> = values.map(|value| value.and_then(Value::as_message)).collect();
            let nulls = NullBuffer::from(messages.iter().map(Option::is_some).collect::<Vec<_>>());
            let arrays = fields(types, message, &messages, zeros)?;
            let length = messages.len();
            Arc::new(StructArray::try_new_with_length(types.clone(), arrays, Some(nulls), length)?)
        }
        other => return Err(wrong(&format!("no message holds {other}"))),
    })
}

trait IntoArray: Array + Sized + 'static {
    fn into_array(self) -> ArrayRef {
        Arc::new(self)
    }
}

impl<T: Array + Sized + 'static> IntoArray for T {}

fn small(value: &Value) -> Option<i32> {
    match value {
        Value::I32(number) | Value::EnumNumber(number) => Some(*number),
        _ => None,
    }
}

fn large(value: &Value) -> Option<i64> {
    match value {
        Value::I32(number) => Some(i64::from(*number)),
        Value::U32(number) => Some(i64::from(*number)),
        Value::I64(number) => Some(*number),
        // As Spark and every Java program: the same 64 bits.
        Value::U64(number) => Some(number.cast_signed()),
        _ => None,
    }
}

fn double(value: &Value) -> Option<f64> {
    match value {
        Value::F32(number) => Some(f64::from(*number)),
        Value::F64(number) => Some(*number),
        _ => None,
    }
}

/// An enum's value by its name, or by its number if the schema has no name for it.
fn text<'a>(kind: &Kind, value: &'a Value) -> Option<Cow<'a, str>> {
    match (kind, value) {
        (_, Value::String(text)) => Some(Cow::Borrowed(text)),
        (Kind::Enum(names), Value::EnumNumber(number)) => {
            let name = names.get_value(*number).map(|value| value.name().to_owned());
            Some(Cow::Owned(name.unwrap_or_else(|| number.to_string())))
        }
        _ => None,
    }
}

fn micros(timestamp: &DynamicMessage) -> Option<i64> {
    let part = |name: &str| timestamp.get_field_by_name(name).and_then(|value| large(&value));
    part("seconds")?.checked_mul(1_000_000)?.checked_add(part("nanos")? / 1_000)
}

fn order(key: &MapKey) -> (i128, &str) {
    match key {
        MapKey::Bool(key) => (i128::from(*key), ""),
        MapKey::I32(key) => (i128::from(*key), ""),
        MapKey::I64(key) => (i128::from(*key), ""),
        MapKey::U32(key) => (i128::from(*key), ""),
        MapKey::U64(key) => (i128::from(*key), ""),
        MapKey::String(key) => (0, key),
    }
}
