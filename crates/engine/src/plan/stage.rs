//! A plan that is compiled once and run with other input each time.

use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::{ExecutionPlan, collect};

use crate::plan::slot::Slot;

/// A plan whose leaves are slots.
#[derive(Debug)]
pub(crate) struct Stage {
    plan: Arc<dyn ExecutionPlan>,
    slots: Vec<Arc<Slot>>,
}

impl Stage {
    pub(crate) fn new(plan: Arc<dyn ExecutionPlan>, slots: Vec<Arc<Slot>>) -> Self {
        Stage { plan, slots }
    }

    /// Runs the plan over these batches, those of one slot after those of another.
    pub(crate) async fn run(
        &self,
        inputs: Vec<Vec<RecordBatch>>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        for (slot, input) in self.slots.iter().zip(inputs) {
            slot.fill(input);
        }
        // A fresh copy per run: operators keep what they learned in a run, and metrics would pile up.
        let run = match reset_plan_states(Arc::clone(&self.plan)) {
            Ok(plan) => collect(plan, Arc::clone(context)).await,
            Err(error) => Err(error),
        };
        for slot in &self.slots {
            slot.fill(Vec::new());
        }
        run
    }
}
