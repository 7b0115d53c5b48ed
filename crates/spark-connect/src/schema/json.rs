//! Types as JSON, the notation of `StructType.json()`.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use serde_json::{Value, json};

use crate::error::{Class, Result, SparkError};
use crate::schema::noted::{self, UserType};
use crate::schema::{message, parse_type};
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
        Some("array") => {
            let item = part("elementType")?;
            Ok(DataType::List(Arc::new(typed(Field::new_list_field(of(item)?, true), item))))
        }
        Some("map") => {
            let part = |name| part(name).and_then(|kind| Ok(typed(Field::new("", of(kind)?, true), kind)));
            Ok(message::map_of(&part("keyType")?, &part("valueType")?))
        }
        Some("udt") => of(part("sqlType")?),
        _ => Err(wrong("unknown type")),
    }
}

fn field(value: &Value) -> Result<Field> {
    let name = value.get("name").and_then(Value::as_str).ok_or_else(|| wrong("a field without name"))?;
    let kind = value.get("type").ok_or_else(|| wrong("a field without type"))?;
    let nullable = value.get("nullable").and_then(Value::as_bool).unwrap_or(true);
    let notes = value.get("metadata").map(Value::to_string);
    Ok(noted::with_notes(typed(Field::new(name, of(kind)?, nullable), kind), notes.as_deref()))
}

/// The field of a type that may be a script's own.
fn typed(field: Field, kind: &Value) -> Field {
    let is_own = kind.get("type").and_then(Value::as_str) == Some("udt");
    let user = is_own.then(|| UserType::read(kind));
    noted::typed(field, user.as_ref())
}

/// The field of the type that a text is, if that is a script's own.
pub(crate) fn user(text: &str, field: Field) -> Field {
    match serde_json::from_str::<Value>(text) {
        Ok(kind) => typed(field, &kind),
        Err(_) => field,
    }
}

/// A row's type as PySpark reads it.
pub(crate) fn write_schema(schema: &Schema) -> Value {
    structure(schema.fields())
}

fn structure(fields: &Fields) -> Value {
    let field = |field: &Arc<Field>| {
        json!({
            "name": field.name(), "type": write_typed(field), "nullable": field.is_nullable(),
            "metadata": noted::notes(field).and_then(|notes| serde_json::from_str(notes).ok()).unwrap_or_else(|| json!({})),
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
        Some(Kind::Udt(own)) => {
            let user = message::user_type(message).unwrap_or_default();
            user.json(part(&own.sql_type)?)
        }
        _ => write(&message::read(message)?),
    })
}

/// A type as PySpark reads it.
pub(crate) fn write_type(data_type: &DataType) -> String {
    write(data_type).to_string()
}

fn write_typed(field: &Field) -> Value {
    let made_of = write(field.data_type());
    match noted::user_type(field) {
        Some(user) => user.json(made_of),
        None => made_of,
    }
}

fn write(data_type: &DataType) -> Value {
    match data_type {
        DataType::Struct(fields) => structure(fields),
        DataType::List(item) => {
            json!({"type": "array", "elementType": write_typed(item), "containsNull": true})
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(parts) = entries.data_type() else { return json!("void") };
            let (key, value) = (write_typed(&parts[0]), write_typed(&parts[1]));
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
