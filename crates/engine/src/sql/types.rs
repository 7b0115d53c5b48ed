//! Spark's type names to Arrow and back.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::SqlError;
use crate::sql::cursor::{Cursor, tokenize};

const KNOWN: &str = "a type: BOOLEAN, TINYINT, SMALLINT, INT, BIGINT, FLOAT, DOUBLE, STRING, BINARY, DATE, \
                     TIMESTAMP, TIMESTAMP_NTZ, DECIMAL(p, s), ARRAY<type>, MAP<type, type> or STRUCT<name: type, ...>";

/// The time zone of Spark's `TIMESTAMP`, an instant.
pub(crate) const UTC: &str = "UTC";

/// `name type [NOT NULL] [COMMENT 'text'], ...` up to the closing parenthesis.
pub(crate) fn columns(cursor: &mut Cursor<'_>) -> Result<Vec<FieldRef>, SqlError> {
    let mut columns: Vec<FieldRef> = Vec::new();
    loop {
        let column = cursor.name("the name of a column")?;
        if columns.iter().any(|known| known.name().eq_ignore_ascii_case(&column)) {
            return Err(cursor.error(format!("column {column} only once")));
        }
        if column.starts_with('_') && crate::source::metadata::is_reserved(&column) {
            return Err(
                cursor.error(format!("another name than {column}, which stands for the record's own"))
            );
        }
        let data_type = nested(cursor)?;
        let nullable = !cursor.accept_all(&["NOT", "NULL"]);
        if cursor.accept("COMMENT") {
            cursor.string("the comment in quotes")?;
        }
        columns.push(Arc::new(Field::new(column, data_type, nullable)));
        if !cursor.accept_token(&Token::Comma) {
            return Ok(columns);
        }
    }
}

/// A schema in a string: `a INT, b STRING`, or a type such as `STRUCT<a: INT>`.
pub(crate) fn schema_text(text: &str) -> Result<DataType, SqlError> {
    let tokens = tokenize(text)?;
    let mut cursor = Cursor::new(&tokens);
    if let Ok(whole) = nested(&mut cursor)
        && cursor.finish().is_ok()
    {
        return Ok(whole);
    }
    let mut cursor = Cursor::new(&tokens);
    let mut fields: Vec<Field> = Vec::new();
    loop {
        let name = cursor.name("the name of a field")?;
        cursor.accept_token(&Token::Colon);
        let data_type = nested(&mut cursor)?;
        cursor.accept_all(&["NOT", "NULL"]);
        if cursor.accept("COMMENT") {
            cursor.string("the comment in quotes")?;
        }
        // What a text holds may be missing, whatever the schema says.
        fields.push(Field::new(name, data_type, true));
        if !cursor.accept_token(&Token::Comma) {
            break;
        }
    }
    cursor.finish()?;
    Ok(DataType::Struct(Fields::from(fields)))
}

fn nested(cursor: &mut Cursor<'_>) -> Result<DataType, SqlError> {
    // `ARRAY<ARRAY<FLOAT>>` ends in one token that closes two levels.
    let mut half_closed = false;
    let parsed = parse(cursor, &mut half_closed)?;
    if half_closed { Err(cursor.error("one '>' less")) } else { Ok(parsed) }
}

fn parse(cursor: &mut Cursor<'_>, half_closed: &mut bool) -> Result<DataType, SqlError> {
    let Some(Token::Word(word)) = cursor.peek() else { return Err(cursor.error(KNOWN)) };
    let simple = match word.value.to_ascii_uppercase().as_str() {
        "BOOLEAN" => DataType::Boolean,
        "TINYINT" | "BYTE" => DataType::Int8,
        "SMALLINT" | "SHORT" => DataType::Int16,
        "INT" | "INTEGER" => DataType::Int32,
        "BIGINT" | "LONG" => DataType::Int64,
        "FLOAT" | "REAL" => DataType::Float32,
        "DOUBLE" => DataType::Float64,
        "STRING" => DataType::Utf8,
        "BINARY" => DataType::Binary,
        "DATE" => DataType::Date32,
        "TIMESTAMP" | "TIMESTAMP_LTZ" => DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into())),
        "TIMESTAMP_NTZ" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "ARRAY" => {
            cursor.take();
            let item = cursor.nested(|cursor| {
                cursor.expect_token(&Token::Lt)?;
                let item = parse(cursor, half_closed)?;
                close(cursor, half_closed)?;
                Ok(item)
            })?;
            return Ok(DataType::List(Arc::new(Field::new_list_field(item, true))));
        }
        "MAP" => {
            cursor.take();
            return cursor.nested(|cursor| map(cursor, half_closed));
        }
        "DECIMAL" | "DEC" | "NUMERIC" => {
            cursor.take();
            return decimal(cursor);
        }
        "STRUCT" => {
            cursor.take();
            return cursor.nested(|cursor| structure(cursor, half_closed));
        }
        _ => return Err(cursor.error(KNOWN)),
    };
    cursor.take();
    Ok(simple)
}

fn map(cursor: &mut Cursor<'_>, half_closed: &mut bool) -> Result<DataType, SqlError> {
    cursor.expect_token(&Token::Lt)?;
    let key = parse(cursor, half_closed)?;
    cursor.expect_token(&Token::Comma)?;
    let value = parse(cursor, half_closed)?;
    close(cursor, half_closed)?;
    Ok(map_of(key, value))
}

/// The type of a map, as Arrow and DataFusion spell its parts.
pub(crate) fn map_of(key: DataType, value: DataType) -> DataType {
    let entries = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries), false)), false)
}

/// `DECIMAL`, `DECIMAL(p)` or `DECIMAL(p, s)`; Spark's default is (10, 0).
fn decimal(cursor: &mut Cursor<'_>) -> Result<DataType, SqlError> {
    let (mut precision, mut scale) = (10, 0);
    if cursor.accept_token(&Token::LParen) {
        precision = digits(cursor, 38)?;
        if cursor.accept_token(&Token::Comma) {
            scale = digits(cursor, precision)?;
        }
        cursor.expect_token(&Token::RParen)?;
    }
    Ok(DataType::Decimal128(precision, i8::try_from(scale).unwrap_or(0)))
}

fn digits(cursor: &mut Cursor<'_>, max: u8) -> Result<u8, SqlError> {
    let number = match cursor.peek() {
        Some(Token::Number(text, _)) => text.parse().ok().filter(|number| *number <= max),
        _ => None,
    };
    let Some(number) = number else { return Err(cursor.error(format!("a number up to {max}"))) };
    cursor.take();
    Ok(number)
}

fn structure(cursor: &mut Cursor<'_>, half_closed: &mut bool) -> Result<DataType, SqlError> {
    cursor.expect_token(&Token::Lt)?;
    let mut fields = Vec::new();
    loop {
        let name = cursor.name("the name of a field")?;
        cursor.accept_token(&Token::Colon);
        fields.push(Field::new(name, parse(cursor, half_closed)?, true));
        if *half_closed || !cursor.accept_token(&Token::Comma) {
            break;
        }
    }
    close(cursor, half_closed)?;
    Ok(DataType::Struct(Fields::from(fields)))
}

fn close(cursor: &mut Cursor<'_>, half_closed: &mut bool) -> Result<(), SqlError> {
    if std::mem::take(half_closed) {
        return Ok(());
    }
    if cursor.accept_token(&Token::ShiftRight) {
        *half_closed = true;
        return Ok(());
    }
    cursor.expect_token(&Token::Gt)
}

/// The type in Spark's words.
pub(crate) fn type_name(data_type: &DataType) -> String {
    /// A field's name, in backquotes if it needs them.
    fn quoted(name: &str) -> std::borrow::Cow<'_, str> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        let number = name.bytes().all(|byte| byte.is_ascii_digit());
        match name.bytes().all(plain) && !number {
            true => name.into(),
            false => format!("`{}`", name.replace('`', "``")).into(),
        }
    }

    match data_type {
        DataType::Null => "VOID".to_owned(),
        DataType::Boolean => "BOOLEAN".to_owned(),
        DataType::Int8 => "TINYINT".to_owned(),
        DataType::Int16 | DataType::UInt8 => "SMALLINT".to_owned(),
        DataType::Int32 | DataType::UInt16 => "INT".to_owned(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "BIGINT".to_owned(),
        DataType::Float16 | DataType::Float32 => "FLOAT".to_owned(),
        DataType::Float64 => "DOUBLE".to_owned(),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "STRING".to_owned(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "BINARY".to_owned()
        }
        DataType::Date32 | DataType::Date64 => "DATE".to_owned(),
        DataType::Timestamp(_, Some(_)) => "TIMESTAMP".to_owned(),
        DataType::Timestamp(_, None) => "TIMESTAMP_NTZ".to_owned(),
        DataType::Decimal128(precision, scale) => format!("DECIMAL({precision},{scale})"),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            format!("ARRAY<{}>", type_name(item.data_type()))
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(parts) if parts.len() == 2 => {
                format!("MAP<{}, {}>", type_name(parts[0].data_type()), type_name(parts[1].data_type()))
            }
            _ => "MAP".to_owned(),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|f| format!("{}: {}", quoted(f.name()), type_name(f.data_type())))
                .collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => other.to_string().to_uppercase(),
    }
}
