//! One record batch as a slice of the bytes it came in.

use std::cell::RefCell;

use bytes::{Bytes, BytesMut};

use crate::header::{ATTRIBUTES_AT, CRC_AT, HEADER_BYTES, LOG_APPEND_TIME, MAX_TIMESTAMP_AT};
use crate::record::{self, Records};
use crate::{BatchHeader, Compression, Error};

/// What a thread keeps of the memory that validating a compressed batch took.
const SCRATCH_BYTES_KEPT: usize = 1 << 20;

thread_local! {
    static SCRATCH: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// One record batch of format 2: its header, and its bytes untouched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The header, read.
    pub header: BatchHeader,
    /// The whole batch, header included; a slice of what was handed over.
    pub bytes: Bytes,
    /// Where the batch began in the bytes that were handed over, for error messages.
    position: usize,
}

/// Walks the batches that stand one after the other in `bytes`, without copying them.
///
/// The walk ends after its first error. Bytes that cannot hold a whole batch are an error, so a
/// reader that may cut a batch (a fetch, a torn tail) looks at [`Error::Truncated`].
pub fn batches(bytes: &Bytes) -> impl Iterator<Item = Result<Batch, Error>> + use<> {
    let bytes = bytes.clone();
    let mut position = 0;
    std::iter::from_fn(move || {
        if position >= bytes.len() {
            return None;
        }
        let batch = Batch::parse_at(&bytes, position);
        position = match &batch {
            Ok(batch) => position + batch.bytes.len(),
            Err(_) => bytes.len(),
        };
        Some(batch)
    })
}

impl Batch {
    /// Reads the batch at the start of `bytes`; more may follow it.
    ///
    /// # Errors
    /// As [`BatchHeader::parse`], and [`Error::Truncated`] if the batch does not end in `bytes`.
    pub fn parse(bytes: &Bytes) -> Result<Batch, Error> {
        Self::parse_at(bytes, 0)
    }

    fn parse_at(bytes: &Bytes, position: usize) -> Result<Batch, Error> {
        let header = BatchHeader::parse_at(bytes, position)?;
        let needed = header.total_bytes();
        let left = bytes.len() - position;
        if needed > left {
            return Err(Error::Truncated { what: "batch", position, needed, left });
        }
        let bytes = bytes.slice(position..position + needed);
        Ok(Batch { header, bytes, position })
    }

    /// Compares the stored checksum with that of the bytes.
    ///
    /// # Errors
    /// [`Error::Crc`] if they differ.
    pub fn verify_crc(&self) -> Result<(), Error> {
        let computed = crc32c::crc32c(&self.bytes[ATTRIBUTES_AT..]);
        if computed != self.header.crc {
            return Err(Error::Crc { position: self.position, stored: self.header.crc, computed });
        }
        Ok(())
    }

    /// Checks what a producer sent, so that no consumer ever stumbles over it: offsets are dense
    /// from zero, the count is true, every record ends where it says, and nothing is left over.
    /// A compressed batch is unfolded for it, up to `max_uncompressed` bytes.
    ///
    /// The checksum is not looked at; see [`Batch::verify_crc`].
    ///
    /// # Errors
    /// Any [`Error`] but `Crc`.
    pub fn validate(&self, max_uncompressed: usize) -> Result<(), Error> {
        let header = &self.header;
        let count = header.records_count;
        if i64::from(count) != i64::from(header.last_offset_delta) + 1 {
            return Err(Error::Range {
                what: "records count",
                position: self.position + 57,
                value: i64::from(count),
            });
        }
        let codec = header.compression()?;
        if codec == Compression::None {
            return record::walk(&self.bytes, HEADER_BYTES, count);
        }
        // What comes out is looked at and forgotten, so every thread has one place for it.
        SCRATCH.with_borrow_mut(|scratch| {
            let unpacked = codec.decompress_into(scratch, &self.bytes[HEADER_BYTES..], max_uncompressed);
            let walked = unpacked.and_then(|()| record::walk(scratch, 0, count));
            scratch.clear();
            scratch.shrink_to(SCRATCH_BYTES_KEPT);
            walked
        })
    }

    /// Reads the records, unfolding at most `max_uncompressed` bytes.
    ///
    /// # Errors
    /// If the codec is unknown, refuses the bytes, or yields too many; a broken record is an
    /// error of the iterator, which ends with it.
    pub fn records(&self, max_uncompressed: usize) -> Result<Records, Error> {
        let (payload, start) = self.payload(max_uncompressed)?;
        Ok(Records::new(self.header, payload, start))
    }

    /// The records, unpacked, without the header.
    pub(crate) fn unpacked(&self, max_uncompressed: usize) -> Result<Bytes, Error> {
        let (payload, start) = self.payload(max_uncompressed)?;
        Ok(payload.slice(start..))
    }

    /// The uncompressed records, and where in those bytes they begin.
    fn payload(&self, max_uncompressed: usize) -> Result<(Bytes, usize), Error> {
        let codec = self.header.compression()?;
        if codec == Compression::None {
            return Ok((self.bytes.clone(), HEADER_BYTES));
        }
        let payload = codec.decompress(&self.bytes.slice(HEADER_BYTES..), max_uncompressed)?;
        Ok((payload, 0))
    }
}

/// Gives the batch at the start of `batch` its place in the log. The checksum does not cover
/// the twelve bytes this writes, so it stays true.
///
/// # Panics
/// If `batch` is shorter than a batch header.
pub fn assign_offsets(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    assert!(batch.len() >= HEADER_BYTES, "a batch has at least its header");
    batch[0..8].copy_from_slice(&base_offset.to_be_bytes());
    batch[12..16].copy_from_slice(&leader_epoch.to_be_bytes());
}

/// Stamps a batch with the broker's time of appending, and renews its checksum.
/// `batch` must be exactly one batch.
///
/// # Panics
/// If `batch` is shorter than a batch header.
pub fn set_log_append_time(batch: &mut BytesMut, timestamp_ms: i64) {
    assert!(batch.len() >= HEADER_BYTES, "a batch has at least its header");
    batch[ATTRIBUTES_AT + 1] |= LOG_APPEND_TIME.to_be_bytes()[1];
    batch[MAX_TIMESTAMP_AT..MAX_TIMESTAMP_AT + 8].copy_from_slice(&timestamp_ms.to_be_bytes());
    let crc = crc32c::crc32c(&batch[ATTRIBUTES_AT..]);
    batch[CRC_AT..CRC_AT + 4].copy_from_slice(&crc.to_be_bytes());
}
