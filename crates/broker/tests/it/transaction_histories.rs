//! Histories of transactions, generated, with the process killed or the power cut between any two things that the disk does.
//!
//! Two programs write transactions to two topics, each in one of the two manners, and remember how each was to end. Whoever
//! gets no answer asks again after the restart, or is replaced by a program of the same id. Whatever happens: nothing that
//! was aborted, or left, is under a commit marker, everything that was committed is there, whole and once, and what nobody
//! answered for is there whole or not at all.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use env::{Env, ManualClock, SimDisk};
use groups::transactions::Event;
use protocol::ErrorCode;
use protocol::messages::add_partitions_to_txn::AddPartitionsToTxnTopic;
use protocol::messages::create_topics::CreatableTopic;
use protocol::messages::*;
use record::{BatchBuilder, Compression, ControlRecord, Producer};
use topics::Acks;

use crate::support::*;

const TOPICS: [&str; 2] = ["t", "u"];
const HISTORIES: u64 = 12;
const LIVES: u64 = 14;
/// An answer that takes longer does not come: the disk is gone.
const MOMENT: Duration = Duration::from_millis(100);
/// An epoch with few others behind it.
const LATE_EPOCH: i16 = 32_760;

/// Small numbers out of a seed, always the same.
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % end
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    Asked { commit: bool },
    Ended { commit: bool },
}

/// A request that is asked again until somebody answers.
#[derive(Clone, Debug)]
enum Step {
    Init,
    Add(usize),
    Write(usize, Bytes),
    End(bool),
}

/// No answer, or none that helps.
struct Interrupted;

struct Program {
    name: &'static str,
    newer: bool,
    who: Option<(i64, i16)>,
    /// By topic.
    sequences: [i32; 2],
    added: [bool; 2],
    /// The transaction of now; its records are called by it.
    number: u64,
    written: u64,
    pending: Option<Step>,
    /// How each transaction ended, and how many records it had.
    fates: BTreeMap<u64, (Fate, u64)>,
}

impl Program {
    fn new(name: &'static str, newer: bool) -> Self {
        Self {
            name,
            newer,
            who: None,
            sequences: [0; 2],
            added: [false; 2],
            number: 0,
            written: 0,
            pending: None,
            fates: BTreeMap::new(),
        }
    }

    /// Another program of the same id takes over.
    fn replace(&mut self) {
        *self = Self {
            number: self.number + 1,
            fates: std::mem::take(&mut self.fates),
            ..Self::new(self.name, self.newer)
        };
    }

    fn next(&mut self, dice: &mut Dice) -> Step {
        if self.who.is_none() {
            return Step::Init;
        }
        if self.written > 0 && dice.below(3) == 0 {
            let commit = dice.below(2) == 0;
            return Step::End(commit);
        }
        let topic = usize::from(dice.below(2) == 1);
        if !self.newer && !self.added[topic] {
            return Step::Add(topic);
        }
        let (id, epoch) = self.who.expect("looked at above");
        let producer = Producer { id, epoch, base_sequence: self.sequences[topic] };
        let mut builder = BatchBuilder::new(Compression::None, producer).transactional();
        let value = format!("{}:{}:{}", self.name, self.number, self.written);
        builder.push(1_000, None, Some(value.as_bytes()), &[]);
        Step::Write(topic, builder.build())
    }

    fn note(&mut self, fate: Fate, records: u64) {
        self.fates.insert(self.number, (fate, records));
    }

    /// One request, the last one again if it was not answered.
    async fn step(
        &mut self,
        server: &Server,
        dice: &mut Dice,
        patience: Duration,
    ) -> Result<(), Interrupted> {
        let step = match self.pending.take() {
            Some(step) => step,
            None => self.next(dice),
        };
        self.pending = Some(step.clone());
        match &step {
            Step::End(commit) => self.note(Fate::Asked { commit: *commit }, self.written),
            Step::Write(..) => self.note(Fate::Open, self.written + 1),
            Step::Init | Step::Add(_) => {}
        }
        let asking = self.ask(server, &step);
        tokio::time::timeout(patience, asking).await.unwrap_or(Err(Interrupted))?;
        self.pending = None;
        Ok(())
    }

    async fn ask(&mut self, server: &Server, step: &Step) -> Result<(), Interrupted> {
        let mut client = server.client().await;
        let (id, epoch) = self.who.unwrap_or((-1, -1));
        match step {
            Step::Init => self.init(&mut client).await,
            Step::Add(topic) => {
                let request = AddPartitionsToTxnRequest {
                    transactional_id: self.name.into(),
                    producer_id: id,
                    producer_epoch: epoch,
                    topics: vec![AddPartitionsToTxnTopic {
                        name: TOPICS[*topic].into(),
                        partitions: vec![0],
                    }],
                    ..Default::default()
                };
                let added: AddPartitionsToTxnResponse = client.ask(3, &request).await;
                self.judge(added.results_by_topic[0].results_by_partition[0].partition_error_code)?;
                self.added[*topic] = true;
                Ok(())
            }
            Step::Write(topic, records) => {
                let request = ProduceRequest {
                    transactional_id: Some(self.name.into()),
                    ..produce_request(TOPICS[*topic], -1, records.clone())
                };
                let done: ProduceResponse = client.ask(if self.newer { 12 } else { 9 }, &request).await;
                self.judge(done.responses[0].partition_responses[0].error_code)?;
                self.sequences[*topic] += 1;
                self.written += 1;
                Ok(())
            }
            Step::End(committed) => self.end(&mut client, *committed).await,
        }
    }

    async fn init(&mut self, client: &mut Client) -> Result<(), Interrupted> {
        let request = InitProducerIdRequest {
            transactional_id: Some(self.name.into()),
            transaction_timeout_ms: 60_000,
            ..Default::default()
        };
        let given: InitProducerIdResponse = client.ask(4, &request).await;
        self.judge(given.error_code)?;
        self.who = Some((given.producer_id, given.producer_epoch));
        Ok(())
    }

    async fn end(&mut self, client: &mut Client, committed: bool) -> Result<(), Interrupted> {
        let (producer_id, producer_epoch) = self.who.expect("whoever ends has begun");
        let transactional_id = self.name.into();
        let request = EndTxnRequest { transactional_id, producer_id, producer_epoch, committed };
        let ended: EndTxnResponse = client.ask(if self.newer { 5 } else { 3 }, &request).await;
        self.judge(ended.error_code)?;
        if self.newer {
            self.who = Some((ended.producer_id, ended.producer_epoch));
            self.sequences = [0; 2];
        }
        self.added = [false; 2];
        self.note(Fate::Ended { commit: committed }, self.written);
        self.number += 1;
        self.written = 0;
        Ok(())
    }

    /// Nobody fences these programs: whatever goes wrong is the disk's fault, and over after a restart.
    fn judge(&self, code: i16) -> Result<(), Interrupted> {
        use ErrorCode as E;
        match ErrorCode::from_code(code) {
            E::None => Ok(()),
            E::CoordinatorNotAvailable
            | E::CoordinatorLoadInProgress
            | E::ConcurrentTransactions
            | E::NotEnoughReplicas
            | E::KafkaStorageError
            | E::NotCoordinator
            | E::UnknownServerError => Err(Interrupted),
            error => panic!("{} in {}, {:?}: {error:?}", self.name, self.number, self.pending),
        }
    }
}

async fn on(disk: &SimDisk) -> Server {
    let env = Env::simulated(Arc::new(ManualClock::new(1_000_000)), disk, 7);
    Server::open_in(Path::new("/data"), env, |_| ()).await
}

/// Lets the id be one whose epochs run out soon.
async fn age(server: &Server, program: &mut Program) {
    let journal = server.topics.topic("__transaction_state").expect("there").partition(0).expect("there");
    let mut newest = None;
    let read = journal.read(0, 1 << 20, true).expect("readable");
    for batch in record::batches(&read.bytes) {
        for record in batch.expect("whole").records(1 << 20).expect("readable") {
            let record = record.expect("readable");
            let event = Event::decode(&record.key.expect("a key"), record.value.as_ref()).expect("readable");
            newest = event.filter(|event| event.transactional_id == program.name).or(newest);
        }
    }
    let mut event = newest.expect("it was written");
    let transaction = event.transaction.as_mut().expect("it is alive");
    transaction.producer.epoch = LATE_EPOCH;
    program.who = Some((transaction.producer.id, LATE_EPOCH));
    let (key, value) = event.encode();
    let mut builder = BatchBuilder::new(Compression::None, Producer::NONE);
    builder.push(1_000, Some(&key[..]), value.as_deref(), &[]);
    journal.enqueue(builder.build(), Acks::All).expect("taken").await.expect("written");
}

async fn prepared(dice: &mut Dice) -> (SimDisk, [Program; 2]) {
    let disk = SimDisk::new();
    let mut programs = [Program::new("one", true), Program::new("two", dice.below(2) == 0)];
    let server = on(&disk).await;
    let mut client = server.client().await;
    for name in TOPICS {
        let (num_partitions, replication_factor) = (1, 1);
        let topic =
            CreatableTopic { name: name.into(), num_partitions, replication_factor, ..Default::default() };
        let request = CreateTopicsRequest { topics: vec![topic], timeout_ms: 1_000, ..Default::default() };
        let _: CreateTopicsResponse = client.ask(7, &request).await;
    }
    for program in &mut programs {
        program.step(&server, dice, PATIENCE).await.unwrap_or_else(|_| panic!("nothing is in the way"));
        if dice.below(2) == 0 {
            age(&server, program).await;
        }
    }
    server.stop().await;
    (disk, programs)
}

/// Lets both write until the disk is gone.
async fn live(disk: &SimDisk, programs: &mut [Program; 2], dice: &mut Dice) {
    let server = on(disk).await;
    disk.cut_after(dice.below(70));
    loop {
        let program = &mut programs[usize::from(dice.below(2) == 1)];
        if program.step(&server, dice, MOMENT).await.is_err() {
            return;
        }
    }
}

async fn history(seed: u64) {
    let mut dice = Dice(seed);
    let (mut disk, mut programs) = prepared(&mut dice).await;
    for _ in 0..LIVES {
        live(&disk, &mut programs, &mut dice).await;
        disk = if dice.below(3) == 0 { disk.crash() } else { disk.process_crash() };
        for program in &mut programs {
            if dice.below(6) == 0 {
                program.replace();
            }
        }
    }
    let server = on(&disk).await;
    for program in &mut programs {
        // Whoever takes an id over waits until its last transaction is over.
        program.replace();
        program
            .step(&server, &mut dice, PATIENCE)
            .await
            .unwrap_or_else(|_| panic!("seed {seed}: nothing is in the way"));
    }
    let seen = look(&server, seed);
    for program in &programs {
        for (number, (fate, size)) in &program.fates {
            let prefix = format!("{}:{number}:", program.name);
            let count = seen.iter().filter(|(value, _)| value.starts_with(&prefix)).map(|(_, times)| times);
            let count: u64 = count.sum();
            let fits = match fate {
                Fate::Open | Fate::Asked { commit: false } | Fate::Ended { commit: false } => count == 0,
                Fate::Ended { commit: true } => count == *size,
                Fate::Asked { commit: true } => count == 0 || count == *size,
            };
            assert!(fits, "seed {seed}: {prefix} {fate:?}, {count} of {size} are seen");
        }
    }
    assert!(seen.values().all(|times| *times == 1), "seed {seed}: {seen:?}");
    server.stop().await;
}

/// What is under commit markers, as the log has it: an open record counts by its producer's next marker.
fn look(server: &Server, seed: u64) -> BTreeMap<String, u64> {
    let mut seen = BTreeMap::new();
    for topic in TOPICS {
        let partition = server.topics.topic(topic).expect("there").partition(0).expect("there");
        assert_eq!(
            partition.last_stable_offset(),
            partition.high_watermark(),
            "seed {seed}: something hangs"
        );
        let mut open: BTreeMap<i64, Vec<String>> = BTreeMap::new();
        let read = partition.read(0, 1 << 20, true).expect("readable");
        for batch in record::batches(&read.bytes) {
            let batch = batch.expect("whole");
            let id = batch.header.producer_id;
            if batch.header.is_control() {
                let marker = ControlRecord::from_batch(&batch).expect("a marker");
                let ControlRecord::EndTransaction { commit, .. } = marker;
                let ended = open.remove(&id).unwrap_or_default();
                ended.into_iter().filter(|_| commit).for_each(|value| *seen.entry(value).or_default() += 1);
                continue;
            }
            open.entry(id).or_default().extend(values(&batch.bytes).into_iter().map(|(_, value)| value));
        }
    }
    seen
}

#[tokio::test]
async fn what_was_decided_first_is_what_all_markers_say() {
    for seed in 0..HISTORIES {
        history(seed).await;
    }
}
