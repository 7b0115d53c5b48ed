//! Compaction against a list of what was appended, whatever else is done to the log.

use std::collections::BTreeMap;
use std::path::Path;

use bytes::Bytes;
use commitlog::{Assistant, Compacted, CompactionConfig, Error, LastStop, Log, Rewritten, compact};
use env::{Disk, SimDisk};
use record::{BatchBuilder, Compression, Producer, Record};

use crate::support::{DIR, EVERYTHING, config, disk, open_with};

/// Everything is worth a pass, and a tombstone stays for 1,000 ms.
pub(crate) fn eager() -> CompactionConfig {
    CompactionConfig {
        min_dirty_ratio: 0.0,
        min_lag_ms: 0,
        max_lag_ms: i64::MAX,
        delete_retention_ms: 1_000,
        segment_bytes: 1_000,
        index_interval_bytes: 200,
        uncompressed_bytes_max: 1 << 20,
        key_map_bytes: 1 << 20,
    }
}

/// The log's owner, called as it would be from its own thread.
pub(crate) struct Owner<'a> {
    pub(crate) log: &'a mut Log,
    /// How many bytes may still pass.
    pub(crate) bytes_left: usize,
}

impl Assistant for Owner<'_> {
    fn pace(&mut self, bytes: usize) -> bool {
        let goes_on = self.bytes_left > 0;
        self.bytes_left = self.bytes_left.saturating_sub(bytes);
        goes_on
    }

    fn swap(&mut self, rewritten: Rewritten) -> Result<bool, Error> {
        self.log.swap(rewritten)
    }
}

pub(crate) fn clean(log: &mut Log, config: &CompactionConfig, now_ms: i64) -> Result<Compacted, Error> {
    let reader = log.reader();
    let backlog = reader.backlog(config, log.next_offset(), now_ms)?;
    if !backlog.due {
        return Ok(Compacted::default());
    }
    compact(&reader, config, &backlog, now_ms, &mut Owner { log, bytes_left: usize::MAX })
}

/// A batch of keyed records; a value of "" is a tombstone.
pub(crate) fn keyed(codec: Compression, producer: Producer, time: i64, pairs: &[(&str, &str)]) -> Bytes {
    let mut builder = BatchBuilder::new(codec, producer);
    for (key, value) in pairs {
        let value = Some(value.as_bytes()).filter(|value| !value.is_empty());
        builder.push(time, Some(key.as_bytes()), value, &[]);
    }
    builder.build()
}

pub(crate) fn put(log: &mut Log, pairs: &[(&str, &str)]) {
    let batch = keyed(Compression::None, Producer::NONE, 1_000, pairs);
    log.append(&[batch], 1_000).remove(0).unwrap();
    log.flush().unwrap();
}

/// Every record, and that batches follow one another without gaps.
pub(crate) fn records(log: &Log) -> Vec<Record> {
    let reader = log.reader();
    let mut at = reader.log_start_offset();
    let mut found: Vec<Record> = Vec::new();
    while at < log.next_offset() {
        let bytes = reader.read(at, log.next_offset(), EVERYTHING, true).unwrap();
        assert!(!bytes.is_empty(), "nothing at {at}");
        for batch in record::batches(&bytes) {
            let batch = batch.unwrap();
            batch.verify_crc().unwrap();
            assert!(batch.header.base_offset <= at && at <= batch.header.last_offset(), "no gap at {at}");
            found.extend(batch.records(1 << 20).unwrap().map(Result::unwrap));
            at = batch.header.next_offset();
        }
    }
    assert!(found.windows(2).all(|pair| pair[0].offset < pair[1].offset), "offsets ascend");
    found
}

fn shown(log: &Log) -> Vec<(i64, String, String)> {
    let text = |bytes: &Option<Bytes>| String::from_utf8(bytes.clone().unwrap_or_default().to_vec()).unwrap();
    records(log).iter().map(|record| (record.offset, text(&record.key), text(&record.value))).collect()
}

fn offsets(log: &Log) -> Vec<i64> {
    records(log).iter().map(|record| record.offset).collect()
}

fn segments(disk: &SimDisk) -> usize {
    let names = disk.read_dir(Path::new(DIR)).unwrap();
    assert!(names.iter().all(|entry| !entry.name.ends_with("cleaned") && !entry.name.ends_with("swap")));
    names.iter().filter(|entry| entry.name.ends_with(".log")).count()
}

fn opened(disk: &SimDisk, segment_bytes: u64) -> Log {
    open_with(disk, config(segment_bytes), LastStop::Unclean).0
}

#[test]
fn the_last_value_of_each_key_stays_at_its_offset_and_small_segments_become_one() {
    let disk = disk();
    let mut log = opened(&disk, 150);
    for n in 0..10 {
        put(&mut log, &[("a", &n.to_string()), ("b", "x"), ("c", if n < 5 { "early" } else { "late" })]);
    }
    assert_eq!(segments(&disk), 10);
    let before = log.reader().size_bytes();
    let done = clean(&mut log, &eager(), 5_000).unwrap();
    assert_eq!((done.rounds, done.bytes_before > done.bytes_after), (1, true));
    // Offsets 27 to 29 are in the active segment, which no pass touches.
    let left = |n: i64, key: &str, value: &str| (n, key.to_owned(), value.to_owned());
    let expected = [left(24, "a", "8"), left(25, "b", "x"), left(26, "c", "late")];
    assert_eq!(shown(&log)[..3], expected);
    assert_eq!(offsets(&log), [24, 25, 26, 27, 28, 29]);
    assert!(segments(&disk) == 2 && log.reader().size_bytes() < before / 2);
    for from in 0..30 {
        let bytes = log.reader().read(from, 30, 1, true).unwrap();
        let header = record::batches(&bytes).next().unwrap().unwrap().header;
        assert!(header.base_offset <= from && from <= header.last_offset(), "a batch at {from}");
    }
    assert_eq!(log.reader().offset_for_timestamp(0, 30).unwrap(), Some((24, 1_000)));
    assert!(!log.reader().backlog(&eager(), 30, 5_000).unwrap().due, "there is nothing more to do");

    let log = opened(&disk.crash(), 150);
    assert_eq!(offsets(&log), [24, 25, 26, 27, 28, 29]);
    assert!(!log.reader().backlog(&eager(), 30, 5_000).unwrap().due, "and a restart knows");
}

#[test]
fn a_tombstone_stays_for_its_time_and_then_goes() {
    let disk = disk();
    let mut log = opened(&disk, 100);
    for pair in [("a", "1"), ("b", "2"), ("a", ""), ("c", "3"), ("d", "4")] {
        put(&mut log, &[pair]);
    }
    clean(&mut log, &eager(), 10_000).unwrap();
    assert_eq!(offsets(&log), [1, 2, 3, 4]);
    assert_eq!(records(&log)[1].timestamp, 1_000, "its time is its own");
    clean(&mut log, &eager(), 10_999).unwrap();
    assert_eq!(offsets(&log), [1, 2, 3, 4]);
    let mut log = opened(&disk.crash(), 100);
    assert!(log.reader().backlog(&eager(), 5, 11_000).unwrap().due, "without any new record");
    clean(&mut log, &eager(), 11_000).unwrap();
    assert_eq!(offsets(&log), [1, 3, 4]);
    assert!(!log.reader().backlog(&eager(), 5, 99_000).unwrap().due);
}

#[test]
fn what_does_not_fit_the_map_takes_more_rounds() {
    let disk = disk();
    let mut log = opened(&disk, 4_000);
    for n in 0..3_000 {
        put(&mut log, &[(&format!("key-{}", n % 1_500), &n.to_string())]);
    }
    let tight = CompactionConfig { key_map_bytes: 0, ..eager() };
    let done = clean(&mut log, &tight, 5_000).unwrap();
    assert!(done.rounds > 1 && done.key_map_bytes < 50_000, "{done:?}");
    let left = offsets(&log);
    assert!(left.len() >= 1_500 && left.len() < 1_650, "{}", left.len());
    assert!((1_500..3_000).all(|offset| left.contains(&offset)));
}

#[test]
fn old_young_and_undecided_records_are_told_apart() {
    let disk = disk();
    let mut log = opened(&disk, 100);
    for time in [1_000, 2_000, 9_000, 9_500] {
        let batch = keyed(Compression::None, Producer::NONE, time, &[("k", "value-of-some-length")]);
        log.append(&[batch], time).remove(0).unwrap();
    }
    let lagging = CompactionConfig { min_lag_ms: 5_000, ..eager() };
    clean(&mut log, &lagging, 10_000).unwrap();
    assert_eq!(offsets(&log), [1, 2, 3]);
    let backlog = |config: &CompactionConfig, stable, now| {
        log.reader()
            .backlog(config, stable, now)
            .map(|backlog| (backlog.due, backlog.dirty_bytes > 0))
            .unwrap()
    };
    assert_eq!(backlog(&eager(), 2, 10_000), (false, false), "undecided");
    assert_eq!(backlog(&eager(), 4, 10_000), (true, true));
    let picky = CompactionConfig { min_dirty_ratio: 0.9, ..eager() };
    assert_eq!(backlog(&picky, 4, 10_000), (false, true));
    let overdue = CompactionConfig { max_lag_ms: 1_000, ..picky };
    assert_eq!((backlog(&overdue, 4, 9_999).0, backlog(&overdue, 4, 10_000).0), (false, true));
}

#[test]
fn a_producers_last_batch_stays_and_its_repetition_is_known() {
    for codec in [Compression::None, Compression::Zstd] {
        let disk = disk();
        let mut log = opened(&disk, 100);
        let sent = |sequence| {
            let producer = Producer { id: 7, epoch: 2, base_sequence: sequence };
            keyed(codec, producer, 1_000, &[("k", "first"), ("l", "second")])
        };
        for sequence in [0, 2, 4] {
            log.append(&[sent(sequence)], 0).remove(0).unwrap();
        }
        for n in 0..3 {
            put(&mut log, &[("k", &n.to_string()), ("l", "and something to fill the segment")]);
        }
        clean(&mut log, &eager(), 5_000).unwrap();
        assert_eq!(offsets(&log), [8, 9, 10, 11]);
        // Without the producers' files only the batches can tell.
        let left = disk.crash();
        for entry in left.read_dir(Path::new(DIR)).unwrap() {
            if entry.name.ends_with(".producers") {
                left.remove_file(&Path::new(DIR).join(entry.name)).unwrap();
            }
        }
        let mut log = opened(&left, 100);
        let again = log.append(&[sent(4)], 0).remove(0).unwrap();
        assert_eq!((again.base_offset, again.duplicate), (4, true));
        let gap = log.append(&[sent(9)], 0).remove(0).unwrap_err();
        assert!(matches!(gap, Error::OutOfOrderSequence { expected: 6, .. }), "{gap}");
    }
}

#[test]
fn records_without_a_key_go_and_rotten_segments_are_left_alone() {
    let disk = disk();
    let mut log = opened(&disk, 100);
    let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
    builder.push(1_000, None, Some(b"nobody can ask for it, however long"), &[]);
    log.append(&[builder.build()], 0).remove(0).unwrap();
    for n in 0..4 {
        put(&mut log, &[("k", &format!("value number {n}, and it fills the segment"))]);
    }
    log.flush().unwrap();
    disk.flip(&Path::new(DIR).join("00000000000000000001.log"), 80, 1).unwrap();
    let alone = CompactionConfig { segment_bytes: 1, ..eager() };
    clean(&mut log, &alone, 5_000).unwrap();
    let rotten = log.reader().read(1, 5, EVERYTHING, true).unwrap_err();
    assert!(matches!(rotten, Error::Corrupt { next_offset: 2, .. }), "{rotten}");
    let records_of = |offset| {
        let bytes = log.reader().read(offset, 5, 1, true).unwrap();
        record::batches(&bytes).next().unwrap().unwrap().header.records_count
    };
    // Offset 2 is superseded by 3; 4 is in the active segment.
    assert_eq!([0, 2, 3, 4].map(records_of), [0, 0, 1, 1]);
}

#[test]
fn a_reader_in_the_middle_and_an_owner_that_deletes_are_not_disturbed() {
    let disk = disk();
    let mut log = opened(&disk, 100);
    for n in 0..6 {
        put(&mut log, &[("k", &format!("value number {n}, and it fills the segment"))]);
    }
    let reader = log.reader();
    let backlog = reader.backlog(&eager(), 6, 5_000).unwrap();
    struct Deletes<'a>(Owner<'a>);
    impl Assistant for Deletes<'_> {
        fn pace(&mut self, _: usize) -> bool {
            true
        }
        fn swap(&mut self, rewritten: Rewritten) -> Result<bool, Error> {
            self.0.log.delete_before(2, 6)?;
            self.0.swap(rewritten)
        }
    }
    let owner = Owner { log: &mut log, bytes_left: usize::MAX };
    let done = compact(&reader, &eager(), &backlog, 5_000, &mut Deletes(owner)).unwrap();
    assert_eq!(done.rounds, 1);
    assert_eq!(offsets(&log), [2, 3, 4, 5], "what was written from removed segments is not taken");
    clean(&mut log, &eager(), 5_000).unwrap();
    assert_eq!(offsets(&log), [4, 5]);
    assert_eq!(log.reader().log_start_offset(), 2);
    segments(&disk);
}

/// What every reader of a compacted topic counts on.
pub(crate) fn last_values(records: &[Record]) -> BTreeMap<Bytes, Option<Bytes>> {
    let mut last = BTreeMap::new();
    for record in records {
        last.insert(record.key.clone().unwrap(), record.value.clone());
    }
    last.retain(|_, value| value.is_some());
    last
}

#[test]
fn a_crash_at_every_operation_leaves_the_same_last_values() {
    let run = |disk: &SimDisk| -> Result<(), Error> {
        let (mut log, _) = crate::support::try_open(disk, config(150), LastStop::Unclean)?;
        for n in 0..12 {
            let (key, value) = match n {
                3 => ("gone".to_owned(), "for now"),
                5 => ("gone".to_owned(), ""),
                _ => (format!("k{}", n % 3), "value"),
            };
            let pairs = [(&*key, value), ("x", &*n.to_string())];
            let batch = keyed(Compression::None, Producer::NONE, 1_000, &pairs);
            log.append(&[batch], 1_000).remove(0)?;
        }
        log.flush()?;
        clean(&mut log, &eager(), 5_000)?;
        clean(&mut log, &eager(), 7_000)?;
        log.close()
    };
    let written = |disk: &SimDisk| {
        let mut log = opened(disk, 150);
        clean(&mut log, &CompactionConfig { min_dirty_ratio: 2.0, ..eager() }, 0).unwrap();
        last_values(&records(&log))
    };
    let rehearsal = disk();
    let prepared = rehearsal.operations();
    run(&rehearsal).unwrap();
    let all = written(&rehearsal.crash());
    assert_eq!(all.len(), 4, "x, k0, k1, k2");
    let mut compared = 0;
    for cut in 0..rehearsal.operations() - prepared {
        let disk = disk();
        disk.cut_after(cut);
        run(&disk).unwrap_err();
        for left in [disk.crash(), disk.process_crash(), disk.crash_partly(cut)] {
            let mut log = opened(&left, 150);
            let found = last_values(&records(&log));
            if log.next_offset() == 24 {
                assert_eq!(found, all, "cut {cut}");
                compared += 1;
            }
            segments(&left);
            put(&mut log, &[("next", "one")]);
            clean(&mut log, &eager(), 9_000).unwrap();
            let after = last_values(&records(&log));
            assert_eq!(after.len(), found.len() + 1, "cut {cut}");
            assert!(found.iter().all(|(key, value)| after.get(key) == Some(value)), "cut {cut}");
        }
    }
    assert!(compared > 30, "{compared}");
}

#[test]
fn a_pass_that_is_stopped_leaves_nothing_behind() {
    let disk = disk();
    let mut log = opened(&disk, 150);
    for n in 0..20 {
        put(&mut log, &[("k", &format!("value number {n}, and it fills the segment"))]);
    }
    let all = last_values(&records(&log));
    for bytes_left in (0..6_000).step_by(300) {
        let reader = log.reader();
        let backlog = reader.backlog(&eager(), 20, 5_000).unwrap();
        compact(&reader, &eager(), &backlog, 5_000, &mut Owner { log: &mut log, bytes_left }).unwrap();
        segments(&disk);
        assert_eq!(last_values(&records(&log)), all);
    }
    assert_eq!(offsets(&log), [18, 19]);
}
