//! What other programs write is read, and what is written here is what they would have written.

mod bytes;

use ::bytes::Bytes;
use record::legacy::{messages, to_v2};
use record::{Compression, Record};

use self::bytes as hex;
use crate::{LIMIT, build, header, only, read, text};

const LONG: &str = "a long value, a long value, a long value, a long value";

fn unhex(hex: &str) -> Bytes {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| digit.to_digit(16).expect("hexadecimal digits"))
        .map(|digit| u8::try_from(digit).expect("one digit"))
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

/// What every golden batch and message set holds; old formats know no headers.
fn expected() -> Vec<Record> {
    let first = Record {
        headers: vec![header("h", Some("a")), header("h", Some("b")), header("", None)],
        ..text(0, 1_700_000_000_000, Some("k"), Some("v"))
    };
    let third = text(2, 1_699_999_999_999, Some("k"), None);
    vec![first, text(1, 1_700_000_000_007, None, Some(LONG)), third]
}

fn expected_in_old_formats(magic: u8) -> Vec<Record> {
    let mut records = expected();
    for record in &mut records {
        record.headers.clear();
        if magic == 0 {
            record.timestamp = -1;
        }
    }
    records
}

/// The first 400 bytes of a well-known song.
fn song() -> String {
    let mut song: String =
        (0..99).rev().map(|i| format!("{} bottles of beer on the wall, ", i + 1)).collect();
    song.truncate(400);
    song
}

#[test]
fn batches_of_every_codec_are_read() {
    let batches = [hex::BATCH_NONE, hex::BATCH_GZIP, hex::BATCH_SNAPPY, hex::BATCH_LZ4, hex::BATCH_ZSTD];
    for (codec, batch) in Compression::ALL.into_iter().zip(batches) {
        let bytes = unhex(batch);
        assert_eq!(only(&bytes).header.compression().unwrap(), codec);
        assert_eq!(read(&bytes), expected(), "{codec}");
    }
}

#[test]
fn an_uncompressed_batch_is_written_byte_for_byte_alike() {
    let mut bytes = build(Compression::None, &expected()).to_vec();
    // kafka-python leaves the leader's epoch, which the broker writes, at 0 instead of -1.
    record::assign_offsets(&mut bytes, 0, 0);
    assert_eq!(Bytes::from(bytes), unhex(hex::BATCH_NONE));
}

#[test]
fn message_sets_of_every_codec_are_read() {
    let sets = [
        [hex::SET_0_NONE, hex::SET_0_GZIP, hex::SET_0_SNAPPY, hex::SET_0_LZ4],
        [hex::SET_1_NONE, hex::SET_1_GZIP, hex::SET_1_SNAPPY, hex::SET_1_LZ4],
    ];
    for (magic, sets) in (0..).zip(sets) {
        for (codec, set) in Compression::ALL.into_iter().zip(sets) {
            let set = unhex(set);
            let new = to_v2(&set, LIMIT).unwrap();
            assert_eq!(only(&new).header.compression().unwrap(), codec);
            assert_eq!(read(&new), expected_in_old_formats(magic), "{codec}, magic {magic}");
        }
    }
}

/// A producer writes 0 into the wrapper; the messages inside are counted back from there.
#[test]
fn a_producers_wrapper_carries_no_offset_yet() {
    let entries = messages(&unhex(hex::SET_1_GZIP), LIMIT).unwrap();
    let offsets: Vec<i64> = entries[0].records.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [-2, -1, 0]);
}

#[test]
fn snappy_is_read_bare_and_in_small_blocks() {
    for packed in [hex::SNAPPY_RAW, hex::XERIAL_SMALL_BLOCKS] {
        let text = Compression::Snappy.decompress(&unhex(packed), LIMIT).unwrap();
        assert_eq!(text, song());
        assert!(Compression::Snappy.decompress(&unhex(packed), 399).is_err());
        assert!(Compression::Snappy.decompress(&unhex(packed), 400).is_ok());
    }
    let twice = [unhex(hex::XERIAL_SMALL_BLOCKS), unhex(hex::XERIAL_SMALL_BLOCKS)].concat();
    let text = Compression::Snappy.decompress(&Bytes::from(twice), LIMIT).unwrap();
    assert_eq!(text.len(), 800, "concatenated streams");
}

/// Linked blocks, checksums of blocks and content, and the content's size.
#[test]
fn lz4_is_read_with_every_option() {
    let text = Compression::Lz4.decompress(&unhex(hex::LZ4_LINKED), LIMIT).unwrap();
    assert_eq!(text, song());
}

#[test]
fn a_snappy_block_that_claims_four_gigabytes_is_refused() {
    let claim = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0]);
    let error = Compression::Snappy.decompress(&claim, usize::MAX).unwrap_err();
    assert!(matches!(error, record::Error::Decompress { .. }), "{error}");
}
