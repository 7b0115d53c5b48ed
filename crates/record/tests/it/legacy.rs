//! Formats 0 and 1, both ways.

use bytes::Bytes;
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
