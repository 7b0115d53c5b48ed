//! Single records: reading them as slices, and walking over them without reading.

use std::ops::Range;

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

/// As [`Record`], its key and value told by where they are in the batch's [payload](Records::payload). Nothing is counted
/// for them, as it is for each slice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Located {
    /// The record's offset in its partition.
    pub offset: i64,
    /// Unix milliseconds; -1 where the format knows none.
    pub timestamp: i64,
    /// The key, if there is one.
    pub key: Option<Range<usize>>,
    /// The value, if there is one.
    pub value: Option<Range<usize>>,
    /// The headers in their order.
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

    /// How many uncompressed bytes have not been read.
    #[must_use]
    pub fn bytes_left(&self) -> usize {
        self.payload.len().saturating_sub(self.position)
    }

    /// What [located](Records::next_located) records lie in, uncompressed.
    #[must_use]
    pub fn payload(&self) -> &Bytes {
        &self.payload
    }

    /// The next record, without slices of it.
    ///
    /// # Errors
    /// As the iterator's: it is no record, and none follows.
    #[inline]
    pub fn next_located(&mut self) -> Option<Result<Located, Error>> {
        if self.left == 0 {
            return None;
        }
        let record = self.read();
        self.left = if record.is_ok() { self.left - 1 } else { 0 };
        Some(record)
    }

    #[inline]
    fn read(&mut self) -> Result<Located, Error> {
        let Some(record) = quick::plain(&self.payload, self.position) else { return self.read_any() };
        self.position = record.end;
        Ok(Located {
            offset: self.offset(record.offset_delta),
            timestamp: self.timestamp(i64::from(record.timestamp_delta)),
            key: record.key,
            value: record.value,
            headers: Vec::new(),
        })
    }

    /// As [`Records::read`], also of a record with headers or of what is none.
    fn read_any(&mut self) -> Result<Located, Error> {
        let mut cursor = Cursor::new(&self.payload, self.position);
        let end = record_end(&mut cursor)?;
        // A record must not reach into its neighbour.
        let mut cursor = Cursor::new(&self.payload[..end], cursor.position());
        cursor.i8("record attributes")?;
        let timestamp_delta = cursor.varlong()?;
        let offset_delta = offset_delta(&mut cursor)?;
        let key = nullable(&mut cursor, "key length")?;
        let value = nullable(&mut cursor, "value length")?;
        let count = header_count(&mut cursor)?;
        let mut headers = Vec::with_capacity(count);
        for _ in 0..count {
            let length = header_key_length(&mut cursor)?;
            let at = cursor.position();
            cursor.take("header key", length)?;
            let key = self.payload.slice(at..at + length);
            let value = nullable(&mut cursor, "header value length")?;
            headers.push((key, value.map(|value| self.payload.slice(value))));
        }
        check_end(&cursor)?;
        self.position = end;
        let (offset, timestamp) = (self.offset(offset_delta), self.timestamp(timestamp_delta));
        Ok(Located { offset, timestamp, key, value, headers })
    }

    fn timestamp(&self, delta: i64) -> i64 {
        if self.header.is_log_append_time() {
            self.header.max_timestamp
        } else {
            self.header.base_timestamp.wrapping_add(delta)
        }
    }

    fn offset(&self, delta: i32) -> i64 {
        self.header.base_offset.wrapping_add(i64::from(delta))
    }
}

impl Iterator for Records {
    type Item = Result<Record, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let located = self.next_located()?;
        let slice = |range| self.payload.slice(range);
        Some(located.map(|Located { offset, timestamp, key, value, headers }| Record {
            offset,
            timestamp,
            key: key.map(slice),
            value: value.map(slice),
            headers,
        }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        // The count comes from outside; the bytes left bound what it can be believed.
        let count = usize::try_from(self.left).unwrap_or(0).min(self.bytes_left() / RECORD_BYTES_MIN);
        (0, Some(count + 1))
    }
}

/// Checks `count` records from `start` on, whose offset deltas are 0, 1, 2 ... and which fill
/// `payload` to its end.
pub(crate) fn walk(payload: &[u8], start: usize, count: i32) -> Result<(), Error> {
    let mut position = start;
    for expected in 0..count {
        // Every produced record passes here, so the usual one is judged without building errors.
        position = match quick::plain(payload, position) {
            Some(record) if record.offset_delta == expected => record.end,
            _ => step(payload, position, expected)?,
        };
    }
    if position < payload.len() {
        let left = payload.len() - position;
        return Err(Error::Trailing { what: "the last record", position, left });
    }
    Ok(())
}

/// Checks the record at `position` and answers where it ends.
fn step(payload: &[u8], position: usize, expected: i32) -> Result<usize, Error> {
    let mut cursor = Cursor::new(payload, position);
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
    Ok(end)
}

/// The walk over records in their usual form, without a word about what is wrong with others.
mod quick {
    use std::ops::Range;

    /// A record without headers, and where its parts are.
    pub(super) struct Plain {
        pub(super) timestamp_delta: i32,
        pub(super) offset_delta: i32,
        pub(super) key: Option<Range<usize>>,
        pub(super) value: Option<Range<usize>>,
        pub(super) end: usize,
    }

    /// The record at `position`; `None` if it is another kind of record, or none.
    #[inline]
    pub(super) fn plain(payload: &[u8], position: usize) -> Option<Plain> {
        let (length, at) = varint(payload, position)?;
        let end = at.checked_add(usize::try_from(length).ok()?)?;
        let record = payload.get(..end)?;
        // The attributes are one byte.
        let (timestamp_delta, at) = delta(record, at + 1)?;
        let (offset_delta, at) = varint(record, at)?;
        let (key, at) = nullable(record, at)?;
        let (value, at) = nullable(record, at)?;
        let no_headers = *record.get(at)? == 0;
        let plain = no_headers && at + 1 == end && offset_delta >= 0;
        plain.then_some(Plain { timestamp_delta, offset_delta, key, value, end })
    }

    /// A zigzag integer of at most three bytes, and the position behind it.
    #[inline]
    fn varint(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
        let first = i32::from(*bytes.get(at)?);
        if first < 0x80 {
            return Some((zigzag(first), at + 1));
        }
        let second = i32::from(*bytes.get(at + 1)?);
        let raw = (first & 0x7f) | (second & 0x7f) << 7;
        if second < 0x80 {
            return Some((zigzag(raw), at + 2));
        }
        let third = i32::from(*bytes.get(at + 2)?);
        (third < 0x80).then(|| (zigzag(raw | third << 14), at + 3))
    }

    /// A zigzag integer of at most four bytes: as milliseconds, 37 hours.
    #[inline]
    fn delta(bytes: &[u8], at: usize) -> Option<(i32, usize)> {
        let mut raw = 0;
        for (index, byte) in bytes.get(at..)?.iter().take(4).enumerate() {
            raw |= i32::from(byte & 0x7f) << (7 * index);
            if *byte < 0x80 {
                return Some((zigzag(raw), at + index + 1));
            }
        }
        None
    }

    /// Where a key or a value is, and the position behind it.
    #[inline]
    fn nullable(bytes: &[u8], at: usize) -> Option<(Option<Range<usize>>, usize)> {
        let (length, at) = varint(bytes, at)?;
        if length == -1 {
            return Some((None, at));
        }
        let end = at + usize::try_from(length).ok()?;
        Some((Some(at..end), end))
    }

    #[inline]
    fn zigzag(raw: i32) -> i32 {
        (raw >> 1) ^ -(raw & 1)
    }
}

/// Reads a record's length and answers where the record ends.
fn record_end(cursor: &mut Cursor<'_>) -> Result<usize, Error> {
    let start = cursor.position();
    match cursor.varint_length("record length")? {
        Some(length) => Ok(cursor.position() + length),
        None => Err(Error::Range { what: "record length", position: start, value: -1 }),
    }
}

/// Where a key or a value is.
fn nullable(cursor: &mut Cursor<'_>, what: &'static str) -> Result<Option<Range<usize>>, Error> {
    let Some(length) = cursor.varint_length(what)? else { return Ok(None) };
    let at = cursor.position();
    cursor.take(what, length)?;
    Ok(Some(at..at + length))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BatchBuilder, Compression, HEADER_BYTES, Producer};

    proptest! {
        /// Whatever the quick walk accepts, the exact one accepts too, to the same end; and both read the same of it.
        #[test]
        fn both_walks_agree(
            value in proptest::option::of(proptest::collection::vec(any::<u8>(), 0..300)),
            deltas in proptest::collection::vec(0_i64..1 << 40, 1..5),
            at: prop::sample::Index,
            byte: u8,
        ) {
            let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
            for delta in deltas {
                builder.push(delta, None, value.as_deref(), &[]);
            }
            let built = builder.build();
            let header = crate::Batch::parse(&built).unwrap().header;
            let mut payload = built[HEADER_BYTES..].to_vec();
            let at = at.index(payload.len());
            payload[at] = byte;
            let mut position = 0;
            for expected in 0.. {
                let exact = step(&payload, position, expected);
                let quick = quick::plain(&payload, position);
                if let Some(end) = quick.filter(|record| record.offset_delta == expected).map(|record| record.end) {
                    prop_assert_eq!(exact.as_ref().ok(), Some(&end));
                }
                let mut quick = Records::new(header, Bytes::copy_from_slice(&payload), position);
                let mut exact_reader = quick.clone();
                prop_assert_eq!(quick.read().ok(), exact_reader.read_any().ok());
                prop_assert_eq!(quick.position, exact_reader.position);
                match exact {
                    Ok(end) if end < payload.len() => position = end,
                    _ => break,
                }
            }
        }
    }
}
