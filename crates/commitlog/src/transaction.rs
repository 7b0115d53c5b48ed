//! Transactions: markers in, and what readers have to know of them.
//!
//! A transaction begins with its producer's first transactional batch and ends with a marker. Nothing of it is told to
//! readers of committed records before it ended; what was aborted stays in the log, and they are told to pass over it.

use std::sync::Arc;

use record::{Batch, ControlRecord};

use crate::producer_state::Marker;
use crate::reader::lock;
use crate::stage::Stage;
use crate::{Appended, Error, Log, LogReader};

/// A transaction whose records do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AbortedTransaction {
    /// Whose.
    pub producer_id: i64,
    /// From where on.
    pub first_offset: i64,
}

/// What is known of one producer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProducerStatus {
    /// Its id.
    pub producer_id: i64,
    /// Its newest epoch.
    pub epoch: i16,
    /// The sequence number of its last record in that epoch, -1 without one.
    pub last_sequence: i32,
    /// The greatest timestamp of its last batch or marker, in Unix milliseconds.
    pub last_timestamp: i64,
    /// Of the coordinator that wrote its last marker, -1 without one.
    pub coordinator_epoch: i32,
    /// Where the transaction begins that it is in the middle of.
    pub transaction_first_offset: Option<i64>,
}

impl Log {
    /// Ends the transaction of a producer, if it has one here, by a marker: what follows its epoch is fenced off, and
    /// the next batch of a new epoch begins at sequence 0 (KIP-890). After an abort, numbers of the aborted batches may
    /// come again and are no repetitions.
    ///
    /// # Errors
    /// [`Error::ProducerFenced`] and [`Error::CoordinatorFenced`] for an older epoch than one that was seen; as
    /// [`append`](Self::append) otherwise. Nothing happened then.
    pub fn append_marker(
        &mut self,
        producer_id: i64,
        epoch: i16,
        commit: bool,
        coordinator_epoch: i32,
        now_ms: i64,
    ) -> Result<Appended, Error> {
        self.check_poison()?;
        let marker = Marker { producer_id, epoch, commit, coordinator_epoch };
        lock(&self.shared.producers).check_marker(&marker)?;
        let bytes =
            ControlRecord::EndTransaction { commit, coordinator_epoch }.to_batch(producer_id, epoch, now_ms);
        let batch = Batch::parse(&bytes).map_err(|error| Error::Batch(Arc::new(error)))?;
        let mut stage = Stage::new(self.next_offset, bytes.len());
        if self.is_full(&stage, bytes.len() as u64, 1, now_ms) {
            self.roll()?;
        }
        self.shared.note_append(now_ms);
        stage.add(0, &[batch], -1, &mut lock(&self.shared.producers));
        let mut answers = vec![None];
        self.write(&mut stage, &mut answers);
        let appended = answers.remove(0).expect("what was staged was answered")?;
        lock(&self.shared.producers).note_marker(&marker, appended.base_offset, now_ms);
        Ok(appended)
    }
}

impl LogReader {
    /// Up to where every transaction has ended for readers who see what lies before `high_watermark`.
    #[must_use]
    pub fn last_stable_offset(&self, high_watermark: i64) -> i64 {
        let mut producers = lock(&self.shared.producers);
        let transactions = producers.transactions_mut();
        transactions.show(high_watermark);
        transactions.last_stable_offset(high_watermark)
    }

    /// Every aborted transaction that has a batch, or its marker, in `[from, to)`, in the order of their markers.
    #[must_use]
    pub fn aborted(&self, from: i64, to: i64) -> Vec<AbortedTransaction> {
        let producers = lock(&self.shared.producers);
        let aborted = producers.transactions().aborted(from, to);
        aborted
            .map(|aborted| AbortedTransaction {
                producer_id: aborted.producer_id,
                first_offset: aborted.first_offset,
            })
            .collect()
    }

    /// What is known of producers, by id.
    #[must_use]
    pub fn producers(&self) -> Vec<ProducerStatus> {
        let producers = lock(&self.shared.producers);
        let status = producers.iter().map(|(producer_id, producer)| ProducerStatus {
            producer_id,
            epoch: producer.epoch,
            last_sequence: producer.batches.last().map_or(-1, |batch| batch.last_sequence),
            last_timestamp: producer.timestamp,
            coordinator_epoch: producer.coordinator_epoch,
            transaction_first_offset: producer.transaction,
        });
        let mut all: Vec<ProducerStatus> = status.collect();
        all.sort_unstable_by_key(|status| status.producer_id);
        all
    }

    /// Where the transaction begins that a producer is in the middle of.
    #[must_use]
    pub fn ongoing_transaction(&self, producer_id: i64) -> Option<i64> {
        lock(&self.shared.producers).get(producer_id)?.transaction
    }
}
