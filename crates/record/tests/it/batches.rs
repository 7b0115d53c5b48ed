//! Format 2: what is written comes back, and nothing broken passes.

use bytes::{Bytes, BytesMut};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use record::{Batch, BatchBuilder, Compression, Error, HEADER_BYTES, Producer, Record};

use crate::{LIMIT, build, header, only, read, text};

fn any_bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..40).prop_map(Bytes::from)
}

fn any_record() -> impl Strategy<Value = Record> {
    let headers = vec(("[a-z]{0,6}".prop_map(Bytes::from), option::of(any_bytes())), 0..4);
    let parts = (any::<i64>(), option::of(any_bytes()), option::of(any_bytes()), headers);
    parts.prop_map(|(timestamp, key, value, headers)| Record { offset: 0, timestamp, key, value, headers })
}

fn any_records() -> impl Strategy<Value = Vec<Record>> {
    vec(any_record(), 1..30).prop_map(|mut records| {
        for (offset, record) in (0..).zip(&mut records) {
            record.offset = offset;
        }
        records
    })
}

proptest! {
    #[test]
    fn records_return_through_every_codec(records in any_records(), codec in 0..5_usize) {
        let bytes = build(Compression::ALL[codec], &records);
        prop_assert_eq!(read(&bytes), records);
    }

    #[test]
    fn no_bytes_make_the_reader_panic(noise in vec(any::<u8>(), 0..300), attributes: u8) {
        let mut bytes = build(Compression::None, &[text(0, 1, None, Some("x"))]).to_vec();
        bytes[22] = attributes;
        bytes.truncate(HEADER_BYTES);
        bytes.extend_from_slice(&noise);
        let length = i32::try_from(bytes.len() - 12).unwrap();
        bytes[8..12].copy_from_slice(&length.to_be_bytes());
        let batch = only(&Bytes::from(bytes));
        let _ = batch.validate(LIMIT);
        if let Ok(records) = batch.records(LIMIT) {
            prop_assert!(records.take(1000).count() < 1000);
        }
    }

    #[test]
    fn a_flipped_bit_is_always_noticed(records in any_records(), at: prop::sample::Index, bit in 0..8_u32) {
        let bytes = build(Compression::None, &records);
        let mut broken = bytes.to_vec();
        // The checksum covers everything from the attributes on.
        let at = 21 + at.index(broken.len() - 21);
        broken[at] ^= 1_u8 << bit;
        let broken = Bytes::from(broken);
        let noticed = Batch::parse(&broken).is_err() || only(&broken).verify_crc().is_err();
        prop_assert!(noticed);
    }

    #[test]
    fn every_cut_is_reported_as_truncated(records in any_records(), at: prop::sample::Index) {
        let bytes = build(Compression::None, &records);
        let cut = bytes.slice(..at.index(bytes.len()));
        let error = Batch::parse(&cut).unwrap_err();
        let truncated = matches!(error, Error::Truncated { position: 0, .. });
        prop_assert!(truncated, "{}", error);
    }
}

#[test]
fn duplicate_header_keys_empty_keys_and_null_values_survive() {
    let mut record = text(0, 7, None, None);
    record.headers =
        vec![header("h", Some("a")), header("h", Some("b")), header("", None), header("e", Some(""))];
    let bytes = build(Compression::None, std::slice::from_ref(&record));
    assert_eq!(read(&bytes), [record]);
}

#[test]
fn records_are_slices_of_the_frame() {
    let bytes = build(Compression::None, &[text(0, 7, Some("key"), Some("value"))]);
    let record = read(&bytes).remove(0);
    assert!(bytes.as_ptr_range().contains(&record.value.unwrap().as_ptr()));
}

#[test]
fn the_log_patches_twelve_bytes_and_the_checksum_stays_true() {
    let mut bytes = BytesMut::from(&build(Compression::Zstd, &[text(0, 7, None, Some("v"))])[..]);
    record::assign_offsets(&mut bytes, 41, 3);
    let batch = only(&bytes.freeze());
    batch.verify_crc().unwrap();
    assert_eq!((batch.header.base_offset, batch.header.partition_leader_epoch), (41, 3));
    assert_eq!(batch.records(LIMIT).unwrap().next().unwrap().unwrap().offset, 41);
}

#[test]
fn log_append_time_replaces_every_timestamp() {
    let records = [text(0, 7, None, Some("v")), text(1, 9, None, Some("w"))];
    let mut bytes = BytesMut::from(&build(Compression::Gzip, &records)[..]);
    record::set_log_append_time(&mut bytes, 1234);
    assert!(read(&bytes.freeze()).iter().all(|record| record.timestamp == 1234));
}

#[test]
fn sequences_wrap_after_the_greatest_one() {
    let producer = Producer { id: 5, epoch: 1, base_sequence: i32::MAX };
    let mut builder = BatchBuilder::new(Compression::None, producer);
    builder.push(1, None, None, &[]);
    builder.push(1, None, None, &[]);
    assert_eq!(only(&builder.build()).header.last_sequence(), 0);
}

#[test]
fn an_error_names_the_batch_by_its_position() {
    let first = build(Compression::None, &[text(0, 7, None, Some("v"))]);
    let mut bytes = first.to_vec();
    bytes.extend_from_slice(&first);
    *bytes.last_mut().unwrap() ^= 1;
    let bytes = Bytes::from(bytes);
    let second = record::batches(&bytes).nth(1).unwrap().unwrap();
    let error = second.verify_crc().unwrap_err();
    assert!(matches!(error, Error::Crc { position, .. } if position == first.len()), "{error}");

    let cut = bytes.slice(..bytes.len() - 1);
    let error = record::batches(&cut).nth(1).unwrap().unwrap_err();
    assert!(matches!(error, Error::Truncated { position, .. } if position == first.len()), "{error}");
    assert_eq!(record::batches(&cut).count(), 2, "the walk ends after its first error");
}

/// Makes a batch with a valid checksum around the given count, delta and payload.
fn forged(count: i32, last_offset_delta: i32, payload: &[u8]) -> Batch {
    let mut bytes = build(Compression::None, &[text(0, 7, None, None)]).to_vec();
    bytes.truncate(HEADER_BYTES);
    bytes[23..27].copy_from_slice(&last_offset_delta.to_be_bytes());
    bytes[57..61].copy_from_slice(&count.to_be_bytes());
    bytes.extend_from_slice(payload);
    let length = i32::try_from(bytes.len() - 12).expect("a small batch");
    bytes[8..12].copy_from_slice(&length.to_be_bytes());
    only(&Bytes::from(bytes))
}

/// length 6, attributes, timestamp delta 0, offset delta 0, key -1, value -1, no header
const RECORD: [u8; 7] = [12, 0, 0, 0, 1, 1, 0];

#[test]
fn a_lying_count_or_record_is_refused() {
    forged(1, 0, &RECORD).validate(LIMIT).unwrap();
    let refused = |count, delta, payload: &[u8]| forged(count, delta, payload).validate(LIMIT).unwrap_err();

    let error = refused(2, 0, &RECORD);
    assert!(matches!(error, Error::Range { what: "records count", position: 57, value: 2 }), "{error}");
    let error = refused(2, 1, &RECORD);
    assert!(matches!(error, Error::Truncated { position: 68, .. }), "{error}");
    let error = refused(1, 0, &[RECORD, RECORD].concat());
    assert!(matches!(error, Error::Trailing { position: 68, left: 7, .. }), "{error}");
    let error = refused(2, 1, &[RECORD, RECORD].concat());
    assert!(matches!(error, Error::Range { what: "offset delta", value: 0, .. }), "{error}");
    // A key length of -2, and a header count beyond the record.
    let error = refused(1, 0, &[12, 0, 0, 0, 3, 1, 0]);
    assert!(matches!(error, Error::Range { what: "key length", position: 65, value: -2 }), "{error}");
    let error = refused(1, 0, &[12, 0, 0, 0, 1, 1, 8]);
    assert!(matches!(error, Error::Range { what: "header count", value: 4, .. }), "{error}");
    // A record that ends before its length says so.
    let error = refused(1, 0, &[14, 0, 0, 0, 1, 1, 0, 0]);
    assert!(matches!(error, Error::Trailing { what: "a record", .. }), "{error}");
}

#[test]
fn another_format_and_an_unknown_codec_are_named() {
    let mut bytes = build(Compression::None, &[text(0, 7, None, None)]).to_vec();
    bytes[22] = 7;
    let error = only(&Bytes::from(bytes.clone())).validate(LIMIT).unwrap_err();
    assert_eq!(error.to_string(), "compression codec 7 does not exist");
    bytes[16] = 1;
    let error = Batch::parse(&Bytes::from(bytes)).unwrap_err();
    assert_eq!(error.to_string(), "magic 1 at byte 16 is not supported here");
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let zeros = vec![0_u8; 4 << 20];
    for codec in &Compression::ALL[1..] {
        let mut builder = BatchBuilder::new(*codec, Producer::NONE);
        builder.push(1, None, Some(&zeros), &[]);
        let bytes = builder.build();
        let error = only(&bytes).validate(LIMIT).unwrap_err();
        assert!(matches!(error, Error::TooLarge { limit: LIMIT, .. }), "{codec}: {error}");
        only(&bytes).validate(5 << 20).unwrap();
    }
}

#[test]
fn broken_compressed_bytes_are_an_error_of_their_codec() {
    for codec in &Compression::ALL[1..] {
        let bytes = build(*codec, &[text(0, 7, None, Some("value"))]);
        // The lz4 decoder does not insist on the four zero bytes that end a frame; the records in
        // front of them are walked to their end all the same.
        let needed = if *codec == Compression::Lz4 { bytes.len() - 4 } else { bytes.len() };
        for cut in HEADER_BYTES..needed {
            let mut cut = bytes.slice(..cut).to_vec();
            let length = i32::try_from(cut.len() - 12).unwrap();
            cut[8..12].copy_from_slice(&length.to_be_bytes());
            let error = only(&Bytes::from(cut)).validate(LIMIT);
            assert!(error.is_err(), "{codec} cut short was accepted");
        }
    }
}
