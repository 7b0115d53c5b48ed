//! Types as JSON, the notation of `StructType.json()`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use serde_json::{Value, json};

use crate::error::{Class, Result, SparkError};
use crate::schema::parse_type;
use crate::wire::types::{DataType as Message, DataTypeStructField, Kind};

/// Reads a type.
pub(crate) fn read(text: &str) -> Result<DataType> {
    let value: Value = serde_json::from_str(text).map_err(|error| wrong(&error.to_string()))?;
    of(&value)
}

fn of(value: &Value) -> Result<DataType> {
    if let Value::String(name) = value {
        return parse_type(match name.as_str() {
            "integer" => "INT",
            "long" => "BIGINT",
            "short" => "SMALLINT",
            "byte" => "TINYINT",
            other => other,
        });
    }
    let part = |name: &str| value.get(name).ok_or_else(|| wrong(&format!("no {name}")));
    match part("type")?.as_str() {
        Some("struct") => {
            let fields = part("fields")?.as_array().ok_or_else(|| wrong("fields is no list"))?;
            Ok(DataType::Struct(fields.iter().map(field).collect::<Result<_>>()?))
        }
        Some("array") => Ok(DataType::List(Arc::new(Field::new_list_field(of(part("elementType")?)?, true)))),
        Some("map") => Ok(engine::dataframe::map_type(of(part("keyType")?)?, of(part("valueType")?)?)),
        Some("udt") => of(part("sqlType")?),
        _ => Err(wrong("unknown type")),
    }
}

fn field(value: &Value) -> Result<Field> {
    let name = value.get("name").and_then(Value::as_str).ok_or_else(|| wrong("a field without name"))?;
    let data_type = of(value.get("type").ok_or_else(|| wrong("a field without type"))?)?;
    Ok(Field::new(name, data_type, value.get("nullable").and_then(Value::as_bool).unwrap_or(true)))
}

/// A row's type as PySpark reads it.
pub(crate) fn write_schema(schema: &Schema) -> Value {
    structure(schema.fields())
}

fn structure(fields: &Fields) -> Value {
    let field = |field: &Arc<Field>| {
        json!({
            "name": field.name(), "type": write(field.data_type()), "nullable": field.is_nullable(), "metadata": {},
        })
    };
    json!({"type": "struct", "fields": fields.iter().map(field).collect::<Vec<_>>()})
}

/// A declared type as PySpark reads it, with what it says of nulls inside.
pub(crate) fn declared(message: &Message) -> Result<Value> {
    let part = |part: &Option<Box<Message>>| match part {
        Some(part) => declared(part),
        None => Err(SparkError::missing("data_type")),
    };
    Ok(match &message.kind {
        Some(Kind::Array(array)) => {
            json!({"type": "array", "elementType": part(&array.element_type)?, "containsNull": array.contains_null})
        }
        Some(Kind::Map(map)) => json!({
            "type": "map", "keyType": part(&map.key_type)?, "valueType": part(&map.value_type)?,
            "valueContainsNull": map.value_contains_null,
        }),
        Some(Kind::Struct(whole)) => {
            let field = |field: &DataTypeStructField| {
                let kind = part(&field.data_type)?;
                Ok(json!({"name": field.name, "type": kind, "nullable": field.nullable, "metadata": {}}))
            };
            let fields = whole.fields.iter().map(field).collect::<Result<Vec<_>>>()?;
            json!({"type": "struct", "fields": fields})
        }
        _ => write(&crate::schema::message::read(message)?),
    })
}

/// A type as PySpark reads it.
pub(crate) fn write_type(data_type: &DataType) -> String {
    write(data_type).to_string()
}

fn write(data_type: &DataType) -> Value {
    match data_type {
        DataType::Struct(fields) => structure(fields),
        DataType::List(item) => {
            json!({"type": "array", "elementType": write(item.data_type()), "containsNull": true})
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(parts) = entries.data_type() else { return json!("void") };
            let (key, value) = (write(parts[0].data_type()), write(parts[1].data_type()));
            json!({"type": "map", "keyType": key, "valueType": value, "valueContainsNull": true})
        }
        DataType::Decimal128(precision, scale) => json!(format!("decimal({precision},{scale})")),
        DataType::Int8 => json!("byte"),
        DataType::Int16 => json!("short"),
        DataType::Int32 => json!("integer"),
        DataType::Int64 => json!("long"),
        DataType::Duration(_) => json!("interval day to second"),
        DataType::Null => json!("void"),
        other => json!(crate::schema::name(other).to_lowercase()),
    }
}

fn wrong(reason: &str) -> SparkError {
    let text = format!("Cannot parse the data type: {reason}.");
    SparkError::new(Class::Analysis, "INVALID_JSON_DATA_TYPE", "2203G", text)
}
