//! Message sets, as Kafka wrote them before record batches: format 0 and, with a timestamp,
//! format 1.
//!
//! ```text
//! offset i64 | size i32 | crc u32 | magic i8 | attributes i8 | [timestamp i64] | key | value
//! ```
//!
//! The checksum is CRC32 of everything after it; key and value have a 32-bit length, -1 being
//! absent. A compressed set is the value of a wrapper message. The wrapper carries the offset of
//! its last message; the messages inside carry absolute offsets in format 0, and count from zero
//! in format 1. Neither format has headers, producers or transactions.

mod read;
mod write;

use bytes::Bytes;

use crate::{BatchBuilder, Compression, Error, Producer, Record};

pub use read::messages;
pub use write::from_v2;

/// The bytes in front of every message: offset and size.
const ENTRY_BYTES: usize = 12;
/// Attribute bits that name the codec.
const CODEC_MASK: i8 = 0b111;
/// Attribute bit of format 1: the wrapper's timestamp holds for all its messages.
const LOG_APPEND_TIME: i8 = 1 << 3;

/// What the messages of one entry of a set have in common.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// How they were packed.
    pub compression: Compression,
    /// The messages, with absolute offsets; the timestamp is -1 in format 0.
    pub records: Vec<Record>,
}

/// Turns a message set that a producer sent into record batches with the same codecs.
///
/// Offsets are dense from zero in each batch, whatever the producer wrote: the log assigns them.
///
/// # Errors
/// Any [`Error`]; a set without a message yields no bytes.
pub fn to_v2(message_set: &Bytes, max_uncompressed: usize) -> Result<Bytes, Error> {
    let mut out = Vec::new();
    let mut open: Option<(Compression, BatchBuilder)> = None;
    for entry in messages(message_set, max_uncompressed)? {
        let same = open.as_ref().is_some_and(|(codec, _)| *codec == entry.compression);
        if !same && let Some((_, builder)) = open.take() {
            out.extend_from_slice(&builder.build());
        }
        let (_, builder) = open
            .get_or_insert_with(|| (entry.compression, BatchBuilder::new(entry.compression, Producer::NONE)));
        for record in entry.records {
            builder.push(record.timestamp, record.key.as_deref(), record.value.as_deref(), &[]);
        }
    }
    if let Some((_, builder)) = open {
        out.extend_from_slice(&builder.build());
    }
    Ok(Bytes::from(out))
}

/// The checksum of the older formats.
fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    crc.sum()
}
