//! A producer asks for its id and epoch.

use super::coordinator::Answer;
use super::transaction::{EPOCH_MAX, NO_EPOCH};
use super::{Error, State, Transaction, Transactions};
use crate::TransactionalProducer;

/// A producer asks for its id and epoch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitRequest {
    /// Its transactional id.
    pub transactional_id: String,
    /// How long its transactions may stay open, milliseconds.
    pub timeout_ms: i32,
    /// Whom it takes itself to be, if it goes on after an error (KIP-360).
    pub expected: Option<TransactionalProducer>,
}

impl Transactions {
    /// Gives a transactional id to a producer. Whoever had it before is fenced; if that one left a transaction open, it
    /// is aborted first, and the answer is [`Error::Concurrent`] until that is done.
    pub fn init_producer_id(&mut self, request: &InitRequest, now_ms: i64) -> Answer<TransactionalProducer> {
        match self.initialised(request, now_ms) {
            Ok(transaction) if transaction.state.is_prepared() => {
                (self.prepare(&request.transactional_id, transaction), Err(Error::Concurrent))
            }
            Ok(transaction) => {
                let producer = transaction.producer;
                (vec![self.persist(&request.transactional_id, transaction)], Ok(producer))
            }
            Err(error) => (Vec::new(), Err(error)),
        }
    }

    fn initialised(&mut self, request: &InitRequest, now_ms: i64) -> Result<Transaction, Error> {
        if request.transactional_id.is_empty() {
            return Err(Error::InvalidRequest);
        }
        if !(1..=self.config.max_timeout_ms).contains(&request.timeout_ms) {
            return Err(Error::InvalidTimeout);
        }
        let Some(transaction) = self.by_id.get(&request.transactional_id) else {
            return self.new_transaction(request, now_ms);
        };
        let mut transaction = transaction.clone();
        if request.expected.is_some_and(|expected| !may_be(&transaction, expected)) {
            return Err(Error::ProducerFenced);
        }
        match transaction.state {
            State::PrepareCommit | State::PrepareAbort => Err(Error::Concurrent),
            State::Ongoing => {
                // A late request of an older epoch must not abort what a newer one has begun.
                if request.expected.is_some_and(|expected| expected != transaction.producer) {
                    return Err(Error::ProducerFenced);
                }
                transaction.fence(now_ms);
                Ok(transaction)
            }
            State::Empty | State::CompleteCommit | State::CompleteAbort | State::Dead => {
                self.raise(&mut transaction, request.expected)?;
                transaction.state = State::Empty;
                transaction.timeout_ms = request.timeout_ms;
                transaction.updated_ms = now_ms;
                Ok(transaction)
            }
        }
    }

    fn new_transaction(&mut self, request: &InitRequest, now_ms: i64) -> Result<Transaction, Error> {
        let too_long = request.transactional_id.len() > self.config.max_bytes.min(i16::MAX as usize);
        if too_long || self.by_id.len() >= self.config.max_ids {
            return Err(Error::Full);
        }
        let producer_id = self.producer_ids.pop_front().ok_or(Error::NoProducerId)?;
        Ok(Transaction::new(producer_id, request.timeout_ms, now_ms))
    }

    /// The next epoch, or another producer id where there is none.
    fn raise(
        &mut self,
        transaction: &mut Transaction,
        expected: Option<TransactionalProducer>,
    ) -> Result<(), Error> {
        let current = transaction.producer;
        match expected {
            // The answer to the same request was lost.
            Some(expected) if is_repetition(transaction, expected) => return Ok(()),
            Some(expected) if expected != current => return Err(Error::ProducerFenced),
            _ => {}
        }
        if transaction.is_exhausted() {
            let id = self.producer_ids.pop_front().ok_or(Error::NoProducerId)?;
            transaction.previous_producer_id = current.id;
            transaction.producer = TransactionalProducer { id, epoch: 0 };
        } else {
            transaction.producer.epoch += 1;
        }
        transaction.last_epoch = if expected.is_some() { current.epoch } else { NO_EPOCH };
        Ok(())
    }
}

fn may_be(transaction: &Transaction, expected: TransactionalProducer) -> bool {
    expected.id == transaction.producer.id || is_repetition(transaction, expected)
}

fn is_repetition(transaction: &Transaction, expected: TransactionalProducer) -> bool {
    let of_this_id = expected.id == transaction.producer.id && transaction.last_epoch != NO_EPOCH;
    let of_the_last_id = expected.id == transaction.previous_producer_id
        && expected.epoch >= EPOCH_MAX
        && transaction.producer.epoch == 0;
    // Only an Init leaves a transaction empty: the last epoch was raised by one, not by a transaction's end.
    transaction.state == State::Empty
        && (of_this_id || of_the_last_id)
        && expected.epoch == transaction.last_epoch
}
