//! Which records stay. Batches must be shown in the order of the log, from its first one on.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use record::{Batch, ControlRecord, Record};

use super::NO_HORIZON;
use super::aborted::Aborted;
use super::key_map::KeyMap;
use crate::reader::{Shared, lock};
use crate::{Error, LogReader};

/// What becomes of a batch.
#[derive(Debug)]
pub(super) enum Fate {
    /// It stays as it is.
    Stays,
    /// It stays, like this.
    Becomes(Bytes),
    /// It goes.
    Goes,
}

#[derive(Debug)]
pub(super) struct Filter {
    shared: Arc<Shared>,
    map: KeyMap,
    /// Where the map ends: from here on everything stays.
    to: i64,
    now_ms: i64,
    delete_retention_ms: i64,
    aborted: Aborted,
    /// Producers of whose present transaction a batch was met.
    met: HashSet<i64>,
    horizon_ms: i64,
    /// Abort markers that went, since somebody asked.
    markers_gone: Vec<i64>,
}

impl Filter {
    pub(super) fn new(
        reader: &LogReader,
        map: KeyMap,
        to: i64,
        now_ms: i64,
        delete_retention_ms: i64,
    ) -> Self {
        Self {
            shared: Arc::clone(&reader.shared),
            map,
            to,
            now_ms,
            delete_retention_ms,
            aborted: Aborted::new(reader, reader.log_start_offset(), to),
            met: HashSet::new(),
            horizon_ms: NO_HORIZON,
            markers_gone: Vec::new(),
        }
    }

    /// When the first of the tombstones and markers that stay may go.
    pub(super) fn horizon_ms(&self) -> i64 {
        self.horizon_ms
    }

    /// Where the markers stood that were judged to go since the last call.
    pub(super) fn take_markers_gone(&mut self) -> Vec<i64> {
        std::mem::take(&mut self.markers_gone)
    }

    pub(super) fn judge(&mut self, batch: &Batch) -> Result<Fate, Error> {
        let header = &batch.header;
        if header.base_offset >= self.to {
            return Ok(Fate::Stays);
        }
        let aborted = self.aborted.includes(batch);
        if header.is_control() {
            return self.judge_marker(batch);
        }
        if header.is_transactional() {
            self.met.insert(header.producer_id);
        }
        if aborted {
            return self.emptied(batch);
        }
        if header.records_count == 0 {
            return Ok(if self.is_last_of_producer(batch) { Fate::Stays } else { Fate::Goes });
        }
        self.judge_records(batch)
    }

    fn judge_records(&mut self, batch: &Batch) -> Result<Fate, Error> {
        let header = &batch.header;
        let gone = header.delete_horizon_ms().is_some_and(|horizon| horizon <= self.now_ms);
        let mut records = Vec::new();
        let mut tombstones = false;
        for record in batch.records(self.shared.uncompressed_bytes_max).map_err(unsound)? {
            let record = record.map_err(unsound)?;
            if !self.stays(&record, gone) {
                continue;
            }
            tombstones |= record.value.is_none() && record.offset < self.to;
            records.push(record);
        }
        if records.is_empty() {
            return self.emptied(batch);
        }
        let horizon = self.horizon(batch, tombstones);
        let all = usize::try_from(header.records_count).is_ok_and(|count| count == records.len());
        if all && horizon == header.delete_horizon_ms() {
            return Ok(Fate::Stays);
        }
        batch.with_records(&records, horizon).map(Fate::Becomes).map_err(unsound)
    }

    fn stays(&self, record: &Record, tombstones_go: bool) -> bool {
        if record.offset >= self.to {
            return true;
        }
        let Some(key) = &record.key else { return false };
        let is_last = self.map.get(key).is_none_or(|last| last <= record.offset);
        is_last && (record.value.is_some() || !tombstones_go)
    }

    /// Until when a batch with tombstones, or without any, says that they stay. Once said, it is not said again.
    fn horizon(&mut self, batch: &Batch, tombstones: bool) -> Option<i64> {
        let horizon = match batch.header.delete_horizon_ms() {
            None if tombstones => Some(self.now_ms.saturating_add(self.delete_retention_ms)),
            other => other,
        };
        if let Some(horizon) = horizon.filter(|_| tombstones) {
            self.horizon_ms = self.horizon_ms.min(horizon);
        }
        horizon
    }

    /// A marker stays while batches of its transaction are met, and for a while after.
    fn judge_marker(&mut self, batch: &Batch) -> Result<Fate, Error> {
        let header = &batch.header;
        if ControlRecord::from_batch(batch).is_err() {
            // Of another kind, and so none of ours.
            return Ok(Fate::Stays);
        }
        let has_data = self.met.remove(&header.producer_id);
        if has_data {
            return Ok(Fate::Stays);
        }
        if header.delete_horizon_ms().is_some_and(|horizon| horizon <= self.now_ms) {
            self.markers_gone.push(header.base_offset);
            return Ok(Fate::Goes);
        }
        let horizon = self.horizon(batch, true);
        if horizon == header.delete_horizon_ms() {
            return Ok(Fate::Stays);
        }
        let records: Result<Vec<Record>, record::Error> =
            batch.records(self.shared.uncompressed_bytes_max).and_then(Iterator::collect);
        let records = records.map_err(unsound)?;
        batch.with_records(&records, horizon).map(Fate::Becomes).map_err(unsound)
    }

    /// Without records, a batch stays only if its producer's next batch is judged by it.
    fn emptied(&self, batch: &Batch) -> Result<Fate, Error> {
        if !self.is_last_of_producer(batch) {
            return Ok(Fate::Goes);
        }
        if batch.header.records_count == 0 {
            return Ok(Fate::Stays);
        }
        batch.with_records(&[], batch.header.delete_horizon_ms()).map(Fate::Becomes).map_err(unsound)
    }

    fn is_last_of_producer(&self, batch: &Batch) -> bool {
        let header = &batch.header;
        if header.producer_id < 0 || header.base_sequence < 0 {
            return false;
        }
        let producers = lock(&self.shared.producers);
        let last = producers.get(header.producer_id).and_then(|producer| producer.batches.last());
        last.is_some_and(|last| last.last_offset == header.last_offset())
    }
}

fn unsound(error: record::Error) -> Error {
    Error::Batch(Arc::new(error))
}
