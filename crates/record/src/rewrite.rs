//! Batches written anew from batches: with fewer records, with another codec, or with none at all.
//!
//! Whatever is left out, a batch keeps its first and last offset, its producer and its sequence
//! numbers, and every record keeps its offset and its time.

use bytes::Bytes;

use crate::builder::put_record;
use crate::header::{
    ATTRIBUTES_AT, BASE_TIMESTAMP_AT, CODEC_MASK, CRC_AT, DELETE_HORIZON, HEADER_BYTES, LAST_OFFSET_DELTA_AT,
    LENGTH_PREFIX_BYTES, MAX_TIMESTAMP_AT, RECORDS_COUNT_AT,
};
use crate::{Batch, Compression, Error, Producer, Record};

impl Batch {
    /// This batch with only `records`, which must be some of its own, in their order. With `delete_horizon_ms`
    /// the batch also says until when its tombstones, or its marker, stay (KIP-534).
    ///
    /// # Errors
    /// If the batch names an unknown codec.
    ///
    /// # Panics
    /// If the batch would exceed the 2 GiB that its length field can say.
    pub fn with_records(&self, records: &[Record], delete_horizon_ms: Option<i64>) -> Result<Bytes, Error> {
        let header = &self.header;
        let base_timestamp = delete_horizon_ms.unwrap_or(header.base_timestamp);
        let mut payload = Vec::with_capacity(self.bytes.len());
        for record in records {
            let delta = record.offset - header.base_offset;
            let offset_delta = i32::try_from(delta).expect("a record lies within its batch");
            put_record(&mut payload, record.timestamp.wrapping_sub(base_timestamp), offset_delta, record);
        }
        let newest = records.iter().map(|record| record.timestamp).max();
        let max_timestamp = match newest {
            Some(newest) if !header.is_log_append_time() => newest,
            _ => header.max_timestamp,
        };
        let codec = if records.is_empty() { Compression::None } else { header.compression()? };
        let mut out = self.framed(codec, payload);
        if delete_horizon_ms.is_some() {
            out[ATTRIBUTES_AT + 1] |= DELETE_HORIZON.to_be_bytes()[1];
        }
        let count = i32::try_from(records.len()).expect("no more than there were");
        put(&mut out, BASE_TIMESTAMP_AT, &base_timestamp.to_be_bytes());
        put(&mut out, MAX_TIMESTAMP_AT, &max_timestamp.to_be_bytes());
        put(&mut out, RECORDS_COUNT_AT, &count.to_be_bytes());
        Ok(sealed(out))
    }

    /// This batch with its records packed by another codec.
    ///
    /// # Errors
    /// If the records cannot be unpacked, or yield more than `max_uncompressed` bytes.
    ///
    /// # Panics
    /// If the batch would exceed the 2 GiB that its length field can say.
    pub fn repacked(&self, codec: Compression, max_uncompressed: usize) -> Result<Bytes, Error> {
        let payload = self.unpacked(max_uncompressed)?;
        Ok(sealed(self.framed(codec, payload.to_vec())))
    }

    /// The header of this batch, and the payload packed by a codec; checksum, counts and times still to be set.
    fn framed(&self, codec: Compression, payload: Vec<u8>) -> Vec<u8> {
        let packed = match codec {
            Compression::None => payload,
            codec => codec.compress(&payload),
        };
        let length = i32::try_from(HEADER_BYTES - LENGTH_PREFIX_BYTES + packed.len());
        let length = length.expect("a batch stays below 2 GiB");
        let mut out = Vec::with_capacity(HEADER_BYTES + packed.len());
        out.extend_from_slice(&self.bytes[..HEADER_BYTES]);
        out.extend_from_slice(&packed);
        put(&mut out, LENGTH_PREFIX_BYTES - 4, &length.to_be_bytes());
        let attributes = (self.header.attributes & !CODEC_MASK) | i16::from(codec.id());
        put(&mut out, ATTRIBUTES_AT, &attributes.to_be_bytes());
        out
    }
}

/// A batch without records that stands for the offsets from `base_offset` to `last_offset`: readers pass over it. Such
/// batches fill what compaction left empty, so that every offset of a log lies in some batch.
///
/// # Panics
/// If the offsets are not in order, or are 2^31 apart.
#[must_use]
pub fn empty_batch(base_offset: i64, last_offset: i64) -> Bytes {
    let delta = i32::try_from(last_offset - base_offset).expect("fewer than 2^31 offsets");
    assert!(delta >= 0, "offsets ascend");
    let mut out = vec![0; HEADER_BYTES];
    let none = Producer::NONE;
    put(&mut out, 0, &base_offset.to_be_bytes());
    put(&mut out, 8, &49_i32.to_be_bytes());
    out[16] = 2;
    put(&mut out, LAST_OFFSET_DELTA_AT, &delta.to_be_bytes());
    put(&mut out, BASE_TIMESTAMP_AT, &(-1_i64).to_be_bytes());
    put(&mut out, MAX_TIMESTAMP_AT, &(-1_i64).to_be_bytes());
    put(&mut out, 43, &none.id.to_be_bytes());
    put(&mut out, 51, &none.epoch.to_be_bytes());
    put(&mut out, 53, &none.base_sequence.to_be_bytes());
    sealed(out)
}

fn put(out: &mut [u8], at: usize, bytes: &[u8]) {
    out[at..at + bytes.len()].copy_from_slice(bytes);
}

fn sealed(mut out: Vec<u8>) -> Bytes {
    let crc = crc32c::crc32c(&out[ATTRIBUTES_AT..]);
    put(&mut out, CRC_AT, &crc.to_be_bytes());
    Bytes::from(out)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{BatchBuilder, batches};

    fn batch(codec: Compression, count: i64) -> Batch {
        let producer = Producer { id: 7, epoch: 1, base_sequence: 40 };
        let mut builder = BatchBuilder::new(codec, producer).transactional();
        for n in 0..count {
            let header = (Bytes::from_static(b"h"), Some(Bytes::from_static(b"v")));
            builder.push(1_000 + n * 10, Some(&n.to_be_bytes()), Some(b"value"), &[header]);
        }
        let mut bytes = builder.build().to_vec();
        crate::assign_offsets(&mut bytes, 100, 0);
        Batch::parse(&Bytes::from(bytes)).unwrap()
    }

    fn records(batch: &Batch) -> Vec<Record> {
        batch.records(1 << 20).unwrap().map(Result::unwrap).collect()
    }

    proptest! {
        #[test]
        fn what_is_kept_keeps_its_offset_time_and_content(
            codec in (0_usize..5).prop_map(|at| Compression::ALL[at]),
            keep in proptest::collection::vec(any::<bool>(), 1..20),
            horizon in proptest::option::of(0_i64..1 << 41),
        ) {
            let before = batch(codec, i64::try_from(keep.len()).unwrap());
            let mut kept = records(&before);
            let mut keeps = keep.iter();
            kept.retain(|_| *keeps.next().unwrap());
            let after = Batch::parse(&before.with_records(&kept, horizon).unwrap()).unwrap();
            after.verify_crc().unwrap();
            prop_assert_eq!(records(&after), kept);
            let (old, new) = (before.header, after.header);
            prop_assert_eq!((new.base_offset, new.last_offset_delta), (old.base_offset, old.last_offset_delta));
            prop_assert_eq!((new.producer_id, new.producer_epoch), (old.producer_id, old.producer_epoch));
            prop_assert_eq!((new.base_sequence, new.last_sequence()), (old.base_sequence, old.last_sequence()));
            prop_assert!(new.is_transactional() && !new.is_control());
            prop_assert_eq!(new.delete_horizon_ms(), horizon);
        }

        #[test]
        fn another_codec_changes_nothing_else(
            from in (0_usize..5).prop_map(|at| Compression::ALL[at]),
            to in (0_usize..5).prop_map(|at| Compression::ALL[at]),
        ) {
            let before = batch(from, 50);
            let after = Batch::parse(&before.repacked(to, 1 << 20).unwrap()).unwrap();
            after.verify_crc().unwrap();
            after.validate(1 << 20).unwrap();
            prop_assert_eq!(after.header.compression().unwrap(), to);
            prop_assert_eq!(after.header.max_timestamp, before.header.max_timestamp);
            prop_assert_eq!(records(&after), records(&before));
        }
    }

    #[test]
    fn an_empty_batch_covers_its_offsets_and_holds_nothing() {
        let bytes = empty_batch(5, 9);
        let found: Vec<Batch> = batches(&bytes).map(Result::unwrap).collect();
        found[0].verify_crc().unwrap();
        assert_eq!((found[0].header.base_offset, found[0].header.next_offset()), (5, 10));
        assert_eq!((found.len(), records(&found[0]).len(), bytes.len()), (1, 0, HEADER_BYTES));
    }
}
