//! A small world around the transaction coordinator: partitions, a group, clients, and a network that delays and repeats.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use groups::transactions::{
    AddRequest, Config, Effect, EndRequest, Error, Event, InitRequest, Markers, Transactions, Version,
};
use groups::{CommitRequest, CommittedOffset, Groups, MemberIdentity, TransactionalProducer};

const ID: &str = "t";
const GROUP: &str = "readers";
const OFFSETS: &str = "__consumer_offsets";
pub(crate) const TIMEOUT_MS: i32 = 100;
/// The place of the group's offsets among the partitions.
pub(crate) const OFFSETS_PLACE: usize = 2;

/// A message on its way to the broker.
#[derive(Clone, Debug)]
pub(crate) enum Message {
    Init { client: usize, ask: usize, expected: Option<TransactionalProducer> },
    Write { client: usize, producer: TransactionalProducer, txn: usize, place: usize, record: usize },
    End { client: usize, producer: TransactionalProducer, txn: usize, commit: bool },
}

/// What happens once everything decided before is durable.
#[derive(Debug)]
enum Later {
    Event(Event),
    Close(TransactionalProducer),
    Marker { place: usize, producer: TransactionalProducer, commit: bool },
    Written(TransactionalProducer),
    Enter { client: usize, producer: TransactionalProducer, txn: usize, place: usize, record: usize },
    Initialised { client: usize, ask: usize, answer: Result<TransactionalProducer, Error> },
    Ended { client: usize, txn: usize, next: Result<TransactionalProducer, Error> },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Open,
    CommitSent,
    Committed,
}

#[derive(Debug, Default)]
struct Client {
    /// Nobody while it waits for its id.
    producer: Option<TransactionalProducer>,
    /// The Init that it waits for; an answer to another one is not its own.
    asking: Option<usize>,
    known: Option<TransactionalProducer>,
    txn: Option<usize>,
    ending: Option<bool>,
}

/// A partition as the log keeps it: one open transaction per producer, and no record of an older epoch.
#[derive(Debug, Default)]
struct Partition {
    epochs: BTreeMap<i64, i16>,
    open: BTreeMap<i64, Vec<(usize, usize)>>,
    written: BTreeSet<usize>,
    visible: Vec<(usize, usize)>,
}

pub(crate) struct World {
    version: Version,
    transactions: Transactions,
    groups: Groups,
    durable: Vec<Event>,
    later: VecDeque<Later>,
    gate: BTreeSet<(i64, i16, usize)>,
    partitions: Vec<Partition>,
    clients: Vec<Client>,
    flight: Vec<Message>,
    fates: Vec<Fate>,
    acked: Vec<(usize, usize)>,
    records: usize,
    inits: usize,
    producer_ids: i64,
    now_ms: i64,
}

fn config() -> Config {
    Config { max_timeout_ms: 1_000, id_expiration_ms: 1_000_000, ..Config::default() }
}

fn name(place: usize) -> (String, i32) {
    if place == OFFSETS_PLACE {
        (OFFSETS.into(), 0)
    } else {
        ("data".into(), i32::try_from(place).expect("few"))
    }
}

impl World {
    pub(crate) fn new(version: Version) -> Self {
        Self {
            version,
            transactions: Transactions::new(config()),
            groups: Groups::new(groups::Config::default()),
            durable: Vec::new(),
            later: VecDeque::new(),
            gate: BTreeSet::new(),
            partitions: (0..=OFFSETS_PLACE).map(|_| Partition::default()).collect(),
            clients: (0..2).map(|_| Client::default()).collect(),
            flight: Vec::new(),
            fates: Vec::new(),
            acked: Vec::new(),
            records: 0,
            inits: 0,
            producer_ids: 0,
            now_ms: 1,
        }
    }

    pub(crate) fn ask_init(&mut self, client: usize, recover: bool) {
        let known = self.clients[client].known;
        let expected = known.filter(|_| recover);
        self.inits += 1;
        let ask = self.inits;
        self.clients[client] = Client { known, asking: Some(ask), ..Client::default() };
        self.flight.push(Message::Init { client, ask, expected });
    }

    pub(crate) fn ask_write(&mut self, client: usize, place: usize) {
        let Some(producer) = self.clients[client].producer.filter(|_| self.clients[client].ending.is_none())
        else {
            return;
        };
        let txn = self.begun(client);
        self.records += 1;
        self.flight.push(Message::Write { client, producer, txn, place, record: self.records });
    }

    fn begun(&mut self, client: usize) -> usize {
        if let Some(txn) = self.clients[client].txn {
            return txn;
        }
        self.fates.push(Fate::Open);
        self.clients[client].txn = Some(self.fates.len() - 1);
        self.fates.len() - 1
    }

    pub(crate) fn ask_end(&mut self, client: usize, commit: bool) {
        let (Some(producer), Some(txn)) = (self.clients[client].producer, self.clients[client].txn) else {
            return;
        };
        if self.version == Version::V1 && self.awaits_end(txn) {
            return;
        }
        let commit = *self.clients[client].ending.get_or_insert(commit);
        if commit && self.fates[txn] == Fate::Open {
            self.fates[txn] = Fate::CommitSent;
        }
        self.flight.push(Message::End { client, producer, txn, commit });
    }

    /// In the older manner whoever asks for an end does not ask again before an answer: a second request could not be told
    /// from the next transaction's.
    fn awaits_end(&self, of: usize) -> bool {
        let asked = |message: &Message| matches!(message, Message::End { txn, .. } if *txn == of);
        let answered = |later: &Later| matches!(later, Later::Ended { txn, .. } if *txn == of);
        self.flight.iter().any(asked) || self.later.iter().any(answered)
    }

    /// In the older manner a late message of the same epoch cannot be told from one of the next transaction: there an end
    /// overtakes nothing.
    pub(crate) fn deliver(&mut self, index: usize, again: bool) {
        if self.flight.is_empty() {
            return;
        }
        let index = index % self.flight.len();
        let message = if again { self.flight[index].clone() } else { self.flight.remove(index) };
        while self.transactions.producer_ids_left() == 0 {
            self.producer_ids += 1;
            self.transactions.supply_producer_id(self.producer_ids);
        }
        match message {
            Message::Init { client, ask, expected } => {
                let request = InitRequest { transactional_id: ID.into(), timeout_ms: TIMEOUT_MS, expected };
                let (effects, answer) = self.transactions.init_producer_id(&request, self.now_ms);
                self.take(effects);
                self.later.push_back(Later::Initialised { client, ask, answer });
            }
            Message::Write { client, producer, txn, place, record } => {
                self.write(client, producer, txn, place, record);
            }
            Message::End { client, producer, txn, commit } => {
                if self.version == Version::V1 {
                    self.flight.retain(|message| !message.is_from(client));
                }
                let request =
                    EndRequest { transactional_id: ID.into(), producer, commit, version: self.version };
                let (effects, next) = self.transactions.end(&request, self.now_ms);
                self.take(effects);
                self.later.push_back(Later::Ended { client, txn, next });
            }
        }
    }

    fn write(
        &mut self,
        client: usize,
        producer: TransactionalProducer,
        txn: usize,
        place: usize,
        record: usize,
    ) {
        let enter = Later::Enter { client, producer, txn, place, record };
        if self.gate.contains(&(producer.id, producer.epoch, place)) {
            return self.run(enter);
        }
        let request = AddRequest {
            transactional_id: ID.into(),
            producer,
            partitions: vec![name(place)],
            version: self.version,
        };
        let (effects, answer) = self.transactions.add_partitions(&request, self.now_ms);
        self.take(effects);
        if answer.is_ok() {
            self.later.push_back(enter);
        }
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Persist(event) => self.later.push_back(Later::Event(event)),
                Effect::WriteMarkers(markers) => self.mark(&markers),
            }
        }
    }

    fn mark(&mut self, markers: &Markers) {
        let producer = markers.producer;
        self.later.push_back(Later::Close(producer));
        for place in (0..=OFFSETS_PLACE).filter(|place| {
            let (topic, index) = name(*place);
            markers.partitions.get(&topic).is_some_and(|indexes| indexes.contains(&index))
        }) {
            self.later.push_back(Later::Marker { place, producer, commit: markers.commit });
        }
        self.later.push_back(Later::Written(producer));
    }

    /// The disk goes on by some steps.
    pub(crate) fn flush(&mut self, steps: usize) {
        for _ in 0..steps {
            let Some(step) = self.later.pop_front() else { return };
            self.run(step);
        }
    }

    fn run(&mut self, step: Later) {
        match step {
            Later::Event(event) => self.durable.push(event),
            Later::Close(producer) => {
                self.gate.retain(|(id, epoch, _)| *id != producer.id || *epoch > producer.epoch);
            }
            Later::Marker { place, producer, commit } => self.end(place, producer, commit),
            Later::Written(producer) => {
                let effects = self.transactions.markers_written(ID, producer, self.now_ms);
                self.take(effects);
            }
            Later::Enter { client, producer, txn, place, record } => {
                self.enter(client, producer, txn, place, record);
            }
            Later::Initialised { client, ask, answer: Ok(producer) }
                if self.clients[client].asking == Some(ask) =>
            {
                self.clients[client] = Client::of(producer);
            }
            Later::Initialised { .. } => {}
            Later::Ended { client, txn, next } => self.ended(client, txn, next),
        }
    }

    fn enter(
        &mut self,
        client: usize,
        producer: TransactionalProducer,
        txn: usize,
        place: usize,
        record: usize,
    ) {
        self.gate.insert((producer.id, producer.epoch, place));
        let partition = &mut self.partitions[place];
        let epoch = partition.epochs.entry(producer.id).or_insert(producer.epoch);
        assert!(producer.epoch >= *epoch, "the gate let an old epoch pass");
        *epoch = producer.epoch;
        if partition.written.insert(record) {
            partition.open.entry(producer.id).or_default().push((txn, record));
            if place == OFFSETS_PLACE {
                let committed = CommittedOffset {
                    offset: i64::try_from(record).expect("few"),
                    leader_epoch: 0,
                    metadata: String::new(),
                    commit_timestamp_ms: 0,
                };
                let request = CommitRequest {
                    group_id: GROUP.into(),
                    member: MemberIdentity { generation: -1, ..MemberIdentity::default() },
                    offsets: vec![("data".into(), 0, committed)],
                };
                self.groups.commit_transactional(request, producer, self.now_ms).expect("the gate is open");
            }
        }
        if self.clients[client].txn == Some(txn) {
            self.acked.push((txn, record));
        }
    }

    fn end(&mut self, place: usize, producer: TransactionalProducer, commit: bool) {
        let partition = &mut self.partitions[place];
        let epoch = partition.epochs.entry(producer.id).or_insert(producer.epoch);
        *epoch = producer.epoch.max(*epoch);
        let records = partition.open.remove(&producer.id).unwrap_or_default();
        let txns: BTreeSet<usize> = records.iter().map(|(txn, _)| *txn).collect();
        assert!(txns.len() <= 1, "one marker ends one transaction, not {txns:?}");
        if place == OFFSETS_PLACE {
            self.groups.end_transaction(producer, commit, self.now_ms);
            if let Some((_, last)) = records.last().filter(|_| commit) {
                let position = self.groups.offsets(GROUP).and_then(|offsets| offsets.get("data", 0));
                assert_eq!(position.map(|found| found.offset), i64::try_from(*last).ok());
            }
        }
        if commit {
            partition.visible.extend(records);
        }
    }

    fn ended(&mut self, client: usize, txn: usize, next: Result<TransactionalProducer, Error>) {
        if self.clients[client].txn != Some(txn) {
            return;
        }
        match next {
            Ok(next) => {
                if self.clients[client].ending == Some(true) {
                    self.fates[txn] = Fate::Committed;
                }
                self.clients[client] = Client::of(next);
            }
            Err(Error::Concurrent | Error::NoProducerId) => {}
            // A client takes this for the end of its days and begins anew.
            Err(_) => self.clients[client] = Client::default(),
        }
    }

    /// The process dies: what was not durable is gone, the partitions and the group are not.
    pub(crate) fn crash(&mut self) {
        self.later.clear();
        self.gate.clear();
        self.transactions = Transactions::new(config());
        for event in self.durable.clone() {
            let (key, value) = event.encode();
            let read = Event::decode(&key, value.as_ref()).expect("we wrote it").expect("of our kind");
            assert_eq!(read, event);
            self.transactions.replay(read);
        }
        let effects = self.transactions.replayed();
        self.take(effects);
    }

    pub(crate) fn pass(&mut self, ms: i64) {
        self.now_ms += ms;
        let effects = self.transactions.tick(self.now_ms);
        self.take(effects);
    }

    /// Nobody says anything any more: everything comes to an end.
    pub(crate) fn quiet(&mut self) {
        self.flight.clear();
        self.flush(usize::MAX);
        self.pass(i64::from(TIMEOUT_MS));
        self.flush(usize::MAX);
        for (_, transaction) in self.transactions.iter() {
            assert!(transaction.partitions.is_empty(), "{transaction:?} is not over");
        }
        for partition in &self.partitions {
            assert!(partition.open.is_empty(), "a transaction hangs: {partition:?}");
        }
        let unstable = self.groups.offsets(GROUP).is_some_and(|offsets| offsets.is_unstable("data", 0));
        assert!(!unstable, "offsets hang");
    }

    /// Everything committed is visible, nothing else is, and no transaction is torn.
    pub(crate) fn check(&self) {
        let visible: BTreeSet<(usize, usize)> =
            self.partitions.iter().flat_map(|partition| partition.visible.iter().copied()).collect();
        for (txn, fate) in self.fates.iter().enumerate() {
            let seen = visible.iter().any(|(of, _)| *of == txn);
            let missing = self.acked.iter().find(|one| one.0 == txn && !visible.contains(one));
            match fate {
                Fate::Open => assert!(!seen, "transaction {txn} was never committed"),
                Fate::CommitSent => {
                    assert!(!seen || missing.is_none(), "transaction {txn} is torn: {missing:?}");
                }
                Fate::Committed => assert_eq!(missing, None, "transaction {txn} was committed"),
            }
        }
    }
}

impl Client {
    fn of(producer: TransactionalProducer) -> Self {
        Self { producer: Some(producer), known: Some(producer), ..Self::default() }
    }
}

impl Message {
    fn is_from(&self, who: usize) -> bool {
        match self {
            Self::Init { client, .. } | Self::Write { client, .. } | Self::End { client, .. } => {
                *client == who
            }
        }
    }
}
