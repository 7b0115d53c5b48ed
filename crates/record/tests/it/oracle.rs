//! The `kafka-protocol` crate as the judge of uncompressed batches.

use bytes::Bytes;
use kafka_protocol::records::RecordBatchDecoder;
use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use record::{Compression, Record};

use crate::build;

fn any_bytes() -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..200).prop_map(Bytes::from)
}

/// The oracle keeps headers in a map, so here every key comes once.
fn any_record() -> impl Strategy<Value = Record> {
    let headers = btree_map("[a-z]{0,6}".prop_map(Bytes::from), option::of(any_bytes()), 0..4);
    let timestamp = 0_i64..1 << 45;
    let parts = (timestamp, option::of(any_bytes()), option::of(any_bytes()), headers);
    parts.prop_map(|(timestamp, key, value, headers)| {
        let headers = headers.into_iter().collect();
        Record { offset: 0, timestamp, key, value, headers }
    })
}

proptest! {
    #[test]
    fn the_oracle_reads_what_is_written_here(mut records in vec(any_record(), 1..20)) {
        for (offset, record) in (0..).zip(&mut records) {
            record.offset = offset;
        }
        let mut bytes = build(Compression::None, &records);
        let theirs = RecordBatchDecoder::decode(&mut bytes).unwrap().records;
        let theirs: Vec<Record> = theirs
            .into_iter()
            .map(|record| Record {
                offset: record.offset,
                timestamp: record.timestamp,
                key: record.key,
                value: record.value,
                headers: record
                    .headers
                    .into_iter()
                    .map(|(key, value)| (Bytes::copy_from_slice(key.as_bytes()), value))
                    .collect(),
            })
            .collect();
        prop_assert_eq!(theirs, records);
    }
}
