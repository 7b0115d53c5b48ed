//! Clean stops, kills and power cuts of a whole store.

use std::path::Path;

use env::{Disk, SimDisk};
use record::Producer;
use topics::{Acks, AppendError};

use crate::support::{append, batch, open, partition, produced, read_all, wait};

#[test]
fn after_a_clean_stop_nothing_is_searched_and_everything_is_there() {
    let disk = SimDisk::new();
    let (topics, report) = open(&disk);
    assert!(!report.clean, "the first start has no past");
    let before = partition(&topics, "t");
    for n in 0..30 {
        wait(append(&before, batch(&[&format!("value-{n}")]), Acks::Leader)).unwrap();
    }
    topics.close().unwrap();
    let refused = before.enqueue(batch(&["late"]), Acks::Leader);
    assert!(matches!(refused, Err(AppendError::Closed)));
    let left = disk.crash();
    let (topics, report) = open(&left);
    assert!(report.clean && report.scanned_bytes == 0 && report.findings.is_empty(), "{report:?}");
    assert_eq!(read_all(&partition(&topics, "t")).len(), 30);
    let (_, report) = open(&left.process_crash());
    assert!(!report.clean, "the mark is believed once");
}

#[test]
fn dropping_the_store_is_no_clean_stop_but_loses_nothing() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    wait(append(&partition(&topics, "t"), batch(&["v"]), Acks::Leader)).unwrap();
    drop(topics);
    let (topics, report) = open(&disk);
    assert!(!report.clean);
    assert_eq!(read_all(&partition(&topics, "t")), ["v"]);
}

#[test]
fn acks_decide_what_a_power_cut_may_take() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition_before = partition(&topics, "t");
        append(&partition_before, batch(&["all"]), Acks::All).await.unwrap();
        append(&partition_before, batch(&["leader"]), Acks::Leader).await.unwrap();
        assert_eq!(partition_before.high_watermark(), 2);
        let (topics, _) = open(&disk.crash());
        assert_eq!(read_all(&partition(&topics, "t")), ["all"]);
        let (topics, _) = open(&disk.process_crash());
        assert_eq!(read_all(&partition(&topics, "t")), ["all", "leader"]);
    });
}

#[test]
fn a_repetition_with_acks_all_makes_the_first_sending_durable() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let partition_before = partition(&topics, "t");
        let sent = || produced(Producer { id: 3, epoch: 0, base_sequence: 0 }, &["v"]);
        append(&partition_before, sent(), Acks::Leader).await.unwrap();
        assert!(append(&partition_before, sent(), Acks::All).await.unwrap().duplicate);
        let (topics, _) = open(&disk.crash());
        assert_eq!(read_all(&partition(&topics, "t")), ["v"]);
    });
}

#[test]
fn a_flush_makes_durable_what_was_only_written() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let before = partition(&topics, "t");
        append(&before, batch(&["v"]), Acks::Leader).await.unwrap();
        before.flush().await.unwrap();
        let (topics, _) = open(&disk.crash());
        assert_eq!(read_all(&partition(&topics, "t")), ["v"]);
    });
}

#[test]
fn repetitions_are_known_after_a_power_cut() {
    wait(async {
        let disk = SimDisk::new();
        let (topics, _) = open(&disk);
        let before = partition(&topics, "t");
        let send = |base_sequence| produced(Producer { id: 3, epoch: 0, base_sequence }, &["a", "b"]);
        for n in 0..8 {
            append(&before, send(n * 2), Acks::All).await.unwrap();
        }
        let (topics, _) = open(&disk.crash());
        let after = partition(&topics, "t");
        assert_eq!(after.last_sequence(3), Some((0, 15)));
        let again = append(&after, send(6), Acks::All).await.unwrap();
        assert_eq!((again.base_offset, again.duplicate), (6, true));
        assert!(matches!(
            append(&after, send(18), Acks::All).await,
            Err(AppendError::OutOfOrderSequence { .. })
        ));
        assert_eq!(append(&after, send(16), Acks::All).await.unwrap().base_offset, 16);
    });
}

#[test]
fn what_recovery_finds_is_reported_with_file_and_position() {
    let disk = SimDisk::new();
    let (topics, _) = open(&disk);
    let before = partition(&topics, "t");
    for value in ["one", "two", "three"] {
        wait(append(&before, batch(&[value]), Acks::All)).unwrap();
    }
    let left = disk.crash();
    let path = Path::new("/data/topics/t-0/00000000000000000000.log");
    let size = left.len(path).unwrap() / 3;
    left.flip(path, size + 63, 1).unwrap();
    let (topics, report) = open(&left);
    assert_eq!(report.findings.len(), 1);
    let line = &report.findings[0];
    assert!(line.contains("00000000000000000000.log") && line.contains("offset 2"), "{line}");
    let after = partition(&topics, "t");
    assert!(matches!(after.read(1, 1000, true), Err(topics::ReadError::Corrupt { next_offset: 2, .. })));
    assert!(!after.read(0, 1000, true).unwrap().bytes.is_empty());
    assert!(!after.read(2, 1000, true).unwrap().bytes.is_empty());
}
