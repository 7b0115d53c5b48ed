//! Values in Avro's binary form.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;
use serde_json::Value;

use crate::functions::own::refused;
use crate::sql::types::type_name;

/// How a value of one type is written.
pub(super) enum Node {
    Null,
    Boolean,
    /// `int` and `long`, which are written alike; in units of so many microseconds if it is a time.
    Whole(i64),
    Float,
    Double,
    Text,
    Bytes,
    /// Exactly so many bytes.
    Fixed(usize),
    Symbols(Vec<String>),
    /// A decimal of so many bytes, or of as many as it takes.
    Decimal(Option<usize>),
    List(Box<Node>),
    Map(Box<Node>),
    /// Each field with its place in the struct.
    Record(Vec<(usize, Node)>),
    /// The branches of NULL and of the value.
    Union(i64, i64, Box<Node>),
}

impl Node {
    /// # Errors
    /// The schema is none, or does not take values of this type.
    pub(super) fn new(schema: &Value, given: &DataType) -> Result<Self> {
        if let Value::Array(branches) = schema {
            return Self::union(branches, given);
        }
        let (kind, logical) = match schema {
            Value::String(kind) => (kind.as_str(), ""),
            Value::Object(whole) => match whole.get("type") {
                Some(Value::String(kind)) => {
                    (kind.as_str(), whole.get("logicalType").and_then(Value::as_str).unwrap_or_default())
                }
                Some(inner) => return Self::new(inner, given),
                None => return misfit(schema, given),
            },
            _ => return misfit(schema, given),
        };
        Ok(match (kind, given) {
            ("null", DataType::Null) => Node::Null,
            ("boolean", DataType::Boolean) => Node::Boolean,
            ("int", DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::Date32) => Node::Whole(1),
            ("long", DataType::Int64 | DataType::Int32 | DataType::Int16 | DataType::Int8) => Node::Whole(1),
            ("long", DataType::Timestamp(..)) => {
                Node::Whole(if logical.ends_with("micros") { 1 } else { 1000 })
            }
            ("float", DataType::Float32) => Node::Float,
            ("double", DataType::Float64 | DataType::Float32) => Node::Double,
            ("string", DataType::Utf8) => Node::Text,
            ("bytes", DataType::Binary) => Node::Bytes,
            ("fixed", DataType::Binary) => Node::Fixed(size(schema)),
            ("enum", DataType::Utf8) => Node::Symbols(symbols(schema)),
            ("bytes", DataType::Decimal128(..)) => Node::Decimal(None),
            ("fixed", DataType::Decimal128(..)) => Node::Decimal(Some(size(schema))),
            ("array", DataType::List(item)) => {
                Node::List(Box::new(Self::new(part(schema, "items", given)?, item.data_type())?))
            }
            ("map", DataType::Map(entries, _)) => match entries.data_type() {
                DataType::Struct(pair) if pair.len() == 2 => {
                    Node::Map(Box::new(Self::new(part(schema, "values", given)?, pair[1].data_type())?))
                }
                _ => return misfit(schema, given),
            },
            ("record", DataType::Struct(_)) => Self::record(schema, given)?,
            _ => return misfit(schema, given),
        })
    }

    fn union(branches: &[Value], given: &DataType) -> Result<Self> {
        let null = branches.iter().position(|branch| branch.as_str() == Some("null"));
        let value = branches.iter().enumerate().find_map(|(place, branch)| {
            (Some(place) != null).then(|| Self::new(branch, given).ok().map(|node| (place, node)))?
        });
        match (null, value) {
            (Some(null), Some((place, node))) => Ok(Node::Union(null as i64, place as i64, Box::new(node))),
            (None, Some((place, node))) => Ok(Node::Union(-1, place as i64, Box::new(node))),
            _ => misfit(&Value::Array(branches.to_vec()), given),
        }
    }

    fn record(schema: &Value, given: &DataType) -> Result<Self> {
        let (DataType::Struct(columns), Value::Array(fields)) = (given, part(schema, "fields", given)?)
        else {
            return misfit(schema, given);
        };
        let mut nodes = Vec::new();
        for field in fields {
            let name = field.get("name").and_then(Value::as_str).unwrap_or_default();
            let place = columns.iter().position(|column| column.name().eq_ignore_ascii_case(name));
            let Some(place) = place else {
                return refused("AVRO_INCORRECT_TYPE", &format!("the struct has no field {name}"));
            };
            nodes.push((place, Self::new(part(field, "type", given)?, columns[place].data_type())?));
        }
        if nodes.len() < columns.len() {
            return refused("AVRO_INCORRECT_TYPE", "the struct has fields that the schema has not");
        }
        Ok(Node::Record(nodes))
    }

    /// Appends a row's value.
    ///
    /// # Errors
    /// It is NULL where the schema has none, or no symbol of the schema's.
    pub(super) fn write(&self, array: &ArrayRef, row: usize, bytes: &mut Vec<u8>) -> Result<()> {
        if let Node::Union(null, value, node) = self {
            if array.is_null(row) && *null >= 0 {
                whole(*null, bytes);
                return Ok(());
            }
            whole(*value, bytes);
            return node.write(array, row, bytes);
        }
        if array.is_null(row) && !matches!(self, Node::Null) {
            return refused("AVRO_INCORRECT_TYPE", "a value is NULL, and the schema has no NULL there");
        }
        match self {
            Node::Null | Node::Union(..) => {}
            Node::Boolean => bytes.push(u8::from(array.as_boolean().value(row))),
            Node::Whole(unit) => whole(number(array, row)?.div_euclid(*unit), bytes),
            Node::Float => bytes.extend(array.as_primitive::<Float32Type>().value(row).to_le_bytes()),
            Node::Double => {
                let wide = cast(&array.slice(row, 1), &DataType::Float64)?;
                bytes.extend(wide.as_primitive::<Float64Type>().value(0).to_le_bytes());
            }
            Node::Text => piece(array.as_string::<i32>().value(row).as_bytes(), bytes),
            Node::Bytes => piece(array.as_binary::<i32>().value(row), bytes),
            Node::Fixed(size) => match array.as_binary::<i32>().value(row) {
                value if value.len() == *size => bytes.extend_from_slice(value),
                _ => return refused("AVRO_INCORRECT_TYPE", &format!("a value has not {size} bytes")),
            },
            Node::Symbols(symbols) => symbol(symbols, array.as_string::<i32>().value(row), bytes)?,
            Node::Decimal(size) => decimal(array.as_primitive::<Decimal128Type>().value(row), *size, bytes),
            Node::List(item) => {
                let items = array.as_list::<i32>().value(row);
                block(items.len(), bytes);
                (0..items.len()).try_for_each(|at| item.write(&items, at, bytes))?;
                end(bytes);
            }
            Node::Map(value) => {
                let pairs = array.as_map().value(row);
                let (keys, values) = (pairs.column(0).as_string::<i32>(), pairs.column(1));
                block(pairs.len(), bytes);
                for at in 0..pairs.len() {
                    piece(keys.value(at).as_bytes(), bytes);
                    value.write(values, at, bytes)?;
                }
                end(bytes);
            }
            Node::Record(fields) => {
                let columns = array.as_struct();
                for (place, node) in fields {
                    node.write(columns.column(*place), row, bytes)?;
                }
            }
        }
        Ok(())
    }
}

fn part<'s>(schema: &'s Value, name: &str, given: &DataType) -> Result<&'s Value> {
    schema.get(name).map_or_else(|| misfit(schema, given), Ok)
}

fn size(schema: &Value) -> usize {
    schema.get("size").and_then(Value::as_u64).map_or(0, |size| size as usize)
}

fn symbols(schema: &Value) -> Vec<String> {
    let symbols = schema.get("symbols").and_then(Value::as_array);
    symbols.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
}

fn misfit<T>(schema: &Value, given: &DataType) -> Result<T> {
    let reason = format!("the Avro schema {schema} does not take {}", type_name(given));
    refused("AVRO_INCORRECT_TYPE", &reason)
}

fn number(array: &ArrayRef, row: usize) -> Result<i64> {
    let one = array.slice(row, 1);
    Ok(match array.data_type() {
        DataType::Timestamp(..) => one.as_primitive::<TimestampMicrosecondType>().value(0),
        DataType::Date32 => {
            cast(&cast(&one, &DataType::Int32)?, &DataType::Int64)?.as_primitive::<Int64Type>().value(0)
        }
        _ => cast(&one, &DataType::Int64)?.as_primitive::<Int64Type>().value(0),
    })
}

/// Zigzag, then seven bits to a byte.
fn whole(value: i64, bytes: &mut Vec<u8>) {
    let mut rest = ((value << 1) ^ (value >> 63)).cast_unsigned();
    while rest >= 0x80 {
        bytes.push((rest & 0x7f) as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn piece(value: &[u8], bytes: &mut Vec<u8>) {
    whole(value.len() as i64, bytes);
    bytes.extend_from_slice(value);
}

fn block(count: usize, bytes: &mut Vec<u8>) {
    if count > 0 {
        whole(count as i64, bytes);
    }
}

/// The end of the blocks: one of no items.
fn end(bytes: &mut Vec<u8>) {
    bytes.push(0);
}

fn symbol(symbols: &[String], value: &str, bytes: &mut Vec<u8>) -> Result<()> {
    match symbols.iter().position(|symbol| symbol == value) {
        Some(place) => {
            whole(place as i64, bytes);
            Ok(())
        }
        None => refused("AVRO_INCORRECT_TYPE", &format!("{value} is no symbol of the schema's")),
    }
}

/// The largest byte first, with the sign.
fn decimal(value: i128, size: Option<usize>, bytes: &mut Vec<u8>) {
    let all = value.to_be_bytes();
    match size {
        Some(size) if size <= all.len() => bytes.extend_from_slice(&all[all.len() - size..]),
        Some(size) => {
            let sign = if value < 0 { 0xff } else { 0 };
            bytes.resize(bytes.len() + size - all.len(), sign);
            bytes.extend_from_slice(&all);
        }
        None => {
            let spare = |at: &usize| {
                let sign = if value < 0 { 0xff } else { 0 };
                all[*at] == sign && (all[at + 1] & 0x80) == (sign & 0x80)
            };
            let start = (0..all.len() - 1).take_while(spare).count();
            piece(&all[start..], bytes);
        }
    }
}
