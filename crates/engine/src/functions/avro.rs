//! `from_avro`, `to_avro` and `schema_of_avro`: values of Avro's binary form, without a header, as Spark reads and
//! writes them in the records of topics.

use std::sync::Arc;

use datafusion::arrow::array::builder::BinaryBuilder;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StructArray, new_null_array};
use datafusion::arrow::compute::take;
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef, UInt32Type};
use datafusion::common::Result;
use serde_json::{Value, json};

use crate::functions::own::{Call, Kind, Own, Planned, bytes, refused, text, wrong};
use crate::functions::schema::{Options, strings};
use crate::source::format::avro::{Avro, Behind, Framing};
use crate::sql::types::type_name;

pub(crate) mod schema;
mod write;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("from_avro", &[Kind::Any, Kind::Text, Kind::Any], from_avro_gives, from_avro).optional(1),
    Own::new("to_avro", &[Kind::Any, Kind::Text], bytes, to_avro).optional(1),
    Own::new("schema_of_avro", &[Kind::Text, Kind::Any], text, schema_of_avro).optional(1),
];

/// A value of any schema is the one field of a record: the bytes are the same.
const FIELD: &str = "value";

/// A reader of values of this schema.
fn reader(schema: &str) -> Result<Avro> {
    let inner: Value = serde_json::from_str(schema).or_else(|error| no_schema(schema, &error.to_string()))?;
    let record =
        json!({"type": "record", "name": "pelton_value", "fields": [{"name": FIELD, "type": inner}]});
    Avro::new(record.to_string(), Framing::Plain).or_else(|error| no_schema(schema, &error.to_string()))
}

fn no_schema<T>(schema: &str, reason: &str) -> Result<T> {
    refused("AVRO_INCORRECT_TYPE", &format!("this is no Avro schema: {schema}: {reason}"))
}

fn read_type(schema: &str) -> Result<DataType> {
    match reader(schema)?.columns().as_slice() {
        [field] => Ok(field.data_type().clone()),
        _ => {
            refused("UNSUPPORTED_FEATURE", &format!("no column can hold values of the Avro schema {schema}"))
        }
    }
}

fn from_avro_gives(planned: &Planned<'_>) -> Result<DataType> {
    match planned.constants.get(1).copied().flatten().and_then(|schema| schema.try_as_str().flatten()) {
        Some(schema) => read_type(schema),
        None => wrong("[DATATYPE_MISMATCH.NON_FOLDABLE_INPUT] from_avro: the schema is a text in quotes"),
    }
}

fn from_avro(call: &Call) -> Result<ArrayRef> {
    let values = &call.arguments[0];
    let Some(binary) = values.as_binary_opt::<i32>() else {
        return refused("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "from_avro takes BINARY");
    };
    let options = Options::read(call, 2)?;
    if options.get("avroSchema").is_some() {
        return refused("UNSUPPORTED_FEATURE", "from_avro with another schema to read by");
    }
    let permissive = options.get("mode").is_some_and(|mode| mode.eq_ignore_ascii_case("PERMISSIVE"));
    let schemas = strings(&call.arguments[1])?;
    let Some(schema) = schemas.iter().flatten().next() else {
        return Ok(new_null_array(&call.gives, call.rows));
    };
    let avro = reader(schema)?;
    let columns: SchemaRef = Arc::new(Schema::new(avro.columns()));
    let known: Vec<usize> = (0..binary.len()).filter(|row| binary.is_valid(*row)).collect();
    let found: Vec<&[u8]> = known.iter().map(|row| binary.value(*row)).collect();
    let all = avro.values(&columns, &found, Behind::Ignored);
    let (read, good) = match all {
        Ok(batch) => (Some(Arc::clone(batch.column(0))), vec![true; found.len()]),
        Err(_) if permissive => one_by_one(&avro, &columns, &found)?,
        Err(error) => {
            return refused("MALFORMED_AVRO_MESSAGE", &format!("a value is not of the schema: {error}"));
        }
    };
    placed(call, &known, read, &good)
}

/// Each value alone, and which of them are of the schema. A struct that is not becomes one of NULLs.
fn one_by_one(avro: &Avro, columns: &SchemaRef, values: &[&[u8]]) -> Result<(Option<ArrayRef>, Vec<bool>)> {
    let hollow = match columns.field(0).data_type() {
        DataType::Struct(fields) => {
            let nulls = fields.iter().map(|field| new_null_array(field.data_type(), 1)).collect();
            Some(Arc::new(StructArray::try_new(fields.clone(), nulls, None)?) as ArrayRef)
        }
        _ => None,
    };
    let one = |value: &&[u8]| {
        let read = avro.values(columns, std::slice::from_ref(value), Behind::Ignored);
        read.map_or_else(|_| hollow.clone(), |batch| Some(Arc::clone(batch.column(0))))
    };
    let read: Vec<Option<ArrayRef>> = values.iter().map(one).collect();
    let good = read.iter().map(Option::is_some).collect();
    let parts: Vec<&dyn Array> = read.iter().flatten().map(AsRef::as_ref).collect();
    let whole = (!parts.is_empty()).then(|| datafusion::arrow::compute::concat(&parts)).transpose()?;
    Ok((whole, good))
}

/// What was read, back at its rows.
fn placed(call: &Call, known: &[usize], read: Option<ArrayRef>, good: &[bool]) -> Result<ArrayRef> {
    let Some(read) = read else { return Ok(new_null_array(&call.gives, call.rows)) };
    let mut places: Vec<Option<u32>> = vec![None; call.rows];
    let read_rows = known.iter().zip(good).filter(|(_, good)| **good);
    for (next, (row, _)) in (0..).zip(read_rows) {
        places[*row] = Some(next);
    }
    let places: datafusion::arrow::array::PrimitiveArray<UInt32Type> = places.into_iter().collect();
    Ok(take(&read, &places, None)?)
}

fn to_avro(call: &Call) -> Result<ArrayRef> {
    let value = &call.arguments[0];
    let written = match call.arguments.get(1).map(strings).transpose()? {
        Some(schemas) => schemas.iter().flatten().next().map(str::to_owned),
        None => Some(schema::of(value.data_type(), true)?.to_string()),
    };
    let Some(written) = written else { return refused("AVRO_INCORRECT_TYPE", "the schema is NULL") };
    let parsed: Value =
        serde_json::from_str(&written).or_else(|error| no_schema(&written, &error.to_string()))?;
    let node = write::Node::new(&parsed, value.data_type())?;
    let mut rows = BinaryBuilder::new();
    let mut bytes = Vec::new();
    for row in 0..call.rows {
        if value.is_null(row) {
            rows.append_null();
            continue;
        }
        bytes.clear();
        node.write(value, row, &mut bytes)?;
        rows.append_value(&bytes);
    }
    Ok(Arc::new(rows.finish()))
}

fn schema_of_avro(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| {
        let avro = reader(row.text(0))?;
        Ok(avro.fields().first().map(|field| spelled(field.data_type())))
    })
}

/// The type in Spark's words, with the fields that are never NULL.
fn spelled(data_type: &DataType) -> String {
    match data_type {
        DataType::Struct(fields) => {
            let field = |field: &FieldRef| {
                let never = if field.is_nullable() { "" } else { " NOT NULL" };
                format!("{}: {}{never}", field.name(), spelled(field.data_type()))
            };
            format!("STRUCT<{}>", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        DataType::List(item) => format!("ARRAY<{}>", spelled(item.data_type())),
        other => type_name(other),
    }
}
