//! The planner's rules: each is applied only as long as somebody waits for the plan, and none may make it without bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Result, exec_err};
use datafusion::execution::session_state::SessionState;
use datafusion::logical_expr::LogicalPlan;
use datafusion::optimizer::optimizer::{ApplyOrder, Optimizer};
use datafusion::optimizer::{OptimizerConfig, OptimizerRule};
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_optimizer::optimizer::PhysicalOptimizer;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::filter::FilterExec;

use crate::plan::projections;

/// Expressions within each other, about, up to which a condition is computed below a projection instead of above it. Each
/// projection that it passes writes it anew, with what the projection computes in the place of its columns.
const MOVED_MAX: usize = 200;

type Rule = Arc<dyn OptimizerRule + Send + Sync>;
type PhysicalRule = Arc<dyn PhysicalOptimizerRule + Send + Sync>;

/// Whether somebody waits for a plan. Clones are one.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wait(Arc<AtomicBool>);

impl Wait {
    /// Nobody waits any more.
    pub(crate) fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// # Errors
    /// If nobody waits any more.
    pub(crate) fn check(&self) -> Result<()> {
        if self.0.load(Ordering::Relaxed) { exec_err!("nobody waits for the plan") } else { Ok(()) }
    }
}

/// What runs, of what is meant.
///
/// # Errors
/// What the planner cannot do, or if nobody waits any more.
pub(crate) async fn physical(
    state: &SessionState,
    plan: &LogicalPlan,
    wait: &Wait,
) -> Result<Arc<dyn ExecutionPlan>> {
    let options = OptimizerConfig::options(state);
    let analyzed = state.analyzer().execute_and_check(plan.clone(), &options, |_, _| {})?;
    let analyzed = projections::merged(analyzed, wait)?;
    let rules = state
        .optimizer()
        .rules
        .iter()
        .map(|rule| -> Rule { Arc::new(Waited { rule: Arc::clone(rule), wait: wait.clone() }) });
    let optimizer = Optimizer::with_rules(rules.collect());
    let optimized = optimizer.optimize(analyzed, state, |_, _| {})?;
    wait.check()?;
    state.query_planner().create_physical_plan(&optimized, state).await
}

/// A rule that fails when nobody waits any more.
#[derive(Debug)]
struct Waited {
    rule: Rule,
    wait: Wait,
}

impl OptimizerRule for Waited {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        self.wait.check()?;
        self.rule.rewrite(plan, config)
    }
}

/// The rule that moves conditions towards the rows, for conditions that are not too long.
#[derive(Debug)]
pub(crate) struct ShortConditions(pub(crate) Rule);

impl OptimizerRule for ShortConditions {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.0.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        if let LogicalPlan::Filter(filter) = &plan
            && matches!(filter.input.as_ref(), LogicalPlan::Projection(_) | LogicalPlan::Filter(_))
            && is_long(&filter.predicate)?
        {
            return Ok(Transformed::no(plan));
        }
        self.0.rewrite(plan, config)
    }
}

/// The rules for plans that run. Where a condition is long, none is moved.
pub(crate) fn physical_rules() -> Vec<PhysicalRule> {
    let mut rules = PhysicalOptimizer::new().rules;
    for rule in &mut rules {
        if rule.name().starts_with("FilterPushdown") {
            *rule = Arc::new(ShortFilters(Arc::clone(rule)));
        }
    }
    rules
}

/// The same for what runs.
#[derive(Debug)]
struct ShortFilters(PhysicalRule);

impl PhysicalOptimizerRule for ShortFilters {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let long = plan.exists(|node| match node.downcast_ref::<FilterExec>() {
            Some(filter) => is_long(filter.predicate()),
            None => Ok(false),
        });
        if long? { Ok(plan) } else { self.0.optimize(plan, config) }
    }

    fn name(&self) -> &str {
        self.0.name()
    }

    fn schema_check(&self) -> bool {
        self.0.schema_check()
    }
}

fn is_long<'n, N: TreeNode + 'n>(expr: &'n N) -> Result<bool> {
    let mut seen = 0;
    expr.apply(|_| {
        seen += 1;
        Ok(if seen > MOVED_MAX { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(seen > MOVED_MAX)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};
    use datafusion::prelude::SessionConfig;

    use super::*;
    use crate::plan::incremental;

    fn steps(count: i64) -> LogicalPlan {
        let rows = LogicalPlanBuilder::values(vec![vec![lit(1_i64)]]).unwrap();
        let mut plan = rows.project([col("column1").alias("id")]).unwrap();
        for step in 0..count {
            plan = plan.filter(col("id").gt(lit(-step))).unwrap();
            plan = plan.project([(col("id") + lit(1_i64)).alias("id")]).unwrap();
        }
        plan.build().unwrap()
    }

    #[tokio::test]
    async fn planning_ends_when_nobody_waits() {
        let state = incremental::session(SessionConfig::new()).state();
        let wait = Wait::default();
        assert!(physical(&state, &steps(3), &wait).await.is_ok());
        wait.end();
        let error = physical(&state, &steps(3), &wait).await.unwrap_err();
        assert!(error.to_string().contains("nobody waits"), "{error}");
    }

    #[tokio::test]
    async fn what_runs_has_no_long_conditions_either() {
        let state = incremental::session(SessionConfig::new()).state();
        let plan = physical(&state, &steps(80), &Wait::default()).await.unwrap();
        let shown = datafusion::physical_plan::displayable(plan.as_ref()).indent(false).to_string();
        let longest = shown.lines().map(str::len).max().unwrap();
        assert!(longest < 10_000, "{longest}");
        let rows =
            datafusion::physical_plan::collect(plan, incremental::session(SessionConfig::new()).task_ctx());
        assert_eq!(
            rows.await.unwrap().iter().map(datafusion::arrow::array::RecordBatch::num_rows).sum::<usize>(),
            1
        );
    }

    #[test]
    fn a_condition_that_grows_stays_where_it_is() {
        let state = incremental::session(SessionConfig::new()).state();
        let conditions = |count| {
            let mut longest = 0;
            let plan = state.optimize(&steps(count)).unwrap();
            plan.apply(|node| {
                for expr in node.expressions() {
                    let mut size = 0;
                    expr.apply(|_| {
                        size += 1;
                        Ok(TreeNodeRecursion::Continue)
                    })?;
                    longest = longest.max(size);
                }
                Ok(TreeNodeRecursion::Continue)
            })
            .unwrap();
            longest
        };
        // All of them together would be some 80 * 80 expressions.
        assert!(conditions(80) < 1_000, "{}", conditions(80));
    }
}
