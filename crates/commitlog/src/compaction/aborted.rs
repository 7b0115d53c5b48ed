//! Which batches belong to aborted transactions, on a walk through the log: as a reader of committed records tells.

use std::collections::{HashSet, VecDeque};

use record::{Batch, ControlRecord};

use crate::LogReader;

#[derive(Debug)]
pub(super) struct Aborted {
    /// Transactions whose first batch is still to come: first offset and producer, in that order.
    to_come: VecDeque<(i64, i64)>,
    /// Producers in the middle of one.
    now: HashSet<i64>,
}

impl Aborted {
    /// For a walk from `from` to `to`.
    pub(super) fn new(reader: &LogReader, from: i64, to: i64) -> Self {
        let mut to_come: Vec<(i64, i64)> = aborted_in(reader, from, to);
        to_come.sort_unstable();
        Self { to_come: to_come.into(), now: HashSet::new() }
    }

    /// Whether a batch belongs to an aborted transaction. To be asked of every batch, in order.
    pub(super) fn includes(&mut self, batch: &Batch) -> bool {
        let header = &batch.header;
        while let Some((_, producer_id)) = self.to_come.front().filter(|(at, _)| *at <= header.last_offset())
        {
            self.now.insert(*producer_id);
            self.to_come.pop_front();
        }
        if header.is_control() {
            if let Ok(ControlRecord::EndTransaction { commit: false, .. }) = ControlRecord::from_batch(batch)
            {
                self.now.remove(&header.producer_id);
            }
            return false;
        }
        header.is_transactional() && self.now.contains(&header.producer_id)
    }
}

fn aborted_in(reader: &LogReader, from: i64, to: i64) -> Vec<(i64, i64)> {
    reader.aborted(from, to).iter().map(|aborted| (aborted.first_offset, aborted.producer_id)).collect()
}
