//! JSON in strings: looking into it, reading it into columns, writing it.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::builder::{ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::{DataType, Int32Type};
use datafusion::common::Result;

use crate::functions::own::{Call, Kind, Own, Planned, int, text, texts, wrong};
use crate::functions::schema;

mod path;
mod read;
pub(super) mod records;
mod shape;
pub(super) mod value;
pub(super) mod write;

use value::Json;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("get_json_object", &[Kind::Text, Kind::Text], text, get_json_object),
    Own::new("json_array_length", &[Kind::Text], int, json_array_length),
    Own::new("json_object_keys", &[Kind::Text], texts, json_object_keys),
    Own::new("from_json", &[Kind::Text, Kind::Text, Kind::Any], from_json_gives, read::from_json).optional(1),
    Own::new("to_json", &[Kind::Any, Kind::Any], to_json_gives, write::to_json).optional(1),
    Own::new("schema_of_json", &[Kind::Text, Kind::Any], text, schema_of_json).optional(1),
    Own::new("json_tuple", &[Kind::Text, Kind::Text], json_tuple_gives, json_tuple).variadic(),
];

fn get_json_object(call: &Call) -> Result<ArrayRef> {
    let mut known: Option<(String, Option<path::Path>)> = None;
    call.texts(|row| {
        let written = row.text(1);
        if known.as_ref().is_none_or(|(text, _)| text != written) {
            known = Some((written.to_owned(), path::parse(written)));
        }
        let path = known.as_ref().and_then(|(_, path)| path.as_ref());
        let found = path.and_then(|path| path::find(&value::parse(row.text(0))?, path));
        Ok(found)
    })
}

fn json_array_length(call: &Call) -> Result<ArrayRef> {
    call.numbers::<Int32Type>(|row| {
        Ok(match value::parse(row.text(0)) {
            Some(Json::List(items)) => i32::try_from(items.len()).ok(),
            _ => None,
        })
    })
}

fn json_object_keys(call: &Call) -> Result<ArrayRef> {
    let mut keys = ListBuilder::new(StringBuilder::new());
    for row in call.complete() {
        match row.and_then(|row| value::parse(row.text(0))) {
            Some(Json::Object(fields)) => keys.append_value(fields.iter().map(|(name, _)| Some(name))),
            _ => keys.append_null(),
        }
    }
    Ok(Arc::new(keys.finish()))
}

fn from_json_gives(planned: &Planned<'_>) -> Result<DataType> {
    schema::planned(planned)
}

fn to_json_gives(planned: &Planned<'_>) -> Result<DataType> {
    match planned.types.first() {
        Some(given) if given.is_nested() => Ok(DataType::Utf8),
        _ => wrong("to_json takes a struct, an array or a map"),
    }
}

fn schema_of_json(call: &Call) -> Result<ArrayRef> {
    let options = schema::Options::read(call, 1)?;
    let texts = options.is_true("primitivesAsString");
    let zeros = options.is_true("allowNumericLeadingZeros");
    call.texts(|row| match shaped(row.text(0), texts, zeros) {
        None => wrong("schema_of_json: the text is not JSON"),
        schema => Ok(schema),
    })
}

/// The schema of an example, in Spark's words.
pub(super) fn schema_of(example: &str) -> Option<String> {
    shaped(example, false, false)
}

/// The schema of an example, in Spark's words; with `texts` every plain value is a text, and with `zeros` numbers may
/// begin with them.
fn shaped(example: &str, texts: bool, zeros: bool) -> Option<String> {
    let trimmed = zeros.then(|| without_zeros(example));
    let json = value::parse(trimmed.as_deref().unwrap_or(example))?;
    Some(shape::name(&shape::of(&json, shape::Hints { texts, ..shape::Hints::default() })))
}

/// JSON whose numbers do not begin with zeros that say nothing.
fn without_zeros(json: &str) -> String {
    let (mut out, mut quoted) = (String::with_capacity(json.len()), false);
    let mut rest = json.chars().peekable();
    while let Some(character) = rest.next() {
        let begins = !quoted && !out.ends_with(|before: char| before.is_ascii_digit() || before == '.');
        if begins && character == '0' && rest.peek().is_some_and(char::is_ascii_digit) {
            continue;
        }
        out.push(character);
        match character {
            '\\' if quoted => out.extend(rest.next()),
            '"' => quoted = !quoted,
            _ => {}
        }
    }
    out
}

/// The fields under Spark's names for them.
fn json_tuple_gives(planned: &Planned<'_>) -> Result<DataType> {
    Ok(schema::numbered(planned.types.len().saturating_sub(1)))
}

fn json_tuple(call: &Call) -> Result<ArrayRef> {
    let count = call.arguments.len() - 1;
    let mut columns: Vec<StringBuilder> = (0..count).map(|_| StringBuilder::new()).collect();
    for index in 0..call.rows {
        let row = call.row(index);
        let json = if row.is_null(0) { None } else { value::parse(row.text(0)) };
        for (field, column) in columns.iter_mut().enumerate() {
            let name = (!row.is_null(field + 1)).then(|| row.text(field + 1));
            let found = name.and_then(|name| json.as_ref()?.field(name));
            column.append_option(found.filter(|value| **value != Json::Null).map(Json::shown));
        }
    }
    let columns = columns.iter_mut().map(|column| Arc::new(column.finish()) as ArrayRef).collect();
    schema::structure(&call.gives, columns, None)
}
