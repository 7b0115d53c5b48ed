//! Offsets by time, against a plain search.

use commitlog::{Config, LastStop};
use env::Disk;
use proptest::prelude::*;
use record::{BatchBuilder, Compression, Producer};

use crate::support::{config, disk, open_with, segment};

fn compressed(timestamps: &[i64]) -> bytes::Bytes {
    let mut builder = BatchBuilder::new(Compression::Lz4, Producer::NONE);
    for timestamp in timestamps {
        builder.push(*timestamp, None, Some(b"a value that fills some bytes"), &[]);
    }
    builder.build()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    #[test]
    fn a_time_finds_the_first_record_not_older(
        batches in proptest::collection::vec(proptest::collection::vec(0..500_i64, 1..5), 1..30),
        reopen in any::<bool>(),
    ) {
        let disk = disk();
        let (mut log, _) = open_with(&disk, config(900), LastStop::Unclean);
        for timestamps in &batches {
            log.append(&[compressed(timestamps)], 0).remove(0).unwrap();
        }
        if reopen {
            log.close().unwrap();
            log = open_with(&disk, config(900), LastStop::Clean).0;
        }
        let all: Vec<(i64, i64)> = (0..).zip(batches.concat()).collect();
        for wanted in (-1..=500).step_by(7) {
            let expected = all.iter().copied().find(|(_, timestamp)| *timestamp >= wanted);
            prop_assert_eq!(log.reader().offset_for_timestamp(wanted, log.next_offset()).unwrap(), expected);
        }
        let newest = all.iter().map(|(_, timestamp)| *timestamp).max().unwrap();
        let expected = all.iter().copied().find(|(_, timestamp)| *timestamp == newest);
        prop_assert_eq!(log.reader().max_timestamp(log.next_offset()).unwrap(), expected);
    }
}

#[test]
fn batches_are_stamped_where_the_time_of_appending_is_asked_for() {
    let disk = disk();
    let config = Config { log_append_time: true, ..config(10_000) };
    let (mut log, _) = open_with(&disk, config, LastStop::Unclean);
    let appended = log.append(&[compressed(&[5, 6])], 777).remove(0).unwrap();
    assert_eq!(appended.log_append_time, 777);
    assert_eq!(log.reader().offset_for_timestamp(700, 2).unwrap(), Some((0, 777)));
}

#[test]
fn an_old_segment_is_closed() {
    let disk = disk();
    let config = Config { segment_ms: 1_000, ..config(10_000) };
    let (mut log, _) = open_with(&disk, config, LastStop::Unclean);
    log.append(&[compressed(&[1])], 0).remove(0).unwrap();
    log.append(&[compressed(&[1])], 999).remove(0).unwrap();
    assert!(!disk.exists(&segment(2)));
    log.append(&[compressed(&[1])], 1_000).remove(0).unwrap();
    assert!(disk.exists(&segment(2)));
}
