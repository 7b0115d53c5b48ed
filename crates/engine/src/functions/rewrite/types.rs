//! Types in Spark's words.

use datafusion::sql::sqlparser::ast::{ArrayElemTypeDef, DataType};

use crate::functions::schema;

/// The type as our own reader of types knows it; `None` for what it does not.
pub(super) fn spelled(data_type: &DataType) -> Option<String> {
    let text = spell(data_type)?;
    schema::parse(&text).ok().map(|_| text)
}

fn spell(data_type: &DataType) -> Option<String> {
    Some(match data_type {
        DataType::Array(ArrayElemTypeDef::AngleBracket(item)) => format!("ARRAY<{}>", spell(item)?),
        DataType::Map(key, value) => format!("MAP<{}, {}>", spell(key)?, spell(value)?),
        DataType::Struct(fields, _) => {
            let fields: Option<Vec<String>> = fields
                .iter()
                .map(|field| {
                    Some(format!("`{}`: {}", field.field_name.as_ref()?.value, spell(&field.field_type)?))
                })
                .collect();
            format!("STRUCT<{}>", fields?.join(", "))
        }
        DataType::Varchar(_) | DataType::Char(_) | DataType::Text => "STRING".to_owned(),
        simple => simple.to_string().to_uppercase(),
    })
}
