//! JSON values of records to Arrow columns.
//!
//! The whole batch is read at once. Only when that fails is each record looked at alone, so that a bad one
//! costs nothing but itself.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatch, RecordBatchOptions};
use datafusion::arrow::datatypes::{FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::ReaderBuilder;
use datafusion::arrow::json::reader::Decoder;

use crate::operator::scope::{ROW, Refusals};
use crate::source::metadata;
use crate::source::topic::SourceRecord;

/// Reads records into rows of one schema.
#[derive(Debug, Clone)]
pub(crate) struct JsonDecoder {
    topic: String,
    /// What the JSON objects hold.
    values: SchemaRef,
    /// What leaves: metadata and the record's number may come after the values.
    schema: SchemaRef,
}

impl JsonDecoder {
    /// `schema` is the table's columns, then any of [`metadata::COLUMNS`], then [`ROW`] if it is wanted.
    pub(crate) fn new(topic: &str, schema: SchemaRef) -> Self {
        let values: Vec<FieldRef> =
            schema.fields().iter().filter(|field| !metadata::is_reserved(field.name())).cloned().collect();
        JsonDecoder { topic: topic.to_owned(), values: Arc::new(Schema::new(values)), schema }
    }

    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// The rows of all records that can be read, and what is wrong with the others, by their numbers.
    pub(crate) fn decode(&self, records: &[SourceRecord]) -> Result<(RecordBatch, Refusals), ArrowError> {
        let every: Vec<usize> = (0..records.len()).collect();
        if let Ok(values) = self.read(records, &every) {
            return Ok((self.widen(&values, records, &every)?, Refusals::new()));
        }
        let mut good = Vec::with_capacity(records.len());
        let mut refused = Refusals::new();
        for number in every {
            match self.read(records, &[number]) {
                Ok(_) => good.push(number),
                Err(error) => {
                    refused.insert(number, reason(error));
                }
            }
        }
        let values = self.read(records, &good)?;
        Ok((self.widen(&values, records, &good)?, refused))
    }

    fn read(&self, records: &[SourceRecord], numbers: &[usize]) -> Result<RecordBatch, ArrowError> {
        if numbers.is_empty() {
            return Ok(RecordBatch::new_empty(Arc::clone(&self.values)));
        }
        let mut decoder = ReaderBuilder::new(Arc::clone(&self.values))
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

    /// Adds the columns that are not in the values.
    fn widen(
        &self,
        values: &RecordBatch,
        records: &[SourceRecord],
        numbers: &[usize],
    ) -> Result<RecordBatch, ArrowError> {
        let rows: Vec<&SourceRecord> = numbers.iter().map(|number| &records[*number]).collect();
        let mut columns: Vec<ArrayRef> = values.columns().to_vec();
        for field in self.schema.fields().iter().skip(columns.len()) {
            let column = if field.name() == ROW {
                let numbers = numbers.iter().map(|number| i64::try_from(*number).unwrap_or(i64::MAX));
                Arc::new(Int64Array::from_iter_values(numbers))
            } else {
                metadata::column(field.name(), &self.topic, &rows)
                    .ok_or_else(|| wrong(&format!("no such column: {}", field.name())))?
            };
            columns.push(column);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(numbers.len()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
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
fn reason(error: ArrowError) -> String {
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
