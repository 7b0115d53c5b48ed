//! Old segments go by time and size, whole and from the front, and a crash in between loses nothing that stays.

use commitlog::{LastStop, Log, Retention};
use env::{Disk, SimDisk};
use record::Producer;

use crate::support::{DIR, append, batch, config, disk, open_with, read_all};

const KEEP_ALL: Retention = Retention { ms: None, bytes: None, roll_ms: i64::MAX };

/// Segments of one record each, written at 1000, 2000, ...
fn filled(disk: &SimDisk, count: i64) -> Log {
    let (mut log, _) = open_with(disk, config(100), LastStop::Unclean);
    for n in 1..=count {
        append(&mut log, batch(Producer::NONE, n * 1000, &[format!("value-{n}-with-some-length")])).unwrap();
    }
    log.flush().unwrap();
    log
}

fn first_offset(log: &Log) -> i64 {
    log.reader().log_start_offset()
}

fn files(disk: &SimDisk, suffix: &str) -> usize {
    let names = disk.read_dir(std::path::Path::new(DIR)).unwrap();
    names.iter().filter(|entry| entry.name.ends_with(suffix)).count()
}

fn tidy(log: &mut Log, retention: Retention, now_ms: i64) -> usize {
    let up_to = log.next_offset();
    let untidy = log.reader().is_untidy(&retention, up_to, now_ms).unwrap();
    let before = (first_offset(log), log.reader().size_bytes());
    let tidied = log.tidy(&retention, up_to, now_ms).unwrap();
    assert_eq!(tidied.log_start_offset, first_offset(log));
    assert!(untidy || before == (first_offset(log), log.reader().size_bytes()), "nobody said so");
    tidied.doomed.len()
}

#[test]
fn a_segment_goes_when_its_newest_record_is_too_old() {
    let disk = disk();
    let mut log = filled(&disk, 5);
    let retention = Retention { ms: Some(10_000), ..KEEP_ALL };
    assert_eq!((tidy(&mut log, retention, 11_000), first_offset(&log)), (0, 0));
    assert_eq!((tidy(&mut log, retention, 13_001), first_offset(&log)), (3, 3));
    assert_eq!(read_all(&log, 3).0.len(), 2);
    assert_eq!((files(&disk, ".log"), files(&disk, ".log.deleted")), (2, 3));
    let (log, _) = open_with(&disk.crash(), config(100), LastStop::Unclean);
    assert_eq!((first_offset(&log), log.next_offset()), (3, 5));
}

#[test]
fn the_active_segment_goes_too_when_all_of_it_is_too_old() {
    let disk = disk();
    let mut log = filled(&disk, 2);
    assert_eq!(tidy(&mut log, Retention { ms: Some(5), ..KEEP_ALL }, 100_000), 2);
    assert_eq!((first_offset(&log), log.next_offset(), log.reader().size_bytes()), (2, 2, 0));
    let left = disk.crash();
    let (mut log, _) = open_with(&left, config(100), LastStop::Unclean);
    assert_eq!(append(&mut log, batch(Producer::NONE, 1, &["next".to_owned()])).unwrap(), 2);
    assert_eq!(files(&left, ".deleted"), 0, "a start removes what waited to be removed");
}

#[test]
fn a_young_segment_keeps_the_older_ones_behind_it_and_a_timeless_one_goes_with_the_next() {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(100), LastStop::Unclean);
    for time in [-1, 1_000, 50_000, 1_000, 60_000] {
        append(&mut log, batch(Producer::NONE, time, &["a-value-with-some-length".to_owned()])).unwrap();
    }
    let retention = Retention { ms: Some(10_000), ..KEEP_ALL };
    assert_eq!((tidy(&mut log, retention, 20_000), first_offset(&log)), (2, 2));
    assert_eq!((tidy(&mut log, retention, 65_000), first_offset(&log)), (2, 4));
}

#[test]
fn by_size_segments_go_while_the_others_hold_enough() {
    let disk = disk();
    let mut log = filled(&disk, 6);
    let size = log.reader().size_bytes();
    let limit = |bytes| Retention { bytes: Some(bytes), ..KEEP_ALL };
    assert_eq!((tidy(&mut log, limit(size), 0), first_offset(&log)), (0, 0));
    assert_eq!((tidy(&mut log, limit(size * 4 / 6 - 1), 0), first_offset(&log)), (2, 2));
    assert_eq!((tidy(&mut log, limit(0), 0), first_offset(&log)), (3, 5), "not the active one");
}

#[test]
fn only_what_readers_may_see_goes() {
    let disk = disk();
    let mut log = filled(&disk, 5);
    let retention = Retention { ms: Some(1), ..KEEP_ALL };
    let tidied = log.tidy(&retention, 2, 1_000_000).unwrap();
    assert_eq!((tidied.log_start_offset, tidied.doomed.len()), (2, 2));
}

#[test]
fn a_segment_ends_when_it_is_old_also_after_a_restart() {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(1 << 20), LastStop::Unclean);
    let retention = Retention { roll_ms: 5_000, ..KEEP_ALL };
    assert_eq!(tidy(&mut log, retention, 1_000_000), 0);
    assert_eq!(files(&disk, ".log"), 1, "an empty one never ends");
    log.append(&[batch(Producer::NONE, 10_000, &["v".to_owned()])], 10_000).remove(0).unwrap();
    tidy(&mut log, retention, 14_999);
    assert_eq!(files(&disk, ".log"), 1);
    let (mut log, _) = open_with(&disk.process_crash(), config(1 << 20), LastStop::Unclean);
    tidy(&mut log, retention, 15_000);
    assert_eq!((read_all(&log, 0).0.len(), log.next_offset()), (1, 1));
    assert!(!log.reader().is_untidy(&retention, 1, 100_000).unwrap(), "the new one is empty");
}

#[test]
fn a_reader_in_the_middle_of_what_goes_is_not_disturbed() {
    let disk = disk();
    let mut log = filled(&disk, 4);
    let reader = log.reader();
    let before = reader.read(0, 4, 1, true).unwrap();
    log.delete_before(4, 4).unwrap();
    assert!(reader.read(0, 4, 1, true).is_err(), "it is out of range");
    assert!(!before.is_empty());
    assert_eq!(files(&disk, ".log"), 1, "nobody made a removed file again");
}

#[test]
fn a_crash_while_segments_go_leaves_a_log_that_begins_at_one_of_them() {
    let run = |disk: &SimDisk| -> Result<i64, commitlog::Error> {
        let (mut log, _) =
            Log::open(std::sync::Arc::new(disk.clone()), DIR.as_ref(), config(100), LastStop::Unclean)?;
        for n in 1..=5 {
            append(&mut log, batch(Producer::NONE, n * 1000, &[format!("value-{n}-with-some-length")]))?;
        }
        log.flush()?;
        for now_ms in [2_500, 4_500, 9_000] {
            log.tidy(&Retention { ms: Some(1), ..KEEP_ALL }, 5, now_ms)?;
        }
        log.close()?;
        Ok(5)
    };
    let rehearsal = disk();
    run(&rehearsal).unwrap();
    for cut in 0..rehearsal.operations() {
        let disk = disk_cut_after(cut);
        drop(run(&disk));
        for left in [disk.crash(), disk.process_crash()] {
            let (mut log, recovery) = open_with(&left, config(100), LastStop::Unclean);
            assert!(recovery.rotten.is_empty(), "cut {cut}");
            let first = first_offset(&log);
            assert!([0, 2, 4, 5].contains(&first), "cut {cut}: {first}");
            let end = log.next_offset();
            assert_eq!(read_all(&log, first).0.len() as i64, end - first, "cut {cut}");
            append(&mut log, batch(Producer::NONE, 1, &["next".to_owned()])).unwrap();
        }
    }
}

fn disk_cut_after(cut: u64) -> SimDisk {
    let disk = disk();
    disk.cut_after(cut);
    disk
}
