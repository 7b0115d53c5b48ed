//! Generated histories of keyed records, tombstones, transactions, passes, restarts and crashes against a plain list.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::path::Path;

use bytes::Bytes;
use commitlog::{CompactionConfig, LastStop, Log, LogReader};
use env::{Disk, SimDisk};
use proptest::prelude::*;
use record::{BatchBuilder, Compression, ControlRecord, Producer, Record};

use crate::compaction::{clean, eager};
use crate::support::{DIR, config, disk, open_with};

const SEGMENT_BYTES: u64 = 400;

#[derive(Debug, Clone)]
enum Step {
    /// Records of these keys, by one of the producers in a transaction, by an idempotent one, or by nobody known.
    Put {
        keys: Vec<u8>,
        tombstone: bool,
        by: By,
        codec: Compression,
    },
    End {
        producer: i64,
        commit: bool,
    },
    Clean {
        tight: bool,
        pass_ms: i64,
    },
    /// A pass that the power cut interrupts.
    CutClean {
        after: u64,
    },
    Restart,
    PowerCut {
        without_producers_files: bool,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    Nobody,
    Idempotent,
    Transaction(i64),
}

fn step() -> impl Strategy<Value = Step> {
    let by = prop_oneof![
        Just(By::Nobody),
        Just(By::Idempotent),
        (1_i64..4).prop_map(By::Transaction),
        (1_i64..4).prop_map(By::Transaction)
    ];
    let codec = (0_usize..5).prop_map(|at| Compression::ALL[at]);
    let put = (proptest::collection::vec(0_u8..6, 1..4), proptest::bool::weighted(0.2), by, codec)
        .prop_map(|(keys, tombstone, by, codec)| Step::Put { keys, tombstone, by, codec });
    prop_oneof![
        12 => put,
        4 => (1_i64..4, any::<bool>()).prop_map(|(producer, commit)| Step::End { producer, commit }),
        2 => (any::<bool>(), 0_i64..2_500).prop_map(|(tight, pass_ms)| Step::Clean { tight, pass_ms }),
        1 => (0_u64..60).prop_map(|after| Step::CutClean { after }),
        1 => Just(Step::Restart),
        1 => any::<bool>().prop_map(|without_producers_files| Step::PowerCut { without_producers_files }),
    ]
}

/// One record as it was appended.
#[derive(Debug, Clone)]
struct Appended {
    offset: i64,
    key: Bytes,
    value: Option<Bytes>,
    time: i64,
    /// Number of its transaction, in `World::outcomes`.
    transaction: Option<usize>,
}

struct World {
    disk: SimDisk,
    log: Option<Log>,
    now_ms: i64,
    list: Vec<Appended>,
    /// Of each transaction: whether its records count, once it ended.
    outcomes: Vec<Option<bool>>,
    /// By producer: its transaction.
    ongoing: BTreeMap<i64, usize>,
    sequences: BTreeMap<i64, i32>,
    /// By idempotent or transactional producer: its last batch, and where it lies.
    last_batch: BTreeMap<i64, (Bytes, i64)>,
}

impl World {
    fn new() -> Self {
        let disk = disk();
        let log = Some(open_with(&disk, config(SEGMENT_BYTES), LastStop::Unclean).0);
        let (list, outcomes) = (Vec::new(), Vec::new());
        let (ongoing, sequences, last_batch) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { disk, log, now_ms: 100_000, list, outcomes, ongoing, sequences, last_batch }
    }

    fn log(&mut self) -> &mut Log {
        self.log.as_mut().unwrap()
    }

    fn run(&mut self, step: Step) {
        self.now_ms += 10;
        match step {
            Step::Put { keys, tombstone, by, codec } => self.put(&keys, tombstone, by, codec),
            Step::End { producer, commit } => self.end(producer, commit),
            Step::Clean { tight, pass_ms } => {
                self.now_ms += pass_ms;
                let now_ms = self.now_ms;
                let key_map_bytes = if tight { 0 } else { 1 << 20 };
                self.clean(&CompactionConfig { key_map_bytes, ..eager() }, now_ms).unwrap();
            }
            Step::CutClean { after } => {
                self.log().flush().unwrap();
                self.disk.cut_after(after);
                let now_ms = self.now_ms;
                drop(self.clean(&eager(), now_ms));
                self.power_cut(false);
            }
            Step::Restart => {
                self.log.take().unwrap().close().unwrap();
                self.disk = self.disk.crash();
                self.log = Some(open_with(&self.disk, config(SEGMENT_BYTES), LastStop::Clean).0);
            }
            Step::PowerCut { without_producers_files } => {
                self.log().flush().unwrap();
                self.power_cut(without_producers_files);
            }
        }
    }

    fn clean(&mut self, config: &CompactionConfig, now_ms: i64) -> Result<(), commitlog::Error> {
        let log = self.log();
        let reader = log.reader();
        let stable = reader.last_stable_offset(log.next_offset());
        let backlog = reader.backlog(config, stable, now_ms)?;
        if backlog.due {
            let mut owner = crate::compaction::Owner { log, bytes_left: usize::MAX };
            commitlog::compact(&reader, config, &backlog, now_ms, &mut owner)?;
        }
        Ok(())
    }

    fn power_cut(&mut self, without_producers_files: bool) {
        self.log = None;
        self.disk = self.disk.crash();
        if without_producers_files {
            for entry in self.disk.read_dir(Path::new(DIR)).unwrap() {
                if entry.name.ends_with(".producers") {
                    self.disk.remove_file(&Path::new(DIR).join(entry.name)).unwrap();
                }
            }
        }
        self.log = Some(open_with(&self.disk, config(SEGMENT_BYTES), LastStop::Unclean).0);
    }

    fn put(&mut self, keys: &[u8], tombstone: bool, by: By, codec: Compression) {
        let id = match by {
            By::Nobody => -1,
            By::Idempotent => 9,
            By::Transaction(id) => id,
        };
        let producer = if id < 0 {
            Producer::NONE
        } else {
            let sequence = self.sequences.entry(id).or_default();
            let base_sequence = *sequence;
            *sequence += i32::try_from(keys.len()).unwrap();
            Producer { id, epoch: 0, base_sequence }
        };
        let mut builder = BatchBuilder::new(codec, producer);
        let transaction = matches!(by, By::Transaction(_)).then(|| self.transaction_of(id));
        if transaction.is_some() {
            builder = builder.transactional();
        }
        let first = self.list.len();
        for (at, key) in keys.iter().enumerate() {
            let key = Bytes::from(vec![b'k', *key]);
            let value = (!tombstone).then(|| Bytes::from(format!("{}-{at}", self.now_ms)));
            let time = self.now_ms + i64::try_from(at).unwrap();
            builder.push(time, Some(&key), value.as_deref(), &[]);
            self.list.push(Appended { offset: 0, key, value, time, transaction });
        }
        let (batch, now_ms) = (builder.build(), self.now_ms);
        let base = self.log().append(std::slice::from_ref(&batch), now_ms).remove(0).unwrap().base_offset;
        for (offset, appended) in (base..).zip(&mut self.list[first..]) {
            appended.offset = offset;
        }
        if id >= 0 {
            self.last_batch.insert(id, (batch, base));
        }
    }

    fn transaction_of(&mut self, producer: i64) -> usize {
        let outcomes = &mut self.outcomes;
        *self.ongoing.entry(producer).or_insert_with(|| {
            outcomes.push(None);
            outcomes.len() - 1
        })
    }

    fn end(&mut self, producer: i64, commit: bool) {
        let Some(transaction) = self.ongoing.remove(&producer) else { return };
        self.outcomes[transaction] = Some(commit);
        let now_ms = self.now_ms;
        self.log().append_marker(producer, 0, commit, 0, now_ms).unwrap();
    }

    /// What a reader of committed records must know after reading all of them.
    fn expected(&self, stable: i64) -> BTreeMap<Bytes, Bytes> {
        let mut last = BTreeMap::new();
        for one in self.list.iter().filter(|one| one.offset < stable && self.counts(one)) {
            last.insert(one.key.clone(), one.value.clone());
        }
        last.into_iter().filter_map(|(key, value)| Some((key, value?))).collect()
    }

    fn counts(&self, one: &Appended) -> bool {
        one.transaction.is_none_or(|transaction| self.outcomes[transaction] == Some(true))
    }

    fn check(&mut self, max_bytes: usize) {
        let end = self.log().next_offset();
        let reader = self.log().reader();
        let stable = reader.last_stable_offset(end);
        let open = self.list.iter().find(|one| one.transaction.is_some_and(|t| self.outcomes[t].is_none()));
        assert_eq!(stable, open.map_or(end, |one| one.offset), "the last stable offset");
        let committed = read_committed(&reader, stable, max_bytes);
        let mut last = BTreeMap::new();
        for record in &committed {
            let at = self
                .list
                .binary_search_by_key(&record.offset, |one| one.offset)
                .expect("no record is invented");
            let one = &self.list[at];
            assert_eq!(record.key.as_ref(), Some(&one.key));
            assert_eq!((&record.value, record.timestamp), (&one.value, one.time));
            assert!(self.counts(one), "offset {} was aborted", record.offset);
            last.insert(one.key.clone(), record.value.clone());
        }
        let last: BTreeMap<Bytes, Bytes> =
            last.into_iter().filter_map(|(key, value)| Some((key, value?))).collect();
        assert_eq!(last, self.expected(stable));
    }

    /// Each producer's last batch, sent once more, is recognised.
    fn check_repetitions(&mut self) {
        for (id, (batch, base)) in self.last_batch.clone() {
            let aborted = self.list.iter().find(|one| one.offset == base).is_some_and(|one| {
                one.transaction.is_some_and(|transaction| self.outcomes[transaction] == Some(false))
            });
            if aborted {
                continue; // its numbers may come again
            }
            let again = self.log().append(&[batch], 0).remove(0);
            // A producer in no transaction may repeat what it sent in one: it is known, and not written.
            let again = again.unwrap_or_else(|error| panic!("producer {id}: {error}"));
            assert_eq!((again.base_offset, again.duplicate), (base, true), "producer {id}");
        }
    }
}

/// As a client does: fetch by fetch, each with its own list of aborted transactions.
fn read_committed(reader: &LogReader, stable: i64, max_bytes: usize) -> Vec<Record> {
    let (mut at, mut found) = (reader.log_start_offset(), Vec::new());
    while at < stable {
        let bytes = reader.read(at, stable, max_bytes, true).unwrap();
        let batches: Vec<_> = record::batches(&bytes).map(Result::unwrap).collect();
        let next = batches.last().unwrap().header.next_offset();
        assert!(batches[0].header.base_offset <= at && next > at, "offsets have no gap at {at}");
        let mut to_come: Vec<_> = reader.aborted(at, next);
        to_come.sort_by_key(|one| one.first_offset);
        let mut to_come = VecDeque::from(to_come);
        let mut aborted = HashSet::new();
        for batch in batches {
            let header = &batch.header;
            while to_come.front().is_some_and(|one| one.first_offset <= header.last_offset()) {
                aborted.insert(to_come.pop_front().unwrap().producer_id);
            }
            if header.is_control() {
                let ControlRecord::EndTransaction { commit, .. } = ControlRecord::from_batch(&batch).unwrap();
                if !commit {
                    aborted.remove(&header.producer_id);
                }
            } else if !(header.is_transactional() && aborted.contains(&header.producer_id)) {
                found.extend(
                    batch.records(1 << 20).unwrap().map(Result::unwrap).filter(|one| one.offset >= at),
                );
            }
        }
        at = next;
    }
    assert!(found.windows(2).all(|pair| pair[0].offset < pair[1].offset), "offsets ascend");
    found
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn a_compacted_log_says_what_the_list_says(
        steps in proptest::collection::vec(step(), 1..120),
        max_bytes in 1_usize..1_500,
    ) {
        let mut world = World::new();
        for step in steps {
            let looks = !matches!(step, Step::Put { .. });
            world.run(step);
            if looks {
                world.check(max_bytes);
            }
        }
        world.check(max_bytes);
        world.check_repetitions();
        for producer in 1..4 {
            world.end(producer, producer == 2);
        }
        // A while later everything is decided, tombstones and markers have gone, and what counts is still there.
        for _ in 0..4 {
            world.run(Step::Put { keys: vec![0; 3], tombstone: false, by: By::Nobody, codec: Compression::None });
            world.run(Step::Clean { tight: false, pass_ms: 5_000 });
            world.check(max_bytes);
        }
    }
}

#[test]
fn a_marker_goes_after_its_records_and_nobody_is_told_of_its_transaction_any_more() {
    let mut world = World::new();
    let put = |world: &mut World, by| {
        world.run(Step::Put { keys: vec![1, 2], tombstone: false, by, codec: Compression::None });
    };
    put(&mut world, By::Transaction(1));
    world.end(1, false);
    put(&mut world, By::Transaction(1));
    world.end(1, true);
    let markers = |world: &mut World| {
        let reader = world.log().reader();
        let end = world.log().next_offset();
        let bytes = reader.read(0, end, 1 << 20, true).unwrap();
        record::batches(&bytes).filter(|batch| batch.as_ref().unwrap().header.is_control()).count()
    };
    let fill = |world: &mut World| {
        for _ in 0..8 {
            put(world, By::Nobody);
        }
    };
    fill(&mut world);
    world.run(Step::Clean { tight: false, pass_ms: 0 });
    assert_eq!(markers(&mut world), 2);
    assert_eq!(world.log().reader().aborted(0, 100).len(), 1);
    fill(&mut world);
    world.run(Step::Clean { tight: false, pass_ms: 500 });
    fill(&mut world);
    world.run(Step::Clean { tight: false, pass_ms: 2_000 });
    fill(&mut world);
    world.run(Step::PowerCut { without_producers_files: false });
    assert_eq!(world.log().reader().aborted(0, 100), []);
    // The producer's last batch is kept without its records, and with it the marker of its transaction.
    assert_eq!(markers(&mut world), 1);
    world.check(100);
    clean(world.log(), &eager(), 0).unwrap();
}
