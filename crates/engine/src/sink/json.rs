//! Rows of Arrow columns to JSON values of records.

mod instants;

use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::DataType;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::LineDelimited;
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
    let mut rows = Vec::new();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let builder = WriterBuilder::new().with_explicit_nulls(true).with_encoder_factory(Arc::new(Instants));
        let mut writer = builder.build::<_, LineDelimited>(Vec::with_capacity(batch.num_rows() * ROW_BYTES));
        writer.write(batch)?;
        writer.finish()?;
        let lines = Bytes::from(writer.into_inner());
        let keys = key.and_then(|key| batch.column_by_name(key)).map(|key| cast(key, &DataType::Utf8));
        let keys = keys.transpose()?;
        // A line feed inside of a string is written as `\n`.
        for (row, line) in lines.split(|byte| *byte == b'\n').take(batch.num_rows()).enumerate() {
            let key = keys.as_ref().map(AsArray::as_string::<i32>);
            let key = key.filter(|keys| keys.is_valid(row)).map(|keys| keys.value(row));
            rows.push(Outgoing {
                key: key.map(|key| Bytes::copy_from_slice(key.as_bytes())),
                value: Some(lines.slice_ref(line)),
                ..Outgoing::default()
            });
        }
    }
    Ok(rows)
}
