//! JSON values of records to Arrow columns, in one pass: what a query does not ask for is stepped over.

mod column;
mod nested;
mod scalar;
mod text;
mod usual;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use jiter::{Jiter, JiterError, JiterErrorType, JsonErrorType};

use crate::source::format::json::nested::Object;
use crate::source::format::{batch, wrong};
use crate::source::records::Selected;

/// After so many records of a batch that are not in a usual form, and half of all, the others are not tried.
const UNUSUAL_MAX: usize = 8;

/// Reads records that hold a JSON object each. The last of several values of one name counts.
pub(super) fn read(columns: &SchemaRef, records: Selected<'_>) -> Result<RecordBatch, ArrowError> {
    read_by(columns, records, true)
}

/// Reads records; those in a usual form by looking at their bytes, if asked to.
fn read_by(
    columns: &SchemaRef,
    records: Selected<'_>,
    mut by_bytes: bool,
) -> Result<RecordBatch, ArrowError> {
    let mut rows = Object::new(columns.fields(), records.len())?;
    let (mut unescaped, mut unusual) = (Vec::new(), 0);
    for (number, value) in records.values().enumerate() {
        let value = value.ok_or_else(|| wrong("the value is null"))?;
        // What is stepped over has to be text too.
        if !value.is_ascii() {
            std::str::from_utf8(value)
                .map_err(|error| wrong(&format!("malformed JSON: not UTF-8: {error}")))?;
        }
        if by_bytes {
            if rows.usual_row(value) {
                continue;
            }
            unusual += 1;
            by_bytes = unusual <= UNUSUAL_MAX.max(number / 2);
        }
        if value.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
            return Err(wrong("the value is not a JSON object"));
        }
        let mut json = Jiter::with_tape(value, unescaped);
        json.peek().map_err(malformed)?;
        rows.row(&mut json)?;
        json.finish().map_err(malformed)?;
        unescaped = json.into_tape();
    }
    batch(columns, rows.finish()?, records.len())
}

/// What is no JSON.
fn malformed(error: JiterError) -> ArrowError {
    let at = error.index;
    let reason = match error.error_type {
        JiterErrorType::JsonError(
            JsonErrorType::EofWhileParsingList
            | JsonErrorType::EofWhileParsingObject
            | JsonErrorType::EofWhileParsingString
            | JsonErrorType::EofWhileParsingValue,
        ) => "the value ends too early".to_owned(),
        JiterErrorType::JsonError(JsonErrorType::TrailingCharacters) => {
            "something follows the object".to_owned()
        }
        other => format!("{other} at byte {at}"),
    };
    wrong(&format!("malformed JSON: {reason}"))
}

/// What is JSON, but nothing for a column of this type.
fn misfit(what: &str, wanted: &str) -> ArrowError {
    wrong(&format!("{what} is no {wanted}"))
}

#[cfg(test)]
mod tests;
