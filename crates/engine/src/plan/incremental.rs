//! Cuts an aggregation into two plans that run again with every batch.
//!
//! ```text
//! Partial <- slot      new rows      -> state rows
//! Final   <- slot      state rows    -> result rows
//! ```
//!
//! Between the two stands the store, where the state rows of a key become one ([`crate::operator::aggregate`]). Because DataFusion names and types
//! the state of every function, any function fits whose state rows can be merged; because every run is a
//! bounded plan, nothing of DataFusion needs to know of streams. What cannot be done this way is refused
//! here, when the query is created, by the name of the part.

use std::sync::Arc;

use datafusion::common::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::execution::session_state::SessionStateBuilder;
use datafusion::optimizer::Optimizer;
use datafusion::physical_expr::aggregate::AggregateFunctionExpr;
use datafusion::physical_expr_common::physical_expr::fmt_sql;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::aggregates::{AggregateExec, AggregateMode};
use datafusion::prelude::SessionConfig;

use crate::functions::DistinctArguments;
use crate::plan::optimize::{self, ShortConditions};
use crate::plan::slot::Slot;
use crate::plan::stage::Stage;
use crate::plan::watermark;
use crate::state::key::KeyEncoder;
use crate::state::layout::{Layout, Part, types};

mod changes;

pub(crate) use changes::is_lasting;

/// Why a plan cannot run incrementally.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CutError {
    /// A part of the query needs more than the state rows of the touched keys.
    #[error("{part}: {reason}")]
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

/// The two plans, and what a state row consists of.
#[derive(Debug)]
pub(crate) struct Cut {
    /// New rows to state rows, a key possibly more than once.
    pub(crate) partial: Stage,
    /// What makes one state row of several.
    pub(crate) functions: Vec<Arc<AggregateFunctionExpr>>,
    /// State rows to results.
    pub(crate) finish: Stage,
    /// The columns of a state row.
    pub(crate) layout: Layout,
}

impl Cut {
    /// Cuts an aggregation. Its input is what [`raw_input`] says.
    pub(crate) fn try_new(aggregate: &AggregateExec) -> Result<Self, CutError> {
        let source = raw_aggregate(aggregate)?;
        check_aggregate(aggregate)?;
        check_aggregate(source)?;
        let group = source.group_expr();
        let functions = source.aggr_expr().to_vec();
        let unfiltered = vec![None; functions.len()];

        let input = Slot::new(source.input().schema());
        let raw_schema = source.input_schema();
        let partial = AggregateExec::try_new(
            AggregateMode::Partial,
            group.clone(),
            functions.clone(),
            source.filter_expr().to_vec(),
            input.leaf(None)?,
            Arc::clone(&raw_schema),
        )?;
        let layout = layout(&partial)?;
        let slot = Slot::new(Arc::clone(&layout.schema));
        let (mode, keys, leaf) = (AggregateMode::Final, group.as_final(), slot.leaf(None)?);
        let finish = AggregateExec::try_new(mode, keys, functions.clone(), unfiltered, leaf, raw_schema)?;
        let finish = Stage::new(Arc::new(finish), vec![slot]);
        let partial = Stage::new(Arc::new(partial), vec![input]);
        Ok(Self { partial, functions, finish, layout })
    }
}

/// What an aggregation reads: the input of its first half.
pub(crate) fn raw_input(aggregate: &AggregateExec) -> Result<&Arc<dyn ExecutionPlan>, CutError> {
    Ok(raw_aggregate(aggregate)?.input())
}

/// A session whose plans can be cut: `base` with one partition, without dynamic filters, with subqueries as joins, and without the
/// rule that turns one `count(distinct ..)` into an aggregation of an aggregation.
pub(crate) fn session(base: SessionConfig) -> SessionContext {
    let state = SessionStateBuilder::new()
        .with_config(settings(base))
        .with_default_features()
        .with_optimizer_rules(logical_rules())
        .with_physical_optimizer_rules(optimize::physical_rules())
        .with_query_planner(Arc::new(watermark::Planner))
        .build();
    let session = SessionContext::new_with_state(state);
    session.add_analyzer_rule(Arc::new(DistinctArguments));
    session
}

/// The settings of [`session`].
pub(crate) fn settings(base: SessionConfig) -> SessionConfig {
    let mut config = base.with_target_partitions(1);
    // Spark's order: NULL is less than everything.
    config.options_mut().sql_parser.default_null_ordering = "nulls_min".to_owned();
    let optimizer = &mut config.options_mut().optimizer;
    optimizer.enable_dynamic_filter_pushdown = false;
    optimizer.enable_topk_dynamic_filter_pushdown = false;
    optimizer.enable_join_dynamic_filter_pushdown = false;
    optimizer.enable_aggregate_dynamic_filter_pushdown = false;
    // As a join, whose parts can be told apart: a node of its own would have to stay above all that asks it.
    optimizer.enable_physical_uncorrelated_scalar_subquery = false;
    config
}

/// The logical rules of [`session`].
pub(crate) fn logical_rules() -> Vec<Arc<dyn datafusion::optimizer::OptimizerRule + Send + Sync>> {
    let mut rules = Optimizer::new().rules;
    rules.retain(|rule| rule.name() != "single_distinct_aggregation_to_group_by");
    for rule in &mut rules {
        if rule.name() == "push_down_filter" {
            *rule = Arc::new(ShortConditions(Arc::clone(rule)));
        }
    }
    rules
}

/// The aggregation that sees raw rows: `aggregate` itself, or the partial one below a final one.
pub(crate) fn raw_aggregate(aggregate: &AggregateExec) -> Result<&AggregateExec, CutError> {
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

/// Nodes that change neither rows nor columns: with one partition and whole batches they do nothing.
pub(crate) fn only_moves_rows(name: &str) -> bool {
    const MOVERS: [&str; 5] = [
        "RepartitionExec",
        "CoalescePartitionsExec",
        "CoalesceBatchesExec",
        "CooperativeExec",
        "OutputRequirementExec",
    ];
    MOVERS.contains(&name)
}

pub(crate) fn only_child(plan: &Arc<dyn ExecutionPlan>) -> Result<&Arc<dyn ExecutionPlan>, CutError> {
    match plan.children().as_slice() {
        [child] => Ok(child),
        _ => Err(unsupported(plan.name(), "it has not exactly one input")),
    }
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

pub(crate) fn unsupported(part: impl Into<String>, reason: &'static str) -> CutError {
    CutError::Unsupported { part: part.into(), reason }
}
