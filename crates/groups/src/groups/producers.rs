//! Which transactions have offsets to commit, and which are over.

use std::collections::{BTreeMap, BTreeSet};

use crate::TransactionalProducer;

/// Ended transactions that are remembered; a request that comes later than that has no connection any more.
const ENDED_MAX: usize = 10_000;

/// Which transactions have offsets to commit, and which are over.
#[derive(Debug, Default)]
pub(super) struct Producers {
    /// The groups in which a producer's transaction has offsets.
    open: BTreeMap<i64, BTreeSet<String>>,
    /// The epoch of each producer's last ended transaction.
    ended: BTreeMap<i64, i16>,
}

impl Producers {
    /// A producer that was fenced, or whose transaction was ended by a newer epoch.
    pub(super) fn is_fenced(&self, producer: TransactionalProducer) -> bool {
        self.ended.get(&producer.id).is_some_and(|ended| producer.epoch < *ended)
    }

    pub(super) fn open(&mut self, producer_id: i64, group_id: &str) {
        let groups = self.open.entry(producer_id).or_default();
        if !groups.contains(group_id) {
            groups.insert(group_id.to_owned());
        }
    }

    /// The transaction is over; says which groups had offsets in it.
    pub(super) fn end(&mut self, producer: TransactionalProducer) -> BTreeSet<String> {
        let ended = self.ended.entry(producer.id).or_insert(producer.epoch);
        *ended = producer.epoch.max(*ended);
        if self.ended.len() > ENDED_MAX {
            // Ids are given out in ascending order: the lowest is the oldest.
            self.ended.pop_first();
        }
        self.open.remove(&producer.id).unwrap_or_default()
    }
}
