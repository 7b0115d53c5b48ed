//! Watermarks on computed columns: the rows are computed first, so that their times are known to everything above.

use std::sync::Arc;

use datafusion::arrow::array::{AsArray, RecordBatch};
use datafusion::arrow::compute::max;
use datafusion::arrow::datatypes::{SchemaRef, TimestampMicrosecondType};
use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use futures::future::BoxFuture;

use super::{Flow, Inputs, Pipeline, Step};
use crate::operator::stateful::{Moment, OperatorError};
use crate::plan::watermark::{WatermarkExec, relabelled};

/// A watermark, and the newest time that a batch brought it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Observed {
    /// As the journal calls it.
    pub(crate) name: String,
    pub(crate) delay_us: i64,
    pub(crate) newest: Option<i64>,
}

impl Observed {
    pub(super) fn new(number: usize, delay_us: i64) -> Self {
        Observed { name: format!("#{number}"), delay_us, newest: None }
    }
}

/// Where a plan marks a column.
#[derive(Debug)]
pub(super) struct Watch {
    number: usize,
    column: usize,
    schema: SchemaRef,
    below: Step,
    /// What the batch brought, until it runs on.
    kept: Option<Vec<RecordBatch>>,
}

impl Watch {
    pub(super) fn new(number: usize, node: &WatermarkExec, below: Step) -> Self {
        Watch { number, column: node.column, schema: node.schema(), below, kept: None }
    }

    async fn compute(
        &mut self,
        inputs: Inputs<'_>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>, OperatorError> {
        // No operator stands below: nobody asks the moment.
        let moment = Moment::default();
        let Flow { rows, .. } = self.below.run(inputs, &moment, context, &mut Vec::new()).await?;
        let rows = rows.iter().map(|rows| relabelled(rows, &self.schema)).collect::<Result<_, _>>();
        rows.map_err(|source| OperatorError::Run { batch: moment.batch, source })
    }

    /// The rows, computed now if nobody has looked at them before.
    pub(super) async fn rows(
        &mut self,
        inputs: Inputs<'_>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>, OperatorError> {
        match self.kept.take() {
            Some(rows) => Ok(rows),
            None => self.compute(inputs, context).await,
        }
    }

    fn newest(&self, rows: &[RecordBatch]) -> Option<i64> {
        let newest = |rows: &RecordBatch| {
            max(rows.column(self.column).as_primitive_opt::<TimestampMicrosecondType>()?)
        };
        rows.iter().filter_map(newest).max()
    }
}

impl Pipeline {
    /// The watermarks, without looking at anything.
    pub(crate) fn watermarks(&self) -> &[Observed] {
        &self.watermarks
    }

    /// Looks at the times of a batch; the rows wait for [`Pipeline::run`].
    ///
    /// # Errors
    /// [`Pipeline::abort`] the batch before anything else.
    pub(crate) async fn observe(&mut self, inputs: Inputs<'_>) -> Result<Vec<Observed>, OperatorError> {
        let mut found = self.watermarks.clone();
        self.root.observe(inputs, &self.context, &mut found).await?;
        Ok(found)
    }
}

impl Step {
    fn observe<'a>(
        &'a mut self,
        inputs: Inputs<'a>,
        context: &'a Arc<TaskContext>,
        found: &'a mut Vec<Observed>,
    ) -> BoxFuture<'a, Result<(), OperatorError>> {
        Box::pin(async move {
            match self {
                Step::Source(_) | Step::Table(_) => {}
                Step::Plan(_, below) | Step::Operator(_, below) => {
                    for step in below {
                        step.observe(inputs, context, &mut *found).await?;
                    }
                }
                Step::Watch(watch) => {
                    watch.below.observe(inputs, context, &mut *found).await?;
                    let rows = watch.compute(inputs, context).await?;
                    found[watch.number].newest = watch.newest(&rows);
                    watch.kept = Some(rows);
                }
                Step::TableJoin(_, below) => below.observe(inputs, context, &mut *found).await?,
            }
            Ok(())
        })
    }

    /// Forgets rows that wait.
    pub(super) fn forget(&mut self) {
        match self {
            Step::Source(_) | Step::Table(_) => {}
            Step::Plan(_, below) | Step::Operator(_, below) => below.iter_mut().for_each(Step::forget),
            Step::Watch(watch) => {
                watch.kept = None;
                watch.below.forget();
            }
            Step::TableJoin(_, below) => below.forget(),
        }
    }
}
