//! A function of each key's rows and of what it remembered: Spark's `applyInPandasWithState`.
//!
//! The logical node becomes a physical one that the pipeline takes out again, for [`crate::operator::keyed`] to do the
//! work. Nobody else knows what such a node means.

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::datatypes::SchemaRef;
use datafusion::catalog::Session;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DFSchema, DFSchemaRef, Result, not_impl_err, plan_datafusion_err};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion::logical_expr::{
    Expr, Extension, LogicalPlan, UserDefinedLogicalNode, UserDefinedLogicalNodeCore,
};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{Boundedness, EmissionType};
use datafusion::physical_plan::{
    DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties, ReplaceChildrenOptions,
};
use datafusion::physical_planner::{ExtensionPlanner, PhysicalPlanner};

use crate::operator::scope::Scope;
use crate::streaming::keyed::Keyed;

/// A function of each key's rows over its input.
#[derive(Debug, Clone)]
pub(crate) struct KeyedMap {
    input: LogicalPlan,
    keyed: Arc<Keyed>,
    scope: Arc<Scope>,
    schema: DFSchemaRef,
}

impl KeyedMap {
    /// # Errors
    /// Two columns of the output have one name.
    pub(crate) fn plan(input: LogicalPlan, keyed: Keyed, scope: &Arc<Scope>) -> Result<LogicalPlan> {
        let schema = Arc::new(DFSchema::try_from(keyed.output.as_ref().clone())?);
        let (keyed, scope) = (Arc::new(keyed), Arc::clone(scope));
        let node = Arc::new(KeyedMap { input, keyed, scope, schema });
        Ok(LogicalPlan::Extension(Extension { node }))
    }

    pub(crate) fn keyed(&self) -> &Keyed {
        &self.keyed
    }
}

impl PartialEq for KeyedMap {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.keyed, &other.keyed) && self.input == other.input
    }
}

impl Eq for KeyedMap {}

impl Hash for KeyedMap {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.input.hash(state);
    }
}

impl PartialOrd for KeyedMap {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl UserDefinedLogicalNodeCore for KeyedMap {
    fn name(&self) -> &str {
        "KeyedMap"
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        vec![&self.input]
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        Vec::new()
    }

    /// What the function makes is not in what it takes.
    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.keyed)
    }

    fn with_exprs_and_inputs(&self, _: Vec<Expr>, mut inputs: Vec<LogicalPlan>) -> Result<Self> {
        let input = inputs.pop().ok_or_else(|| plan_datafusion_err!("a function of keys has one input"))?;
        Ok(KeyedMap { input, ..self.clone() })
    }

    /// The function sees all columns, whoever asks for which of its own.
    fn necessary_children_exprs(&self, _: &[usize]) -> Option<Vec<Vec<usize>>> {
        Some(vec![(0..self.input.schema().fields().len()).collect()])
    }
}

/// The same for the pipeline.
#[derive(Debug, Clone)]
pub(crate) struct KeyedExec {
    input: Arc<dyn ExecutionPlan>,
    pub(crate) keyed: Arc<Keyed>,
    pub(crate) scope: Arc<Scope>,
    properties: Arc<PlanProperties>,
}

impl KeyedExec {
    fn new(input: Arc<dyn ExecutionPlan>, keyed: Arc<Keyed>, scope: Arc<Scope>) -> Self {
        let schema: SchemaRef = Arc::clone(&keyed.output);
        let properties = PlanProperties::new(
            EquivalenceProperties::new(schema),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Final,
            Boundedness::Bounded,
        );
        KeyedExec { input, keyed, scope, properties: Arc::new(properties) }
    }

    pub(crate) fn input(&self) -> &Arc<dyn ExecutionPlan> {
        &self.input
    }
}

impl DisplayAs for KeyedExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyedExec: {}", self.keyed)
    }
}

impl ExecutionPlan for KeyedExec {
    fn name(&self) -> &str {
        "KeyedExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
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
        let input = children.pop().ok_or_else(|| plan_datafusion_err!("a function of keys has one input"))?;
        Ok(Arc::new(KeyedExec::new(input, Arc::clone(&self.keyed), Arc::clone(&self.scope))))
    }

    fn with_new_children(
        self: Arc<Self>,
        mut children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let input = children.pop().ok_or_else(|| plan_datafusion_err!("a function of keys has one input"))?;
        Ok(Arc::new(KeyedExec::new(input, Arc::clone(&self.keyed), Arc::clone(&self.scope))))
    }

    fn execute(&self, _: usize, _: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        not_impl_err!("a function that remembers runs over streams only")
    }
}

/// Plans the node.
#[derive(Debug)]
pub(crate) struct Planner;

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
        let (Some(map), [input]) = (node.as_any().downcast_ref::<KeyedMap>(), inputs) else {
            return Ok(None);
        };
        let (keyed, scope) = (Arc::clone(&map.keyed), Arc::clone(&map.scope));
        Ok(Some(Arc::new(KeyedExec::new(Arc::clone(input), keyed, scope))))
    }
}
