//! One transactional id: whose it is, and how far its transaction has come.

use std::collections::{BTreeMap, BTreeSet};

use super::{Config, Error, State, Version};
use crate::TransactionalProducer;

/// Where there is no producer id, as on the wire.
pub(super) const NO_ID: i64 = -1;
/// Where there is no epoch, as on the wire.
pub(super) const NO_EPOCH: i16 = -1;
/// The last epoch that a client gets to see: fencing it needs one more.
pub(super) const EPOCH_MAX: i16 = i16::MAX - 1;

/// Partitions by topic.
pub type Partitions = BTreeMap<String, BTreeSet<i32>>;

/// One transactional id: whose it is, and how far its transaction has come. This is also what is written down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// Who has the id. While the end is prepared, this is the epoch of its markers.
    pub producer: TransactionalProducer,
    /// The producer id before the last one's epochs ran out; -1 for none.
    pub previous_producer_id: i64,
    /// The producer id from the next transaction on, where the epochs run out; -1 for none.
    pub next_producer_id: i64,
    /// The epoch before, if its owner is the same: it may repeat its request. -1 for none.
    pub last_epoch: i16,
    /// How long a transaction may stay open, milliseconds.
    pub timeout_ms: i32,
    /// Where it stands.
    pub state: State,
    /// What is in it.
    pub partitions: Partitions,
    /// When it began, unix milliseconds; -1 without one.
    pub started_ms: i64,
    /// When this changed last, unix milliseconds.
    pub updated_ms: i64,
    /// How its producer ends it.
    pub version: Version,
}

impl Transaction {
    pub(super) fn new(producer_id: i64, timeout_ms: i32, now_ms: i64) -> Self {
        Self {
            producer: TransactionalProducer { id: producer_id, epoch: 0 },
            previous_producer_id: NO_ID,
            next_producer_id: NO_ID,
            last_epoch: NO_EPOCH,
            timeout_ms,
            state: State::Empty,
            partitions: Partitions::new(),
            started_ms: -1,
            updated_ms: now_ms,
            version: Version::V1,
        }
    }

    pub(super) fn is_exhausted(&self) -> bool {
        self.producer.epoch >= EPOCH_MAX
    }

    /// When something has to be done about it, if nobody asks before.
    pub(super) fn deadline(&self, config: &Config) -> Option<i64> {
        match self.state {
            State::Ongoing => Some(self.started_ms.saturating_add(i64::from(self.timeout_ms))),
            State::Empty | State::CompleteCommit | State::CompleteAbort => {
                Some(self.updated_ms.saturating_add(config.id_expiration_ms))
            }
            State::PrepareCommit | State::PrepareAbort | State::Dead => None,
        }
    }

    pub(super) fn has(&self, topic: &str, index: i32) -> bool {
        self.partitions.get(topic).is_some_and(|indexes| indexes.contains(&index))
    }

    /// The present epoch alone may speak.
    pub(super) fn check(&self, producer: TransactionalProducer) -> Result<(), Error> {
        if self.producer.id != producer.id {
            return Err(Error::InvalidProducerIdMapping);
        }
        if self.producer.epoch != producer.epoch {
            return Err(Error::ProducerFenced);
        }
        Ok(())
    }

    /// Nobody with the present epoch gets anything in any more, and what it wrote is aborted.
    pub(super) fn fence(&mut self, now_ms: i64) {
        self.producer.epoch = self.producer.epoch.saturating_add(1);
        self.last_epoch = NO_EPOCH;
        self.state = State::PrepareAbort;
        self.updated_ms = now_ms;
    }

    /// All markers are there.
    pub(super) fn complete(&mut self, now_ms: i64) {
        self.state =
            if self.state == State::PrepareCommit { State::CompleteCommit } else { State::CompleteAbort };
        self.partitions.clear();
        self.started_ms = -1;
        self.updated_ms = now_ms;
        if self.next_producer_id != NO_ID {
            self.previous_producer_id = self.producer.id;
            self.producer = TransactionalProducer { id: self.next_producer_id, epoch: 0 };
            self.next_producer_id = NO_ID;
        }
    }

    /// Whom the client is told to be from the next transaction on.
    pub(super) fn next_producer(&self) -> TransactionalProducer {
        match self.next_producer_id {
            NO_ID => self.producer,
            id => TransactionalProducer { id, epoch: 0 },
        }
    }
}
