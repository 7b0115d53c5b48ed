//! A table that a query joins its streams with: all of its rows as they are when the batch is decided.
//!
//! The rows stay in memory, and every batch adds what has come since; how far that is belongs to the batch's intent,
//! so that its repetition sees the same table.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;

use crate::error::{QueryError, SourceError};
use crate::query::journal::Ranges;
use crate::source::shape::Shape;
use crate::source::{Limits, Pinned, Rows, Source};
use crate::status::Offsets;

/// What is read at once.
const CHUNK_ROWS: u64 = 65_536;
/// What is read at once.
const CHUNK_BYTES: usize = 64 << 20;

/// A table with its rows.
pub(crate) struct Lookup {
    pub(crate) source: Arc<dyn Source>,
    /// The columns that the plan wants.
    pub(crate) shape: Shape,
    /// Bytes that the rows may take in memory.
    pub(crate) bytes_max: usize,
    pub(crate) rows: Vec<RecordBatch>,
}

impl Lookup {
    /// Reads what was there at these positions: after a restart.
    pub(crate) async fn load(&mut self, positions: &Offsets) -> Result<(), QueryError> {
        let Some(bounds) = self.source.bounds().await? else { return Ok(()) };
        let (mut at, mut until) = (bounds.from, bounds.until);
        until.retain(|log, _| positions.contains_key(log));
        for (log, partitions) in &mut until {
            partitions.retain(|partition, end| {
                let standing = positions.get(log).and_then(|partitions| partitions.get(partition));
                *end = standing.copied().unwrap_or(0).min(*end);
                standing.is_some()
            });
        }
        for pinned in self.pin_until(&mut at, until).await? {
            self.take_in(pinned)?;
        }
        Ok(())
    }

    /// What has come since these positions.
    pub(crate) async fn pin(&self, positions: &Offsets) -> Result<Vec<Pinned>, QueryError> {
        let Some(bounds) = self.source.bounds().await? else { return Ok(Vec::new()) };
        let mut at = bounds.from;
        for (log, partitions) in &mut at {
            for (partition, from) in partitions {
                let standing = positions.get(log).and_then(|partitions| partitions.get(partition));
                *from = standing.copied().unwrap_or(0).max(*from);
            }
        }
        Ok(self.pin_until(&mut at, bounds.until).await?)
    }

    /// What an unfinished batch had found.
    pub(crate) async fn reread(&self, ranges: &Ranges) -> Result<Vec<Pinned>, QueryError> {
        Ok(vec![self.source.reread(ranges).await?])
    }

    async fn pin_until(&self, at: &mut Offsets, until: Offsets) -> Result<Vec<Pinned>, SourceError> {
        let limits = Limits { rows: CHUNK_ROWS, bytes: CHUNK_BYTES, until: Some(Arc::new(until)) };
        let mut found = Vec::new();
        loop {
            let pinned = self.source.pin(at, &limits, found.len() as u64).await?;
            if pinned.is_empty() {
                return Ok(found);
            }
            pinned.advance(at);
            found.push(pinned);
        }
    }

    /// Adds the rows; gives them back for who wants to know what was refused.
    ///
    /// # Errors
    /// Records that cannot be read, or a table that has grown too large.
    pub(crate) fn take_in(&mut self, pinned: Pinned) -> Result<Rows, QueryError> {
        let rows = pinned.rows(&self.shape)?;
        self.rows.push(rows.batch.clone());
        let needed = self.rows.iter().map(RecordBatch::get_array_memory_size).sum();
        if needed > self.bytes_max {
            let table = self.source.name().to_owned();
            return Err(QueryError::LargeTable { table, needed, limit: self.bytes_max });
        }
        Ok(rows)
    }
}

/// All ranges of one log in one: from the first's beginning to the last's end.
pub(crate) fn joined(pinned: &[Pinned]) -> Ranges {
    let mut joined = Ranges::new();
    for pinned in pinned {
        for (log, partitions) in &pinned.ranges {
            let log = joined.entry(log.clone()).or_default();
            for (partition, (from, to)) in partitions {
                log.entry(*partition).and_modify(|known| known.1 = *to).or_insert((*from, *to));
            }
        }
    }
    joined
}
