//! Power cuts at every operation of a run.

use commitlog::{LastStop, Log};
use env::SimDisk;

use crate::support::{append, config, disk, numbered, open_with, read_all, try_open, values};

/// Appends, flushes now and then, rolls often, deletes once. Answers how much was acknowledged as flushed.
fn run(disk: &SimDisk, names: &[String]) -> Option<usize> {
    let (mut log, _) = try_open(disk, config(500), LastStop::Unclean).ok()?;
    let mut flushed = 0;
    for (n, name) in names.iter().enumerate() {
        if append(&mut log, values(&[name])).is_err() {
            return Some(flushed);
        }
        if n % 3 == 2 {
            if log.flush().is_err() {
                return Some(flushed);
            }
            flushed = n + 1;
        }
    }
    if log.close().is_ok() { Some(names.len()) } else { Some(flushed) }
}

fn names() -> Vec<String> {
    (0..25).map(|n| format!("value-{n}")).collect()
}

#[test]
fn a_power_cut_at_every_operation_loses_nothing_that_was_flushed() {
    let names = names();
    let rehearsal = disk();
    assert_eq!(run(&rehearsal, &names), Some(25));
    let operations = rehearsal.operations();
    assert!(operations > 80, "{operations}");
    for cut in 0..operations {
        let disk = disk();
        disk.cut_after(cut);
        let flushed = run(&disk, &names).unwrap_or(0);
        check_prefix(&disk.crash(), &names, flushed, cut);
        check_prefix(&disk.process_crash(), &names, flushed, cut);
    }
}

/// What is left is a gapless beginning of what was appended, at least as long as what was flushed; and goes on.
fn check_prefix(disk: &SimDisk, names: &[String], flushed: usize, cut: u64) {
    let (mut log, recovery) = open_with(disk, config(500), LastStop::Unclean);
    assert!(recovery.rotten.is_empty(), "cut {cut}");
    let (records, rot) = read_all(&log, 0);
    assert!(rot.is_empty(), "cut {cut}: {rot:?}");
    assert!(records.len() >= flushed, "cut {cut}: {} of {flushed} flushed ones", records.len());
    assert_eq!(records, numbered(&names[..records.len()]), "cut {cut}");
    assert_eq!(append(&mut log, values(&["next"])).unwrap(), records.len() as i64);
}

#[test]
fn whatever_sectors_reached_the_disk_flushed_records_stay_and_no_garbage_is_served() {
    let names = names();
    let rehearsal = disk();
    run(&rehearsal, &names);
    for cut in 0..rehearsal.operations() {
        for seed in 0..6 {
            let disk = disk();
            disk.cut_after(cut);
            let flushed = run(&disk, &names).unwrap_or(0);
            let left = disk.crash_partly(seed * 1000 + cut);
            let (log, _) = open_with(&left, config(500), LastStop::Unclean);
            check_no_garbage(&log, &names, flushed);
        }
    }
}

/// Unflushed batches may be there out of order, with holes between them; but each at its own offset.
fn check_no_garbage(log: &Log, names: &[String], flushed: usize) {
    let (records, _) = read_all(log, 0);
    assert!(records.len() >= flushed);
    assert_eq!(records[..flushed], numbered(&names[..flushed]));
    for (offset, value) in records {
        assert_eq!(value, names[usize::try_from(offset).unwrap()]);
    }
}

#[test]
fn a_failed_flush_stops_the_log_for_writing_until_it_is_opened_again() {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(10_000), LastStop::Unclean);
    append(&mut log, values(&["kept"])).unwrap();
    log.flush().unwrap();
    append(&mut log, values(&["doubtful"])).unwrap();
    disk.fail_sync(1);
    assert!(log.flush().is_err());
    assert!(log.flush().is_err(), "a flush is never tried again");
    let refused = append(&mut log, values(&["later"])).unwrap_err();
    assert_eq!(refused.kind(), commitlog::ErrorKind::Closed);
    assert!(refused.to_string().contains("/data/t-0"), "{refused}");
    assert_eq!(read_all(&log, 0).0.len(), 2, "reading goes on");
    assert!(log.close().is_err(), "this is no clean stop");
    let (mut log, _) = open_with(&disk.crash(), config(10_000), LastStop::Unclean);
    assert_eq!(append(&mut log, values(&["next"])).unwrap(), 1);
}

#[test]
fn a_failed_write_that_is_no_full_disk_stops_the_log_too() {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(10_000), LastStop::Unclean);
    append(&mut log, values(&["kept"])).unwrap();
    disk.tear_write(1, 20);
    assert!(append(&mut log, values(&["torn"])).is_err());
    assert!(append(&mut log, values(&["later"])).is_err());
    let (log, recovery) = open_with(&disk.process_crash(), config(10_000), LastStop::Unclean);
    assert!(recovery.cut.is_none(), "the torn bytes were cut at once");
    assert_eq!(read_all(&log, 0).0, [(0, "kept".to_owned())]);
}
