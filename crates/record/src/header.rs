//! The 61 bytes in front of every record batch of format 2.

use crate::cursor::Cursor;
use crate::{Compression, Error};

/// The bytes of a batch header.
pub const HEADER_BYTES: usize = 61;
/// The bytes in front of what `batch_length` counts: the base offset and the length itself.
pub(crate) const LENGTH_PREFIX_BYTES: usize = 12;
/// Where the magic byte stands; also in the older formats.
pub(crate) const MAGIC_AT: usize = 16;
/// Where the checksum stands.
pub(crate) const CRC_AT: usize = 17;
/// Where the checksummed bytes begin.
pub(crate) const ATTRIBUTES_AT: usize = 21;
/// Where the last record's offset, counted from the base, stands.
pub(crate) const LAST_OFFSET_DELTA_AT: usize = 23;
/// Where the timestamp that deltas count from stands.
pub(crate) const BASE_TIMESTAMP_AT: usize = 27;
/// Where the greatest timestamp stands.
pub(crate) const MAX_TIMESTAMP_AT: usize = 35;

/// Where the number of records stands.
pub(crate) const RECORDS_COUNT_AT: usize = 57;

pub(crate) const CODEC_MASK: i16 = 0b111;
pub(crate) const LOG_APPEND_TIME: i16 = 1 << 3;
pub(crate) const TRANSACTIONAL: i16 = 1 << 4;
pub(crate) const CONTROL: i16 = 1 << 5;
pub(crate) const DELETE_HORIZON: i16 = 1 << 6;

/// The header of one record batch, format 2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BatchHeader {
    /// The offset of the first record.
    pub base_offset: i64,
    /// The bytes of the batch after this very field.
    pub batch_length: i32,
    /// The leader's epoch when the batch was appended.
    pub partition_leader_epoch: i32,
    /// CRC32C of everything from the attributes on.
    pub crc: u32,
    /// Codec, timestamp type, transactional and control flags.
    pub attributes: i16,
    /// The last record's offset, counted from `base_offset`.
    pub last_offset_delta: i32,
    /// The timestamp that the records' deltas count from, in Unix milliseconds.
    pub base_timestamp: i64,
    /// The greatest timestamp of the batch.
    pub max_timestamp: i64,
    /// The producer's id, -1 without idempotence.
    pub producer_id: i64,
    /// The producer's epoch, -1 without idempotence.
    pub producer_epoch: i16,
    /// The first record's sequence number, -1 without idempotence.
    pub base_sequence: i32,
    /// How many records follow.
    pub records_count: i32,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`; what follows it need not be there.
    ///
    /// # Errors
    /// [`Error::Truncated`] below 61 bytes, [`Error::Magic`] for another format, [`Error::Range`]
    /// for a length that cannot hold a header or for a negative count.
    pub fn parse(bytes: &[u8]) -> Result<BatchHeader, Error> {
        Self::parse_at(bytes, 0)
    }

    pub(crate) fn parse_at(bytes: &[u8], position: usize) -> Result<BatchHeader, Error> {
        let left = bytes.len().saturating_sub(position);
        // The magic byte is looked at first, so that an old message set is called by its name.
        if left > MAGIC_AT {
            let magic = i8::from_be_bytes([bytes[position + MAGIC_AT]]);
            if magic != 2 {
                return Err(Error::Magic { position: position + MAGIC_AT, magic });
            }
        }
        let mut cursor = Cursor::new(bytes, position);
        let header = cursor.take("batch header", HEADER_BYTES)?;
        let header = Self::read(header);
        header.check(position)?;
        Ok(header)
    }

    fn read(b: &[u8]) -> BatchHeader {
        BatchHeader {
            base_offset: i64::from_be_bytes(at(b, 0)),
            batch_length: i32::from_be_bytes(at(b, 8)),
            partition_leader_epoch: i32::from_be_bytes(at(b, 12)),
            crc: u32::from_be_bytes(at(b, CRC_AT)),
            attributes: i16::from_be_bytes(at(b, ATTRIBUTES_AT)),
            last_offset_delta: i32::from_be_bytes(at(b, 23)),
            base_timestamp: i64::from_be_bytes(at(b, 27)),
            max_timestamp: i64::from_be_bytes(at(b, MAX_TIMESTAMP_AT)),
            producer_id: i64::from_be_bytes(at(b, 43)),
            producer_epoch: i16::from_be_bytes(at(b, 51)),
            base_sequence: i32::from_be_bytes(at(b, 53)),
            records_count: i32::from_be_bytes(at(b, 57)),
        }
    }

    fn check(&self, position: usize) -> Result<(), Error> {
        let range =
            |what, at, value: i32| Error::Range { what, position: position + at, value: i64::from(value) };
        let batch_length = usize::try_from(self.batch_length).unwrap_or(0);
        if batch_length < HEADER_BYTES - LENGTH_PREFIX_BYTES {
            return Err(range("batch length", 8, self.batch_length));
        }
        if self.last_offset_delta < 0 {
            return Err(range("last offset delta", 23, self.last_offset_delta));
        }
        if self.records_count < 0 {
            return Err(range("records count", 57, self.records_count));
        }
        Ok(())
    }

    /// The bytes of the whole batch, header included.
    #[must_use]
    pub fn total_bytes(&self) -> usize {
        LENGTH_PREFIX_BYTES + usize::try_from(self.batch_length).unwrap_or(0)
    }

    /// The offset of the last record.
    #[must_use]
    pub fn last_offset(&self) -> i64 {
        self.base_offset.wrapping_add(i64::from(self.last_offset_delta))
    }

    /// The offset that follows this batch.
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.last_offset().wrapping_add(1)
    }

    /// The last record's sequence number; sequence numbers wrap to zero after `i32::MAX`.
    #[must_use]
    pub fn last_sequence(&self) -> i32 {
        if self.base_sequence < 0 {
            return self.base_sequence;
        }
        let last = i64::from(self.base_sequence) + i64::from(self.last_offset_delta);
        let wrapped = last & i64::from(i32::MAX);
        i32::try_from(wrapped).expect("masked to 31 bits")
    }

    /// The codec of the records.
    ///
    /// # Errors
    /// [`Error::Codec`] for a number that names none.
    pub fn compression(&self) -> Result<Compression, Error> {
        Compression::from_attributes(self.attributes)
    }

    /// Whether every record carries the broker's time of appending.
    #[must_use]
    pub fn is_log_append_time(&self) -> bool {
        self.attributes & LOG_APPEND_TIME != 0
    }

    /// Until when compaction keeps the tombstones, or the marker, of this batch, in Unix milliseconds (KIP-534). It
    /// stands in the place of the base timestamp; records' times count from it all the same.
    #[must_use]
    pub fn delete_horizon_ms(&self) -> Option<i64> {
        (self.attributes & DELETE_HORIZON != 0).then_some(self.base_timestamp)
    }

    /// Whether the batch belongs to a transaction.
    #[must_use]
    pub fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    /// Whether the batch holds a transaction marker instead of data.
    #[must_use]
    pub fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }
}

fn at<const N: usize>(bytes: &[u8], start: usize) -> [u8; N] {
    bytes[start..start + N].try_into().expect("a header is 61 bytes long")
}
