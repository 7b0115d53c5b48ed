//! A producer commits or aborts.

use super::coordinator::Answer;
use super::transaction::{EPOCH_MAX, NO_ID};
use super::{Error, State, Transaction, Transactions, Version};
use crate::TransactionalProducer;

/// A producer commits or aborts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndRequest {
    /// Its transactional id.
    pub transactional_id: String,
    /// Whom it takes itself to be.
    pub producer: TransactionalProducer,
    /// Whether its records count.
    pub commit: bool,
    /// How it ends its transactions.
    pub version: Version,
}

/// What an end means for a transaction in its present state.
enum Verdict {
    /// Markers are to be written.
    Prepare(Box<Transaction>),
    /// It was done before; the answer was lost.
    Repetition,
}

impl Transactions {
    /// Ends the producer's transaction and says whom it is from the next one on. Asking again gets the same answer. When
    /// markers are among the effects the answer may as well wait for them: until then the producer cannot go on.
    pub fn end(&mut self, request: &EndRequest, now_ms: i64) -> Answer<TransactionalProducer> {
        let verdict = match request.version {
            Version::V1 => self.end_keeping_epoch(request),
            Version::V2 => self.end_raising_epoch(request),
        };
        match verdict {
            Ok(Verdict::Prepare(mut transaction)) => {
                transaction.updated_ms = now_ms;
                let next = transaction.next_producer();
                (self.prepare(&request.transactional_id, *transaction), Ok(next))
            }
            Ok(Verdict::Repetition) => {
                let producer = self.by_id.get(&request.transactional_id).map(|found| found.producer);
                (Vec::new(), producer.ok_or(Error::InvalidProducerIdMapping))
            }
            Err(error) => (Vec::new(), Err(error)),
        }
    }

    fn end_keeping_epoch(&self, request: &EndRequest) -> Result<Verdict, Error> {
        let transaction = self.find(&request.transactional_id)?;
        transaction.check(request.producer)?;
        match (transaction.state, request.commit) {
            (State::Ongoing, _) => Ok(prepared(transaction.clone(), request)),
            (State::CompleteCommit, true) | (State::CompleteAbort, false) => Ok(Verdict::Repetition),
            (State::PrepareCommit, true) | (State::PrepareAbort, false) => Err(Error::Concurrent),
            _ => Err(Error::InvalidState),
        }
    }

    fn end_raising_epoch(&mut self, request: &EndRequest) -> Result<Verdict, Error> {
        let transaction = self.find(&request.transactional_id)?;
        let repeated = is_repetition(transaction, request.producer);
        // The producer of the next transaction: its answer left before a crash, and markers are written once more.
        if transaction.state.is_prepared() && transaction.next_producer() == request.producer {
            return Err(Error::Concurrent);
        }
        if !repeated {
            transaction.check(request.producer)?;
        }
        match (transaction.state, request.commit) {
            (State::PrepareCommit, true) | (State::PrepareAbort, false) if repeated => Err(Error::Concurrent),
            (State::CompleteCommit, true) | (State::CompleteAbort, false) if repeated => {
                Ok(Verdict::Repetition)
            }
            (State::Ongoing, _) | (State::Empty | State::CompleteCommit | State::CompleteAbort, false)
                if !repeated =>
            {
                let mut transaction = transaction.clone();
                if transaction.is_exhausted() {
                    let id = self.producer_ids.pop_front().ok_or(Error::NoProducerId)?;
                    transaction.next_producer_id = id;
                }
                transaction.last_epoch = transaction.producer.epoch;
                transaction.producer.epoch += 1;
                Ok(prepared(transaction, request))
            }
            _ => Err(Error::InvalidState),
        }
    }
}

fn prepared(mut transaction: Transaction, request: &EndRequest) -> Verdict {
    transaction.state = if request.commit { State::PrepareCommit } else { State::PrepareAbort };
    transaction.version = request.version;
    Verdict::Prepare(Box::new(transaction))
}

/// The same producer asks for the end that its epoch was raised by.
fn is_repetition(transaction: &Transaction, producer: TransactionalProducer) -> bool {
    let ended = !matches!(transaction.state, State::Empty | State::Ongoing | State::Dead);
    let of_this_id = transaction.producer.id == producer.id
        && Some(transaction.producer.epoch) == producer.epoch.checked_add(1);
    let of_the_last_id = transaction.previous_producer_id == producer.id
        && transaction.previous_producer_id != NO_ID
        && producer.epoch == EPOCH_MAX
        && transaction.producer.epoch == 0;
    ended && transaction.last_epoch == producer.epoch && (of_this_id || of_the_last_id)
}
