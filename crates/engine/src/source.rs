//! Where a query's rows come from: one trait, whatever is behind it.
//!
//! A source is a set of logs (topics, a directory, a generator), each with partitions, each partition with
//! offsets. What a query has consumed is an offset for each of them, which its journal keeps by the log's name; so
//! it looks alike for every source, and a batch can be read again from its ranges alone.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use futures::future::BoxFuture;

use crate::error::SourceError;
use crate::operator::scope::Refusals;
use crate::query::journal::Ranges;
use crate::source::format::Format;
use crate::source::records::SourceRecords;
use crate::source::shape::Shape;
use crate::status::{Offsets, SourceOffset};

pub(crate) mod bounded;
pub(crate) mod files;
pub(crate) mod format;
pub(crate) mod kafka;
pub(crate) mod metadata;
pub(crate) mod rate;
pub(crate) mod records;
pub(crate) mod shape;
pub(crate) mod socket;
pub(crate) mod topic;

/// log -> partition -> how far, and how far there is.
pub(crate) type Standing = BTreeMap<String, BTreeMap<u32, SourceOffset>>;

/// How much one batch may take in.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits {
    pub(crate) rows: u64,
    pub(crate) bytes: usize,
    /// Nothing from these offsets on: where a bounded read ends. Partitions that it does not name are left alone.
    pub(crate) until: Option<Arc<Offsets>>,
}

/// Something that rows come from. A cheap handle is shared by the query's loop and whoever asks how far it is.
///
/// Logs that a source does not know may be among positions and ranges that it is given: they belong to the
/// query's other sources.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// What people call it: the topic, the directory.
    fn name(&self) -> &str;

    /// Where a new query begins.
    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>>;

    /// Waits until there is something after the positions. May be dropped while it waits.
    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>>;

    /// Takes what is there after the positions, within the limits; possibly nothing. `turn` counts up with the
    /// batches: who goes first changes with it, so that no partition waits for ever behind another.
    fn pin<'a>(
        &'a self,
        positions: &'a Offsets,
        limits: &'a Limits,
        turn: u64,
    ) -> BoxFuture<'a, Result<Pinned, SourceError>>;

    /// Takes ranges that were pinned before: the same records again.
    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>>;

    /// Makes what was pinned durable, before a batch may stand on it; false if that cannot be, and has to be pinned anew:
    /// another program that goes on from the same place was faster.
    fn secure<'a>(&'a self, pinned: &'a Pinned) -> BoxFuture<'a, Result<bool, SourceError>>;

    /// Where a bounded read begins and ends: everything that is there now. `None` of a source without an end of now.
    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>>;

    /// How far the positions are from the ends, as far as it is known without waiting.
    fn progress(&self, positions: &Offsets) -> Standing;

    /// Everything before the positions was consumed for good.
    fn commit(&self, _positions: &Offsets) {}
}

/// From where to where a bounded read goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Bounds {
    pub(crate) from: Offsets,
    pub(crate) until: Offsets,
}

/// Ranges with what lies in them.
#[derive(Debug)]
pub(crate) struct Pinned {
    pub(crate) ranges: Ranges,
    content: Box<dyn Content>,
}

/// What was pinned, not yet read.
pub(crate) trait Content: fmt::Debug + Send + Sync {
    /// The rows of this shape, in order of log, partition and offset.
    fn rows(self: Box<Self>, shape: &Shape) -> Result<Rows, SourceError>;
}

/// Records that were taken already.
#[derive(Debug)]
pub(crate) struct Taken {
    records: SourceRecords,
    format: Format,
}

impl Taken {
    /// Puts the records in order.
    pub(crate) fn new(mut records: SourceRecords, format: &Format) -> Self {
        records.sort();
        Taken { records, format: format.clone() }
    }
}

impl Content for Taken {
    fn rows(self: Box<Self>, shape: &Shape) -> Result<Rows, SourceError> {
        shape.decode(&self.format, self.records).map_err(SourceError::Decode)
    }
}

/// A batch of rows and the records that they came from.
#[derive(Debug)]
pub(crate) struct Rows {
    pub(crate) batch: RecordBatch,
    /// Every record that was read. The column [`ROW`](crate::operator::scope::ROW) counts them; without it, and where
    /// none is refused, they may be left out.
    pub(crate) records: SourceRecords,
    /// What is wrong with those that gave no row, by their number.
    pub(crate) refused: Refusals,
}

impl Pinned {
    pub(crate) fn new(ranges: Ranges, content: impl Content + 'static) -> Self {
        Pinned { ranges, content: Box::new(content) }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.values().all(BTreeMap::is_empty)
    }

    pub(crate) fn rows(self, shape: &Shape) -> Result<Rows, SourceError> {
        self.content.rows(shape)
    }

    /// The positions after these ranges.
    pub(crate) fn advance(&self, positions: &mut Offsets) {
        for (log, partitions) in &self.ranges {
            let log = positions.entry(log.clone()).or_default();
            log.extend(partitions.iter().map(|(partition, (_, to))| (*partition, *to)));
        }
    }
}
