//! Formats 0 and 1, both ways.

use bytes::Bytes;
use proptest::prelude::*;
use record::legacy::{from_v2, messages, to_v2};
use record::{Compression, Error, Record};

use crate::{LIMIT, build, header, only, read, text};

const OLD_CODECS: [Compression; 4] =
    [Compression::None, Compression::Gzip, Compression::Snappy, Compression::Lz4];

/// A batch at offset 40, as it lies in the log.
fn stored(codec: Compression) -> Bytes {
    let records =
        [text(0, 70, Some("k"), Some("v")), text(1, 80, None, Some("w")), text(2, 75, Some("k"), None)];
    let mut bytes = build(codec, &records).to_vec();
    record::assign_offsets(&mut bytes, 40, 0);
    Bytes::from(bytes)
}

#[test]
fn down_conversion_keeps_offsets_keys_values_and_codecs() {
    for codec in OLD_CODECS {
        for magic in [0, 1] {
            let old = from_v2(&stored(codec), magic, LIMIT).unwrap();
            let entries = messages(&old, LIMIT).unwrap();
            assert_eq!(entries.len(), 1);
            assert_eq!(entries[0].compression, codec);
            let mut expected: Vec<Record> = read(&stored(codec));
            if magic == 0 {
                expected.iter_mut().for_each(|record| record.timestamp = -1);
            }
            assert_eq!(entries[0].records, expected, "{codec}, magic {magic}");
        }
    }
}

#[test]
fn up_conversion_makes_dense_batches_with_the_same_codec() {
    for codec in OLD_CODECS {
        for magic in [0, 1] {
            let old = from_v2(&stored(codec), magic, LIMIT).unwrap();
            let new = to_v2(&old, LIMIT).unwrap();
            assert_eq!(only(&new).header.compression().unwrap(), codec);
            let records = read(&new);
            let offsets: Vec<i64> = records.iter().map(|record| record.offset).collect();
            assert_eq!(offsets, [0, 1, 2]);
            let timestamps: Vec<i64> = records.iter().map(|record| record.timestamp).collect();
            assert_eq!(timestamps, if magic == 0 { [-1; 3] } else { [70, 80, 75] });
        }
    }
}

#[test]
fn the_wrapper_has_the_last_offset_and_format_1_counts_inside_from_zero() {
    let old = from_v2(&stored(Compression::Gzip), 1, LIMIT).unwrap();
    assert_eq!(&old[..8], 42_i64.to_be_bytes());
    // offset 8, size 4, checksum 4, magic, attributes, timestamp 8, key 4, value length 4
    let inner = Compression::Gzip.decompress(&old.slice(34..), LIMIT).unwrap();
    assert_eq!(&inner[..8], 0_i64.to_be_bytes());
    let old = from_v2(&stored(Compression::Gzip), 0, LIMIT).unwrap();
    let inner = Compression::Gzip.decompress(&old.slice(26..), LIMIT).unwrap();
    assert_eq!(&inner[..8], 40_i64.to_be_bytes());
}

#[test]
fn format_0_breaks_the_lz4_checksum_and_accepts_either() {
    let old = from_v2(&stored(Compression::Lz4), 0, LIMIT).unwrap();
    assert!(Compression::Lz4.decompress(&old.slice(26..), LIMIT).is_err());
    assert_eq!(messages(&old, LIMIT).unwrap()[0].records.len(), 3);
}

#[test]
fn headers_and_markers_are_left_out() {
    let mut record = text(0, 1, None, Some("v"));
    record.headers = vec![header("h", None)];
    let data = build(Compression::None, &[record]);
    let mut marker =
        record::BatchBuilder::new(Compression::None, record::Producer { id: 1, epoch: 0, base_sequence: -1 })
            .transactional()
            .control();
    marker.push(1, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]);
    let both = Bytes::from([data, marker.build()].concat());
    let entries = messages(&from_v2(&both, 1, LIMIT).unwrap(), LIMIT).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].records, [text(0, 1, None, Some("v"))]);
}

#[test]
fn zstd_does_not_exist_in_old_formats() {
    let error = from_v2(&stored(Compression::Zstd), 1, LIMIT).unwrap_err();
    assert_eq!(error.to_string(), "zstd does not exist in message format 1");
}

#[test]
fn codecs_of_one_set_stay_apart() {
    let none = from_v2(&stored(Compression::None), 1, LIMIT).unwrap();
    let gzip = from_v2(&stored(Compression::Gzip), 1, LIMIT).unwrap();
    let mixed = Bytes::from([none.clone(), none, gzip.clone(), gzip].concat());
    let new = to_v2(&mixed, LIMIT).unwrap();
    let codecs: Vec<_> =
        record::batches(&new).map(|batch| batch.unwrap().header.compression().unwrap()).collect();
    assert_eq!(codecs, [Compression::None, Compression::Gzip]);
    assert_eq!(read(&new).len(), 12);
    assert!(to_v2(&Bytes::new(), LIMIT).unwrap().is_empty());
}

#[test]
fn broken_sets_are_refused_with_their_position() {
    let good = from_v2(&stored(Compression::None), 1, LIMIT).unwrap();
    let second = 12 + i32::from_be_bytes(good[8..12].try_into().unwrap()) as usize;
    let refused = |at: usize, value: u8| {
        let mut bytes = good.to_vec();
        bytes[at] = value;
        to_v2(&Bytes::from(bytes), LIMIT).unwrap_err()
    };
    let error = refused(second + 16, 2);
    assert!(matches!(error, Error::Magic { magic: 2, position } if position == second + 16), "{error}");
    let error = refused(second + 20, 9);
    assert!(matches!(error, Error::Crc { position, .. } if position == second), "{error}");
    let error = refused(second + 8, 0xff);
    assert!(matches!(error, Error::Range { what: "message size", .. }), "{error}");
    for cut in 1..second {
        assert!(to_v2(&good.slice(..cut), LIMIT).is_err(), "cut at {cut} was accepted");
    }
    let packed = from_v2(&stored(Compression::Gzip), 1, LIMIT).unwrap();
    let error = to_v2(&packed, 10).unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 10, .. }), "{error}");
}

/// A message with a true checksum around any content.
fn forged(magic: u8, attributes: u8, content: &[u8]) -> Bytes {
    let mut checked = vec![magic, attributes];
    checked.extend_from_slice(content);
    let mut crc = flate2::Crc::new();
    crc.update(&checked);
    let size = i32::try_from(checked.len() + 4).expect("a small message");
    let mut out = vec![0; 8];
    out.extend_from_slice(&size.to_be_bytes());
    out.extend_from_slice(&crc.sum().to_be_bytes());
    out.extend_from_slice(&checked);
    Bytes::from(out)
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(
        magic in 0_u8..3,
        attributes: u8,
        content in proptest::collection::vec(any::<u8>(), 0..100),
    ) {
        let _ = to_v2(&Bytes::from(content.clone()), LIMIT);
        let _ = to_v2(&forged(magic, attributes, &content), LIMIT);
        // An absent key, then a value: the content of a wrapper.
        let timestamp: &[u8] = if magic == 1 { &[0; 8] } else { &[] };
        let length = i32::try_from(content.len()).unwrap().to_be_bytes();
        let wrapper = [timestamp, &[0xff; 4], &length, &content].concat();
        let _ = to_v2(&forged(magic, attributes, &wrapper), LIMIT);
    }
}

#[test]
fn lengths_below_minus_one_and_bytes_left_over_are_refused() {
    let error = to_v2(&forged(0, 0, &[0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 0]), LIMIT).unwrap_err();
    assert!(matches!(error, Error::Range { what: "message key length", position: 18, value: -2 }), "{error}");
    let error = to_v2(&forged(0, 0, &[0xff, 0xff, 0xff, 0xff, 0, 0, 0, 9]), LIMIT).unwrap_err();
    assert!(matches!(error, Error::Truncated { what: "message value length", position: 22, .. }), "{error}");
    let error = to_v2(&forged(0, 0, &[0, 0, 0, 0, 0, 0, 0, 0, 7]), LIMIT).unwrap_err();
    assert!(matches!(error, Error::Trailing { position: 26, left: 1, .. }), "{error}");
}

#[test]
fn a_wrapper_around_nothing_is_refused() {
    let packed = Compression::Gzip.compress(&[]);
    let length = i32::try_from(packed.len()).unwrap().to_be_bytes();
    for content in [[&[0xff; 4], &length[..], &packed].concat(), vec![0xff; 8]] {
        assert!(to_v2(&forged(0, 1, &content), LIMIT).is_err());
    }
}

/// A wrapper inside of a wrapper could unfold without end.
#[test]
fn wrappers_do_not_nest() {
    let inner = from_v2(&stored(Compression::Gzip), 0, LIMIT).unwrap();
    let packed = Compression::Gzip.compress(&inner);
    let length = i32::try_from(packed.len()).unwrap().to_be_bytes();
    let outer = forged(0, 1, &[&[0xff; 4], &length[..], &packed].concat());
    let error = to_v2(&outer, LIMIT).unwrap_err();
    assert!(matches!(error, Error::Range { what: "inner message attributes", .. }), "{error}");
}
