//! Cuts the plan of an aggregation into three that run again with every batch.
//!
//! ```text
//! [projection, having] <- AggregateExec <- stateless subtree <- leaf         what the planner made
//!
//! Partial       <- stateless subtree <- slot      new rows          -> state rows
//! PartialReduce <- slot                           state rows        -> one state row per key
//! [projection, having] <- Final <- slot           state rows        -> result rows
//! ```
//!
//! Between the three stands the store ([`crate::operator::aggregate`]). Because DataFusion names and types
//! the state of every function, any function fits whose state rows can be merged; because every run is a
//! bounded plan, nothing of DataFusion needs to know of streams. What cannot be done this way is refused
//! here, when the query is created, by the name of the part.
//!
//! Plans made with [`session`]'s settings fit best: one partition, because a small batch is over before
//! a second thread has woken up; no dynamic filters, because they survive the reset between two runs.

use std::sync::Arc;

use datafusion::arrow::record_batch::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::Optimizer;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::streaming::StreamingTableExec;
use datafusion::physical_plan::{ChildrenPropertiesMode, ExecutionPlan, ReplaceChildrenOptions, collect};
use datafusion::prelude::SessionConfig;

use crate::state::key::KeyEncoder;
use crate::state::layout::{Layout, Part, types};

mod slot;

pub(crate) use slot::Slot;

/// Why a plan cannot run incrementally.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutError {
    /// A part of the query needs more than the state rows of the touched keys.
    #[error("cannot aggregate incrementally: {part}: {reason}")]
    Unsupported {
        /// The operator, function or key.
        part: String,
        /// Why not.
        reason: &'static str,
    },
    /// DataFusion refused one of the parts.
    #[error("cut the plan of an aggregation")]
    Plan(#[from] DataFusionError),
}

/// Which rows leave after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OutputMode {
    /// Those of the keys that the batch touched.
    Update,
    /// Those of all keys.
    Complete,
}

/// A plan that is compiled once and run with other input each time.
#[derive(Debug)]
pub(crate) struct Stage {
    plan: Arc<dyn ExecutionPlan>,
    slot: Arc<Slot>,
}

impl Stage {
    /// Runs the plan over these batches.
    pub(crate) async fn run(
        &self,
        input: Vec<RecordBatch>,
        context: &Arc<TaskContext>,
    ) -> Result<Vec<RecordBatch>, DataFusionError> {
        self.slot.fill(input);
        // A fresh copy per run: operators keep what they learned in a run, and metrics would pile up.
        let run = match reset_plan_states(Arc::clone(&self.plan)) {
            Ok(plan) => collect(plan, Arc::clone(context)).await,
            Err(error) => Err(error),
        };
        self.slot.fill(Vec::new());
        run
    }
}

/// The three plans, and what a state row consists of.
#[derive(Debug)]
pub(crate) struct Cut {
    /// New rows to state rows, a key possibly more than once.
    pub(crate) partial: Stage,
    /// State rows to state rows, every key once.
    pub(crate) reduce: Stage,
    /// State rows to results.
    pub(crate) finish: Stage,
    /// The columns of a state row.
    pub(crate) layout: Layout,
}

impl Cut {
    /// Cuts `plan`, whose single leaf must be a [`StreamingTableExec`].
    pub(crate) fn try_new(plan: &Arc<dyn ExecutionPlan>, output: OutputMode) -> Result<Self, CutError> {
        let (above, aggregate) = descend(plan, output)?;
        let source = raw_aggregate(aggregate)?;
        check_aggregate(aggregate)?;
        check_aggregate(source)?;
        let group = source.group_expr();
        let functions = source.aggr_expr().to_vec();
        let unfiltered = vec![None; functions.len()];

        let (slot, input) = below(source.input())?;
        let filters = source.filter_expr().to_vec();
        let raw_schema = source.input_schema();
        let partial = AggregateExec::try_new(
            AggregateMode::Partial,
            group.clone(),
            functions.clone(),
            filters,
            input,
            Arc::clone(&raw_schema),
        )?;
        let layout = layout(&partial)?;
        let merging = |mode| -> Result<(Arc<Slot>, Arc<dyn ExecutionPlan>), CutError> {
            let slot = Slot::new(Arc::clone(&layout.schema));
            let leaf = slot.leaf(None)?;
            let (functions, unfiltered) = (functions.clone(), unfiltered.clone());
            let schema = Arc::clone(&raw_schema);
            let plan = AggregateExec::try_new(mode, group.as_final(), functions, unfiltered, leaf, schema)?;
            Ok((slot, Arc::new(plan)))
        };
        let (reduce_slot, reduce) = merging(AggregateMode::PartialReduce)?;
        let (finish_slot, mut finish) = merging(AggregateMode::Final)?;
        for node in above.into_iter().rev() {
            finish = over(node, finish)?;
        }
        Ok(Self {
            partial: Stage { plan: Arc::new(partial), slot },
            reduce: Stage { plan: reduce, slot: reduce_slot },
            finish: Stage { plan: finish, slot: finish_slot },
            layout,
        })
    }
}

/// A session whose plans can be cut: `base` with one partition, without dynamic filters, and without the
/// rule that turns one `count(distinct ..)` into an aggregation of an aggregation.
pub(crate) fn session(base: SessionConfig) -> SessionContext {
    let state = SessionStateBuilder::new()
        .with_config(settings(base))
        .with_default_features()
        .with_optimizer_rules(logical_rules())
        .build();
    SessionContext::new_with_state(state)
}

/// The settings of [`session`].
pub(crate) fn settings(base: SessionConfig) -> SessionConfig {
    let mut config = base.with_target_partitions(1);
    let optimizer = &mut config.options_mut().optimizer;
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    config
}

/// The logical rules of [`session`].
pub(crate) fn logical_rules() -> Vec<Arc<dyn datafusion::optimizer::OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != "single_distinct_aggregation_to_group_by");
    rules
}

/// Whether a plan aggregates at all: then it needs a [`Cut`], else it can run batch by batch as it is.
pub(crate) fn aggregates(plan: &Arc<dyn ExecutionPlan>) -> bool {
    plan.is::<AggregateExec>() || plan.children().into_iter().any(aggregates)
}

type Node<'a> = &'a Arc<dyn ExecutionPlan>;

/// The nodes above the topmost aggregation, outermost first, and the aggregation.
fn descend(
    plan: &Arc<dyn ExecutionPlan>,
    output: OutputMode,
) -> Result<(Vec<Node<'_>>, &AggregateExec), CutError> {
    let mut above = Vec::new();
    let mut node = plan;
    loop {
        if let Some(aggregate) = node.downcast_ref::<AggregateExec>() {
            return Ok((above, aggregate));
        }
        let reason = match node.name() {
            "ProjectionExec" | "FilterExec" | "UnnestExec" => None,
            "SortExec" | "SortExec(TopK)" | "GlobalLimitExec" | "LocalLimitExec"
                if output == OutputMode::Complete =>
            {
                None
            }
            "SortExec" | "SortExec(TopK)" | "SortPreservingMergeExec" => {
                Some("an order needs all rows, use complete mode")
            }
            "GlobalLimitExec" | "LocalLimitExec" => Some("a limit needs all rows, use complete mode"),
            name if only_moves_rows(name) => {
                node = only_child(node)?;
                continue;
            }
            _ => Some("only projections and filters may stand above the aggregation"),
        };
        if let Some(reason) = reason {
            return Err(unsupported(node.name(), reason));
        }
        above.push(node);
        node = only_child(node)?;
    }
}

/// The aggregation that sees raw rows: `aggregate` itself, or the partial one below a final one.
fn raw_aggregate(aggregate: &AggregateExec) -> Result<&AggregateExec, CutError> {
    match aggregate.mode() {
        AggregateMode::Single | AggregateMode::SinglePartitioned | AggregateMode::Partial => Ok(aggregate),
        AggregateMode::Final | AggregateMode::FinalPartitioned | AggregateMode::PartialReduce => {
            let mut node = aggregate.input();
            while only_moves_rows(node.name()) {
                node = only_child(node)?;
            }
            match node.downcast_ref::<AggregateExec>() {
                Some(inner) => raw_aggregate(inner),
                None => Err(unsupported(node.name(), "stands between the halves of the aggregation")),
            }
        }
    }
}

fn check_aggregate(aggregate: &AggregateExec) -> Result<(), CutError> {
    if aggregate.group_expr().has_grouping_set() {
        let part = "GROUPING SETS, CUBE or ROLLUP";
        return Err(unsupported(part, "a row would belong to several keys; write one query per grouping"));
    }
    if aggregate.limit_options().is_some() {
        return Err(unsupported(
            "a limit on the groups",
            "which groups come first may change with every batch",
        ));
    }
    for function in aggregate.aggr_expr() {
        if !function.order_bys().is_empty() {
            let reason = "an ordered aggregate would have to keep all its rows in order";
            return Err(unsupported(function.name(), reason));
        }
    }
    Ok(())
}

/// The subtree below the aggregation, over a slot in place of its leaf.
fn below(plan: &Arc<dyn ExecutionPlan>) -> Result<(Arc<Slot>, Arc<dyn ExecutionPlan>), CutError> {
    if let Some(leaf) = plan.downcast_ref::<StreamingTableExec>() {
        if leaf.limit().is_some() {
            return Err(unsupported("LIMIT below the aggregation", "it would count over all batches"));
        }
        let slot = Slot::new(Arc::clone(leaf.partition_schema()));
        let plan = slot.leaf(leaf.projection().as_deref())?;
        return Ok((slot, plan));
    }
    match plan.name() {
        "ProjectionExec" | "FilterExec" | "UnnestExec" => {
            let (slot, child) = below(only_child(plan)?)?;
            Ok((slot, over(plan, child)?))
        }
        name if only_moves_rows(name) => below(only_child(plan)?),
        "AggregateExec" => Err(unsupported(
            "an aggregation of an aggregation",
            "the inner one would have to take results back; write its results to a table and read that",
        )),
        name => Err(unsupported(
            name,
            "below the aggregation only projections, filters and unnest over one streaming table may stand",
        )),
    }
}

/// Nodes that change neither rows nor columns: with one partition and whole batches they do nothing.
fn only_moves_rows(name: &str) -> bool {
    const MOVERS: [&str; 5] = [
        "RepartitionExec",
        "CoalescePartitionsExec",
        "CoalesceBatchesExec",
        "CooperativeExec",
        "OutputRequirementExec",
    ];
    MOVERS.contains(&name)
}

fn only_child(plan: &Arc<dyn ExecutionPlan>) -> Result<&Arc<dyn ExecutionPlan>, CutError> {
    match plan.children().as_slice() {
        [child] => Ok(child),
        _ => Err(unsupported(plan.name(), "it has not exactly one input")),
    }
}

/// `node` with another input of the same columns.
fn over(
    node: &Arc<dyn ExecutionPlan>,
    input: Arc<dyn ExecutionPlan>,
) -> Result<Arc<dyn ExecutionPlan>, DataFusionError> {
    let options = ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute);
    Arc::clone(node).replace_children(vec![input], options)
}

fn layout(partial: &AggregateExec) -> Result<Layout, CutError> {
    let schema = partial.schema();
    let keys = partial.group_expr().num_group_exprs();
    let mut parts = Vec::new();
    for (index, field) in schema.fields()[..keys].iter().enumerate() {
        if !KeyEncoder::supports(field.data_type()) {
            return Err(unsupported(field.name(), "values of this type cannot be a key"));
        }
        let expression =
            partial.group_expr().expr().get(index).map(|(key, _)| fmt_sql(key.as_ref()).to_string());
        let content = format!("{} {}", expression.unwrap_or_default(), types(std::slice::from_ref(field)));
        parts.push(Part { name: format!("key {index}"), content });
    }
    for (index, function) in partial.aggr_expr().iter().enumerate() {
        let distinct = if function.is_distinct() { " distinct" } else { "" };
        let arguments: Vec<String> =
            function.expressions().iter().map(|argument| fmt_sql(argument.as_ref()).to_string()).collect();
        let arguments = arguments.join(", ");
        let filter = partial.filter_expr().get(index).and_then(Option::as_ref);
        let filter =
            filter.map_or_else(String::new, |filter| format!(" filter {}", fmt_sql(filter.as_ref())));
        let state = types(&function.state_fields()?);
        let name = function.fun().name();
        let content = format!("{name}{distinct}({arguments}){filter} [{state}]");
        parts.push(Part { name: format!("aggregate {index}"), content });
    }
    Ok(Layout { schema, keys, parts })
}

fn unsupported(part: impl Into<String>, reason: &'static str) -> CutError {
    CutError::Unsupported { part: part.into(), reason }
}

#[cfg(test)]
mod tests;
