//! Idempotent producers across every kind of stop.

use commitlog::{Error, LastStop, Log};
use env::{Disk, SimDisk};
use record::Producer;

use crate::support::{batch, config, disk, file, open_with};

fn send(log: &mut Log, epoch: i16, sequence: i32) -> Result<(i64, bool), Error> {
    let request = batch(Producer { id: 7, epoch, base_sequence: sequence }, 0, &[format!("v{sequence}")]);
    log.append(&[request], 0).remove(0).map(|appended| (appended.base_offset, appended.duplicate))
}

/// Twelve batches of one producer over several segments.
fn log_with_a_producer() -> (SimDisk, Log) {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(300), LastStop::Unclean);
    for sequence in 0..12 {
        assert_eq!(send(&mut log, 0, sequence).unwrap(), (i64::from(sequence), false));
    }
    log.flush().unwrap();
    (disk, log)
}

fn remembers(disk: &SimDisk, last_stop: LastStop) {
    let (mut log, _) = open_with(disk, config(300), last_stop);
    assert_eq!(log.reader().last_sequence(7), Some((0, 11)));
    for sequence in 7..12 {
        assert_eq!(send(&mut log, 0, sequence).unwrap(), (i64::from(sequence), true), "{last_stop:?}");
    }
    assert!(matches!(send(&mut log, 0, 13), Err(Error::OutOfOrderSequence { expected: 12, .. })));
    assert!(matches!(send(&mut log, 0, 6), Err(Error::OutOfOrderSequence { .. })));
    assert_eq!(send(&mut log, 0, 12).unwrap(), (12, false));
    assert_eq!(send(&mut log, 1, 0).unwrap(), (13, false));
    assert!(matches!(send(&mut log, 0, 13), Err(Error::ProducerFenced { current: 1, .. })));
}

#[test]
fn the_last_five_batches_are_known_after_a_power_cut() {
    let (disk, _) = log_with_a_producer();
    remembers(&disk.crash(), LastStop::Unclean);
}

#[test]
fn the_last_five_batches_are_known_after_a_clean_stop() {
    let (disk, log) = log_with_a_producer();
    log.close().unwrap();
    remembers(&disk.crash(), LastStop::Clean);
}

#[test]
fn without_their_files_producers_are_learnt_from_the_batches() {
    let (disk, log) = log_with_a_producer();
    log.close().unwrap();
    let left = disk.crash();
    for entry in left.read_dir(&file("")).unwrap() {
        if entry.name.ends_with(".producers") {
            left.remove_file(&file(&entry.name)).unwrap();
        }
    }
    remembers(&left, LastStop::Clean);
}

#[test]
fn only_two_producers_files_are_kept() {
    let (disk, log) = log_with_a_producer();
    log.close().unwrap();
    let entries = disk.read_dir(&file("")).unwrap();
    assert_eq!(entries.iter().filter(|entry| entry.name.ends_with(".producers")).count(), 2);
}
