//! Reading big-endian and variable-length integers without trusting any of them.

use crate::Error;

/// A position in bytes from outside.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], position: usize) -> Self {
        Self { bytes, position }
    }

    pub(crate) fn position(&self) -> usize {
        self.position
    }

    pub(crate) fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Takes `count` bytes.
    pub(crate) fn take(&mut self, what: &'static str, count: usize) -> Result<&'a [u8], Error> {
        let start = self.position;
        if count > self.left() {
            return Err(Error::Truncated { what, position: start, needed: count, left: self.left() });
        }
        self.position += count;
        Ok(&self.bytes[start..start + count])
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], Error> {
        let taken = self.take(what, N)?;
        Ok(taken.try_into().expect("take returns the count asked for"))
    }

    pub(crate) fn i8(&mut self, what: &'static str) -> Result<i8, Error> {
        Ok(i8::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn i16(&mut self, what: &'static str) -> Result<i16, Error> {
        Ok(i16::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn u32(&mut self, what: &'static str) -> Result<u32, Error> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn i32(&mut self, what: &'static str) -> Result<i32, Error> {
        Ok(i32::from_be_bytes(self.array(what)?))
    }

    pub(crate) fn i64(&mut self, what: &'static str) -> Result<i64, Error> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    /// A zigzag integer of at most five bytes.
    pub(crate) fn varint(&mut self) -> Result<i32, Error> {
        // Nearly every varint of a record is one byte long.
        if let Some(&byte) = self.bytes.get(self.position)
            && byte < 0x80
        {
            self.position += 1;
            return Ok(i32::from(byte >> 1) ^ -i32::from(byte & 1));
        }
        let start = self.position;
        let raw = self.unsigned(5)?;
        let raw = u32::try_from(raw).map_err(|_| Error::Varint { position: start })?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    /// A zigzag integer of at most ten bytes.
    pub(crate) fn varlong(&mut self) -> Result<i64, Error> {
        let raw = self.unsigned(10)?;
        Ok((raw >> 1).cast_signed() ^ -(raw & 1).cast_signed())
    }

    fn unsigned(&mut self, bytes_max: usize) -> Result<u64, Error> {
        let start = self.position;
        let mut value = 0_u64;
        for index in 0..bytes_max {
            let Some(&byte) = self.bytes.get(start + index) else {
                return Err(Error::Truncated {
                    what: "variable-length integer",
                    position: start,
                    needed: index + 1,
                    left: index,
                });
            };
            // The tenth byte of a 64-bit value may only carry its last bit.
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.position = start + index + 1;
                return Ok(value);
            }
        }
        Err(Error::Varint { position: start })
    }

    /// A varint length: `None` for -1, an error below that or beyond the bytes left.
    pub(crate) fn varint_length(&mut self, what: &'static str) -> Result<Option<usize>, Error> {
        let start = self.position;
        let length = self.varint()?;
        self.checked_length(what, start, length)
    }

    /// A fixed 32-bit length with the same rules.
    pub(crate) fn i32_length(&mut self, what: &'static str) -> Result<Option<usize>, Error> {
        let start = self.position;
        let length = self.i32(what)?;
        self.checked_length(what, start, length)
    }

    fn checked_length(
        &self,
        what: &'static str,
        position: usize,
        length: i32,
    ) -> Result<Option<usize>, Error> {
        if length == -1 {
            return Ok(None);
        }
        let Ok(length) = usize::try_from(length) else {
            return Err(Error::Range { what, position, value: i64::from(length) });
        };
        if length > self.left() {
            return Err(Error::Truncated { what, position, needed: length, left: self.left() });
        }
        Ok(Some(length))
    }
}

/// Appends a zigzag integer of at most five bytes.
pub(crate) fn put_varint(out: &mut Vec<u8>, value: i32) {
    put_varlong(out, i64::from(value));
}

/// Appends a zigzag integer of at most ten bytes.
pub(crate) fn put_varlong(out: &mut Vec<u8>, value: i64) {
    let mut raw = zigzag(value);
    while raw >= 0x80 {
        out.push(low_byte(raw) | 0x80);
        raw >>= 7;
    }
    out.push(low_byte(raw));
}

/// How many bytes [`put_varlong`] appends.
pub(crate) fn varlong_len(value: i64) -> usize {
    let bits = 64 - (zigzag(value) | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// Small numbers of either sign are small.
pub(crate) fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) fn low_byte(raw: u64) -> u8 {
    raw.to_le_bytes()[0]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn varlongs_return_and_their_length_is_known(value: i64) {
            let mut out = Vec::new();
            put_varlong(&mut out, value);
            prop_assert_eq!(out.len(), varlong_len(value));
            let mut cursor = Cursor::new(&out, 0);
            prop_assert_eq!(cursor.varlong().unwrap(), value);
            prop_assert_eq!(cursor.left(), 0);
        }

        #[test]
        fn varints_return(value: i32) {
            let mut out = Vec::new();
            put_varint(&mut out, value);
            prop_assert_eq!(Cursor::new(&out, 0).varint().unwrap(), value);
        }
    }

    #[test]
    fn an_endless_varint_is_refused_where_it_begins() {
        let bytes = [0_u8, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        let error = Cursor::new(&bytes, 1).varlong().unwrap_err();
        assert!(matches!(error, Error::Varint { position: 1 }), "{error}");
        let error = Cursor::new(&bytes, 1).varint().unwrap_err();
        assert!(matches!(error, Error::Varint { position: 1 }), "{error}");
    }
}
