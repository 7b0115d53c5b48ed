//! Where a query's rows go.

use std::fmt::Debug;

use datafusion::arrow::array::RecordBatch;
use futures::future::BoxFuture;

use crate::error::SinkError;
use crate::query::journal::Numbers;

pub(crate) mod aligned;
pub(crate) mod columns;
pub(crate) mod console;
pub(crate) mod dead_letter;
pub(crate) mod files;
pub(crate) mod json;
pub(crate) mod kafka;
pub(crate) mod memory;
pub(crate) mod noop;
pub(crate) mod outgoing;
pub(crate) mod outside;
pub(crate) mod postgres;
pub(crate) mod receiver;
pub(crate) mod side_topic;
pub(crate) mod topic;

/// What a sink is told about the rows of a batch. A batch that runs again after a crash tells the same.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    /// The batch's number, counted from 1.
    pub(crate) batch: u64,
    /// The batch's time, in Unix milliseconds.
    pub(crate) time_ms: i64,
    /// The number of the batch's first row among all rows of the query.
    pub(crate) first: u64,
    /// What [`Sink::partitions`] said when the batch was planned.
    pub(crate) partitions: u32,
    /// Whether the rows are the whole result, in the place of what was written before: complete mode.
    pub(crate) replaces: bool,
    /// Sequence numbers, for sinks that have use for them: they are committed with the batch.
    pub(crate) numbers: &'a mut Numbers,
}

/// Takes the rows of a query, batch by batch, in order.
pub(crate) trait Sink: Send + Sync + Debug {
    /// As the progress of the query names it.
    fn description(&self) -> String;

    /// How many partitions rows can go to; written down before the batch runs, so that a repetition sends each
    /// row where it went. 0 where there are none.
    ///
    /// # Errors
    /// If the sink is not there any more.
    fn partitions(&self) -> Result<u32, SinkError> {
        Ok(0)
    }

    /// Whether what was written is gone when the program ends: a query whose batches write the whole result then
    /// writes it once more when it goes on.
    fn forgets(&self) -> bool {
        false
    }

    /// Takes all rows of a batch, also if there are none, and says how many it took. When it returns they are
    /// durable. A batch whose number it has taken before leaves no second trace.
    ///
    /// # Errors
    /// If the rows were not taken, or nobody can tell; the batch runs again at the next start.
    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>>;
}

/// How many rows there are.
pub(crate) fn rows_of(batches: &[RecordBatch]) -> u64 {
    batches.iter().map(|batch| batch.num_rows() as u64).sum()
}
