//! Reads that wait for nothing: they answer what the others do, or leave it to them.

use bytes::Bytes;
use commitlog::{LastStop, Log};
use env::{OpenMode, SimDisk};

use crate::support::{append, config, disk, open, open_with, segment, values};

const LIMIT: usize = 1_000;

fn filled() -> (SimDisk, Log) {
    let disk = disk();
    let (mut log, _) = open(&disk);
    for number in 0..200 {
        append(&mut log, values(&[&format!("value {number}"), "and one more"])).unwrap();
    }
    log.flush().unwrap();
    (disk, log)
}

fn now(log: &Log, from: i64) -> Option<Bytes> {
    log.reader().read_now(from, log.next_offset(), LIMIT, true).unwrap()
}

/// Reads all of it in steps; says how many steps went without the patient read, and how many there were.
fn steps(log: &Log, mut from: i64) -> (usize, usize) {
    let (mut at_once, mut all) = (0, 0);
    while from < log.next_offset() {
        let read = now(log, from);
        all += 1;
        at_once += usize::from(read.is_some());
        let patient = log.reader().read(from, log.next_offset(), LIMIT, true).unwrap();
        assert!(read.is_none_or(|read| read == patient), "from {from}");
        from = record::batches(&patient).last().unwrap().unwrap().header.next_offset();
    }
    (at_once, all)
}

#[test]
fn what_was_appended_is_there_at_once() {
    let (_, log) = filled();
    let (at_once, all) = steps(&log, 0);
    assert!(all >= 10, "{all}");
    assert_eq!(at_once, all);
    for from in (0..400).rev() {
        assert!(now(&log, from).is_some(), "{from}");
    }
}

#[test]
fn what_a_start_has_verified_is_there_at_once() {
    let (disk, log) = filled();
    drop(log);
    let (log, _) = open(&disk.process_crash());
    assert!(log.reader().read(399, 400, 1, true).is_ok(), "the file is open now");
    let (at_once, all) = steps(&log, 0);
    assert_eq!(at_once, all);
}

#[test]
fn what_nobody_has_verified_yet_is_read_with_care_first() {
    let (disk, log) = filled();
    log.close().unwrap();
    let (log, _) = open_with(&disk, config(1 << 20), LastStop::Clean);
    let (at_once, _) = steps(&log, 0);
    assert_eq!(at_once, 0);
    let (at_once, all) = steps(&log, 0);
    assert_eq!(at_once, all);
}

#[test]
fn headers_that_rot_are_left_to_the_careful_read() {
    let (disk, log) = filled();
    let (at_once, all) = steps(&log, 0);
    assert_eq!(at_once, all);
    let first = now(&log, 0).unwrap();
    for position in [3, 10, 13, 16] {
        disk.flip(&segment(0), position, 1).unwrap();
        assert!(now(&log, 0).is_none(), "byte {position}");
        assert!(log.reader().read(0, 400, LIMIT, true).is_err(), "byte {position}");
        disk.flip(&segment(0), position, 1).unwrap();
    }
    assert_eq!(now(&log, 0).unwrap(), first);
}

#[test]
fn a_file_that_ends_early_is_left_to_the_careful_read() {
    let (disk, log) = filled();
    let file = env::Disk::open(&disk, &segment(0), OpenMode::ReadWrite).unwrap();
    file.set_len(30).unwrap();
    assert!(now(&log, 0).is_none());
}
