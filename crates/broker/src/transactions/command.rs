//! What the owner of the transactions can be asked, and the handle to ask it with.

use std::collections::BTreeMap;

use groups::TransactionalProducer;
use groups::transactions::{
    AddRequest, EndRequest, Error, Filter, InitRequest, Listed, Transaction, Version,
};
use tokio::sync::mpsc;

use super::gate::{Gate, Passage, Passed, Stopped, index_of};
use crate::mailbox::{Asked, Mailbox, Reply};

/// Whether partitions are in a transaction.
#[derive(Clone, Debug)]
pub(crate) struct VerifyRequest {
    pub(crate) transactional_id: String,
    pub(crate) producer: TransactionalProducer,
    pub(crate) partitions: Vec<(String, i32)>,
}

type Answered<T> = Result<T, Error>;

pub(super) enum Command {
    Init(InitRequest, Reply<Answered<TransactionalProducer>>),
    Add(AddRequest, Reply<Answered<()>>),
    Verify(VerifyRequest, Reply<Vec<Answered<()>>>),
    /// Batches wait at the gate.
    Admit(AddRequest, Reply<()>),
    End(EndRequest, Reply<Answered<TransactionalProducer>>),
    Describe(Vec<String>, Reply<Vec<Option<Transaction>>>),
    List(Filter, Reply<Vec<Listed>>),
}

/// The handle to the owner of the transactions. A call enqueues at once; the future it returns waits.
#[derive(Clone, Debug)]
pub(crate) struct TransactionCoordinator {
    queue: Mailbox<Command>,
    gate: Gate,
}

impl TransactionCoordinator {
    pub(super) fn new(queue: mpsc::Sender<Command>, gate: Gate) -> Self {
        Self { queue: Mailbox::new(queue), gate }
    }

    pub(crate) fn init(
        &self,
        request: InitRequest,
    ) -> impl Future<Output = Asked<Answered<TransactionalProducer>>> + Send + use<> {
        self.queue.ask(|reply| Command::Init(request, reply))
    }

    pub(crate) fn add(
        &self,
        request: AddRequest,
    ) -> impl Future<Output = Asked<Answered<()>>> + Send + use<> {
        self.queue.ask(|reply| Command::Add(request, reply))
    }

    pub(crate) fn verify(
        &self,
        request: VerifyRequest,
    ) -> impl Future<Output = Asked<Vec<Answered<()>>>> + Send + use<> {
        self.queue.ask(|reply| Command::Verify(request, reply))
    }

    pub(crate) fn end(
        &self,
        request: EndRequest,
    ) -> impl Future<Output = Asked<Answered<TransactionalProducer>>> + Send + use<> {
        self.queue.ask(|reply| Command::End(request, reply))
    }

    pub(crate) fn describe(
        &self,
        transactional_ids: Vec<String>,
    ) -> impl Future<Output = Asked<Vec<Option<Transaction>>>> + Send + use<> {
        self.queue.ask(|reply| Command::Describe(transactional_ids, reply))
    }

    pub(crate) fn list(&self, filter: Filter) -> impl Future<Output = Asked<Vec<Listed>>> + Send + use<> {
        self.queue.ask(|reply| Command::List(filter, reply))
    }

    pub(crate) fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Begins to let the batches of one request pass.
    pub(crate) fn admission(&self, transactional_id: String, version: Version) -> Admission {
        Admission { coordinator: self.clone(), transactional_id, version, wanted: BTreeMap::new() }
    }
}

/// The batches of one request at the gate.
#[derive(Debug)]
pub(crate) struct Admission {
    coordinator: TransactionCoordinator,
    transactional_id: String,
    version: Version,
    /// What the coordinator has to be asked for, by producer; there is one, unless the client is broken.
    wanted: BTreeMap<(i64, i16), Vec<(String, i32)>>,
}

impl Admission {
    /// Lets a batch pass if its way is open. What has to wait is asked for by [`Admission::ask`].
    pub(crate) fn pass(&mut self, passage: Passage) -> impl Future<Output = Passed> + Send + use<> {
        let key = (passage.producer.id, passage.producer.epoch);
        let place = (passage.topic.clone(), index_of(&passage.partition));
        let passed = self.coordinator.gate.pass(passage);
        if passed.is_err() {
            self.wanted.entry(key).or_default().push(place);
        }
        async move {
            match passed {
                Ok(passed) => passed,
                Err(waiting) => waiting.await.unwrap_or(Err(Stopped::Unavailable)),
            }
        }
    }

    /// Asks the coordinator about those who wait; the future only has to be polled along with theirs.
    pub(crate) fn ask(self) -> impl Future<Output = ()> + Send + use<> {
        let Self { coordinator, transactional_id, version, wanted } = self;
        let asking: Vec<_> = wanted
            .into_iter()
            .map(|((id, epoch), partitions)| {
                let producer = TransactionalProducer { id, epoch };
                let places = partitions.clone();
                let request =
                    AddRequest { transactional_id: transactional_id.clone(), producer, partitions, version };
                let asked = coordinator.queue.ask(|reply| Command::Admit(request, reply));
                let gate = coordinator.gate.clone();
                async move {
                    if asked.await.is_err() {
                        gate.refuse(producer, &places, || Stopped::Unavailable);
                    }
                }
            })
            .collect();
        async move {
            futures::future::join_all(asking).await;
        }
    }
}
