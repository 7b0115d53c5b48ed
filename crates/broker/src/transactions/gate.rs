//! Who may write to which partition in a transaction, right now.
//!
//! The gate stands between `produce` and the partitions. A way is opened when it is durable that the partition is in
//! the producer's transaction, and closed before the transaction's markers are handed to the partitions. Batches pass,
//! that is, are handed to the partition's owner, while the gate's lock is held: none can come after the marker of its
//! own transaction, and none without a marker to follow. Batches whose way is not open yet wait here, in their order.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use groups::TransactionalProducer;
use groups::transactions::{Error, Partitions};
use tokio::sync::oneshot;
use topics::{Acks, AppendError, AppendFuture, Partition};

use crate::journal::{OFFSETS_TOPIC, Unavailable};

/// Why a batch did not pass.
#[derive(Debug)]
pub(crate) enum Stopped {
    /// The transaction does not allow it.
    Transaction(Error),
    /// The coordinator could not say.
    Unavailable,
    /// The partition refused it.
    Append(AppendError),
}

impl From<Unavailable> for Stopped {
    fn from(_: Unavailable) -> Self {
        Self::Unavailable
    }
}

/// What became of a batch at the gate.
pub(crate) type Passed = Result<AppendFuture, Stopped>;

/// A batch at the gate.
#[derive(Debug)]
pub(crate) struct Passage {
    pub(crate) producer: TransactionalProducer,
    pub(crate) topic: String,
    pub(crate) partition: Partition,
    pub(crate) batches: Bytes,
    pub(crate) acks: Acks,
}

#[derive(Debug)]
struct Waiter {
    passage: Passage,
    answer: oneshot::Sender<Passed>,
}

/// What one epoch of a producer may do.
#[derive(Debug, Default)]
struct Pass {
    open: Partitions,
    waiting: BTreeMap<(String, i32), Vec<Waiter>>,
}

type Passes = BTreeMap<(i64, i16), Pass>;

/// Who may write to which partition in a transaction, right now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Gate {
    passes: Arc<Mutex<Passes>>,
}

impl Gate {
    /// Lets a batch pass, or keeps it until the coordinator has been asked: then the answer comes by the receiver.
    pub(crate) fn pass(&self, passage: Passage) -> Result<Passed, oneshot::Receiver<Passed>> {
        let mut passes = self.lock();
        let index = index_of(&passage.partition);
        let pass = passes.entry(key(passage.producer)).or_default();
        let place = (passage.topic.clone(), index);
        let open = pass.open.get(&passage.topic).is_some_and(|indexes| indexes.contains(&index));
        if open && !pass.waiting.contains_key(&place) {
            return Ok(passage.enter());
        }
        let (answer, passed) = oneshot::channel();
        pass.waiting.entry(place).or_default().push(Waiter { passage, answer });
        Err(passed)
    }

    /// Hands offsets over to the groups' owner while the producer's transaction has them.
    pub(crate) fn while_offsets_open<R>(
        &self,
        producer: TransactionalProducer,
        act: impl FnOnce() -> R,
    ) -> Option<R> {
        let passes = self.lock();
        let pass = passes.get(&key(producer))?;
        pass.open.contains_key(OFFSETS_TOPIC).then(act)
    }

    /// These partitions are durably in the producer's transaction.
    pub(crate) fn open<'a>(
        &self,
        producer: TransactionalProducer,
        partitions: impl IntoIterator<Item = (&'a str, i32)>,
    ) {
        let mut passes = self.lock();
        let pass = passes.entry(key(producer)).or_default();
        for (topic, index) in partitions {
            for waiter in pass.waiting.remove(&(topic.to_owned(), index)).into_iter().flatten() {
                drop(waiter.answer.send(waiter.passage.enter()));
            }
            match pass.open.get_mut(topic) {
                Some(indexes) => drop(indexes.insert(index)),
                None => drop(pass.open.insert(topic.to_owned(), BTreeSet::from([index]))),
            }
        }
    }

    /// Sends those away who wait for a partition.
    pub(crate) fn refuse(
        &self,
        producer: TransactionalProducer,
        partitions: &[(String, i32)],
        why: impl Fn() -> Stopped,
    ) {
        let mut passes = self.lock();
        let Some(pass) = passes.get_mut(&key(producer)) else { return };
        for place in partitions {
            for waiter in pass.waiting.remove(place).into_iter().flatten() {
                drop(waiter.answer.send(Err(why())));
            }
        }
        if pass.open.is_empty() && pass.waiting.is_empty() {
            passes.remove(&key(producer));
        }
    }

    /// Nobody passes any more with this epoch or an older one; the transaction's markers come next.
    pub(crate) fn close(&self, producer: TransactionalProducer) {
        let mut passes = self.lock();
        let (id, epoch) = key(producer);
        let closed: Vec<(i64, i16)> =
            passes.range((id, i16::MIN)..=(id, epoch)).map(|(key, _)| *key).collect();
        for key in closed {
            let Some(pass) = passes.get_mut(&key) else { continue };
            pass.open.clear();
            // Those who wait get their answer from the coordinator, which they have asked.
            if pass.waiting.is_empty() {
                passes.remove(&key);
            }
        }
    }

    /// Closes every way and sends everybody away: what was known does not count any more.
    pub(crate) fn reset(&self) {
        for waiter in std::mem::take(&mut *self.lock()).into_values().flat_map(|pass| pass.waiting) {
            for waiter in waiter.1 {
                drop(waiter.answer.send(Err(Stopped::Unavailable)));
            }
        }
    }

    /// A panic elsewhere leaves nothing half done in here.
    fn lock(&self) -> MutexGuard<'_, Passes> {
        self.passes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Passage {
    fn enter(self) -> Passed {
        self.partition.enqueue(self.batches, self.acks).map_err(Stopped::Append)
    }
}

fn key(producer: TransactionalProducer) -> (i64, i16) {
    (producer.id, producer.epoch)
}

/// A partition's number as Kafka writes it.
pub(crate) fn index_of(partition: &Partition) -> i32 {
    i32::try_from(partition.index()).expect("partition numbers come from the wire, where they are signed")
}
