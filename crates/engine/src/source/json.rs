//! JSON values of records to Arrow columns.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::Decoder;

use crate::source::SourceRecord;

/// Reads records that hold a JSON object each.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct JsonDecoder;

impl JsonDecoder {
    /// The rows of some of the records.
    pub(crate) fn read(
        self,
        columns: &SchemaRef,
        records: &[SourceRecord],
        numbers: &[usize],
    ) -> Result<RecordBatch, ArrowError> {
        if numbers.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(columns)));
        }
        let mut decoder = ReaderBuilder::new(Arc::clone(columns))
            .with_batch_size(numbers.len())
            .with_coerce_primitive(true)
            .build_decoder()?;
        for (row, number) in numbers.iter().enumerate() {
            let value = records[*number].value.as_deref();
            let value = value.ok_or_else(|| wrong("the value is null"))?;
            read_one(&mut decoder, value, row)?;
        }
        decoder.flush()?.ok_or_else(|| wrong("the value is empty"))
    }
}

/// Reads one record, which must hold one JSON object and nothing else.
fn read_one(decoder: &mut Decoder, value: &[u8], row: usize) -> Result<(), ArrowError> {
    if value.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        return Err(wrong("the value is not a JSON object"));
    }
    let mut rest = value;
    while !rest.is_empty() {
        let read = decoder.decode(rest)?;
        rest = &rest[read..];
        if read == 0 {
            break;
        }
    }
    if decoder.has_partial_record() {
        return Err(wrong("malformed JSON: the value ends too early"));
    }
    if decoder.len() != row + 1 || !rest.iter().all(u8::is_ascii_whitespace) {
        return Err(wrong("malformed JSON: something follows the object"));
    }
    Ok(())
}

fn wrong(reason: &str) -> ArrowError {
    ArrowError::JsonError(reason.to_owned())
}

/// Arrow's words, or the reader's own.
pub(crate) fn reason(error: ArrowError) -> String {
    match error {
        ArrowError::JsonError(text) if text.starts_with("the value") || text.starts_with("malformed") => text,
        ArrowError::JsonError(text) if text.contains("Encountered unexpected") || text.contains("UTF-8") => {
            format!("malformed JSON: {text}")
        }
        ArrowError::JsonError(text)
        | ArrowError::NotYetImplemented(text)
        | ArrowError::InvalidArgumentError(text) => format!("wrong type: {text}"),
        other => format!("wrong type: {other}"),
    }
}
