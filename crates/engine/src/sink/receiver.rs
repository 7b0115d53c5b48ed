//! Rows for whoever a door puts there: `foreachBatch` and its kin.

use std::error::Error;
use std::fmt::Debug;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use futures::future::BoxFuture;

use crate::error::SinkError;
use crate::sink::{Delivery, Sink, rows_of};

/// Takes the rows of a query, batch by batch, in order. After a crash the last batch may come again, under its number.
pub trait Receiver: Debug + Send + Sync {
    /// As the progress of the query names it.
    fn description(&self) -> String;

    /// Takes a batch, also one without rows; `batch` counts from 0.
    fn take<'a>(
        &'a self,
        batch: u64,
        rows: &'a [RecordBatch],
    ) -> BoxFuture<'a, Result<(), Box<dyn Error + Send + Sync>>>;
}

/// A receiver is equal to itself alone.
#[derive(Debug, Clone)]
pub(crate) struct Given(pub(crate) Arc<dyn Receiver>);

impl PartialEq for Given {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for Given {}

/// Hands the rows over.
#[derive(Debug)]
pub(crate) struct ReceiverSink(pub(crate) Given);

impl Sink for ReceiverSink {
    fn description(&self) -> String {
        self.0.0.description()
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            // Spark counts batches from 0.
            let batch = delivery.batch.saturating_sub(1);
            self.0.0.take(batch, rows).await.map_err(SinkError::Receiver)?;
            Ok(rows_of(rows))
        })
    }
}
