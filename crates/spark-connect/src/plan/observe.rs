//! `df.observe`: figures of the rows that pass, told when the operation is done.
//!
//! The rows leave the plan for a moment: what is below runs as a plan of its own, whose rows go on to what is above and,
//! at the same time, into a second plan, which makes the figures. So they are any expressions, rows are read once, and
//! nothing above changes which rows are seen.

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use datafusion::arrow::array::{ArrayRef, RecordBatch};
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::{Column as PlanColumn, ScalarValue};
use datafusion::datasource::provider_as_source;
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::utils::find_aggregate_exprs;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::PartitionStream;
use engine::Engine;
use futures::{TryStreamExt, stream as rows_of};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use crate::error::{Class, Result, SparkError};
use crate::expression::literal;
use crate::operation::Operation;
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame};
use crate::python::measured;
use crate::session::{Session, lock};
use crate::wire::execute::{ExecutePlanResponse, ObservedMetrics};
use crate::wire::expression::{ExprType, Literal, LiteralType};
use crate::wire::statistics::CollectMetrics;

pub(crate) mod stream;

/// The name under which clients expect what Python measured of its functions.
const PROFILES: &str = "__python_accumulator__";

/// Batches that wait for the figures.
const BATCHES_AHEAD: usize = 4;

tokio::task_local! {
    /// What the operation observes.
    static OBSERVED: Arc<Mutex<Vec<Observed>>>;
}

/// Figures in the making.
struct Observed {
    name: String,
    keys: Vec<String>,
    plan_id: i64,
    way: Arc<Way>,
    figures: JoinHandle<Result<Vec<RecordBatch>>>,
}

/// The way of the rows to the figures.
#[derive(Debug)]
struct Way {
    sender: Mutex<Option<Sender<RecordBatch>>>,
    /// Rows have been asked for.
    used: AtomicBool,
}

/// Does an operation's work, and tells the client what was observed by it.
pub(crate) async fn observing(
    session: &Session,
    operation: &Operation,
    work: impl Future<Output = Result<()>>,
) -> Result<()> {
    let all: Arc<Mutex<Vec<Observed>>> = Arc::default();
    let (done, profiles) = measured(OBSERVED.scope(Arc::clone(&all), work)).await;
    done?;
    for profile in profiles {
        let value = Literal { literal_type: Some(LiteralType::Binary(profile.into())), ..Literal::default() };
        let metrics =
            ObservedMetrics { name: PROFILES.to_owned(), values: vec![value], ..Default::default() };
        let observed_metrics = vec![metrics];
        operation.answer(session, ExecutePlanResponse { observed_metrics, ..Default::default() }).await;
    }
    let all = std::mem::take(&mut *lock(&all));
    let mut observed_metrics = Vec::new();
    for observed in all {
        observed_metrics.extend(observed.told().await?);
    }
    if !observed_metrics.is_empty() {
        operation.answer(session, ExecutePlanResponse { observed_metrics, ..Default::default() }).await;
    }
    Ok(())
}

/// Whether this is done for an operation, and not to know its columns.
pub(crate) fn in_operation() -> bool {
    OBSERVED.try_with(|_| ()).is_ok()
}

impl Observed {
    /// The figures of all rows; `None` if nobody asked for rows.
    async fn told(self) -> Result<Option<ObservedMetrics>> {
        drop(lock(&self.way.sender).take());
        if !self.way.used.load(Ordering::Acquire) {
            return Ok(None);
        }
        let rows = self.figures.await.map_err(|error| SparkError::internal(error.to_string()))??;
        let row = rows.iter().find(|batch| batch.num_rows() > 0);
        let row = row.ok_or_else(|| SparkError::internal("nothing was made of what was observed"))?;
        let value = |column: &ArrayRef| {
            let value = ScalarValue::try_from_array(column, 0)?;
            match literal::message(&value)?.expr_type {
                Some(ExprType::Literal(value)) => Ok(*value),
                _ => Err(SparkError::internal("a figure is no value")),
            }
        };
        let values = row.columns().iter().map(value).collect::<Result<_>>()?;
        let (name, keys, plan_id) = (self.name, self.keys, self.plan_id);
        Ok(Some(ObservedMetrics { name, values, keys, plan_id, ..ObservedMetrics::default() }))
    }
}

impl Planner<'_> {
    /// The same rows, observed while they pass. Where nothing is run, nothing is observed.
    pub(crate) fn observed(&mut self, frame: Frame, collect: &CollectMetrics, plan_id: i64) -> Result<Frame> {
        if engine::streaming::is_streaming(&frame.plan) {
            return self.observed_stream(frame, collect);
        }
        let plan = LogicalPlanBuilder::from(frame.plan).project(frame.columns.iter().map(Column::expr))?;
        let plan = plan.build()?;
        let schema: SchemaRef = Arc::clone(plan.schema().inner());
        let (sender, receiver) = channel(BATCHES_AHEAD);
        let way = Arc::new(Way { sender: Mutex::new(Some(sender)), used: AtomicBool::new(false) });
        let (engine, zone) = (self.session.engine.clone(), self.session.zone());
        let tap = Tap {
            schema: Arc::clone(&schema),
            plan,
            engine: engine.clone(),
            zone: zone.clone(),
            way: Arc::clone(&way),
        };
        let passed = self.streamed(Arc::new(tap), &frame.columns)?;
        let end = End { schema, receiver: Mutex::new(Some(receiver)) };
        let (figures, keys) = self.figures_of(Arc::new(end), &frame.columns, collect)?;
        let made = async move {
            let mut rows = engine.dataframes(&zone).run(figures).await?;
            let mut batches = Vec::new();
            while let Some(batch) = rows.next().await {
                batches.push(batch?);
            }
            Ok(batches)
        };
        // Outside of an operation only the columns are asked for.
        let _ = OBSERVED.try_with(|all| {
            let (name, figures) = (collect.name.clone(), tokio::spawn(made));
            lock(all).push(Observed { name, keys, plan_id, way, figures });
        });
        Ok(passed)
    }

    /// The plan that makes the figures, and their names.
    fn figures_of(
        &mut self,
        end: Arc<dyn PartitionStream>,
        columns: &[Column],
        collect: &CollectMetrics,
    ) -> Result<(LogicalPlan, Vec<String>)> {
        let rows = self.streamed(end, columns)?;
        let list = self.resolver(&rows).list(&collect.metrics)?;
        if let Some(plain) = list.iter().find(|named| find_aggregate_exprs([&named.expr]).is_empty()) {
            let text = format!("Invalid observed metrics. {} is no aggregate.", plain.name);
            let condition = "INVALID_OBSERVED_METRICS.NON_AGGREGATE_FUNC_ARG_IS_ATTRIBUTE";
            return Err(SparkError::new(Class::Analysis, condition, "42K0E", text));
        }
        let made = self.chosen(rows, list)?;
        let keys = made.names();
        let plan = LogicalPlanBuilder::from(made.plan).project(made.columns.iter().map(Column::expr))?;
        Ok((plan.build()?, keys))
    }

    /// A frame of rows that come from elsewhere, under the names that its columns have.
    fn streamed(&mut self, rows: Arc<dyn PartitionStream>, columns: &[Column]) -> Result<Frame> {
        let table = StreamingTable::try_new(Arc::clone(rows.schema()), vec![rows])?;
        let name = self.new_id();
        let plan = LogicalPlanBuilder::scan(name.as_str(), provider_as_source(Arc::new(table)), None)?;
        let exprs = columns
            .iter()
            .map(|column| Expr::Column(PlanColumn::new(Some(name.as_str()), &column.id)).alias(&column.id));
        let exprs: Vec<Expr> = exprs.collect();
        Ok(Frame { plan: plan.project(exprs)?.build()?, columns: columns.to_vec() })
    }
}

/// The rows, on their way.
#[derive(Debug)]
struct Tap {
    schema: SchemaRef,
    plan: LogicalPlan,
    engine: Engine,
    zone: String,
    way: Arc<Way>,
}

impl PartitionStream for Tap {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        self.way.used.store(true, Ordering::Release);
        let sender = lock(&self.way.sender).clone();
        let (engine, zone, plan) = (self.engine.clone(), self.zone.clone(), self.plan.clone());
        let begun = async move {
            let rows = engine.dataframes(&zone).run(plan).await.map_err(external)?;
            Ok::<_, DataFusionError>(rows_of::unfold((rows, sender), |(mut rows, sender)| async move {
                let batch = rows.next().await?.map_err(external);
                if let (Ok(batch), Some(sender)) = (&batch, &sender) {
                    // Whoever made the figures has failed if nobody listens: they are asked for later.
                    let _ = sender.send(batch.clone()).await;
                }
                Some((batch, (rows, sender)))
            }))
        };
        let rows = rows_of::once(begun).try_flatten();
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

/// Where the rows come to be figures.
#[derive(Debug)]
struct End {
    schema: SchemaRef,
    receiver: Mutex<Option<Receiver<RecordBatch>>>,
}

impl PartitionStream for End {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let receiver = lock(&self.receiver).take();
        let rows = rows_of::unfold(receiver, |receiver| async move {
            let mut receiver = receiver?;
            let batch = receiver.recv().await?;
            Some((Ok(batch), Some(receiver)))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows))
    }
}

fn external(error: engine::SqlError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}
