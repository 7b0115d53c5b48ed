//! The leaf of a plan that runs once per batch: it gives what was put into it, and is empty again.

use std::sync::{Arc, Mutex, PoisonError};

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::Result;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

/// Larger batches cost more per row: their columns leave the processor's caches between two operators.
const ROWS_MAX: usize = 8192;

/// A place for the batches of the next run.
#[derive(Debug)]
pub(crate) struct Slot {
    schema: SchemaRef,
    batches: Mutex<Vec<RecordBatch>>,
}

impl Slot {
    /// An empty slot for batches of this schema.
    pub(crate) fn new(schema: SchemaRef) -> Arc<Self> {
        Arc::new(Self { schema, batches: Mutex::new(Vec::new()) })
    }

    /// A leaf that reads the slot.
    pub(crate) fn leaf(self: &Arc<Self>, projection: Option<&[usize]>) -> Result<Arc<dyn ExecutionPlan>> {
        let partition: Arc<dyn PartitionStream> = Arc::clone(self) as _;
        let projection = projection.map(<[usize]>::to_vec);
        let schema = Arc::clone(&self.schema);
        let leaf =
            StreamingTableExec::try_new(schema, vec![partition], projection.as_ref(), [], false, None)?;
        Ok(Arc::new(leaf))
    }

    /// Replaces what the next run will read.
    pub(crate) fn fill(&self, batches: Vec<RecordBatch>) {
        *self.batches.lock().unwrap_or_else(PoisonError::into_inner) = batches;
    }

    fn take(&self) -> Vec<RecordBatch> {
        std::mem::take(&mut *self.batches.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl PartitionStream for Slot {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let slices = self.take().into_iter().flat_map(|batch| {
            let rows = batch.num_rows();
            (0..rows).step_by(ROWS_MAX).map(move |start| Ok(batch.slice(start, ROWS_MAX.min(rows - start))))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), futures::stream::iter(slices)))
    }
}
