//! Single records: reading them as slices, and walking over them without reading.

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::{BatchHeader, Error};

/// The fewest bytes a record takes: length, attributes, two deltas, two lengths, header count.
const RECORD_BYTES_MIN: usize = 7;
/// The fewest bytes a header takes: its two lengths.
const HEADER_BYTES_MIN: usize = 2;

/// A record header: its key, UTF-8 by convention, and its value.
pub type Header = (Bytes, Option<Bytes>);

/// One record, its parts being slices of its batch.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The record's offset in its partition.
    pub offset: i64,
    /// Unix milliseconds; -1 where the format knows none.
    pub timestamp: i64,
    /// The key; absent is not the same as empty.
    pub key: Option<Bytes>,
    /// The value; absent means "deleted" in a compacted topic.
    pub value: Option<Bytes>,
    /// The headers in their order; a key may come more than once.
    pub headers: Vec<Header>,
}

/// The records of one batch, read one by one.
#[derive(Clone, Debug)]
pub struct Records {
    header: BatchHeader,
    payload: Bytes,
    position: usize,
    left: i32,
}

impl Records {
    pub(crate) fn new(header: BatchHeader, payload: Bytes, position: usize) -> Self {
        Self { header, payload, position, left: header.records_count }
    }

    fn read(&mut self) -> Result<Record, Error> {
        let mut cursor = Cursor::new(&self.payload, self.position);
        let end = record_end(&mut cursor)?;
        // A record must not reach into its neighbour.
        let mut cursor = Cursor::new(&self.payload[..end], cursor.position());
        cursor.i8("record attributes")?;
        let timestamp_delta = cursor.varlong()?;
        let offset_delta = offset_delta(&mut cursor)?;
        let key = self.nullable(&mut cursor, "key length")?;
        let value = self.nullable(&mut cursor, "value length")?;
        let count = header_count(&mut cursor)?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            let length = header_key_length(&mut cursor)?;
            let at = cursor.position();
            cursor.take("header key", length)?;
            let key = self.payload.slice(at..at + length);
            headers.push((key, self.nullable(&mut cursor, "header value length")?));
        }
        check_end(&cursor)?;
        self.position = end;
        let timestamp = if self.header.is_log_append_time() {
            self.header.max_timestamp
        } else {
            self.header.base_timestamp.wrapping_add(timestamp_delta)
        };
        let offset = self.header.base_offset.wrapping_add(i64::from(offset_delta));
        Ok(Record { offset, timestamp, key, value, headers })
    }

    fn nullable(&self, cursor: &mut Cursor<'_>, what: &'static str) -> Result<Option<Bytes>, Error> {
        let Some(length) = cursor.varint_length(what)? else { return Ok(None) };
        let at = cursor.position();
        cursor.take(what, length)?;
        Ok(Some(self.payload.slice(at..at + length)))
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.left == 0 {
            return None;
        }
        let record = self.read();
        self.left = if record.is_ok() { self.left - 1 } else { 0 };
        Some(record)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // The count comes from outside; the bytes left bound what it can be believed.
        let bytes_left = self.payload.len().saturating_sub(self.position);
        let count = usize::try_from(self.left).unwrap_or(0).min(bytes_left / RECORD_BYTES_MIN);
        (0, Some(count + 1))
    }
}

/// Checks `count` records from `start` on, whose offset deltas are 0, 1, 2 ... and which fill
/// `payload` to its end.
pub(crate) fn walk(payload: &[u8], start: usize, count: i32) -> Result<(), Error> {
    let mut cursor = Cursor::new(payload, start);
    for expected in 0..count {
        let end = record_end(&mut cursor)?;
        let mut inner = Cursor::new(&payload[..end], cursor.position());
        inner.i8("record attributes")?;
        inner.varlong()?;
        let at = inner.position();
        let delta = offset_delta(&mut inner)?;
        if delta != expected {
            let value = i64::from(delta);
            return Err(Error::Range { what: "offset delta", position: at, value });
        }
        skip(&mut inner, "key length")?;
        skip(&mut inner, "value length")?;
        for _ in 0..header_count(&mut inner)? {
            let length = header_key_length(&mut inner)?;
            inner.take("header key", length)?;
            skip(&mut inner, "header value length")?;
        }
        check_end(&inner)?;
        cursor = Cursor::new(payload, end);
    }
    if cursor.left() > 0 {
        return Err(Error::Trailing {
            what: "the last record",
            position: cursor.position(),
            left: cursor.left(),
        });
    }
    Ok(())
}

/// Reads a record's length and answers where the record ends.
fn record_end(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    let start = cursor.position();
    match cursor.varint_length("record length")? {
        Some(length) => Ok(cursor.position() + length),
        None => Err(Error::Range { what: "record length", position: start, value: -1 }),
    }
}

fn offset_delta(cursor: &mut Cursor<'_>) -> Result<i32, Error> {
    let position = cursor.position();
    let delta = cursor.varint()?;
    if delta < 0 {
        return Err(Error::Range { what: "offset delta", position, value: i64::from(delta) });
    }
    Ok(delta)
}

fn skip(cursor: &mut Cursor<'_>, what: &'static str) -> Result<(), Error> {
    if let Some(length) = cursor.varint_length(what)? {
        cursor.take(what, length)?;
    }
    Ok(())
}

/// Reads a header count that the record's remaining bytes can hold.
fn header_count(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    let position = cursor.position();
    let count = cursor.varint()?;
    match usize::try_from(count) {
        Ok(fits) if fits <= cursor.left() / HEADER_BYTES_MIN => Ok(fits),
        _ => Err(Error::Range { what: "header count", position, value: i64::from(count) }),
    }
}

/// A header's key may be empty, but not absent.
fn header_key_length(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    let position = cursor.position();
    cursor.varint_length("header key length")?.ok_or(Error::Range {
        what: "header key length",
        position,
        value: -1,
    })
}

fn check_end(cursor: &Cursor<'_>) -> Result<(), Error> {
    if cursor.left() == 0 {
        return Ok(());
    }
    Err(Error::Trailing { what: "a record", position: cursor.position(), left: cursor.left() })
}
