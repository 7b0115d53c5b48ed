//! What idempotent producers sent last: enough to recognise a repetition, a gap and an impostor.

use std::collections::{HashMap, VecDeque};

use record::BatchHeader;

use crate::Error;

pub(crate) use snapshot::Snapshot;

mod snapshot;
#[cfg(test)]
mod tests;

/// As many batches per producer as a client may have in flight.
const BATCHES_KEPT: usize = 5;

/// A batch that was appended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Remembered {
    pub(crate) base_sequence: i32,
    pub(crate) last_sequence: i32,
    pub(crate) base_offset: i64,
    pub(crate) last_offset: i64,
}

/// One producer: its newest epoch, and the newest batches of that epoch, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Producer {
    pub(crate) epoch: i16,
    pub(crate) batches: VecDeque<Remembered>,
}

/// All producers of one partition.
#[derive(Debug, Clone)]
pub(crate) struct ProducerState {
    by_id: HashMap<i64, Producer>,
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

impl ProducerState {
    pub(crate) fn new(max: usize) -> Self {
        Self { by_id: HashMap::new(), max: max.max(1) }
    }

    /// Judges a batch. An unknown producer may begin with any number: its past may have been forgotten.
    pub(crate) fn check(&self, header: &BatchHeader) -> Result<Verdict, Error> {
        let Some(producer) = self.by_id.get(&header.producer_id).filter(|_| is_numbered(header)) else {
            return Ok(Verdict::New);
        };
        if header.producer_epoch < producer.epoch {
            return Err(Error::ProducerFenced {
                producer_id: header.producer_id,
                epoch: header.producer_epoch,
                current: producer.epoch,
            });
        }
        let same_epoch = header.producer_epoch == producer.epoch;
        if same_epoch && let Some(batch) = producer.batches.iter().find(|batch| is_same(batch, header)) {
            return Ok(Verdict::Duplicate(*batch));
        }
        let expected = match producer.batches.back() {
            Some(last) if same_epoch => next_sequence(last.last_sequence),
            _ => 0,
        };
        if header.base_sequence == expected {
            return Ok(Verdict::New);
        }
        Err(Error::OutOfOrderSequence {
            producer_id: header.producer_id,
            sequence: header.base_sequence,
            expected,
        })
    }

    /// Takes note of an appended batch; `header` carries its final offsets.
    pub(crate) fn note(&mut self, header: &BatchHeader) {
        if !is_numbered(header) {
            return;
        }
        let epoch = header.producer_epoch;
        let producer = self
            .by_id
            .entry(header.producer_id)
            .or_insert_with(|| Producer { epoch, batches: VecDeque::with_capacity(BATCHES_KEPT) });
        if producer.epoch != epoch {
            producer.epoch = epoch;
            producer.batches.clear();
        }
        if producer.batches.len() == BATCHES_KEPT {
            producer.batches.pop_front();
        }
        producer.batches.push_back(Remembered {
            base_sequence: header.base_sequence,
            last_sequence: header.last_sequence(),
            base_offset: header.base_offset,
            last_offset: header.last_offset(),
        });
        if self.by_id.len() > self.max {
            self.forget_some();
        }
    }

    pub(crate) fn get(&self, producer_id: i64) -> Option<&Producer> {
        self.by_id.get(&producer_id)
    }

    /// Puts a producer back to what it was before an append that failed.
    pub(crate) fn restore(&mut self, producer_id: i64, before: Option<Producer>) {
        match before {
            Some(producer) => self.by_id.insert(producer_id, producer),
            None => self.by_id.remove(&producer_id),
        };
    }

    pub(crate) fn epoch_and_last_sequence(&self, producer_id: i64) -> Option<(i16, i32)> {
        let producer = self.by_id.get(&producer_id)?;
        Some((producer.epoch, producer.batches.back()?.last_sequence))
    }

    /// Forgets the tenth that has been silent for longest, so that the search for it is rare.
    fn forget_some(&mut self) {
        let newest_of = |producer: &Producer| producer.batches.back().map_or(-1, |batch| batch.last_offset);
        let mut ages: Vec<(i64, i64)> =
            self.by_id.iter().map(|(id, producer)| (newest_of(producer), *id)).collect();
        ages.sort_unstable();
        let surplus = self.by_id.len() - self.max + self.max / 10;
        for (_, id) in ages.into_iter().take(surplus) {
            self.by_id.remove(&id);
        }
    }
}

fn is_numbered(header: &BatchHeader) -> bool {
    header.producer_id >= 0 && header.base_sequence >= 0
}

fn is_same(batch: &Remembered, header: &BatchHeader) -> bool {
    batch.base_sequence == header.base_sequence && batch.last_sequence == header.last_sequence()
}

fn next_sequence(last: i32) -> i32 {
    if last == i32::MAX { 0 } else { last + 1 }
}
