//! Types as `printSchema` prints them, and in the short form of `dtypes`.

use std::fmt::Write;

use datafusion::arrow::datatypes::{DataType, Field, IntervalUnit, Schema};

use crate::schema::noted;

/// The tree below `root`, down to `level` if there is one.
pub(crate) fn tree(schema: &Schema, level: Option<i32>) -> String {
    let mut text = "root\n".to_owned();
    for field in schema.fields() {
        branch(field, " |-- ", level.unwrap_or(i32::MAX), &mut text);
    }
    text
}

fn branch(field: &Field, prefix: &str, depth: i32, text: &mut String) {
    if depth <= 0 {
        return;
    }
    let (name, data_type, nullable) = (field.name(), field.data_type(), field.is_nullable());
    let _ = writeln!(text, "{prefix}{name}: {} (nullable = {nullable})", word(field));
    if noted::user_type(field).is_some() {
        return;
    }
    below(data_type, &format!(" |   {prefix}"), depth - 1, text);
}

fn below(data_type: &DataType, prefix: &str, depth: i32, text: &mut String) {
    if depth <= 0 {
        return;
    }
    let deeper = format!(" |   {prefix}");
    match data_type {
        DataType::Struct(fields) => fields.iter().for_each(|field| branch(field, prefix, depth, text)),
        DataType::List(item) => {
            let _ = writeln!(text, "{prefix}element: {} (containsNull = {})", word(item), item.is_nullable());
            if noted::user_type(item).is_none() {
                below(item.data_type(), &deeper, depth - 1, text);
            }
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(parts) = entries.data_type() else { return };
            let _ = writeln!(text, "{prefix}key: {}", word(&parts[0]));
            below(parts[0].data_type(), &deeper, depth - 1, text);
            let nullable = parts[1].is_nullable();
            let _ = writeln!(text, "{prefix}value: {} (valueContainsNull = {nullable})", word(&parts[1]));
            below(parts[1].data_type(), &deeper, depth - 1, text);
        }
        _ => {}
    }
}

/// The type's own name: `long`, `array`.
fn word(field: &Field) -> String {
    if let Some(user) = noted::user_type(field) {
        return user.word();
    }
    match field.data_type() {
        DataType::Null => "void".to_owned(),
        DataType::Int8 => "byte".to_owned(),
        DataType::Int16 => "short".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "long".to_owned(),
        DataType::Struct(_) => "struct".to_owned(),
        DataType::List(_) => "array".to_owned(),
        DataType::Map(..) => "map".to_owned(),
        other => short(other),
    }
}

/// As `dtypes` and `simpleString` write it: `bigint`, `array<string>`.
pub(crate) fn short(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "void".to_owned(),
        DataType::Interval(IntervalUnit::MonthDayNano) => "interval".to_owned(),
        DataType::Duration(_) => "interval day to second".to_owned(),
        DataType::Interval(_) => "interval year to month".to_owned(),
        DataType::List(item) => format!("array<{}>", short(item.data_type())),
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|field| format!("{}:{}", field.name(), short(field.data_type())));
            format!("struct<{}>", fields.collect::<Vec<_>>().join(","))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) => {
                format!("map<{},{}>", short(parts[0].data_type()), short(parts[1].data_type()))
            }
            _ => "map".to_owned(),
        },
        other => crate::schema::name(other).to_lowercase().replace(", ", ","),
    }
}
