//! Writing a record batch.

use bytes::Bytes;

use crate::Compression;
use crate::cursor::{put_varint, put_varlong, varlong_len};
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
    records: Vec<u8>,
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
            records: Vec::new(),
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
        put_parts(&mut self.records, timestamp_delta, self.last_offset_delta, (key, value), headers);
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
        HEADER_BYTES + self.records.len()
    }

    /// The finished batch.
    ///
    /// # Panics
    /// If the batch is empty: Kafka has no batch without records.
    #[must_use]
    pub fn build(self) -> Bytes {
        assert!(self.count > 0, "a batch has at least one record");
        let packed = match self.compression {
            Compression::None => self.records,
            codec => codec.compress(&self.records),
        };
        let attributes = self.attributes | i16::from(self.compression.id());
        let mut out = Vec::with_capacity(HEADER_BYTES + packed.len());
        out.extend_from_slice(&0_i64.to_be_bytes());
        out.extend_from_slice(&length(HEADER_BYTES - 12 + packed.len()).to_be_bytes());
        out.extend_from_slice(&(-1_i32).to_be_bytes());
        out.push(2);
        out.extend_from_slice(&[0; 4]);
        out.extend_from_slice(&attributes.to_be_bytes());
        out.extend_from_slice(&self.last_offset_delta.to_be_bytes());
        out.extend_from_slice(&self.base_timestamp.to_be_bytes());
        out.extend_from_slice(&self.max_timestamp.to_be_bytes());
        out.extend_from_slice(&self.producer.id.to_be_bytes());
        out.extend_from_slice(&self.producer.epoch.to_be_bytes());
        out.extend_from_slice(&self.producer.base_sequence.to_be_bytes());
        out.extend_from_slice(&self.count.to_be_bytes());
        out.extend_from_slice(&packed);
        let crc = crc32c::crc32c(&out[ATTRIBUTES_AT..]);
        out[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
        Bytes::from(out)
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
    let size = record_bytes(timestamp_delta, offset_delta, key, value, headers);
    assert!(out.len() + size < MAX_BYTES, "a batch stays below 2 GiB");
    put_varint(out, length(size));
    out.push(0);
    put_varlong(out, timestamp_delta);
    put_varint(out, offset_delta);
    put_nullable(out, key);
    put_nullable(out, value);
    put_varint(out, length(headers.len()));
    for (key, value) in headers {
        put_nullable(out, Some(key));
        put_nullable(out, value.as_deref());
    }
}

/// A length field is a signed 32-bit number; the header and some slack stay below it.
const MAX_BYTES: usize = (i32::MAX as usize) - (1 << 16);

/// The bytes of a record after its own length.
fn record_bytes(
    timestamp_delta: i64,
    offset_delta: i32,
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: &[Header],
) -> usize {
    let headers_bytes: usize =
        headers.iter().map(|(key, value)| nullable_bytes(Some(key)) + nullable_bytes(value.as_deref())).sum();
    1 + varlong_len(timestamp_delta)
        + varlong_len(i64::from(offset_delta))
        + nullable_bytes(key)
        + nullable_bytes(value)
        + varlong_len(i64::from(length(headers.len())))
        + headers_bytes
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
