//! Writing message sets, for consumers that know nothing newer.

use bytes::Bytes;

use super::{LOG_APPEND_TIME, crc32};
use crate::compression::break_header_checksum;
use crate::{Batch, Compression, Error, Record, batches};

/// Turns record batches into a message set of format 0 or 1 with the same offsets and codecs.
/// Headers and, in format 0, timestamps are lost; transaction markers are left out, as old
/// consumers would take them for data.
///
/// # Errors
/// [`Error::NotInFormat`] for zstd, which the older formats do not know; any other [`Error`] for
/// batches that cannot be read within `max_uncompressed` bytes each.
///
/// # Panics
/// If `magic` is neither 0 nor 1.
pub fn from_v2(bytes: &Bytes, magic: u8, max_uncompressed: usize) -> Result<Bytes, Error> {
    assert!(magic <= 1, "message sets have magic 0 or 1");
    let mut out = Vec::with_capacity(bytes.len());
    for batch in batches(bytes) {
        let batch = batch?;
        if !batch.header.is_control() {
            convert(&mut out, &batch, magic, max_uncompressed)?;
        }
    }
    Ok(Bytes::from(out))
}

fn convert(out: &mut Vec<u8>, batch: &Batch, magic: u8, max_uncompressed: usize) -> Result<(), Error> {
    let codec = batch.header.compression()?;
    if codec == Compression::Zstd {
        return Err(Error::NotInFormat { codec, magic });
    }
    let stamped = magic == 1 && batch.header.is_log_append_time();
    let attributes = if stamped { LOG_APPEND_TIME } else { 0 };
    if codec == Compression::None {
        for record in batch.records(max_uncompressed)? {
            put_message(out, magic, attributes, &record?);
        }
        return Ok(());
    }
    let mut inner = Vec::new();
    let mut last: Option<Record> = None;
    let mut max_timestamp = -1;
    for record in batch.records(max_uncompressed)? {
        let mut record = record?;
        max_timestamp = max_timestamp.max(record.timestamp);
        last = Some(record.clone());
        if magic == 1 {
            record.offset -= batch.header.base_offset;
        }
        put_message(&mut inner, magic, attributes, &record);
    }
    let Some(last) = last else { return Ok(()) };
    let mut packed = codec.compress(&inner);
    if codec == Compression::Lz4 && magic == 0 {
        break_header_checksum(&mut packed);
    }
    let wrapper = Record {
        offset: last.offset,
        timestamp: max_timestamp,
        value: Some(Bytes::from(packed)),
        ..Record::default()
    };
    put_message(out, magic, attributes | codec.id().cast_signed(), &wrapper);
    Ok(())
}

fn put_message(out: &mut Vec<u8>, magic: u8, attributes: i8, record: &Record) {
    out.extend_from_slice(&record.offset.to_be_bytes());
    let size_at = out.len();
    out.extend_from_slice(&[0; 8]);
    let checked_from = out.len();
    out.push(magic);
    out.extend_from_slice(&attributes.to_be_bytes());
    if magic == 1 {
        out.extend_from_slice(&record.timestamp.to_be_bytes());
    }
    put_nullable(out, record.key.as_deref());
    put_nullable(out, record.value.as_deref());
    let size = length(out.len() - size_at - 4);
    let crc = crc32(&out[checked_from..]);
    out[size_at..size_at + 4].copy_from_slice(&size.to_be_bytes());
    out[size_at + 4..size_at + 8].copy_from_slice(&crc.to_be_bytes());
}

fn put_nullable(out: &mut Vec<u8>, bytes: Option<&[u8]>) {
    match bytes {
        None => out.extend_from_slice(&(-1_i32).to_be_bytes()),
        Some(bytes) => {
            out.extend_from_slice(&length(bytes.len()).to_be_bytes());
            out.extend_from_slice(bytes);
        }
    }
}

fn length(bytes: usize) -> i32 {
    i32::try_from(bytes).expect("a message is smaller than the batch it came from")
}
