//! The owner of all transactions: one task that runs `groups::transactions`, writes its events down and its markers out.
//!
//! What is decided goes to `__transaction_state` first. Only when that is durable are answers given, ways opened at the
//! [`gate`] for the producer's batches, or markers written; markers are written after the way was closed. A commit or
//! abort is answered when its markers are durable, and whoever asks for an id in the meantime waits for that, too, so
//! that clients seldom hear CONCURRENT_TRANSACTIONS and go to sleep. Where a marker cannot be written they are answered
//! all the same, as the decision stands.

mod command;
pub(crate) mod gate;
mod markers;
mod owner;

use env::Env;
use groups::transactions::{Config, Transactions};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use topics::Topics;

use crate::coordinator::Coordinator;
use crate::journal::{Journal, JournalError};
use crate::steady_time::SteadyTime;
use gate::Gate;
use owner::Owner;

pub(crate) use command::{Admission, TransactionCoordinator, VerifyRequest};

/// Requests that may wait for the owner.
const QUEUE: usize = 1_024;

/// Reads what was written before and starts the owner.
pub(crate) fn start(
    config: Config,
    topics: &Topics,
    groups: Coordinator,
    env: &Env,
) -> Result<(TransactionCoordinator, JoinHandle<()>), JournalError> {
    let mut transactions = Transactions::new(config.clone());
    let journal = Journal::open(topics, |event| transactions.replay(event))?;
    let (sender, queue) = mpsc::channel(QUEUE);
    let gate = Gate::default();
    let owner =
        Owner::new(config, transactions, journal, topics.clone(), groups, gate.clone(), SteadyTime::new(env));
    let task = tokio::spawn(owner.run(queue));
    Ok((TransactionCoordinator::new(sender, gate), task))
}
