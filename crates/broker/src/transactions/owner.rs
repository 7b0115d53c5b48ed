//! The task that owns the transactions.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use futures::stream::FuturesUnordered;
use groups::TransactionalProducer;
use groups::transactions::{
    AddRequest, Config, Effect, Error, Event, Markers, Partitions, State, Transactions, Version,
};
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;
use topics::Topics;

use super::command::{Command, VerifyRequest};
use super::gate::{Gate, Stopped};
use super::markers;
use crate::coordinator::Coordinator;
use crate::journal::{Journal, Release, Unavailable};
use crate::mailbox::{self, Reply};
use crate::steady_time::SteadyTime;

/// Requests whose events share one batch.
const BURST: usize = 256;
const MAX_SLEEP_MS: i64 = 3_600_000;
/// A disk that stays full is not read over and over.
const RELOAD_INTERVAL_MS: i64 = 1_000;
/// How long after a marker that could not be written it is tried again.
const MARKER_RETRY: Duration = Duration::from_millis(500);
/// Requests of one transactional id that wait for its last transaction to be complete.
const PARKED_MAX: usize = 64;

/// An end, and whether it could be written down.
type Decided = (Markers, Result<(), Unavailable>);
type Written = (Markers, Partitions);
type Ended = (TransactionalProducer, Reply<Result<TransactionalProducer, Error>>);

pub(super) struct Owner {
    config: Config,
    transactions: Transactions,
    journal: Journal<Event>,
    topics: Topics,
    groups: Coordinator,
    gate: Gate,
    time: SteadyTime,
    /// Ends that are durably decided, in their order; their markers come next. Or they could not be written down.
    decided: Arc<Mutex<Vec<Decided>>>,
    writing: FuturesUnordered<Pin<Box<dyn Future<Output = Written> + Send>>>,
    /// Who is told when the markers of a transactional id are there.
    ends: HashMap<String, Vec<Ended>>,
    /// Requests that wait for the same.
    parked: HashMap<String, Vec<Command>>,
    reloaded_ms: i64,
}

impl Owner {
    pub(super) fn new(
        config: Config,
        transactions: Transactions,
        journal: Journal<Event>,
        topics: Topics,
        groups: Coordinator,
        gate: Gate,
        time: SteadyTime,
    ) -> Self {
        let mut owner = Self {
            config,
            transactions,
            journal,
            topics,
            groups,
            gate,
            time,
            decided: Arc::default(),
            writing: FuturesUnordered::new(),
            ends: HashMap::new(),
            parked: HashMap::new(),
            reloaded_ms: 0,
        };
        owner.resume();
        owner
    }

    pub(super) async fn run(mut self, mut queue: mpsc::Receiver<Command>) {
        let mut burst = Vec::with_capacity(BURST);
        loop {
            self.start_markers();
            let sleep = self.until_deadline();
            tokio::select! {
                biased;
                () = self.journal.settle(), if self.journal.is_waiting() => {}
                Some(written) = self.writing.next(), if !self.writing.is_empty() => self.written(written),
                () = tokio::time::sleep(sleep) => {
                    let effects = self.transactions.tick(self.time.now_ms());
                    self.take(effects, Vec::new());
                }
                received = queue.recv_many(&mut burst, BURST) => {
                    if received == 0 {
                        break;
                    }
                    self.supply_producer_ids(&burst).await;
                    burst.drain(..).for_each(|command| self.execute(command));
                }
            }
            self.journal.flush();
            if self.journal.wants_reload() {
                self.reload();
            }
        }
        self.journal.finish().await;
    }

    /// What was read is taken up again: open transactions stay open, decided ones get their markers.
    fn resume(&mut self) {
        for (_, transaction) in self.transactions.iter().filter(|(_, found)| found.state == State::Ongoing) {
            self.gate.open(transaction.producer, flat(&transaction.partitions));
        }
        let decided = self.transactions.replayed().into_iter().filter_map(|effect| match effect {
            Effect::WriteMarkers(markers) => Some((markers, Ok(()))),
            Effect::Persist(_) => None,
        });
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).extend(decided);
    }

    /// Something was decided that could not be written: the disk's word counts. Those who wait are sent away.
    fn reload(&mut self) {
        let now_ms = self.time.now_ms();
        if now_ms < self.reloaded_ms + RELOAD_INTERVAL_MS {
            return;
        }
        self.reloaded_ms = now_ms;
        self.ends.clear();
        self.parked.clear();
        self.writing.clear();
        self.decided.lock().unwrap_or_else(PoisonError::into_inner).clear();
        self.gate.reset();
        let mut transactions = Transactions::new(self.config.clone());
        if let Err(error) = self.journal.reload(|event| transactions.replay(event)) {
            let error = &error as &dyn std::error::Error;
            tracing::error!(error, "the transactions cannot be read again");
            return;
        }
        self.transactions = transactions;
        self.resume();
        tracing::warn!("transactions were read again");
    }

    fn until_deadline(&self) -> Duration {
        let at = self.transactions.next_deadline().unwrap_or(i64::MAX);
        let ms = at.saturating_sub(self.time.now_ms()).clamp(0, MAX_SLEEP_MS);
        Duration::from_millis(u64::try_from(ms).expect("it was clamped to a positive range"))
    }

    /// Now and then this reserves a range of ids on disk.
    async fn supply_producer_ids(&mut self, burst: &[Command]) {
        let takes = |command: &&Command| matches!(command, Command::Init(..) | Command::End(..));
        let wanted = burst.iter().filter(takes).count();
        while self.transactions.producer_ids_left() < wanted {
            let topics = self.topics.clone();
            let next =
                spawn_blocking(move || topics.next_producer_id()).await.expect("counting does not panic");
            match next {
                Ok(producer_id) => self.transactions.supply_producer_id(producer_id),
                Err(error) => {
                    let error = &error as &dyn std::error::Error;
                    tracing::error!(error, "no producer id could be reserved");
                    return;
                }
            }
        }
    }

    fn execute(&mut self, command: Command) {
        let now_ms = self.time.now_ms();
        match command {
            Command::Init(request, reply) => {
                let (effects, answer) = self.transactions.init_producer_id(&request, now_ms);
                if answer == Err(Error::Concurrent) {
                    self.take(effects, Vec::new());
                    let id = request.transactional_id.clone();
                    return self.park(id, Command::Init(request, reply));
                }
                self.take(effects, vec![release(reply, answer)]);
            }
            Command::Add(request, reply) => self.add(request, reply),
            Command::Admit(request, reply) => self.admit(request, reply),
            Command::Verify(request, reply) => {
                let verified = self.verify(&request);
                self.take(Vec::new(), vec![release(reply, verified)]);
            }
            Command::End(request, reply) => {
                let (effects, answer) = self.transactions.end(&request, now_ms);
                let id = request.transactional_id.clone();
                match answer {
                    Err(Error::Concurrent) => self.park(id, Command::End(request, reply)),
                    Ok(next) if !effects.is_empty() => {
                        self.ends.entry(id).or_default().push((next, reply));
                        self.take(effects, Vec::new());
                    }
                    answer => self.take(effects, vec![release(reply, answer)]),
                }
            }
            Command::Describe(ids, reply) => {
                let described = ids.iter().map(|id| self.transactions.get(id).cloned()).collect();
                self.take(Vec::new(), vec![release(reply, described)]);
            }
            Command::List(filter, reply) => {
                let listed = self.transactions.list(&filter, now_ms).collect();
                self.take(Vec::new(), vec![release(reply, listed)]);
            }
        }
    }

    fn add(&mut self, request: AddRequest, reply: Reply<Result<(), Error>>) {
        let (effects, answer) = self.transactions.add_partitions(&request, self.time.now_ms());
        if answer == Err(Error::Concurrent) {
            return self.park(request.transactional_id.clone(), Command::Add(request, reply));
        }
        let gate = self.gate.clone();
        let opening = move |written: Result<(), Unavailable>| {
            if written.is_ok() && answer.is_ok() {
                gate.open(
                    request.producer,
                    request.partitions.iter().map(|(topic, index)| (topic.as_str(), *index)),
                );
            }
            mailbox::answer(reply, written.map(|()| answer));
        };
        self.take(effects, vec![Box::new(opening)]);
    }

    /// Batches of a producer wait at the gate: in the newer manner they take their partition into the transaction, in the
    /// older one it must be there.
    fn admit(&mut self, request: AddRequest, reply: Reply<()>) {
        let (effects, outcomes) = match request.version {
            Version::V1 => {
                let AddRequest { transactional_id, producer, partitions, .. } = request.clone();
                (Vec::new(), self.verify(&VerifyRequest { transactional_id, producer, partitions }))
            }
            Version::V2 => {
                let (effects, answer) = self.transactions.add_partitions(&request, self.time.now_ms());
                (effects, vec![answer; request.partitions.len()])
            }
        };
        if outcomes.contains(&Err(Error::Concurrent)) {
            return self.park(request.transactional_id.clone(), Command::Admit(request, reply));
        }
        let gate = self.gate.clone();
        let admitting = move |written: Result<(), Unavailable>| {
            for (place, outcome) in request.partitions.iter().zip(outcomes) {
                match (written, outcome) {
                    (Ok(()), Ok(())) => gate.open(request.producer, [(place.0.as_str(), place.1)]),
                    (Ok(()), Err(error)) => {
                        gate.refuse(request.producer, std::slice::from_ref(place), || {
                            Stopped::Transaction(error)
                        });
                    }
                    (Err(Unavailable), _) => {
                        gate.refuse(request.producer, std::slice::from_ref(place), || Stopped::Unavailable);
                    }
                }
            }
            mailbox::answer(reply, written);
        };
        self.take(effects, vec![Box::new(admitting)]);
    }

    fn verify(&self, request: &VerifyRequest) -> Vec<Result<(), Error>> {
        let one = |(topic, index): &(String, i32)| {
            self.transactions.verify(&request.transactional_id, request.producer, topic, *index)
        };
        request.partitions.iter().map(one).collect()
    }

    /// The request is tried again when the markers of the last transaction are there.
    fn park(&mut self, transactional_id: String, command: Command) {
        let parked = self.parked.entry(transactional_id).or_default();
        if parked.len() < PARKED_MAX {
            parked.push(command);
        } else {
            self.refuse(command);
        }
    }

    /// Answers that the last transaction is still being ended.
    fn refuse(&self, command: Command) {
        match command {
            Command::Init(_, reply) | Command::End(_, reply) => {
                mailbox::answer(reply, Ok(Err(Error::Concurrent)));
            }
            Command::Add(_, reply) => mailbox::answer(reply, Ok(Err(Error::Concurrent))),
            Command::Admit(request, reply) => {
                let stopped = || Stopped::Transaction(Error::Concurrent);
                self.gate.refuse(request.producer, &request.partitions, stopped);
                mailbox::answer(reply, Ok(()));
            }
            Command::Verify(..) | Command::Describe(..) | Command::List(..) => {
                unreachable!("these are answered at once")
            }
        }
    }

    /// Ends that have become durable: nobody passes the gate any more, and the markers go out.
    fn start_markers(&mut self) {
        let decided = std::mem::take(&mut *self.decided.lock().unwrap_or_else(PoisonError::into_inner));
        for (markers, written) in decided {
            if written.is_err() {
                // Dropping a reply says that the coordinator is not available.
                self.ends.remove(&markers.transactional_id);
                self.parked.remove(&markers.transactional_id);
                continue;
            }
            self.gate.close(markers.producer);
            let writing = markers::write(&self.topics, &self.groups, &markers);
            self.writing.push(Box::pin(async move { (markers, writing.await) }));
        }
    }

    fn written(&mut self, (mut markers, left): Written) {
        let id = markers.transactional_id.clone();
        // Who asked for this end is told now in any case: the decision is durable.
        for (next, reply) in self.ends.remove(&id).into_iter().flatten() {
            mailbox::answer(reply, Ok(Ok(next)));
        }
        let parked = self.parked.remove(&id).unwrap_or_default();
        if left.is_empty() {
            let effects = self.transactions.markers_written(&id, markers.producer, self.time.now_ms());
            self.take(effects, Vec::new());
            parked
                .into_iter()
                .filter(|command| !is_abandoned(command))
                .for_each(|command| self.execute(command));
            return;
        }
        parked.into_iter().for_each(|command| self.refuse(command));
        markers.partitions = left;
        let (topics, groups) = (self.topics.clone(), self.groups.clone());
        self.writing.push(Box::pin(async move {
            tokio::time::sleep(MARKER_RETRY).await;
            let left = markers::write(&topics, &groups, &markers).await;
            (markers, left)
        }));
    }

    /// Hands events to the journal, and what may happen when they are durable.
    fn take(&mut self, effects: Vec<Effect>, releases: Vec<Release>) {
        let mut events = Vec::new();
        let mut all: Vec<Release> = Vec::new();
        for effect in effects {
            match effect {
                Effect::Persist(event) => events.push(event),
                Effect::WriteMarkers(markers) => {
                    let decided = Arc::clone(&self.decided);
                    all.push(Box::new(move |written| {
                        decided.lock().unwrap_or_else(PoisonError::into_inner).push((markers, written));
                    }));
                }
            }
        }
        all.extend(releases);
        self.journal.push(&events, all, self.time.wall_ms());
    }
}

/// Nobody waits for the answer any more. A client that is gone must not fence the one that came after it.
fn is_abandoned(command: &Command) -> bool {
    match command {
        Command::Init(_, reply) => reply.is_closed(),
        _ => false,
    }
}

fn flat(partitions: &Partitions) -> impl Iterator<Item = (&str, i32)> {
    partitions.iter().flat_map(|(topic, indexes)| indexes.iter().map(|index| (topic.as_str(), *index)))
}

fn release<T: Send + 'static>(reply: Reply<T>, answer: T) -> Release {
    Box::new(move |written: Result<(), Unavailable>| mailbox::answer(reply, written.map(|()| answer)))
}
