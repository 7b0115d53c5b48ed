//! Generated runs with everything a log can be asked to do, cut at every operation and on disks that are full, against
//! plain lists.

use std::collections::BTreeMap;

use bytes::Bytes;
use commitlog::{Error, LastStop, Log};
use env::{SeededRandom, SimDisk};
use record::{BatchBuilder, Compression, Producer};

use crate::support::{config, disk, open_with, read_all, try_open};

const SEGMENT_BYTES: u64 = 900;
const STEPS: usize = 45;

/// What one append or marker was, with its offsets.
#[derive(Debug, Clone)]
struct Entry {
    first: i64,
    next: i64,
    request: Bytes,
    producer: Option<Producer>,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Plain,
    Transactional,
    Marker { commit: bool },
}

/// What was done, and what was promised of it.
#[derive(Debug, Default)]
struct History {
    entries: Vec<Entry>,
    next: i64,
    flushed: i64,
    start: i64,
    /// Epoch, next sequence, whether a transaction goes on.
    producers: BTreeMap<i64, (i16, i32, bool)>,
}

impl History {
    /// One step; false when the disk refused.
    fn step(&mut self, log: &mut Log, random: &SeededRandom) -> bool {
        match random.below(12) {
            0..=2 => self.append(log, random, None, What::Plain),
            3..=7 => {
                let id = 1 + i64::try_from(random.below(3)).unwrap();
                let (epoch, base_sequence, open) = *self.producers.entry(id).or_default();
                let transactional = open || random.below(2) == 0;
                let what = if transactional { What::Transactional } else { What::Plain };
                self.append(log, random, Some(Producer { id, epoch, base_sequence }), what)
            }
            8 | 9 => self.end(log, random),
            10 => {
                let flushed = log.flush().is_ok();
                if flushed {
                    self.flushed = self.next;
                }
                flushed
            }
            _ => {
                let offset = i64::try_from(random.below(4)).unwrap() + self.start;
                let outcome = log.delete_before(offset, self.flushed);
                self.start = self.start.max(outcome.as_ref().copied().unwrap_or(offset.min(self.flushed)));
                outcome.is_ok()
            }
        }
    }

    fn append(
        &mut self,
        log: &mut Log,
        random: &SeededRandom,
        producer: Option<Producer>,
        what: What,
    ) -> bool {
        let count = 1 + i64::try_from(random.below(3)).unwrap();
        let mut builder = BatchBuilder::new(Compression::None, producer.unwrap_or(Producer::NONE));
        if what == What::Transactional {
            builder = builder.transactional();
        }
        for n in 0..count {
            builder.push(1_000, None, Some(value(self.next + n).as_bytes()), &[]);
        }
        let request = builder.build();
        let Ok(appended) = log.append_one(&request, 0) else { return false };
        assert_eq!((appended.base_offset, appended.duplicate), (self.next, false));
        if let Some(Producer { id, epoch, base_sequence }) = producer {
            let open = what == What::Transactional;
            self.producers.insert(id, (epoch, base_sequence + i32::try_from(count).unwrap(), open));
        }
        self.note(count, request, producer, what, log)
    }

    fn end(&mut self, log: &mut Log, random: &SeededRandom) -> bool {
        let id = 1 + i64::try_from(random.below(3)).unwrap();
        let commit = random.below(2) == 0;
        let (epoch, _, _) = *self.producers.entry(id).or_default();
        let Ok(appended) = log.append_marker(id, epoch + 1, commit, 0, 0) else { return false };
        assert_eq!(appended.base_offset, self.next);
        self.producers.insert(id, (epoch + 1, 0, false));
        let producer = Producer { id, epoch: epoch + 1, base_sequence: -1 };
        self.note(1, Bytes::new(), Some(producer), What::Marker { commit }, log)
    }

    fn note(
        &mut self,
        count: i64,
        request: Bytes,
        producer: Option<Producer>,
        what: What,
        log: &Log,
    ) -> bool {
        let (first, next) = (self.next, self.next + count);
        self.entries.push(Entry { first, next, request, producer, what });
        self.next = next;
        // A segment that ends is flushed.
        self.flushed = self.flushed.max(log.flushed_offset());
        true
    }

    /// As it was when the log ended at `next`.
    fn until(&self, next: i64) -> Vec<&Entry> {
        self.entries.iter().take_while(|entry| entry.next <= next).collect()
    }
}

fn value(offset: i64) -> String {
    format!("value-{offset}")
}

/// What readers of committed records must be told of these entries: the last stable offset, and aborted transactions as
/// producer, first offset, marker's offset.
fn transactions(entries: &[&Entry], next: i64) -> (i64, Vec<(i64, i64, i64)>) {
    let (mut open, mut aborted) = (BTreeMap::new(), Vec::new());
    for entry in entries {
        let Some(producer) = entry.producer else { continue };
        match entry.what {
            What::Plain => {}
            What::Transactional => {
                open.entry(producer.id).or_insert(entry.first);
            }
            What::Marker { commit } => {
                if let Some(first) = open.remove(&producer.id).filter(|_| !commit) {
                    aborted.push((producer.id, first, entry.first));
                }
            }
        }
    }
    (open.into_values().min().unwrap_or(next), aborted)
}

fn run(disk: &SimDisk, seed: u64) -> History {
    let mut history = History::default();
    let random = SeededRandom::new(seed);
    let Ok((mut log, _)) = try_open(disk, config(SEGMENT_BYTES), LastStop::Unclean) else { return history };
    for _ in 0..STEPS {
        if !history.step(&mut log, &random) {
            return history;
        }
    }
    if log.close().is_ok() {
        history.flushed = history.next;
    }
    history
}

/// The log is a beginning of the history, at least as long as what was promised, and knows of it what the history tells.
fn check_prefix(disk: &SimDisk, history: &History, at_least: i64, case: &str) {
    let (mut log, recovery) = open_with(disk, config(SEGMENT_BYTES), LastStop::Unclean);
    assert!(recovery.rotten.is_empty(), "{case}");
    let next = log.next_offset();
    assert!(next >= at_least, "{case}: {next} of {at_least}");
    let entries = history.until(next);
    assert_eq!(entries.last().map_or(0, |entry| entry.next), next, "{case}: requests are whole");
    let start = log.reader().log_start_offset();
    assert!(start <= history.start && start <= next, "{case}");
    check_values(&log, &entries, start, case);
    check_transactions(&log, &entries, case);
    check_producers(&mut log, &entries, case);
}

fn check_values(log: &Log, entries: &[&Entry], start: i64, case: &str) {
    let (records, rot) = read_all(log, start);
    assert!(rot.is_empty(), "{case}: {rot:?}");
    let mut expected = Vec::new();
    for entry in entries.iter().filter(|entry| !matches!(entry.what, What::Marker { .. })) {
        expected.extend((entry.first..entry.next).filter(|at| *at >= start).map(|at| (at, value(at))));
    }
    let values: Vec<(i64, String)> =
        records.into_iter().filter(|(_, value)| value.starts_with("value")).collect();
    assert_eq!(values, expected, "{case}");
}

fn check_transactions(log: &Log, entries: &[&Entry], case: &str) {
    let (next, reader) = (log.next_offset(), log.reader());
    let (stable, aborted) = transactions(entries, next);
    assert_eq!(reader.last_stable_offset(next), stable, "{case}");
    let begin = reader.log_start_offset();
    for (from, to) in [(begin, next), (begin, begin + 3), (next - 3, next)] {
        let told: Vec<(i64, i64)> =
            reader.aborted(from, to).iter().map(|one| (one.producer_id, one.first_offset)).collect();
        let touching =
            aborted.iter().filter(|(_, first, last)| *last >= from && *first < to && *last >= begin);
        assert_eq!(told, touching.map(|(id, first, _)| (*id, *first)).collect::<Vec<_>>(), "{case}");
    }
}

/// The last batch of each producer is known to lie where it lies, and the next one is expected.
fn check_producers(log: &mut Log, entries: &[&Entry], case: &str) {
    for id in 1..=3 {
        let of_producer = |entry: &&&Entry| entry.producer.is_some_and(|producer| producer.id == id);
        let Some(last) = entries.iter().rev().find(of_producer) else { continue };
        let producer = last.producer.unwrap();
        if matches!(last.what, What::Marker { .. }) {
            assert_eq!(log.reader().producers().iter().find(|one| one.producer_id == id).unwrap().epoch, {
                producer.epoch
            });
            continue;
        }
        let again = log.append_one(&last.request, 0).unwrap();
        assert_eq!((again.base_offset, again.duplicate), (last.first, true), "{case}: producer {id}");
        let expected = producer.base_sequence + i32::try_from(last.next - last.first).unwrap();
        let mut gap =
            BatchBuilder::new(Compression::None, Producer { base_sequence: expected + 1, ..producer });
        gap.push(0, None, None, &[]);
        let refused = log.append_one(&gap.build(), 0).unwrap_err();
        assert!(
            matches!(refused, Error::OutOfOrderSequence { expected: wanted, .. } if wanted == expected),
            "{case}: {refused}"
        );
    }
}

#[test]
fn wherever_a_run_is_cut_what_was_promised_is_there_and_nothing_else() {
    for seed in 0..6 {
        let rehearsal = disk();
        let whole = run(&rehearsal, seed);
        assert_eq!(whole.flushed, whole.next);
        let operations = rehearsal.operations();
        assert!(operations > 80, "{operations}");
        for cut in 0..=operations {
            let disk = disk();
            disk.cut_after(cut);
            let history = run(&disk, seed);
            let case = format!("seed {seed}, cut {cut}");
            check_prefix(&disk.crash(), &history, history.flushed, &case);
            check_prefix(&disk.process_crash(), &history, history.next, &case);
        }
    }
}

/// As [`run`], on a disk of which so much is free until so many steps were refused.
fn run_on_a_full_disk(disk: &SimDisk, seed: u64, room: u64, refusals: usize) -> History {
    let mut history = History::default();
    let random = SeededRandom::new(seed);
    disk.set_capacity(Some(disk.used() + room));
    let (mut log, _) = open_with(disk, config(SEGMENT_BYTES), LastStop::Unclean);
    let mut refused = 0;
    for _ in 0..STEPS {
        if !history.step(&mut log, &random) {
            refused += 1;
        }
        if refused == refusals {
            disk.set_capacity(None);
        }
    }
    disk.set_capacity(None);
    log.close().unwrap();
    history.flushed = history.next;
    history
}

#[test]
fn wherever_the_disk_is_full_what_is_refused_is_not_there_and_the_rest_goes_on() {
    for seed in 0..4 {
        let rehearsal = disk();
        run(&rehearsal, seed);
        for room in (0..rehearsal.used()).step_by(7) {
            let disk = disk();
            let history = run_on_a_full_disk(&disk, seed, room, 1 + usize::try_from(room % 5).unwrap());
            let case = format!("seed {seed}, room for {room}");
            check_prefix(&disk.crash(), &history, history.next, &case);
        }
    }
}

#[test]
fn whatever_sectors_a_power_cut_leaves_promised_records_stay_and_none_is_invented() {
    for seed in 0..4 {
        let rehearsal = disk();
        run(&rehearsal, seed);
        for cut in 0..=rehearsal.operations() {
            let disk = disk();
            disk.cut_after(cut);
            let history = run(&disk, seed);
            for sectors in 0..3 {
                let case = format!("seed {seed}, cut {cut}, sectors {sectors}");
                let left = disk.crash_partly(sectors * 7_919 + cut);
                check_promised(&left, &history, &case);
            }
        }
    }
}

/// Behind what was promised there may be holes; each record that is there lies at its own offset.
fn check_promised(disk: &SimDisk, history: &History, case: &str) {
    let (log, _) = open_with(disk, config(SEGMENT_BYTES), LastStop::Unclean);
    assert!(log.next_offset() >= history.flushed, "{case}");
    let start = log.reader().log_start_offset();
    let (records, _) = read_all(&log, start);
    let values = records.iter().filter(|(_, value)| value.starts_with("value"));
    assert!(values.clone().all(|(offset, found)| *found == value(*offset)), "{case}");
    let promised: Vec<i64> =
        values.map(|(offset, _)| *offset).filter(|offset| *offset < history.flushed).collect();
    let entries = history.until(history.flushed);
    let data = entries.iter().filter(|entry| !matches!(entry.what, What::Marker { .. }));
    let expected: Vec<i64> =
        data.flat_map(|entry| entry.first..entry.next).filter(|offset| *offset >= start).collect();
    assert_eq!(promised, expected, "{case}");
    let (_, aborted) = transactions(&entries, history.flushed);
    let told = log.reader().aborted(start, history.flushed);
    for (id, first, last) in aborted {
        let known = told.iter().any(|one| (one.producer_id, one.first_offset) == (id, first));
        assert!(known || last < start, "{case}: {id} from {first}");
    }
}
