//! Reading Kafka's primitive types from bytes that nobody vouches for.

use bytes::Bytes;

use crate::{DecodeError, StrBytes};

/// What decoding may allocate beside the frame itself: this many bytes per byte of the frame.
/// A name of one letter is the smallest honest element: two bytes that become 32.
const MEMORY_PER_BYTE: usize = 16;
/// The allowance that even the smallest frame has.
const MEMORY_MIN: usize = 64 * 1024;
/// Kafka's strings are no longer than this, compact or not.
const STRING_BYTES_MAX: usize = 0x7fff;

/// A position in a frame. Text and bytes are read as slices that share the frame's memory.
#[derive(Clone, Debug)]
pub struct Decoder {
    bytes: Bytes,
    position: usize,
    flexible: bool,
    memory_left: usize,
}

impl Decoder {
    /// Starts at the first byte.
    #[must_use]
    pub fn new(bytes: Bytes) -> Self {
        let memory_left = bytes.len().saturating_mul(MEMORY_PER_BYTE).max(MEMORY_MIN);
        Self { bytes, position: 0, flexible: false, memory_left }
    }

    /// Starts at the first byte of a copy.
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Self {
        Self::new(Bytes::copy_from_slice(bytes))
    }

    /// Where the next field begins.
    #[must_use]
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes that were not read yet.
    #[must_use]
    pub fn left(&self) -> usize {
        self.bytes.len() - self.position
    }

    /// Ends reading.
    ///
    /// # Errors
    /// [`DecodeError::Trailing`] if bytes are left.
    pub fn finish(self) -> Result<(), DecodeError> {
        match self.left() {
            0 => Ok(()),
            left => Err(DecodeError::Trailing { position: self.position, left }),
        }
    }

    /// Chooses between the two ways of writing lengths for all that follows.
    pub(crate) fn set_flexible(&mut self, flexible: bool) {
        self.flexible = flexible;
    }

    pub(crate) fn is_flexible(&self) -> bool {
        self.flexible
    }

    fn skip(&mut self, needed: usize) -> Result<usize, DecodeError> {
        let (position, left) = (self.position, self.left());
        if needed > left {
            return Err(DecodeError::Truncated { position, needed, left });
        }
        self.position += needed;
        Ok(position)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let start = self.skip(N)?;
        Ok(self.bytes[start..start + N].try_into().expect("skip checked the count"))
    }

    /// An unsigned integer of at most 32 bits, seven per byte.
    pub(crate) fn unsigned_varint(&mut self) -> Result<u32, DecodeError> {
        let position = self.position;
        let mut value = 0_u64;
        for shift in [0, 7, 14, 21, 28] {
            let [byte] = self.array::<1>()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return u32::try_from(value).map_err(|_| DecodeError::Varint { position });
            }
        }
        Err(DecodeError::Varint { position })
    }

    /// A length as bytes have it: compact or of 32 bits, `None` for an absent value.
    fn length(&mut self) -> Result<Option<usize>, DecodeError> {
        if self.flexible {
            let plus_one = self.unsigned_varint()?;
            return Ok(plus_one.checked_sub(1).map(|length| length as usize));
        }
        let position = self.position;
        let length = i32::from_be_bytes(self.array()?);
        signed_length(position, i64::from(length))
    }

    /// Text, absent or not.
    pub(crate) fn string(&mut self) -> Result<Option<StrBytes>, DecodeError> {
        let position = self.position;
        let length = if self.flexible { self.length()? } else { self.short_length()? };
        let Some(length) = length else { return Ok(None) };
        if length > STRING_BYTES_MAX {
            let value = i64::try_from(length).unwrap_or(i64::MAX);
            return Err(DecodeError::Length { position, value });
        }
        let start = self.skip(length)?;
        let text = StrBytes::from_utf8(self.bytes.slice(start..start + length));
        text.map(Some).map_err(|source| DecodeError::Utf8 { position: start, source })
    }

    fn short_length(&mut self) -> Result<Option<usize>, DecodeError> {
        let position = self.position;
        let length = i16::from_be_bytes(self.array()?);
        signed_length(position, i64::from(length))
    }

    /// Bytes or records, absent or not.
    pub(crate) fn nullable_bytes(&mut self) -> Result<Option<Bytes>, DecodeError> {
        let Some(length) = self.length()? else { return Ok(None) };
        let start = self.skip(length)?;
        Ok(Some(self.bytes.slice(start..start + length)))
    }

    /// Whether a structure that may be absent follows: a byte in front of it is negative if not.
    pub(crate) fn presence(&mut self, nullable: bool) -> Result<bool, DecodeError> {
        let position = self.position;
        let present = i8::from_be_bytes(self.array()?) >= 0;
        if present || nullable { Ok(present) } else { Err(DecodeError::Null { position }) }
    }

    /// The count of an array whose elements take at least `element_bytes_min` bytes here and
    /// `element_memory` bytes in memory; `None` for an absent array. Nothing is allocated for a
    /// count that the rest of the frame cannot hold.
    pub(crate) fn count(
        &mut self,
        element_bytes_min: usize,
        element_memory: usize,
    ) -> Result<Option<usize>, DecodeError> {
        let position = self.position;
        let Some(count) = self.length()? else { return Ok(None) };
        let left = self.left();
        if count > left / element_bytes_min.max(1) {
            return Err(DecodeError::Count { position, count, left });
        }
        let memory = count.saturating_mul(element_memory);
        let Some(memory_left) = self.memory_left.checked_sub(memory) else {
            return Err(DecodeError::Memory { position, count });
        };
        self.memory_left = memory_left;
        Ok(Some(count))
    }

    /// Reads the tagged fields of a structure: `known` reads those it knows and answers whether
    /// it did. Others are skipped, as is everything that newer peers may add.
    pub(crate) fn tagged_fields(
        &mut self,
        mut known: impl FnMut(u32, &mut Decoder) -> Result<bool, DecodeError>,
    ) -> Result<(), DecodeError> {
        for _ in 0..self.unsigned_varint()? {
            let tag = self.unsigned_varint()?;
            let size = self.unsigned_varint()? as usize;
            let start = self.skip(size)?;
            let end = self.position;
            // A field must not read into its neighbour, so the frame ends here for a moment.
            let frame = self.bytes.clone();
            self.bytes.truncate(end);
            self.position = start;
            let was_known = known(tag, self)?;
            let (position, left) = (start, self.left());
            self.bytes = frame;
            self.position = end;
            if was_known && left > 0 {
                return Err(DecodeError::Tagged { tag, position, left });
            }
        }
        Ok(())
    }
}

fn signed_length(position: usize, value: i64) -> Result<Option<usize>, DecodeError> {
    match value {
        -1 => Ok(None),
        _ => usize::try_from(value).map(Some).map_err(|_| DecodeError::Length { position, value }),
    }
}
