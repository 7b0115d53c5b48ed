//! Reading message sets.

use bytes::{Bytes, BytesMut};

use super::{CODEC_MASK, ENTRY_BYTES, Entry, LOG_APPEND_TIME, crc32};
use crate::compression::repair_header_checksum;
use crate::cursor::Cursor;
use crate::{Compression, Error, Record};

/// The fewest bytes of a message after its size: checksum, magic, attributes, two lengths.
const MESSAGE_BYTES_MIN: usize = 14;

/// One message as it stands, wrapper or not.
struct Message {
    magic: i8,
    attributes: i8,
    record: Record,
}

/// Reads a message set of format 0 or 1 to its end. Successive uncompressed messages are one
/// entry; every wrapper is an entry of its own, unfolded to at most `max_uncompressed` bytes for
/// all wrappers together.
///
/// # Errors
/// [`Error::Magic`] for format 2 and beyond, [`Error::Crc`] for a wrong checksum, and any other
/// [`Error`] for bytes that are no message set.
pub fn messages(message_set: &Bytes, max_uncompressed: usize) -> Result<Vec<Entry>, Error> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut position = 0;
    let mut allowed = max_uncompressed;
    while position < message_set.len() {
        let message = read_message(message_set, &mut position)?;
        let codec = Compression::from_attributes(i16::from(message.attributes & CODEC_MASK))?;
        if codec == Compression::None {
            match entries.last_mut() {
                Some(last) if last.compression == Compression::None => {
                    last.records.push(message.record);
                }
                _ => entries.push(Entry { compression: codec, records: vec![message.record] }),
            }
            continue;
        }
        let (records, unfolded) = unfold(&message, codec, allowed)?;
        allowed -= unfolded;
        entries.push(Entry { compression: codec, records });
    }
    Ok(entries)
}

/// Reads the message at `position` and moves behind it.
fn read_message(set: &Bytes, position: &mut usize) -> Result<Message, Error> {
    let start = *position;
    let mut cursor = Cursor::new(set, start);
    let offset = cursor.i64("message offset")?;
    let size = cursor.i32_length("message size")?;
    let size = size.filter(|size| *size >= MESSAGE_BYTES_MIN).ok_or(Error::Range {
        what: "message size",
        position: start + 8,
        value: size.map_or(-1, |size| i64::try_from(size).unwrap_or(i64::MAX)),
    })?;
    let end = start + ENTRY_BYTES + size;

    // The size was compared with the bytes left, so a message ends inside of the set.
    let mut cursor = Cursor::new(&set[..end], start + ENTRY_BYTES);
    let stored = cursor.u32("message checksum")?;
    let checked_from = cursor.position();
    let magic = cursor.i8("message magic")?;
    if !(0..=1).contains(&magic) {
        return Err(Error::Magic { position: checked_from, magic });
    }
    let computed = crc32(&set[checked_from..end]);
    if stored != computed {
        return Err(Error::Crc { position: start, stored, computed });
    }
    let attributes = cursor.i8("message attributes")?;
    let timestamp = if magic == 1 { cursor.i64("message timestamp")? } else { -1 };
    let key = nullable(set, &mut cursor, "message key length")?;
    let value = nullable(set, &mut cursor, "message value length")?;
    if cursor.left() > 0 {
        let (position, left) = (cursor.position(), cursor.left());
        return Err(Error::Trailing { what: "a message", position, left });
    }
    *position = end;
    let record = Record { offset, timestamp, key, value, headers: Vec::new() };
    Ok(Message { magic, attributes, record })
}

fn nullable(set: &Bytes, cursor: &mut Cursor<'_>, what: &'static str) -> Result<Option<Bytes>, Error> {
    let Some(length) = cursor.i32_length(what)? else { return Ok(None) };
    let at = cursor.position();
    cursor.take(what, length)?;
    Ok(Some(set.slice(at..at + length)))
}

/// The messages inside of a wrapper, and how many bytes they took.
fn unfold(wrapper: &Message, codec: Compression, allowed: usize) -> Result<(Vec<Record>, usize), Error> {
    let magic = wrapper.magic.cast_unsigned();
    if codec == Compression::Zstd {
        return Err(Error::NotInFormat { codec, magic });
    }
    let packed = wrapper.record.value.clone().unwrap_or_default();
    let packed = if codec == Compression::Lz4 && magic == 0 {
        let mut frame = BytesMut::from(&packed[..]);
        repair_header_checksum(&mut frame);
        frame.freeze()
    } else {
        packed
    };
    let inner = codec.decompress(&packed, allowed)?;
    let mut records = Vec::new();
    let mut position = 0;
    while position < inner.len() {
        let at = position;
        let message = read_message(&inner, &mut position)?;
        // A wrapper in a wrapper could unfold without end, and no client ever wrote one.
        if message.attributes & CODEC_MASK != 0 || message.magic != wrapper.magic {
            let value = i64::from(message.attributes);
            return Err(Error::Range { what: "inner message attributes", position: at, value });
        }
        records.push(message.record);
    }
    if records.is_empty() {
        return Err(Error::Truncated {
            what: "compressed message set",
            position: 0,
            needed: ENTRY_BYTES,
            left: 0,
        });
    }
    place(wrapper, &mut records);
    Ok((records, inner.len()))
}

/// Gives unfolded messages of format 1 their absolute offsets and, if the broker stamped the
/// wrapper, its timestamp.
fn place(wrapper: &Message, records: &mut [Record]) {
    if wrapper.magic == 0 {
        return;
    }
    let last = records.last().map_or(0, |record| record.offset);
    let base = wrapper.record.offset.wrapping_sub(last);
    let stamped = wrapper.attributes & LOG_APPEND_TIME != 0;
    for record in records {
        record.offset = record.offset.wrapping_add(base);
        if stamped {
            record.timestamp = wrapper.record.timestamp;
        }
    }
}
