//! A watermark on a column that is computed: Spark's `withWatermark` on any frame.
//!
//! The logical node marks the column as a table's own watermark does ([`event_time`]). The pipeline looks at the
//! rows that come here before it runs anything else, so that all operators of a batch see the same watermark.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{Column, DFSchema, DFSchemaRef, Result, plan_datafusion_err, plan_err};
use datafusion::execution::context::QueryPlanner;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::Boundedness;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, ExecutionPlanProperties, PlanProperties,
    ReplaceChildrenOptions,
};
use datafusion::physical_planner::{DefaultPhysicalPlanner, ExtensionPlanner, PhysicalPlanner};
use futures::StreamExt;

use crate::plan::event_time;
use crate::state::expiry::TimeKind;

/// Marks a column of its input.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Watermark {
    input: LogicalPlan,
    column: Column,
    delay_us: i64,
    schema: DFSchemaRef,
}

impl Watermark {
    /// # Errors
    /// The column is not there, or is no time.
    pub(crate) fn plan(input: LogicalPlan, column: Column, delay_us: i64) -> Result<LogicalPlan> {
        let node = Arc::new(Self::try_new(input, column, delay_us)?);
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    fn try_new(input: LogicalPlan, column: Column, delay_us: i64) -> Result<Self> {
        let index = input.schema().index_of_column(&column)?;
        let mut fields: Vec<_> =
            input.schema().iter().map(|(of, field)| (of.cloned(), Arc::clone(field))).collect();
        let marked = event_time::marked(&fields[index].1, delay_us);
        if event_time::kind(&marked) != Some(TimeKind::Instant) {
            return plan_err!("the event time {column} is {}, no timestamp", marked.data_type());
        }
        fields[index].1 = Arc::new(marked);
        let schema = DFSchema::new_with_metadata(fields, input.schema().metadata().clone())?;
        let schema = schema.with_functional_dependencies(input.schema().functional_dependencies().clone())?;
        Ok(Watermark { input, column, delay_us, schema: Arc::new(schema) })
    }
}

impl PartialOrd for Watermark {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for Watermark {
    fn name(&self) -> &str {
        "EventTimeWatermark"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        vec![Expr::Column(self.column.clone())]
    }

    /// As Spark: what does not ask the time may be asked before.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        HashSet::from([self.column.name.clone()])
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EventTimeWatermark: {}, delay {} us", self.column, self.delay_us)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.pop().ok_or_else(|| plan_datafusion_err!("a watermark has one input"))?;
        match exprs.as_slice() {
            [Expr::Column(column)] => Self::try_new(input, column.clone(), self.delay_us),
            _ => plan_err!("a watermark is on a column"),
        }
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        let own = self.schema.index_of_column(&self.column).ok()?;
        let mut needed = output_columns.to_vec();
        if !needed.contains(&own) {
            needed.push(own);
        }
        needed.sort_unstable();
        Some(vec![needed])
    }
}

/// Rows with a column whose newest time moves the watermark.
#[derive(Debug, Clone)]
pub(crate) struct WatermarkExec {
    input: Arc<dyn ExecutionPlan>,
    pub(crate) column: usize,
    pub(crate) delay_us: i64,
    properties: Arc<PlanProperties>,
}

impl WatermarkExec {
    fn new(input: Arc<dyn ExecutionPlan>, column: usize, delay_us: i64) -> Self {
        let below = input.schema();
        let field = |(index, field): (usize, &Arc<Field>)| match index == column {
            true => Arc::new(event_time::marked(field, delay_us)),
            false => Arc::clone(field),
        };
        let fields: Vec<_> = below.fields().iter().enumerate().map(field).collect();
        let schema = Arc::new(Schema::new_with_metadata(fields, below.metadata().clone()));
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            input.output_partitioning().clone(),
            input.pipeline_behavior(),
            Boundedness::Bounded,
        );
        WatermarkExec { input, column, delay_us, properties: Arc::new(properties) }
    }

    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

/// The rows with these very fields.
pub(crate) fn relabelled(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    let columns = rows.columns().to_vec();
    let count = datafusion::arrow::array::RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &count)?)
}

impl DisplayAs for WatermarkExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EventTimeWatermark: {}, delay {} us",
            self.schema().field(self.column).name(),
            self.delay_us
        )
    }
}

impl ExecutionPlan for WatermarkExec {
    fn name(&self) -> &str {
        "WatermarkExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| plan_datafusion_err!("a watermark has one input"))?;
        Ok(Arc::new(WatermarkExec::new(input, self.column, self.delay_us)))
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| plan_datafusion_err!("a watermark has one input"))?;
        Ok(Arc::new(WatermarkExec::new(input, self.column, self.delay_us)))
    }

    fn execute(&self, partition: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let schema = self.schema();
        let of = Arc::clone(&schema);
        let rows = self.input.execute(partition, context)?.map(move |rows| relabelled(&rows?, &of));
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}

/// The planner that knows watermarks.
#[derive(Debug)]
pub(crate) struct Planner;

#[async_trait::async_trait]
impl QueryPlanner for Planner {
    async fn create_physical_plan(
        &self,
        plan: &LogicalPlan,
        session: &dyn Session,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let planner = DefaultPhysicalPlanner::with_extension_planners(vec![
            Arc::new(Planner),
            Arc::new(crate::plan::keyed::Planner),
        ]);
        planner.create_physical_plan(plan, session).await
    }
}

#[async_trait::async_trait]
impl ExtensionPlanner for Planner {
    async fn plan_extension(
        &self,
        _: &dyn PhysicalPlanner,
        node: &dyn UserDefinedLogicalNode,
        _: &[&LogicalPlan],
        inputs: &[Arc<dyn ExecutionPlan>],
        _: &dyn Session,
        _: &PhysicalPlanningContext,
    ) -> Result<Option<Arc<dyn ExecutionPlan>>> {
        let (Some(watermark), [input]) = (node.as_any().downcast_ref::<Watermark>(), inputs) else {
            return Ok(None);
        };
        let column = watermark.schema.index_of_column(&watermark.column)?;
        Ok(Some(Arc::new(WatermarkExec::new(Arc::clone(input), column, watermark.delay_us))))
    }
}
