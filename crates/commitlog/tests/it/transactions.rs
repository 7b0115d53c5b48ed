//! Transactions: what readers of committed records are told, what producers may do, across every kind of stop.

use std::collections::BTreeMap;

use bytes::Bytes;
use commitlog::{AbortedTransaction, Error, LastStop, Log};
use env::{Disk, SimDisk};
use proptest::prelude::*;
use record::{BatchBuilder, Compression, Producer};

use crate::support::{append, config, disk, file, open_with, values};

fn data(id: i64, epoch: i16, base_sequence: i32) -> Bytes {
    let mut builder =
        BatchBuilder::new(Compression::None, Producer { id, epoch, base_sequence }).transactional();
    builder.push(1_000, None, Some(b"value"), &[]);
    builder.build()
}

fn send(log: &mut Log, id: i64, epoch: i16, sequence: i32) -> Result<(i64, bool), Error> {
    let answer = log.append(&[data(id, epoch, sequence)], 0).remove(0);
    answer.map(|appended| (appended.base_offset, appended.duplicate))
}

fn end(log: &mut Log, id: i64, epoch: i16, commit: bool) -> Result<i64, Error> {
    log.append_marker(id, epoch, commit, 0, 5).map(|appended| appended.base_offset)
}

fn lso(log: &Log) -> i64 {
    log.reader().last_stable_offset(log.next_offset())
}

fn aborted(log: &Log, from: i64, to: i64) -> Vec<(i64, i64)> {
    let all = log.reader().aborted(from, to);
    all.iter().map(|AbortedTransaction { producer_id, first_offset }| (*producer_id, *first_offset)).collect()
}

fn new_log() -> (SimDisk, Log) {
    let disk = disk();
    let (log, _) = open_with(&disk, config(10_000), LastStop::Unclean);
    (disk, log)
}

#[test]
fn nothing_is_stable_behind_the_first_record_of_an_open_transaction() {
    let (_, mut log) = new_log();
    append(&mut log, values(&["plain"])).unwrap();
    send(&mut log, 7, 0, 0).unwrap();
    append(&mut log, values(&["plain"])).unwrap();
    send(&mut log, 8, 0, 0).unwrap();
    assert_eq!((lso(&log), log.reader().ongoing_transaction(7)), (1, Some(1)));
    end(&mut log, 7, 0, true).unwrap();
    assert_eq!((lso(&log), log.reader().ongoing_transaction(7)), (3, None));
    end(&mut log, 8, 0, false).unwrap();
    assert_eq!(lso(&log), 6);
    assert_eq!(aborted(&log, 0, 6), [(8, 3)]);
}

#[test]
fn a_marker_counts_for_readers_when_they_may_see_it() {
    let (_, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap();
    end(&mut log, 7, 0, true).unwrap();
    let reader = log.reader();
    assert_eq!(reader.last_stable_offset(1), 0, "the marker lies behind the high watermark");
    assert_eq!(reader.last_stable_offset(2), 2);
    assert_eq!(reader.last_stable_offset(0), 0);
}

#[test]
fn only_aborted_transactions_that_touch_a_range_are_told() {
    let (_, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap(); // 0
    send(&mut log, 8, 0, 0).unwrap(); // 1
    end(&mut log, 8, 0, false).unwrap(); // 2: [1, 2]
    end(&mut log, 7, 0, false).unwrap(); // 3: [0, 3]
    send(&mut log, 9, 0, 0).unwrap(); // 4
    end(&mut log, 9, 0, false).unwrap(); // 5: [4, 5]
    assert_eq!(aborted(&log, 0, 1), [(7, 0)]);
    assert_eq!(aborted(&log, 2, 3), [(8, 1), (7, 0)]);
    assert_eq!(aborted(&log, 3, 4), [(7, 0)]);
    assert_eq!(aborted(&log, 3, 5), [(7, 0), (9, 4)]);
    assert_eq!(aborted(&log, 5, 6), [(9, 4)]);
    assert_eq!(aborted(&log, 6, 7), []);
}

#[test]
fn numbers_of_an_aborted_batch_may_come_again_and_those_of_a_committed_one_are_repetitions() {
    let (_, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap();
    end(&mut log, 7, 0, true).unwrap();
    send(&mut log, 7, 0, 1).unwrap();
    send(&mut log, 7, 0, 2).unwrap();
    end(&mut log, 7, 0, false).unwrap();
    assert_eq!(send(&mut log, 7, 0, 0).unwrap(), (0, true));
    assert_eq!(send(&mut log, 7, 0, 1).unwrap(), (5, false), "its first sending was aborted");
    assert_eq!(send(&mut log, 7, 0, 1).unwrap(), (5, true));
    assert!(matches!(send(&mut log, 7, 0, 3), Err(Error::OutOfOrderSequence { expected: 2, .. })));
    assert_eq!(send(&mut log, 7, 0, 2).unwrap(), (6, false));
    end(&mut log, 7, 0, false).unwrap();
    assert_eq!(send(&mut log, 7, 0, 3).unwrap(), (8, false), "or the numbers go on");
}

#[test]
fn a_marker_with_a_new_epoch_fences_the_old_one_and_lets_the_new_one_begin_at_zero() {
    let (_, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap();
    end(&mut log, 7, 1, true).unwrap();
    assert!(matches!(send(&mut log, 7, 0, 1), Err(Error::ProducerFenced { current: 1, .. })));
    assert!(matches!(send(&mut log, 7, 1, 1), Err(Error::OutOfOrderSequence { expected: 0, .. })));
    assert_eq!(send(&mut log, 7, 1, 0).unwrap(), (2, false));
    assert!(matches!(end(&mut log, 7, 0, true), Err(Error::ProducerFenced { epoch: 0, current: 1, .. })));
    assert!(matches!(
        log.append_marker(7, 1, true, -1, 0),
        Err(Error::CoordinatorFenced { epoch: -1, current: 0, .. })
    ));
    assert_eq!(lso(&log), 2, "what was refused ended nothing");
}

#[test]
fn a_batch_outside_of_its_producers_transaction_is_refused() {
    let (_, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap();
    let plain = |sequence| {
        let mut batch =
            BatchBuilder::new(Compression::None, Producer { id: 7, epoch: 0, base_sequence: sequence });
        batch.push(0, None, None, &[]);
        batch.build()
    };
    assert!(matches!(
        append(&mut log, plain(1)),
        Err(Error::InTransaction { producer_id: 7, first_offset: 0 })
    ));
    end(&mut log, 7, 0, true).unwrap();
    append(&mut log, plain(1)).unwrap();
}

#[test]
fn a_refused_write_opens_and_ends_nothing() {
    let (disk, mut log) = new_log();
    disk.set_capacity(Some(disk.used()));
    assert!(send(&mut log, 7, 0, 0).is_err());
    assert_eq!((lso(&log), log.reader().ongoing_transaction(7)), (0, None));
    disk.set_capacity(None);
    send(&mut log, 7, 0, 0).unwrap();
    disk.set_capacity(Some(disk.used()));
    assert!(end(&mut log, 7, 0, false).is_err());
    assert_eq!((lso(&log), log.reader().ongoing_transaction(7)), (0, Some(0)));
    assert_eq!(aborted(&log, 0, 9), []);
    disk.set_capacity(None);
    end(&mut log, 7, 0, false).unwrap();
    assert_eq!(lso(&log), 2);
}

#[test]
fn aborted_transactions_before_the_log_are_forgotten() {
    let (_, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap();
    end(&mut log, 7, 0, false).unwrap();
    append(&mut log, values(&["plain"])).unwrap();
    log.delete_before(1, 3).unwrap();
    assert_eq!(aborted(&log, 0, 3), [(7, 0)], "its marker is still there");
    log.delete_before(2, 3).unwrap();
    assert_eq!(aborted(&log, 0, 3), []);
}

/// What happens to a log with four producers.
#[derive(Debug, Clone)]
enum Step {
    Send(i64),
    Plain,
    End { producer: i64, commit: bool, bump: bool },
    Reopen(Stop),
}

#[derive(Debug, Clone, Copy)]
enum Stop {
    Clean,
    PowerCut,
    WithoutDerivedFiles,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let stop = prop_oneof![Just(Stop::Clean), Just(Stop::PowerCut), Just(Stop::WithoutDerivedFiles)];
    let step = prop_oneof![
        8 => (0..4_i64).prop_map(Step::Send),
        2 => Just(Step::Plain),
        4 => (0..4_i64, any::<bool>(), any::<bool>())
            .prop_map(|(producer, commit, bump)| Step::End { producer, commit, bump }),
        1 => stop.prop_map(Step::Reopen),
    ];
    proptest::collection::vec(step, 1..80)
}

/// The same, as plain lists.
#[derive(Debug, Default)]
struct Model {
    next: i64,
    /// Epoch, next sequence, first offset of the transaction.
    producers: BTreeMap<i64, (i16, i32, Option<i64>)>,
    /// Producer, first offset, marker's offset.
    aborted: Vec<(i64, i64, i64)>,
}

impl Model {
    fn lso(&self) -> i64 {
        self.producers.values().filter_map(|(_, _, first)| *first).min().unwrap_or(self.next)
    }

    fn apply(&mut self, log: &mut Log, step: &Step) {
        match *step {
            Step::Plain => {
                append(log, values(&["plain"])).unwrap();
            }
            Step::Send(id) => {
                let (epoch, sequence, first) = self.producers.entry(id).or_default();
                assert_eq!(send(log, id, *epoch, *sequence).unwrap(), (self.next, false));
                *sequence += 1;
                first.get_or_insert(self.next);
            }
            Step::End { producer, commit, bump } => {
                let (epoch, sequence, first) = self.producers.entry(producer).or_default();
                if bump {
                    (*epoch, *sequence) = (*epoch + 1, 0);
                }
                assert_eq!(end(log, producer, *epoch, commit).unwrap(), self.next);
                if let Some(first) = first.take()
                    && !commit
                {
                    self.aborted.push((producer, first, self.next));
                }
            }
            Step::Reopen(_) => return,
        }
        self.next += 1;
    }

    fn check(&self, log: &Log) {
        assert_eq!((log.next_offset(), lso(log)), (self.next, self.lso()));
        for from in 0..self.next {
            for to in [from + 1, from + 3, self.next] {
                let touching = self.aborted.iter().filter(|(_, first, last)| *last >= from && *first < to);
                let expected: Vec<(i64, i64)> = touching.map(|(id, first, _)| (*id, *first)).collect();
                assert_eq!(aborted(log, from, to), expected, "{from}..{to}");
            }
        }
        let known = log.reader().producers();
        for (id, (epoch, sequence, first)) in &self.producers {
            let found = known.iter().find(|status| status.producer_id == *id).unwrap();
            assert_eq!((found.epoch, found.last_sequence), (*epoch, sequence - 1));
            assert_eq!(found.transaction_first_offset, *first);
        }
    }
}

fn reopen(disk: &SimDisk, mut log: Log, stop: Stop) -> (SimDisk, Log) {
    log.flush().unwrap();
    let (disk, last_stop) = match stop {
        Stop::PowerCut => (disk.crash(), LastStop::Unclean),
        Stop::Clean => {
            log.close().unwrap();
            (disk.crash(), LastStop::Clean)
        }
        Stop::WithoutDerivedFiles => {
            log.close().unwrap();
            let left = disk.crash();
            for entry in left.read_dir(&file("")).unwrap() {
                if !entry.name.ends_with(".log") {
                    left.remove_file(&file(&entry.name)).unwrap();
                }
            }
            (left, LastStop::Clean)
        }
    };
    let (log, recovery) = open_with(&disk, config(700), last_stop);
    assert!(recovery.cut.is_none() && recovery.rotten.is_empty());
    (disk, log)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]

    #[test]
    fn transactions_are_as_plain_lists_tell(steps in steps()) {
        let mut disk = disk();
        let (mut log, _) = open_with(&disk, config(700), LastStop::Unclean);
        let mut model = Model::default();
        for step in &steps {
            model.apply(&mut log, step);
            if let Step::Reopen(stop) = step {
                (disk, log) = reopen(&disk, log, *stop);
                model.check(&log);
            }
        }
        model.check(&log);
    }
}

/// Two transactions, one of them aborted, over several segments; closed.
fn closed_log() -> (SimDisk, i64) {
    let disk = disk();
    let (mut log, _) = open_with(&disk, config(500), LastStop::Unclean);
    for n in 0..12 {
        send(&mut log, 7, 0, n).unwrap();
        send(&mut log, 8, 0, n).unwrap();
        if n == 5 {
            end(&mut log, 7, 0, false).unwrap();
        }
    }
    end(&mut log, 8, 0, true).unwrap();
    let next = log.next_offset();
    log.close().unwrap();
    (disk, next)
}

#[test]
fn no_flipped_bit_of_a_derived_file_changes_what_is_stable() {
    let (disk, next) = closed_log();
    for entry in disk.read_dir(&file("")).unwrap() {
        if entry.name.ends_with(".log") {
            continue;
        }
        for position in 0..disk.len(&file(&entry.name)).unwrap() {
            let damaged = disk.process_crash();
            damaged.flip(&file(&entry.name), position, 0x11).unwrap();
            for last_stop in [LastStop::Clean, LastStop::Unclean] {
                let (log, recovery) = open_with(&damaged, config(500), last_stop);
                let case = format!("{} at {position}", entry.name);
                assert!(recovery.cut.is_none() && recovery.rotten.is_empty(), "{case}");
                assert_eq!((log.next_offset(), lso(&log)), (next, 13), "{case}");
                assert_eq!(aborted(&log, 0, next), [(7, 0)], "{case}");
            }
        }
    }
}

#[test]
fn a_rotten_marker_is_reported_and_takes_no_record_along() {
    let (disk, mut log) = new_log();
    send(&mut log, 7, 0, 0).unwrap();
    let start = disk.len(&crate::support::segment(0)).unwrap();
    end(&mut log, 7, 0, true).unwrap();
    let behind = disk.len(&crate::support::segment(0)).unwrap();
    append(&mut log, values(&["plain"])).unwrap();
    log.flush().unwrap();
    for position in start..behind {
        let damaged = disk.process_crash();
        damaged.flip(&crate::support::segment(0), position, 4).unwrap();
        let (log, recovery) = open_with(&damaged, config(10_000), LastStop::Unclean);
        let found = &recovery.rotten[0];
        assert_eq!((found.position, found.next_offset, log.next_offset()), (start, 2, 3), "byte {position}");
        assert!(!log.reader().read(2, 3, 1000, true).unwrap().is_empty(), "byte {position}");
        // Nobody can tell how it ended, so nobody is told that it did.
        assert_eq!(lso(&log), 0, "byte {position}");
    }
}
