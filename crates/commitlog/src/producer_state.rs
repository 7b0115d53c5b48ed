//! What idempotent producers sent last: enough to recognise a repetition, a gap and an impostor. And which of them are
//! in the middle of a transaction.

use std::collections::{BTreeMap, HashMap};

use record::{Batch, BatchHeader, ControlRecord};

use crate::Error;

pub(crate) use snapshot::Snapshot;
pub(crate) use transactions::Transactions;
pub(crate) use window::{Remembered, Window};

mod snapshot;
#[cfg(test)]
mod tests;
mod transactions;
mod window;

/// One producer: its newest epoch, and the newest batches of that epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    pub(crate) batches: Window,
    /// The first offset of the transaction it is in the middle of.
    pub(crate) transaction: Option<i64>,
    /// Of the last marker, -1 before the first.
    pub(crate) coordinator_epoch: i32,
    /// The greatest timestamp of its last batch.
    pub(crate) timestamp: i64,
}

/// All producers of one partition.
#[derive(Debug, Clone)]
pub(crate) struct ProducerState {
    by_id: HashMap<i64, Producer>,
    transactions: Transactions,
    max: usize,
}

/// What a batch is to the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Not seen before, and the right one.
    New,
    /// Appended already, at this place.
    Duplicate(Remembered),
}

/// The end of a transaction, as its marker tells it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Marker {
    pub(crate) producer_id: i64,
    pub(crate) epoch: i16,
    pub(crate) commit: bool,
    pub(crate) coordinator_epoch: i32,
}

impl Producer {
    fn new(epoch: i16) -> Self {
        Self { epoch, batches: Window::default(), transaction: None, coordinator_epoch: -1, timestamp: -1 }
    }
}

impl ProducerState {
    pub(crate) fn new(max: usize) -> Self {
        Self { by_id: HashMap::new(), transactions: Transactions::default(), max: max.max(1) }
    }

    /// Judges a batch. An unknown producer may begin with any number: its past may have been forgotten.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Verdict, Error> {
        let Some(producer) = self.by_id.get(&header.producer_id).filter(|_| is_numbered(header)) else {
            return Ok(Verdict::New);
        };
        let producer_id = header.producer_id;
        if header.producer_epoch < producer.epoch {
            let (epoch, current) = (header.producer_epoch, producer.epoch);
            return Err(Error::ProducerFenced { producer_id, epoch, current });
        }
        let same_epoch = header.producer_epoch == producer.epoch;
        if same_epoch && let Some(batch) = producer.batches.find(header) {
            return Ok(Verdict::Duplicate(batch));
        }
        let expected = match producer.batches.last() {
            Some(last) if same_epoch => next_sequence(last.last_sequence),
            _ => 0,
        };
        let again = same_epoch && producer.batches.is_anew(header);
        if header.base_sequence != expected && !again {
            return Err(Error::OutOfOrderSequence { producer_id, sequence: header.base_sequence, expected });
        }
        // A new epoch begins behind the marker that ends the old one's transaction. Without that marker its records would
        // become part of the new one, and be committed with it.
        let begins_anew = !header.is_transactional() || !same_epoch;
        if let Some(first_offset) = producer.transaction.filter(|_| begins_anew) {
            return Err(Error::InTransaction { producer_id, first_offset });
        }
        Ok(Verdict::New)
    }

    /// Judges a marker: neither the producer nor the coordinator may be an older instance than one that was seen.
    pub(crate) fn check_marker(&self, marker: &Marker) -> Result<(), Error> {
        let Some(producer) = self.by_id.get(&marker.producer_id) else { return Ok(()) };
        let Marker { producer_id, epoch, coordinator_epoch, .. } = *marker;
        if epoch < producer.epoch {
            return Err(Error::ProducerFenced { producer_id, epoch, current: producer.epoch });
        }
        if coordinator_epoch < producer.coordinator_epoch {
            let current = producer.coordinator_epoch;
            return Err(Error::CoordinatorFenced { producer_id, epoch: coordinator_epoch, current });
        }
        Ok(())
    }

    /// Takes note of an appended batch, of data or a marker; its header carries its final offsets.
    pub(crate) fn note_batch(&mut self, batch: &Batch) {
        let header = &batch.header;
        if !header.is_control() {
            self.note(header);
        } else if let Ok(ControlRecord::EndTransaction { commit, coordinator_epoch }) =
            ControlRecord::from_batch(batch)
        {
            let (producer_id, epoch) = (header.producer_id, header.producer_epoch);
            let marker = Marker { producer_id, epoch, commit, coordinator_epoch };
            self.note_marker(&marker, header.base_offset, header.max_timestamp);
        }
    }

    /// Takes note of an appended batch of data; `header` carries its final offsets.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        if !is_numbered(header) {
            return;
        }
        let producer_id = header.producer_id;
        let producer = self.at_epoch(producer_id, header.producer_epoch);
        producer.timestamp = header.max_timestamp;
        producer.batches.push(header);
        if header.is_transactional() && producer.transaction.is_none() {
            producer.transaction = Some(header.base_offset);
            self.transactions.begin(header.base_offset, producer_id);
        }
        if self.by_id.len() > self.max {
            self.forget_some();
        }
    }

    /// Takes note of an appended marker: the transaction is over, and its records count or do not.
    pub(crate) fn note_marker(&mut self, marker: &Marker, offset: i64, timestamp: i64) {
        let producer = self.at_epoch(marker.producer_id, marker.epoch);
        producer.coordinator_epoch = marker.coordinator_epoch;
        producer.timestamp = timestamp;
        let Some(first_offset) = producer.transaction.take() else { return };
        if !marker.commit {
            producer.batches.abort_from(first_offset);
        }
        self.transactions.end(marker, first_offset, offset);
    }

    /// The producer, whose batches of an older epoch do not matter any more.
    fn at_epoch(&mut self, producer_id: i64, epoch: i16) -> &mut Producer {
        let producer = self.by_id.entry(producer_id).or_insert_with(|| Producer::new(epoch));
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches = Window::default();
        }
        producer
    }

    pub(crate) fn get(&self, producer_id: i64) -> Option<&Producer> {
        self.by_id.get(&producer_id)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (i64, &Producer)> {
        self.by_id.iter().map(|(id, producer)| (*id, producer))
    }

    pub(crate) fn transactions(&self) -> &Transactions {
        &self.transactions
    }

    pub(crate) fn transactions_mut(&mut self) -> &mut Transactions {
        &mut self.transactions
    }

    /// Puts a producer back to what it was before an append of data that failed.
    pub(crate) fn restore(&mut self, producer_id: i64, before: Option<Producer>) {
        let transaction = before.and_then(|producer| producer.transaction);
        let replaced = match before {
            Some(producer) => self.by_id.insert(producer_id, producer),
            None => self.by_id.remove(&producer_id),
        };
        if let Some(first_offset) = replaced.and_then(|producer| producer.transaction)
            && transaction.is_none()
        {
            self.transactions.take_back(first_offset);
        }
    }

    pub(crate) fn epoch_and_last_sequence(&self, producer_id: i64) -> Option<(i16, i32)> {
        let producer = self.by_id.get(&producer_id)?;
        Some((producer.epoch, producer.batches.last()?.last_sequence))
    }

    /// Forgets the tenth that has been silent for longest, so that the search for it is rare. Nobody is forgotten in
    /// the middle of a transaction.
    fn forget_some(&mut self) {
        let newest_of = |producer: &Producer| producer.batches.last().map_or(-1, |batch| batch.last_offset);
        let idle = self.by_id.iter().filter(|(_, producer)| producer.transaction.is_none());
        let mut ages: Vec<(i64, i64)> = idle.map(|(id, producer)| (newest_of(producer), *id)).collect();
        ages.sort_unstable();
        let surplus = self.by_id.len() - self.max + self.max / 10;
        for (_, id) in ages.into_iter().take(surplus) {
            self.by_id.remove(&id);
        }
    }

    /// From its parts, as a file tells them.
    fn from_parts(by_id: HashMap<i64, Producer>, mut transactions: Transactions, max: usize) -> Self {
        let open = by_id.iter().filter_map(|(id, producer)| Some((producer.transaction?, *id)));
        transactions.set_ongoing(open.collect::<BTreeMap<_, _>>());
        Self { by_id, transactions, max: max.max(1) }
    }
}

fn is_numbered(header: &BatchHeader) -> bool {
    header.producer_id >= 0 && header.base_sequence >= 0
}

fn next_sequence(last: i32) -> i32 {
    if last == i32::MAX { 0 } else { last + 1 }
}
