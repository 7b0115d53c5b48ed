//! A streaming table read once, from the log's start to its end of now, as far as somebody asks for rows.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;

use crate::source::shape::Shape;
use crate::source::{Bounds, Limits, Source};
use crate::status::Offsets;

/// What is decoded at once.
const CHUNK_ROWS: u64 = 8192;

/// What is decoded at once.
const CHUNK_BYTES: usize = 4 * 1024 * 1024;

/// The leaf of a bounded query.
pub(crate) struct BoundedStream {
    source: Arc<dyn Source>,
    shape: Shape,
    bounds: Bounds,
    refused: Arc<AtomicU64>,
}

impl fmt::Debug for BoundedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoundedStream").field("source", &self.source.name()).finish_non_exhaustive()
    }
}

impl BoundedStream {
    /// Reads what lies within the bounds; counts unreadable records in `refused`.
    pub(crate) fn new(
        source: Arc<dyn Source>,
        shape: Shape,
        bounds: Bounds,
        refused: &Arc<AtomicU64>,
    ) -> Self {
        BoundedStream { source, shape, bounds, refused: Arc::clone(refused) }
    }
}

/// Where a reader stands.
struct Reader {
    source: Arc<dyn Source>,
    shape: Shape,
    positions: Offsets,
    limits: Limits,
    refused: Arc<AtomicU64>,
}

impl Reader {
    async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let external = |error| DataFusionError::External(Box::new(error));
        let pinned = self.source.pin(&self.positions, &self.limits, 0).await.map_err(external)?;
        if pinned.is_empty() {
            return Ok(None);
        }
        pinned.advance(&mut self.positions);
        let rows = pinned.rows(&self.shape).map_err(external)?;
        self.refused.fetch_add(rows.refused.len() as u64, Ordering::Relaxed);
        Ok(Some(rows.batch))
    }
}

impl PartitionStream for BoundedStream {
    fn schema(&self) -> &SchemaRef {
        self.shape.schema()
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let until = Some(Arc::new(self.bounds.until.clone()));
        let reader = Reader {
            source: Arc::clone(&self.source),
            shape: self.shape.clone(),
            positions: self.bounds.from.clone(),
            limits: Limits { rows: CHUNK_ROWS, bytes: CHUNK_BYTES, until },
            refused: Arc::clone(&self.refused),
        };
        let batches = futures::stream::unfold(reader, |mut reader| async move {
            reader.next().await.transpose().map(|batch| (batch, reader))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(self.schema()), batches))
    }
}
