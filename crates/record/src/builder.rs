//! Writing a record batch.

use bytes::Bytes;

use crate::Compression;
use crate::cursor::{low_byte, put_varint, varlong_len, zigzag};
use crate::header::{ATTRIBUTES_AT, CONTROL, CRC_AT, HEADER_BYTES, TRANSACTIONAL};
use crate::record::{Header, Record};

/// Who writes a batch, for idempotence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Producer {
    /// The id the broker handed out.
    pub id: i64,
    /// The epoch of that id.
    pub epoch: i16,
    /// The sequence number of the batch's first record.
    pub base_sequence: i32,
}

impl Producer {
    /// A producer without idempotence.
    pub const NONE: Producer = Producer { id: -1, epoch: -1, base_sequence: -1 };
}

/// Collects records into one batch of format 2 with base offset 0.
#[derive(Clone, Debug)]
pub struct BatchBuilder {
    compression: Compression,
    producer: Producer,
    attributes: i16,
    base_timestamp: i64,
    max_timestamp: i64,
    count: i32,
    last_offset_delta: i32,
    /// Room for the header, and the records.
    bytes: Vec<u8>,
}

impl BatchBuilder {
    /// An empty batch.
    #[must_use]
    pub fn new(compression: Compression, producer: Producer) -> Self {
        Self {
            compression,
            producer,
            attributes: 0,
            base_timestamp: -1,
            max_timestamp: -1,
            count: 0,
            last_offset_delta: -1,
            bytes: vec![0; HEADER_BYTES],
        }
    }

    /// Marks the batch as part of a transaction.
    #[must_use]
    pub fn transactional(mut self) -> Self {
        self.attributes |= TRANSACTIONAL;
        self
    }

    /// Marks the batch as a transaction marker.
    #[must_use]
    pub fn control(mut self) -> Self {
        self.attributes |= CONTROL;
        self
    }

    /// Makes room for so many more bytes of records.
    pub fn reserve(&mut self, bytes: usize) {
        self.bytes.reserve(bytes);
    }

    /// Appends a record at the next offset.
    ///
    /// # Panics
    /// If the batch would exceed the 2 GiB that its length field can say.
    pub fn push(&mut self, timestamp_ms: i64, key: Option<&[u8]>, value: Option<&[u8]>, headers: &[Header]) {
        if self.count == 0 {
            self.base_timestamp = timestamp_ms;
            self.max_timestamp = timestamp_ms;
        }
        self.max_timestamp = self.max_timestamp.max(timestamp_ms);
        self.last_offset_delta += 1;
        self.count += 1;
        let timestamp_delta = timestamp_ms.wrapping_sub(self.base_timestamp);
        put_parts(&mut self.bytes, timestamp_delta, self.last_offset_delta, (key, value), headers);
    }

    /// How many records were pushed.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::try_from(self.count).unwrap_or(0)
    }

    /// Whether no record was pushed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of the batch before compression.
    #[must_use]
    pub fn uncompressed_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// The finished batch.
    ///
    /// # Panics
    /// As [`finish`](Self::finish).
    #[must_use]
    pub fn build(self) -> Bytes {
        self.finish().0
    }

    /// The finished batch, of which it stays known that it is right.
    ///
    /// # Panics
    /// If the batch is empty: Kafka has no batch without records.
    #[must_use]
    pub fn finish(self) -> Built {
        assert!(self.count > 0, "a batch has at least one record");
        let mut out = self.bytes;
        if self.compression != Compression::None {
            let packed = self.compression.compress(&out[HEADER_BYTES..]);
            out.truncate(HEADER_BYTES);
            out.extend_from_slice(&packed);
        }
        let attributes = self.attributes | i16::from(self.compression.id());
        let mut header = Vec::with_capacity(HEADER_BYTES);
        header.extend_from_slice(&0_i64.to_be_bytes());
        header.extend_from_slice(&length(out.len() - 12).to_be_bytes());
        header.extend_from_slice(&(-1_i32).to_be_bytes());
        header.push(2);
        header.extend_from_slice(&[0; 4]);
        header.extend_from_slice(&attributes.to_be_bytes());
        header.extend_from_slice(&self.last_offset_delta.to_be_bytes());
        header.extend_from_slice(&self.base_timestamp.to_be_bytes());
        header.extend_from_slice(&self.max_timestamp.to_be_bytes());
        header.extend_from_slice(&self.producer.id.to_be_bytes());
        header.extend_from_slice(&self.producer.epoch.to_be_bytes());
        header.extend_from_slice(&self.producer.base_sequence.to_be_bytes());
        header.extend_from_slice(&self.count.to_be_bytes());
        out[..HEADER_BYTES].copy_from_slice(&header);
        let crc = crc32c::crc32c(&out[ATTRIBUTES_AT..]);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
        Built(Bytes::from(out))
    }
}

/// A batch as a [`BatchBuilder`] made it: nobody has to look whether its checksum and its records are right.
#[derive(Clone, Debug)]
pub struct Built(Bytes);

impl Built {
    /// The batch.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

/// Appends a record with its own length in front.
pub(crate) fn put_record(out: &mut Vec<u8>, timestamp_delta: i64, offset_delta: i32, record: &Record) {
    let (key, value) = (record.key.as_deref(), record.value.as_deref());
    put_parts(out, timestamp_delta, offset_delta, (key, value), &record.headers);
}

fn put_parts(
    out: &mut Vec<u8>,
    timestamp_delta: i64,
    offset_delta: i32,
    (key, value): (Option<&[u8]>, Option<&[u8]>),
    headers: &[Header],
) {
    let mut head = Varints::default();
    // The attributes: none.
    head.push(0);
    head.push(timestamp_delta);
    head.push(offset_delta.into());
    head.push_length(key);
    let mut middle = Varints::default();
    middle.push_length(value);
    let (key, value) = (key.unwrap_or_default(), value.unwrap_or_default());
    let mut end = Varints::default();
    end.push(length(headers.len()).into());
    let size = head.len + key.len() + middle.len + value.len() + end.len + headers_bytes(headers);
    assert!(out.len() + size < MAX_BYTES, "a batch stays below 2 GiB");
    put_varint(out, length(size));
    head.put(out);
    out.extend_from_slice(key);
    middle.put(out);
    out.extend_from_slice(value);
    end.put(out);
    for (key, value) in headers {
        put_nullable(out, Some(key));
        put_nullable(out, value.as_deref());
    }
}

/// A length field is a signed 32-bit number; the header and some slack stay below it.
const MAX_BYTES: usize = (i32::MAX as usize) - (1 << 16);

/// A few zigzag integers in a row, beside the vector: its room is asked for once for all of them.
#[derive(Default)]
struct Varints {
    bytes: [u8; 32],
    len: usize,
}

impl Varints {
    #[inline]
    fn push(&mut self, value: i64) {
        let mut raw = zigzag(value);
        while raw >= 0x80 {
            self.byte(low_byte(raw) | 0x80);
            raw >>= 7;
        }
        self.byte(low_byte(raw));
    }

    /// -1 if there is nothing.
    #[inline]
    fn push_length(&mut self, bytes: Option<&[u8]>) {
        self.push(bytes.map_or(-1, |bytes| length(bytes.len()).into()));
    }

    #[inline]
    fn byte(&mut self, byte: u8) {
        self.bytes[self.len] = byte;
        self.len += 1;
    }

    /// Copies all of the room, which takes less than to copy as much as is used.
    #[inline]
    fn put(&self, out: &mut Vec<u8>) {
        let end = out.len() + self.len;
        out.extend_from_slice(&self.bytes);
        out.truncate(end);
    }
}

/// The bytes of headers behind their number.
fn headers_bytes(headers: &[Header]) -> usize {
    headers.iter().map(|(key, value)| nullable_bytes(Some(key)) + nullable_bytes(value.as_deref())).sum()
}

fn nullable_bytes(bytes: Option<&[u8]>) -> usize {
    match bytes {
        None => 1,
        Some(bytes) => varlong_len(i64::from(length(bytes.len()))) + bytes.len(),
    }
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => put_varint(out, -1),
        Some(bytes) => {
            put_varint(out, length(bytes.len()));
            out.extend_from_slice(bytes);
        }
    }
}

fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).expect("no part of a batch exceeds 2 GiB")
}
