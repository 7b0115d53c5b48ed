//! The Avro schema that Spark writes a type with.

use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::Result;
use serde_json::{Value, json};

use crate::functions::own::refused;
use crate::sql::types::type_name;

/// The schema of a type; a value that may be NULL is a union whose first branch is the value.
///
/// # Errors
/// Avro has no such type.
pub(crate) fn of(data_type: &DataType, nullable: bool) -> Result<Value> {
    named(data_type, nullable, "topLevelRecord")
}

fn named(data_type: &DataType, nullable: bool, name: &str) -> Result<Value> {
    let schema = match data_type {
        DataType::Null => return Ok(json!("null")),
        DataType::Boolean => json!("boolean"),
        DataType::Int8 | DataType::Int16 | DataType::Int32 => json!("int"),
        DataType::Int64 => json!("long"),
        DataType::Float32 => json!("float"),
        DataType::Float64 => json!("double"),
        DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8 => json!("string"),
        DataType::Binary | DataType::BinaryView | DataType::LargeBinary => json!("bytes"),
        DataType::Date32 => json!({"type": "int", "logicalType": "date"}),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => {
            let local = if zone.is_some() { "" } else { "local-" };
            json!({"type": "long", "logicalType": format!("{local}timestamp-micros")})
        }
        DataType::Decimal128(precision, scale) => json!({
            "type": "fixed", "name": format!("{name}_fixed"), "size": bytes_of(*precision),
            "logicalType": "decimal", "precision": precision, "scale": scale,
        }),
        DataType::List(item) => {
            json!({"type": "array", "items": named(item.data_type(), item.is_nullable(), name)?})
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) if pair.len() == 2 && pair[0].data_type() == &DataType::Utf8 => {
                json!({"type": "map", "values": named(pair[1].data_type(), pair[1].is_nullable(), name)?})
            }
            _ => return unknown(data_type),
        },
        DataType::Struct(fields) => {
            let field = |field: &datafusion::arrow::datatypes::FieldRef| {
                let inner = format!("{name}_{}", field.name());
                let schema = named(field.data_type(), field.is_nullable(), &inner)?;
                Ok(json!({"name": field.name(), "type": schema}))
            };
            let fields = fields.iter().map(field).collect::<Result<Vec<_>>>()?;
            json!({"type": "record", "name": name, "fields": fields})
        }
        _ => return unknown(data_type),
    };
    Ok(if nullable { json!([schema, "null"]) } else { schema })
}

fn unknown<T>(data_type: &DataType) -> Result<T> {
    refused("AVRO_INCORRECT_TYPE", &format!("Avro has no type for {}", type_name(data_type)))
}

/// How many bytes hold every decimal of so many digits, with its sign.
pub(super) fn bytes_of(precision: u8) -> usize {
    (1..16).find(|bytes| precision <= digits_of(*bytes)).unwrap_or(16)
}

/// How many digits all fit into so many bytes.
fn digits_of(bytes: usize) -> u8 {
    let largest = (1_i128 << (8 * bytes - 1)) - 1;
    u8::try_from(largest.ilog10()).unwrap_or(u8::MAX)
}
