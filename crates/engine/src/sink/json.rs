//! Rows of Arrow columns to JSON values of records.

mod instants;

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, RecordBatch, StructArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::EncoderOptions;
use datafusion::arrow::json::writer::make_encoder;
use record::Header;

use crate::sink::json::instants::Instants;

/// About what a row takes.
const ROW_BYTES: usize = 64;

/// A record on its way out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Outgoing {
    pub(crate) key: Option<Bytes>,
    pub(crate) value: Option<Bytes>,
    /// Where to; otherwise its key says it, or its turn.
    pub(crate) partition: Option<u32>,
    pub(crate) headers: Vec<Header>,
}

/// One JSON object per row; NULL and what JSON has no number for become `null`.
pub(crate) fn encode(batches: &[RecordBatch], key: Option<&str>) -> Result<Vec<Outgoing>, ArrowError> {
    let mut rows = Vec::with_capacity(batches.iter().map(RecordBatch::num_rows).sum());
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let (text, ends) = texts(batch)?;
        let keys = key.and_then(|key| batch.column_by_name(key)).map(|key| cast(key, &DataType::Utf8));
        let keys = keys.transpose()?;
        let keys = keys.as_ref().map(AsArray::as_string::<i32>);
        let mut start = 0;
        for (row, end) in ends.into_iter().enumerate() {
            let key = keys.filter(|keys| keys.is_valid(row)).map(|keys| keys.value(row));
            rows.push(Outgoing {
                key: key.map(|key| Bytes::copy_from_slice(key.as_bytes())),
                value: Some(text.slice(start..end)),
                ..Outgoing::default()
            });
            start = end;
        }
    }
    Ok(rows)
}

/// The rows' objects, one behind the other, and where each ends.
fn texts(batch: &RecordBatch) -> Result<(Bytes, Vec<usize>), ArrowError> {
    let options =
        EncoderOptions::default().with_explicit_nulls(true).with_encoder_factory(Arc::new(Instants));
    let rows = StructArray::from(batch.clone());
    let field = Arc::new(Field::new_struct("row", batch.schema_ref().fields().clone(), false));
    let mut encoder = make_encoder(&field, &rows, &options)?;
    let mut text = Vec::with_capacity(batch.num_rows() * ROW_BYTES);
    let mut ends = Vec::with_capacity(batch.num_rows());
    for row in 0..batch.num_rows() {
        encoder.encode(row, &mut text);
        ends.push(text.len());
    }
    Ok((Bytes::from(text), ends))
}
