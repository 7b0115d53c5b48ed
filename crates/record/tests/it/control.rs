//! Transaction markers.

use bytes::Bytes;
use record::{BatchBuilder, Compression, ControlRecord, Error, Producer};

use crate::only;

const COMMIT: ControlRecord = ControlRecord::EndTransaction { commit: true, coordinator_epoch: 7 };
const ABORT: ControlRecord = ControlRecord::EndTransaction { commit: false, coordinator_epoch: -3 };

/// A control batch with any key and value.
fn control(key: &[u8], value: &[u8]) -> Bytes {
    let mut builder = BatchBuilder::new(Compression::None, Producer::NONE).control();
    builder.push(0, Some(key), Some(value), &[]);
    builder.build()
}

fn parse(key: &[u8], value: &[u8]) -> Result<ControlRecord, Error> {
    ControlRecord::from_batch(&only(&control(key, value)))
}

#[test]
fn a_marker_returns_as_it_was_written() {
    for marker in [COMMIT, ABORT] {
        let batch = only(&marker.to_batch(42, 5, 1_700_000_000_000));
        batch.verify_crc().unwrap();
        batch.validate(0).unwrap();
        let header = batch.header;
        assert!(header.is_control() && header.is_transactional());
        assert_eq!((header.producer_id, header.producer_epoch, header.base_sequence), (42, 5, -1));
        assert_eq!((header.records_count, header.max_timestamp), (1, 1_700_000_000_000));
        assert_eq!(ControlRecord::from_batch(&batch).unwrap(), marker);
    }
}

/// The layout in Kafka's `EndTransactionMarker` and `ControlRecordType`.
#[test]
fn the_bytes_are_those_of_kafka() {
    let batch = only(&COMMIT.to_batch(42, 5, 0));
    assert_eq!(batch.header.attributes, 0x30);
    let record = batch.records(100).unwrap().next().unwrap().unwrap();
    assert_eq!(record.key.as_deref(), Some(&[0, 0, 0, 1][..]));
    assert_eq!(record.value.as_deref(), Some(&[0, 0, 0, 0, 0, 7][..]));
}

#[test]
fn newer_versions_are_read_as_far_as_they_are_known() {
    let read = parse(&[0, 1, 0, 0, 9], &[0, 9, 0xff, 0xff, 0xff, 0xfd, 1, 2, 3]).unwrap();
    assert_eq!(read, ABORT);
}

#[test]
fn what_is_no_marker_is_refused() {
    let other = parse(&[0, 0, 0, 2], &[0; 6]).unwrap_err();
    assert!(matches!(other, Error::Range { what: "control record type", value: 2, .. }), "{other}");
    let negative = parse(&[0xff, 0xff, 0, 1], &[0; 6]).unwrap_err();
    assert!(matches!(negative, Error::Range { what: "control key version", .. }), "{negative}");
    for (key, value) in [(&[0, 0, 0][..], &[0; 6][..]), (&[0, 0, 0, 1], &[0; 5]), (&[], &[])] {
        let short = parse(key, value).unwrap_err();
        assert!(matches!(short, Error::Truncated { .. }), "{short}");
    }
    let mut data = BatchBuilder::new(Compression::None, Producer::NONE);
    data.push(0, Some(&[0, 0, 0, 1]), Some(&[0; 6]), &[]);
    let error = ControlRecord::from_batch(&only(&data.build())).unwrap_err();
    assert!(matches!(error, Error::Range { what: "control batch attributes", .. }), "{error}");
}
