//! Operators of streams over rows that end: all rows are their one batch.
//!
//! Sessions and functions that remember have no plan of DataFusion's. Their operators take everything in at once, start
//! from nothing, and what they remember goes with them.

use std::fmt;
use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DataFusionError, Result, plan_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::aggregates::AggregateExec;
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
    collect,
};
use futures::{StreamExt, TryStreamExt};

use crate::operator::aggregate::{IncrementalAggregate, OutputMode, Told, session_key};
use crate::operator::keyed::KeyedState;
use crate::operator::stateful::{Config, Moment, Operator};
use crate::plan::incremental::{CutError, raw_aggregate, raw_input};
use crate::plan::keyed::KeyedExec;

type Node = Arc<dyn ExecutionPlan>;

/// The plan with such nodes made able to run; each may hold so many bytes.
///
/// # Errors
/// What the operator of such a node cannot do.
pub(crate) fn run_once(plan: Node, bytes_max: usize) -> Result<Node> {
    let made = plan.transform_down(|node| match Once::input_of(&node) {
        Some(input) => {
            Ok(Transformed::yes(Arc::new(Once::new(Arc::clone(&node), input, bytes_max)?) as Node))
        }
        None => Ok(Transformed::no(node)),
    })?;
    Ok(made.data)
}

/// A node whose rows an operator of streams makes.
#[derive(Debug)]
struct Once {
    /// What is to be done: an aggregation by sessions, or a function that remembers.
    node: Node,
    input: Node,
    bytes_max: usize,
    properties: Arc<PlanProperties>,
}

impl Once {
    fn new(node: Node, input: Node, bytes_max: usize) -> Result<Self> {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(node.schema()),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        let once = Once { node, input, bytes_max, properties: Arc::new(properties) };
        // To hear now what cannot be done.
        once.operator(&Arc::new(TaskContext::default()))?;
        Ok(once)
    }

    /// What such a node reads; nothing for others. Of the halves of an aggregation the upper one stands for both.
    fn input_of(node: &Node) -> Option<Node> {
        if let Some(keyed) = node.downcast_ref::<KeyedExec>() {
            return Some(Arc::clone(keyed.input()));
        }
        let aggregate = node.downcast_ref::<AggregateExec>()?;
        let by_sessions = session_key(raw_aggregate(aggregate).ok()?).is_some();
        raw_input(aggregate).ok().filter(|_| by_sessions).cloned()
    }

    fn over(&self, mut inputs: Vec<Node>) -> Result<Node> {
        let input = inputs.pop().ok_or_else(|| plan_datafusion_err!("{} has one input", self.node.name()))?;
        Ok(Arc::new(Once::new(Arc::clone(&self.node), input, self.bytes_max)?))
    }

    fn operator(&self, context: &Arc<TaskContext>) -> Result<Box<dyn Operator>> {
        let config = Config { query: String::new(), operator: 0, state_bytes_max: self.bytes_max };
        let refused = |error: CutError| DataFusionError::External(error.into());
        if let Some(keyed) = self.node.downcast_ref::<KeyedExec>() {
            return Ok(Box::new(KeyedState::try_new(keyed, config).map_err(refused)?));
        }
        let aggregate = self.node.downcast_ref::<AggregateExec>();
        let aggregate =
            aggregate.ok_or_else(|| plan_datafusion_err!("{} has no operator", self.node.name()))?;
        let (told, context) = (Told::only(OutputMode::Complete), Arc::clone(context));
        Ok(Box::new(IncrementalAggregate::try_new(aggregate, told, config, context).map_err(refused)?))
    }
}

impl DisplayAs for Once {
    fn fmt_as(&self, kind: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.node.fmt_as(kind, f)
    }
}

impl ExecutionPlan for Once {
    fn name(&self) -> &str {
        self.node.name()
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        visit: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        self.node.apply_expressions(visit)
    }

    fn replace_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.over(children)
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let (schema, input) = (self.schema(), Arc::clone(&self.input));
        let mut operator = self.operator(&context)?;
        let rows = async move {
            let rows = collect(input, context).await?;
            let moment = Moment { batch: 1, ..Moment::default() };
            let merged = operator.merge(vec![rows], &moment).await;
            let merged = merged.map_err(|error| DataFusionError::External(error.into()))?;
            Ok::<_, DataFusionError>(futures::stream::iter(merged.rows.into_iter().map(Ok)))
        };
        let rows = futures::stream::once(rows).try_flatten().boxed();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, rows)))
    }
}
