//! Columns of strings and of bytes.

use std::sync::Arc;

use datafusion::arrow::array::builder::NullBufferBuilder;
use datafusion::arrow::array::{ArrayRef, BinaryArray, StringArray};
use datafusion::arrow::buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use datafusion::arrow::error::ArrowError;
use jiter::{Jiter, Peek};

use crate::source::format::json::column::Column;
use crate::source::format::json::scalar::number;
use crate::source::format::json::usual::Usual;
use crate::source::format::json::{malformed, misfit};

/// Bytes of all rows, one behind the other.
struct Runs {
    bytes: Vec<u8>,
    offsets: Vec<i32>,
    nulls: NullBufferBuilder,
}

impl Runs {
    fn new(rows: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Runs { bytes: Vec::new(), offsets, nulls: NullBufferBuilder::new(rows) }
    }

    fn close(&mut self) -> Result<(), ArrowError> {
        let end = self.bytes.len();
        self.offsets.push(i32::try_from(end).map_err(|_| ArrowError::OffsetOverflowError(end))?);
        self.nulls.append_non_null();
        Ok(())
    }

    fn null(&mut self) {
        self.offsets.extend_from_within(self.offsets.len() - 1..);
        self.nulls.append_null();
    }

    fn truncate(&mut self, rows: usize) {
        self.offsets.truncate(rows + 1);
        self.nulls.truncate(rows);
        self.bytes.truncate(self.offsets.last().map_or(0, |end| usize::try_from(*end).unwrap_or(0)));
    }

    fn parts(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let offsets = OffsetBuffer::new(ScalarBuffer::from(std::mem::take(&mut self.offsets)));
        (offsets, Buffer::from_vec(std::mem::take(&mut self.bytes)))
    }
}

/// Strings; numbers and booleans as they are written.
pub(super) struct Text(Runs);

impl Text {
    pub(super) fn new(rows: usize) -> Self {
        Text(Runs::new(rows))
    }
}

impl Column for Text {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        match next {
            Peek::String => self.text(json.known_str().map_err(malformed)?),
            Peek::True | Peek::False => {
                let flag = json.known_bool(next).map_err(malformed)?;
                self.text(if flag { "true" } else { "false" })
            }
            other => self.text(number(json, other, "string")?),
        }
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        self.0.bytes.extend_from_slice(json.string()?);
        self.0.close().ok()
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        self.0.bytes.extend_from_slice(text.as_bytes());
        self.0.close()
    }

    fn null(&mut self) {
        self.0.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let (offsets, bytes) = self.0.parts();
        Ok(Arc::new(StringArray::try_new(offsets, bytes, self.0.nulls.finish())?))
    }
}

/// Bytes, in two hexadecimal digits each.
pub(super) struct Bytes(Runs);

impl Bytes {
    pub(super) fn new(rows: usize) -> Self {
        Bytes(Runs::new(rows))
    }
}

impl Column for Bytes {
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
        match next {
            Peek::String => self.text(json.known_str().map_err(malformed)?),
            Peek::True | Peek::False => Err(misfit("a boolean", "string of hexadecimal digits")),
            other => number(json, other, "string of hexadecimal digits")
                .and_then(|number| Err(misfit(number, "string of hexadecimal digits"))),
        }
    }

    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()> {
        self.text(std::str::from_utf8(json.string()?).ok()?).ok()
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        let wrong = || misfit(&format!("'{text}'"), "string of hexadecimal digits");
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if !rest.is_empty() {
            return Err(wrong());
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        for [high, low] in pairs {
            let byte = digit(*high).zip(digit(*low)).map(|(high, low)| high * 16 + low);
            self.0.bytes.push(byte.ok_or_else(wrong)?);
        }
        self.0.close()
    }

    fn null(&mut self) {
        self.0.null();
    }

    fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows);
    }

    fn finish(mut self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        let (offsets, bytes) = self.0.parts();
        Ok(Arc::new(BinaryArray::try_new(offsets, bytes, self.0.nulls.finish())?))
    }
}
