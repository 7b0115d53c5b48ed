//! A table that a query joins its streams with: all of its rows as they are when the batch is decided.
//!
//! The rows stay in memory, and every batch adds what has come since; how far that is belongs to the batch's intent,
//! so that its repetition sees the same table.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::concat_batches;

use crate::error::{QueryError, SourceError};
use crate::plan::pipeline::TableRows;
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
    shape: Shape,
    /// Bytes that the rows may take in memory.
    bytes_max: usize,
    /// By log and partition, in order of offset: so that their order is the same however they were read.
    rows: BTreeMap<(String, u32), Vec<RecordBatch>>,
    version: u64,
}

impl Lookup {
    /// An empty table of rows of this shape.
    pub(crate) fn new(source: Arc<dyn Source>, shape: Shape, bytes_max: usize) -> Self {
        Lookup { source, shape, bytes_max, rows: BTreeMap::new(), version: 0 }
    }

    /// All rows.
    pub(crate) fn now(&self) -> TableRows {
        TableRows { rows: self.rows.values().flatten().cloned().collect(), version: self.version }
    }

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
        for pinned in self.pin_until(&mut at, &until).await? {
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
        Ok(self.pin_until(&mut at, &bounds.until).await?)
    }

    /// What an unfinished batch had found.
    pub(crate) async fn reread(&self, ranges: &Ranges) -> Result<Vec<Pinned>, QueryError> {
        let mut found = Vec::new();
        for (log, partition, range) in each(ranges) {
            let ranges = Ranges::from([(log.clone(), BTreeMap::from([(partition, range)]))]);
            found.push(self.source.reread(&ranges).await?);
        }
        found.retain(|pinned| !pinned.is_empty());
        Ok(found)
    }

    /// Each partition by itself.
    async fn pin_until(&self, at: &mut Offsets, until: &Offsets) -> Result<Vec<Pinned>, SourceError> {
        let mut found = Vec::new();
        for (log, partition, end) in each(until) {
            let until = Offsets::from([(log.clone(), BTreeMap::from([(partition, end)]))]);
            let limits = Limits { rows: CHUNK_ROWS, bytes: CHUNK_BYTES, until: Some(Arc::new(until)) };
            let reached =
                |at: &Offsets| at.get(log).and_then(|log| log.get(&partition)).is_some_and(|at| *at >= end);
            while !reached(at) {
                let pinned = self.source.pin(at, &limits, found.len() as u64).await?;
                if pinned.is_empty() {
                    break;
                }
                pinned.advance(at);
                found.push(pinned);
            }
        }
        Ok(found)
    }

    /// Adds the rows of a partition; gives them back for who wants to know what was refused.
    ///
    /// # Errors
    /// Records that cannot be read, or a table that has grown too large.
    pub(crate) fn take_in(&mut self, pinned: Pinned) -> Result<Rows, QueryError> {
        let place = each(&pinned.ranges).next().map(|(log, partition, _)| (log.clone(), partition));
        let rows = pinned.rows(&self.shape)?;
        if rows.batch.num_rows() > 0 {
            self.version += 1;
            append(self.rows.entry(place.unwrap_or_default()).or_default(), rows.batch.clone());
        }
        let needed = self.rows.values().flatten().map(RecordBatch::get_array_memory_size).sum();
        if needed > self.bytes_max {
            let table = self.source.name().to_owned();
            return Err(QueryError::LargeTable { table, needed, limit: self.bytes_max });
        }
        Ok(rows)
    }
}

/// Every partition of every log.
fn each<T: Copy>(logs: &BTreeMap<String, BTreeMap<u32, T>>) -> impl Iterator<Item = (&String, u32, T)> {
    logs.iter().flat_map(|(log, partitions)| {
        partitions.iter().map(move |(partition, value)| (log, *partition, *value))
    })
}

/// Puts rows behind the others. Small batches become one, so that there are few however the rows came.
fn append(batches: &mut Vec<RecordBatch>, rows: RecordBatch) {
    batches.push(rows);
    while let [.., before, last] = &batches[..]
        && before.num_rows() <= 2 * last.num_rows()
        && before.num_rows() + last.num_rows() <= CHUNK_ROWS as usize
        && let Ok(both) = concat_batches(&last.schema(), [before, last])
    {
        batches.truncate(batches.len() - 2);
        batches.push(both);
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
