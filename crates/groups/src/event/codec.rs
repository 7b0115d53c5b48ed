//! Big-endian fields, as Kafka's schemas write them before version "flexible".

use bytes::{BufMut, Bytes, BytesMut};
use uuid::Uuid;

use super::DecodeError;

#[derive(Default)]
pub(crate) struct Writer(BytesMut);

impl Writer {
    pub(crate) fn new(version: i16) -> Self {
        let mut bytes = BytesMut::with_capacity(64);
        bytes.put_i16(version);
        Self(bytes)
    }

    pub(crate) fn i8(&mut self, value: i8) {
        self.0.put_i8(value);
    }

    pub(crate) fn i16(&mut self, value: i16) {
        self.0.put_i16(value);
    }

    pub(crate) fn i32(&mut self, value: i32) {
        self.0.put_i32(value);
    }

    pub(crate) fn i64(&mut self, value: i64) {
        self.0.put_i64(value);
    }

    pub(crate) fn count(&mut self, count: usize) {
        self.0.put_i32(i32::try_from(count).expect("a group's size is limited"));
    }

    /// Strings of more than 32 KiB cannot come from the wire, where the same length field carries them.
    pub(crate) fn string(&mut self, value: &str) {
        self.0.put_i16(i16::try_from(value.len()).expect("ids and metadata are limited"));
        self.0.put_slice(value.as_bytes());
    }

    pub(crate) fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.0.put_i16(-1),
        }
    }

    pub(crate) fn bytes(&mut self, value: &Bytes) {
        self.count(value.len());
        self.0.put_slice(value);
    }

    /// Seven bits in each byte, the lowest first.
    pub(crate) fn unsigned_varint(&mut self, mut value: u32) {
        while value > 0x7f {
            self.0.put_u8(value.to_le_bytes()[0] | 0x80);
            value >>= 7;
        }
        self.0.put_u8(value.to_le_bytes()[0]);
    }

    /// A count as flexible versions write it: one more, so that 0 is null.
    pub(crate) fn compact_count(&mut self, count: Option<usize>) {
        let shifted = count.map_or(0, |count| count + 1);
        self.unsigned_varint(u32::try_from(shifted).expect("a record's size is limited"));
    }

    pub(crate) fn compact_string(&mut self, value: &str) {
        self.compact_count(Some(value.len()));
        self.0.put_slice(value.as_bytes());
    }

    pub(crate) fn compact_nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.compact_string(value),
            None => self.compact_count(None),
        }
    }

    pub(crate) fn uuid(&mut self, value: Uuid) {
        self.0.put_slice(value.as_bytes());
    }

    pub(crate) fn compact_bytes(&mut self, value: &Bytes) {
        self.compact_count(Some(value.len()));
        self.0.put_slice(value);
    }

    /// One tagged field follows, and no other.
    pub(crate) fn tagged(&mut self, tag: u32, value: &[u8]) {
        self.unsigned_varint(1);
        self.unsigned_varint(tag);
        self.unsigned_varint(u32::try_from(value.len()).expect("a record's size is limited"));
        self.0.put_slice(value);
    }

    /// No tagged field follows.
    pub(crate) fn no_tags(&mut self) {
        self.unsigned_varint(0);
    }

    pub(crate) fn finish(self) -> Bytes {
        self.0.freeze()
    }
}

pub(crate) struct Reader<'a> {
    whole: &'a Bytes,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(whole: &'a Bytes) -> Self {
        Self { whole, at: 0 }
    }

    fn take(&mut self, len: usize, field: &'static str) -> Result<Bytes, DecodeError> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.whole.len());
        let end = end.ok_or(DecodeError::Truncated { field })?;
        let taken = self.whole.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    pub(crate) fn skip(&mut self, len: usize, field: &'static str) -> Result<(), DecodeError> {
        self.take(len, field).map(drop)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N, field)?;
        Ok(<[u8; N]>::try_from(taken.as_ref()).expect("exactly N bytes were taken"))
    }

    pub(crate) fn i8(&mut self, field: &'static str) -> Result<i8, DecodeError> {
        self.array(field).map(i8::from_be_bytes)
    }

    pub(crate) fn i16(&mut self, field: &'static str) -> Result<i16, DecodeError> {
        self.array(field).map(i16::from_be_bytes)
    }

    pub(crate) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_be_bytes)
    }

    /// A number of things that follow; nothing is allocated by it.
    pub(crate) fn count(&mut self, field: &'static str) -> Result<usize, DecodeError> {
        usize::try_from(self.i32(field)?).map_err(|_| DecodeError::Malformed { field })
    }

    pub(crate) fn nullable_string(&mut self, field: &'static str) -> Result<Option<String>, DecodeError> {
        let len = self.i16(field)?;
        if len == -1 {
            return Ok(None);
        }
        let len = usize::try_from(len).map_err(|_| DecodeError::Malformed { field })?;
        let bytes = self.take(len, field)?;
        String::from_utf8(bytes.to_vec()).map(Some).map_err(|_| DecodeError::Malformed { field })
    }

    pub(crate) fn string(&mut self, field: &'static str) -> Result<String, DecodeError> {
        self.nullable_string(field)?.ok_or(DecodeError::Malformed { field })
    }

    /// Copied, so that a small field does not keep a large fetch alive.
    pub(crate) fn bytes(&mut self, field: &'static str) -> Result<Bytes, DecodeError> {
        let len = self.count(field)?;
        self.take(len, field).map(|taken| Bytes::copy_from_slice(&taken))
    }

    pub(crate) fn unsigned_varint(&mut self, field: &'static str) -> Result<u32, DecodeError> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let [byte] = self.array(field)?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| DecodeError::Malformed { field });
            }
        }
        Err(DecodeError::Malformed { field })
    }

    /// A count as flexible versions write it, or null; nothing is allocated by it.
    pub(crate) fn compact_count(&mut self, field: &'static str) -> Result<Option<usize>, DecodeError> {
        let shifted = self.unsigned_varint(field)?;
        Ok(shifted.checked_sub(1).map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// A number of things that follow, or null.
    pub(crate) fn nullable_count(&mut self, field: &'static str) -> Result<Option<usize>, DecodeError> {
        match self.i32(field)? {
            -1 => Ok(None),
            count => usize::try_from(count).map(Some).map_err(|_| DecodeError::Malformed { field }),
        }
    }

    pub(crate) fn compact_nullable_string(
        &mut self,
        field: &'static str,
    ) -> Result<Option<String>, DecodeError> {
        let Some(len) = self.compact_count(field)? else { return Ok(None) };
        let bytes = self.take(len, field)?;
        String::from_utf8(bytes.to_vec()).map(Some).map_err(|_| DecodeError::Malformed { field })
    }

    pub(crate) fn compact_string(&mut self, field: &'static str) -> Result<String, DecodeError> {
        self.compact_nullable_string(field)?.ok_or(DecodeError::Malformed { field })
    }

    /// Copied, so that a small field does not keep a large fetch alive.
    pub(crate) fn compact_bytes(&mut self, field: &'static str) -> Result<Bytes, DecodeError> {
        let len = self.compact_count(field)?.ok_or(DecodeError::Malformed { field })?;
        self.take(len, field).map(|taken| Bytes::copy_from_slice(&taken))
    }

    pub(crate) fn uuid(&mut self, field: &'static str) -> Result<Uuid, DecodeError> {
        self.array(field).map(Uuid::from_bytes)
    }

    /// Goes past all tagged fields and returns the one that is looked for.
    pub(crate) fn find_tag(&mut self, tag: u32, field: &'static str) -> Result<Option<Bytes>, DecodeError> {
        let mut found = None;
        for _ in 0..self.unsigned_varint(field)? {
            let present = self.unsigned_varint(field)?;
            let bytes = self.tagged(field)?;
            found = found.or((present == tag).then_some(bytes));
        }
        Ok(found)
    }

    pub(crate) fn skip_tags(&mut self) -> Result<(), DecodeError> {
        self.find_tag(u32::MAX, "tagged fields").map(drop)
    }

    /// What a tagged field holds.
    pub(crate) fn tagged(&mut self, field: &'static str) -> Result<Bytes, DecodeError> {
        let len = usize::try_from(self.unsigned_varint(field)?).unwrap_or(usize::MAX);
        self.take(len, field)
    }
}
