//! Transactions through a partition's handle.

use bytes::Bytes;
use env::SimDisk;
use record::{BatchBuilder, Compression, Producer};
use topics::{Acks, AppendError};

use crate::support::{append, batch, open, partition, wait};

fn data(epoch: i16, base_sequence: i32) -> Bytes {
    let mut builder =
        BatchBuilder::new(Compression::None, Producer { id: 7, epoch, base_sequence }).transactional();
    builder.push(1_000, None, Some(b"value"), &[]);
    builder.build()
}

#[test]
fn readers_of_committed_records_wait_for_the_marker() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition = partition(&topics, "t");
        append(&partition, batch(&["plain"]), Acks::Leader).await.unwrap();
        append(&partition, data(0, 0), Acks::Leader).await.unwrap();
        append(&partition, batch(&["plain"]), Acks::Leader).await.unwrap();
        assert_eq!((partition.high_watermark(), partition.last_stable_offset()), (3, 1));
        assert_eq!(partition.ongoing_transaction(7), Some(1));
        let read = partition.read_committed(0, 1 << 20, true).unwrap();
        assert_eq!((read.high_watermark, read.last_stable_offset), (3, 1));
        assert_eq!(record::batches(&read.bytes).count(), 1);
        assert!(partition.read_committed(1, 1 << 20, true).unwrap().bytes.is_empty());
        assert!(partition.read_committed(3, 1 << 20, true).unwrap().bytes.is_empty());
        assert!(partition.read_committed(4, 1 << 20, true).is_err());

        let marker = partition.end_transaction(7, 1, false, 0).unwrap().await.unwrap();
        assert_eq!(marker.base_offset, 3);
        assert_eq!((partition.high_watermark(), partition.last_stable_offset()), (4, 4));
        let read = partition.read_committed(0, 1 << 20, true).unwrap();
        assert_eq!(record::batches(&read.bytes).count(), 4);
        let aborted = partition.aborted_transactions(0, 4);
        assert_eq!((aborted.len(), aborted[0].producer_id, aborted[0].first_offset), (1, 7, 1));
        let late = append(&partition, data(0, 1), Acks::Leader).await.unwrap_err();
        assert!(matches!(late, AppendError::ProducerFenced { current: 1, .. }), "{late}");
        let late = partition.end_transaction(7, 0, true, 0).unwrap().await.unwrap_err();
        assert!(matches!(late, AppendError::ProducerFenced { epoch: 0, current: 1, .. }), "{late}");
    });
}

#[test]
fn a_marker_is_durable_when_it_is_answered_and_wakes_who_waits() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let before = partition(&topics, "t");
        append(&before, data(0, 0), Acks::Leader).await.unwrap();
        let mut watch = before.watch();
        watch.mark_unchanged();
        before.end_transaction(7, 0, false, 3).unwrap().await.unwrap();
        assert!(watch.has_changed().unwrap());
        let (topics, _) = open(&disk.crash());
        let after = partition(&topics, "t");
        assert_eq!(after.last_stable_offset(), 2);
        assert_eq!(after.aborted_transactions(0, 2).len(), 1);
        let status = after.producers()[0];
        assert_eq!((status.coordinator_epoch, status.transaction_first_offset), (3, None));
    });
}
