//! JSON values of records to Arrow columns.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::Decoder;

use crate::source::SourceRecord;
use crate::source::format::wrong;

/// Reads records that hold a JSON object each.
pub(super) fn read(columns: &SchemaRef, records: &[&SourceRecord]) -> Result<RecordBatch, ArrowError> {
    let mut decoder = ReaderBuilder::new(Arc::clone(columns))
        .with_batch_size(records.len())
        .with_coerce_primitive(true)
        .build_decoder()?;
    for (row, record) in records.iter().enumerate() {
        let value = record.value.as_deref().ok_or_else(|| wrong("the value is null"))?;
        read_one(&mut decoder, value, row)?;
    }
    decoder.flush()?.ok_or_else(|| wrong("the value is empty"))
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
