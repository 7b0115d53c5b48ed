//! Lines of comma-separated values to Arrow columns.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::ReaderBuilder;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::error::ArrowError;

use crate::source::records::Selected;

/// The dialect, with Spark's defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Csv {
    pub(crate) separator: u8,
    pub(crate) quote: u8,
    pub(crate) escape: u8,
    /// What stands for NULL beside nothing at all.
    pub(crate) null: Option<String>,
    /// Whether a file begins with the names of its columns.
    pub(crate) header: bool,
}

impl Default for Csv {
    fn default() -> Self {
        Csv { separator: b',', quote: b'"', escape: b'\\', null: None, header: false }
    }
}

impl Csv {
    /// Reads records that hold a line each.
    pub(super) fn read(&self, columns: &SchemaRef, records: Selected<'_>) -> Result<RecordBatch, ArrowError> {
        let mut builder = ReaderBuilder::new(Arc::clone(columns))
            .with_batch_size(records.len())
            .with_delimiter(self.separator)
            .with_quote(self.quote)
            .with_escape(self.escape)
            .with_truncated_rows(true);
        if let Some(null) = &self.null {
            builder = builder.with_null_regex(null_pattern(null)?);
        }
        let mut decoder = builder.build_decoder();
        for (row, value) in records.values().enumerate() {
            let value = value.ok_or_else(|| wrong("the value is null"))?;
            let line = value.strip_suffix(b"\n").unwrap_or(value);
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if line.iter().all(u8::is_ascii_whitespace) {
                return Err(wrong("the value is empty"));
            }
            for part in [line, b"\n"] {
                let read = decoder.decode(part)?;
                if read < part.len() {
                    return Err(wrong("the value holds more than one line"));
                }
            }
            // The reader may keep the last line open until it sees the next.
            let rows = records.len() - decoder.capacity();
            if rows > row + 1 {
                return Err(wrong("the value holds more than one line"));
            }
            if rows < row + 1 {
                return Err(wrong("a quote is not closed"));
            }
        }
        decoder.flush()?.ok_or_else(|| wrong("the value is empty"))
    }
}

fn wrong(reason: &str) -> ArrowError {
    ArrowError::CsvError(reason.to_owned())
}

/// The text itself, or nothing.
fn null_pattern(null: &str) -> Result<regex::Regex, ArrowError> {
    regex::Regex::new(&format!("^(?:{})?$", regex::escape(null))).map_err(|error| wrong(&error.to_string()))
}
