//! Every transactional id of the broker.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Config, Error, Event, Partitions, State, Transaction};
use crate::TransactionalProducer;

/// What has to happen after a request or the passing of time, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write this down durably before any later effect, or an answer, leaves the house.
    Persist(Event),
    /// Write markers, then call [`Transactions::markers_written`].
    WriteMarkers(Markers),
}

/// The end of a transaction, to be told to every partition in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Markers {
    /// Whose transaction it is.
    pub transactional_id: String,
    /// The epoch of the markers; that of the transaction's records is this one or the one before.
    pub producer: TransactionalProducer,
    /// Whether the records count.
    pub commit: bool,
    /// Where they are.
    pub partitions: Partitions,
}

/// Every transactional id of the broker; see the module's page.
#[derive(Debug)]
pub struct Transactions {
    pub(super) config: Config,
    pub(super) by_id: BTreeMap<String, Transaction>,
    deadlines: BTreeSet<(i64, String)>,
    pub(super) producer_ids: VecDeque<i64>,
}

/// What is answered, and what has to happen before.
pub(super) type Answer<T> = (Vec<Effect>, Result<T, Error>);

impl Transactions {
    /// No transactions yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { config, by_id: BTreeMap::new(), deadlines: BTreeSet::new(), producer_ids: VecDeque::new() }
    }

    /// Puts a producer id at hand that was never given before.
    pub fn supply_producer_id(&mut self, producer_id: i64) {
        self.producer_ids.push_back(producer_id);
    }

    /// How many producer ids are at hand; each request takes one at most.
    #[must_use]
    pub fn producer_ids_left(&self) -> usize {
        self.producer_ids.len()
    }

    /// Takes over one event that was written before; for the start, oldest first.
    pub fn replay(&mut self, event: Event) {
        match event.transaction {
            Some(transaction) => self.put(event.transactional_id, transaction),
            None => drop(self.take(&event.transactional_id)),
        }
    }

    /// Ends the replay: markers that a crash may have kept from being written are written (again).
    #[must_use]
    pub fn replayed(&self) -> Vec<Effect> {
        self.by_id
            .iter()
            .filter(|(_, transaction)| transaction.state.is_prepared())
            .map(|(id, transaction)| markers(id, transaction))
            .collect()
    }

    /// The markers of a transaction are durable in every partition. Saying it again changes nothing.
    pub fn markers_written(
        &mut self,
        transactional_id: &str,
        producer: TransactionalProducer,
        now_ms: i64,
    ) -> Vec<Effect> {
        let prepared = self
            .get(transactional_id)
            .filter(|found| found.state.is_prepared() && found.producer == producer);
        let Some(mut transaction) = prepared.cloned() else { return Vec::new() };
        transaction.complete(now_ms);
        vec![self.persist(transactional_id, transaction)]
    }

    /// One transactional id in detail.
    #[must_use]
    pub fn get(&self, transactional_id: &str) -> Option<&Transaction> {
        self.by_id.get(transactional_id)
    }

    /// Every transactional id.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Transaction)> {
        self.by_id.iter().map(|(id, transaction)| (id.as_str(), transaction))
    }

    pub(super) fn find(&self, transactional_id: &str) -> Result<&Transaction, Error> {
        if transactional_id.is_empty() {
            return Err(Error::InvalidRequest);
        }
        self.get(transactional_id).ok_or(Error::InvalidProducerIdMapping)
    }

    /// Takes the new state over and says what to write.
    pub(super) fn persist(&mut self, transactional_id: &str, transaction: Transaction) -> Effect {
        let event =
            Event { transactional_id: transactional_id.to_owned(), transaction: Some(transaction.clone()) };
        self.put(transactional_id.to_owned(), transaction);
        Effect::Persist(event)
    }

    /// The same for a state whose markers are to be written.
    pub(super) fn prepare(&mut self, transactional_id: &str, transaction: Transaction) -> Vec<Effect> {
        let markers = markers(transactional_id, &transaction);
        vec![self.persist(transactional_id, transaction), markers]
    }

    /// Forgets an id.
    pub(super) fn bury(&mut self, transactional_id: String) -> Effect {
        drop(self.take(&transactional_id));
        Effect::Persist(Event { transactional_id, transaction: None })
    }

    pub(super) fn first_deadline(&self) -> Option<&(i64, String)> {
        self.deadlines.first()
    }

    fn put(&mut self, transactional_id: String, transaction: Transaction) {
        drop(self.take(&transactional_id));
        if let Some(at) = transaction.deadline(&self.config) {
            self.deadlines.insert((at, transactional_id.clone()));
        }
        self.by_id.insert(transactional_id, transaction);
    }

    fn take(&mut self, transactional_id: &str) -> Option<Transaction> {
        let transaction = self.by_id.remove(transactional_id)?;
        if let Some(at) = transaction.deadline(&self.config) {
            self.deadlines.remove(&(at, transactional_id.to_owned()));
        }
        Some(transaction)
    }
}

fn markers(transactional_id: &str, transaction: &Transaction) -> Effect {
    Effect::WriteMarkers(Markers {
        transactional_id: transactional_id.to_owned(),
        producer: transaction.producer,
        commit: transaction.state == State::PrepareCommit,
        partitions: transaction.partitions.clone(),
    })
}
