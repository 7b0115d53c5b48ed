//! Big-endian fields, as Kafka's schemas write them before version "flexible".

use bytes::{BufMut, Bytes, BytesMut};

use super::DecodeError;

pub(super) struct Writer(BytesMut);

impl Writer {
    pub(super) fn new(version: i16) -> Self {
        let mut bytes = BytesMut::with_capacity(64);
        bytes.put_i16(version);
        Self(bytes)
    }

    pub(super) fn i32(&mut self, value: i32) {
        self.0.put_i32(value);
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.0.put_i64(value);
    }

    pub(super) fn count(&mut self, count: usize) {
        self.0.put_i32(i32::try_from(count).expect("a group's size is limited"));
    }

    /// Strings of more than 32 KiB cannot come from the wire, where the same length field carries them.
    pub(super) fn string(&mut self, value: &str) {
        self.0.put_i16(i16::try_from(value.len()).expect("ids and metadata are limited"));
        self.0.put_slice(value.as_bytes());
    }

    pub(super) fn nullable_string(&mut self, value: Option<&str>) {
        match value {
            Some(value) => self.string(value),
            None => self.0.put_i16(-1),
        }
    }

    pub(super) fn bytes(&mut self, value: &Bytes) {
        self.count(value.len());
        self.0.put_slice(value);
    }

    pub(super) fn finish(self) -> Bytes {
        self.0.freeze()
    }
}

pub(super) struct Reader<'a> {
    whole: &'a Bytes,
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(whole: &'a Bytes) -> Self {
        Self { whole, at: 0 }
    }

    fn take(&mut self, len: usize, field: &'static str) -> Result<Bytes, DecodeError> {
        let end = self.at.checked_add(len).filter(|end| *end <= self.whole.len());
        let end = end.ok_or(DecodeError::Truncated { field })?;
        let taken = self.whole.slice(self.at..end);
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, field: &'static str) -> Result<[u8; N], DecodeError> {
        let taken = self.take(N, field)?;
        Ok(<[u8; N]>::try_from(taken.as_ref()).expect("exactly N bytes were taken"))
    }

    pub(super) fn i16(&mut self, field: &'static str) -> Result<i16, DecodeError> {
        self.array(field).map(i16::from_be_bytes)
    }

    pub(super) fn i32(&mut self, field: &'static str) -> Result<i32, DecodeError> {
        self.array(field).map(i32::from_be_bytes)
    }

    pub(super) fn i64(&mut self, field: &'static str) -> Result<i64, DecodeError> {
        self.array(field).map(i64::from_be_bytes)
    }

    /// A number of things that follow; nothing is allocated by it.
    pub(super) fn count(&mut self, field: &'static str) -> Result<usize, DecodeError> {
        usize::try_from(self.i32(field)?).map_err(|_| DecodeError::Malformed { field })
    }

    pub(super) fn nullable_string(&mut self, field: &'static str) -> Result<Option<String>, DecodeError> {
        let len = self.i16(field)?;
        if len == -1 {
            return Ok(None);
        }
        let len = usize::try_from(len).map_err(|_| DecodeError::Malformed { field })?;
        let bytes = self.take(len, field)?;
        String::from_utf8(bytes.to_vec()).map(Some).map_err(|_| DecodeError::Malformed { field })
    }

    pub(super) fn string(&mut self, field: &'static str) -> Result<String, DecodeError> {
        self.nullable_string(field)?.ok_or(DecodeError::Malformed { field })
    }

    /// Copied, so that a small field does not keep a large fetch alive.
    pub(super) fn bytes(&mut self, field: &'static str) -> Result<Bytes, DecodeError> {
        let len = self.count(field)?;
        self.take(len, field).map(|taken| Bytes::copy_from_slice(&taken))
    }
}
