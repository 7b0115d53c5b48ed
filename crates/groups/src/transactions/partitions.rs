//! A transaction takes partitions in, or is asked whether it has them.

use super::coordinator::Answer;
use super::{Error, State, Transaction, Transactions, Version};
use crate::TransactionalProducer;

/// A producer is about to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddRequest {
    /// Its transactional id.
    pub transactional_id: String,
    /// Whom it takes itself to be.
    pub producer: TransactionalProducer,
    /// Where it wants to write. Offsets of groups go by the partition that keeps them.
    pub partitions: Vec<(String, i32)>,
    /// How it ends its transactions.
    pub version: Version,
}

impl Transactions {
    /// Takes partitions into the producer's transaction, which begins with the first of them.
    pub fn add_partitions(&mut self, request: &AddRequest, now_ms: i64) -> Answer<()> {
        match self.with_partitions(request, now_ms) {
            Ok(None) => (Vec::new(), Ok(())),
            Ok(Some(transaction)) => (vec![self.persist(&request.transactional_id, transaction)], Ok(())),
            Err(error) => (Vec::new(), Err(error)),
        }
    }

    /// The transaction with these partitions, if that changes anything.
    fn with_partitions(&self, request: &AddRequest, now_ms: i64) -> Result<Option<Transaction>, Error> {
        let transaction = self.find_unprepared(&request.transactional_id, request.producer)?;
        let ongoing = transaction.state == State::Ongoing;
        if ongoing && request.partitions.iter().all(|(topic, index)| transaction.has(topic, *index)) {
            return Ok(None);
        }
        let mut transaction = transaction.clone();
        if !ongoing {
            transaction.state = State::Ongoing;
            transaction.started_ms = now_ms;
            transaction.partitions.clear();
        }
        for (topic, index) in &request.partitions {
            match transaction.partitions.get_mut(topic) {
                Some(indexes) => drop(indexes.insert(*index)),
                None => drop(transaction.partitions.insert(topic.clone(), [*index].into())),
            }
        }
        transaction.version = request.version;
        transaction.updated_ms = now_ms;
        self.check_size(&request.transactional_id, &transaction)?;
        Ok(Some(transaction))
    }

    /// Whether the producer's open transaction has this partition.
    ///
    /// # Errors
    ///
    /// [`Error::NotInTransaction`] if it has not; others if this is not the producer's time to write.
    pub fn verify(
        &self,
        transactional_id: &str,
        producer: TransactionalProducer,
        topic: &str,
        partition_index: i32,
    ) -> Result<(), Error> {
        let transaction = self.find_unprepared(transactional_id, producer)?;
        let open = transaction.state == State::Ongoing && transaction.has(topic, partition_index);
        if open { Ok(()) } else { Err(Error::NotInTransaction) }
    }

    fn find_unprepared(
        &self,
        transactional_id: &str,
        producer: TransactionalProducer,
    ) -> Result<&Transaction, Error> {
        let transaction = self.find(transactional_id)?;
        // The id and epoch of the next transaction may be known to the client before the last one is complete.
        if transaction.state.is_prepared() && transaction.next_producer() == producer {
            return Err(Error::Concurrent);
        }
        transaction.check(producer)?;
        if transaction.state.is_prepared() { Err(Error::Concurrent) } else { Ok(transaction) }
    }

    fn check_size(&self, transactional_id: &str, transaction: &Transaction) -> Result<(), Error> {
        const BYTES_PER_PARTITION: usize = 4;
        let count: usize = transaction.partitions.values().map(std::collections::BTreeSet::len).sum();
        let names: usize = transaction.partitions.keys().map(String::len).sum();
        let bytes = transactional_id.len() + names + count * BYTES_PER_PARTITION;
        if count > self.config.max_partitions || bytes > self.config.max_bytes {
            return Err(Error::Full);
        }
        Ok(())
    }
}
