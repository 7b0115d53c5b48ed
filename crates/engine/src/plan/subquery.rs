//! Subqueries that ask the row around them, as joins.
//!
//! The planner turns the common ones into joins itself. What it leaves is done here, when it has given up: the
//! different values that a subquery asks for are taken from the rows around it, once each; the subquery is computed
//! for all of them together, with these values carried along as columns; and its answers are joined back to the rows
//! (T. Neumann, A. Kemper: Unnesting Arbitrary Queries, BTW 2015). That costs more than what the planner does, and
//! holds for whatever the subquery is made of.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result, not_impl_err};
use datafusion::execution::FunctionRegistry as _;
use datafusion::execution::session_state::SessionState;
use datafusion::functions_aggregate::expr_fn::{count, first_value, max};
use datafusion::logical_expr::expr::{Exists, InSubquery};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder, Operator, Projection, ScalarUDF, Subquery,
    binary_expr, lit, when,
};
use datafusion::physical_plan::ExecutionPlan;

use crate::functions::conditional::TOO_MANY_ROWS;
use crate::plan::optimize::{self, Wait};

mod lift;
mod push;
#[cfg(test)]
mod tests;

/// The plan as the planner makes it; if it cannot, with every subquery as a join.
///
/// # Errors
/// The planner's own, if joins do not help.
pub(crate) async fn physical(
    state: &SessionState,
    plan: &LogicalPlan,
    wait: &Wait,
) -> Result<Arc<dyn ExecutionPlan>> {
    if !asks(plan)? {
        return optimize::physical(state, plan, wait).await;
    }
    let raise = state.udf("raise_error")?;
    let joins = |which| Joins { made: 0, raise: Arc::clone(&raise), which, wait: wait.clone() };
    let mut counting = joins(Which::Counting);
    match counting.plan(plan.clone()) {
        Ok(joined) if counting.made > 0 => {
            if let Ok(physical) = optimize::physical(state, &joined, wait).await {
                return Ok(physical);
            }
        }
        _ => {}
    }
    let error = match optimize::physical(state, plan, wait).await {
        Ok(physical) => return Ok(physical),
        Err(error) => error,
    };
    let joined = match joins(Which::All).plan(plan.clone()) {
        Ok(joined) => optimize::physical(state, &joined, wait).await,
        Err(other) => Err(other),
    };
    joined.map_err(|other| {
        tracing::debug!(%other, "subqueries as joins");
        error
    })
}

/// Whether there is a subquery in the plan.
fn asks(plan: &LogicalPlan) -> Result<bool> {
    plan.exists(|node| {
        Ok(matches!(node, LogicalPlan::Subquery(_)) || node.expressions().iter().any(has_subquery))
    })
}

pub(crate) fn has_subquery(expr: &Expr) -> bool {
    expr.exists(|inner| Ok(is_subquery(inner))).unwrap_or(false)
}

fn is_subquery(expr: &Expr) -> bool {
    of(expr).is_some()
}

fn of(expr: &Expr) -> Option<&Subquery> {
    match expr {
        Expr::ScalarSubquery(subquery) => Some(subquery),
        Expr::Exists(exists) => Some(&exists.subquery),
        Expr::InSubquery(within) => Some(&within.subquery),
        _ => None,
    }
}

fn of_everything(plan: &LogicalPlan) -> bool {
    matches!(plan, LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty())
}

/// Whether a subquery asks the row around it and has an aggregate that is there for no rows too.
fn counts(subquery: &LogicalPlan) -> bool {
    let mut asks = false;
    let asked = push::references(subquery, &mut |_| asks = true);
    asked.is_ok() && asks && subquery.exists(|node| Ok(of_everything(node))).unwrap_or(false)
}

/// One such aggregate and nothing above it but names: the planner knows what that is of no rows.
fn plain(subquery: &LogicalPlan) -> bool {
    match subquery {
        LogicalPlan::Projection(projection) => {
            let named = |expr: &Expr| matches!(expr.clone().unalias(), Expr::Column(_));
            projection.expr.iter().all(named) && plain(&projection.input)
        }
        LogicalPlan::SubqueryAlias(alias) => plain(&alias.input),
        LogicalPlan::Aggregate(aggregate) => {
            of_everything(subquery) && !aggregate.input.exists(|node| Ok(of_everything(node))).unwrap_or(true)
        }
        _ => false,
    }
}

/// The rows around a subquery, and what it asks of them.
struct Around {
    rows: LogicalPlan,
    asked: Vec<Column>,
    /// More that is carried along: the value that is looked for.
    probe: Option<Expr>,
}

impl Around {
    fn of(rows: &LogicalPlan, subquery: &LogicalPlan) -> Result<Self> {
        let mut asked = Vec::new();
        push::references(subquery, &mut |column| {
            if rows.schema().has_column(column) && !asked.contains(column) {
                asked.push(column.clone());
            }
        })?;
        Ok(Around { rows: rows.clone(), asked, probe: None })
    }

    fn values(&self) -> Vec<Expr> {
        self.asked.iter().cloned().map(Expr::Column).chain(self.probe.clone()).collect()
    }
}

/// Which subqueries become joins here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Which {
    /// Those that the planner would answer with NULL where nothing was there to be counted.
    Counting,
    All,
}

/// Rewrites a plan from the top down.
struct Joins {
    /// How many names have been made up.
    made: usize,
    raise: Arc<ScalarUDF>,
    which: Which,
    wait: Wait,
}

impl Joins {
    fn name(&mut self) -> String {
        self.made += 1;
        format!("__asked_{}", self.made)
    }

    fn wants(&self, subquery: &LogicalPlan) -> bool {
        self.which == Which::All || (counts(subquery) && !plain(subquery))
    }

    /// What stands below is done first, before it is copied for those that ask it; what asks is done after it was pushed.
    fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        self.wait.check()?;
        match plan {
            LogicalPlan::Join(join) => self.join(join),
            plan => {
                let plan = plan.map_children(|child| Ok(Transformed::yes(self.plan(child)?)))?.data;
                self.expressions(plan)
            }
        }
    }

    /// A join whose right side asks the left one, or whose condition has subqueries.
    fn join(&mut self, mut join: Join) -> Result<LogicalPlan> {
        join.left = Arc::new(self.plan(Arc::unwrap_or_clone(join.left))?);
        let right = opened(&join.right)?;
        let around = Around::of(&join.left, &right)?;
        if matches!(join.join_type, JoinType::Inner | JoinType::Left) && !around.asked.is_empty() {
            if let Some(lifted) = lift::lifted(&join, &right, &around)? {
                self.made += 1;
                return self.plan(lifted);
            }
            if self.wants(&right) {
                return self.pushed(join, &right, &around);
            }
        }
        join.right = Arc::new(self.plan(Arc::unwrap_or_clone(join.right))?);
        match (&join.filter, join.join_type) {
            (Some(filter), JoinType::Inner) if has_subquery(filter) && self.which == Which::All => {
                let filter = filter.clone();
                let all = LogicalPlan::Join(Join { filter: None, ..join });
                self.expressions(LogicalPlanBuilder::from(all).filter(filter)?.build()?)
            }
            _ => Ok(LogicalPlan::Join(join)),
        }
    }

    /// The join with a right side that is there for all that asks it together.
    fn pushed(&mut self, join: Join, right: &LogicalPlan, around: &Around) -> Result<LogicalPlan> {
        let schema = Arc::clone(&join.schema);
        let (right, here) = self.push(right, around)?;
        let right = self.plan(right)?;
        let mut conditions = same(&around.values(), &here);
        conditions.extend(join.on.into_iter().map(|(left, right)| left.eq(right)));
        conditions.extend(join.filter);
        let joined = LogicalPlanBuilder::from(Arc::unwrap_or_clone(join.left));
        let joined = joined.join_on(right, join.join_type, conditions)?.build()?;
        Ok(LogicalPlan::Projection(Projection::new_from_schema(Arc::new(joined), schema)))
    }

    /// The subqueries in a node's expressions.
    fn expressions(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        let expressions = plan.expressions();
        let inputs = plan.inputs();
        let [input] = inputs.as_slice() else { return Ok(plan) };
        let wanted = |inner: &Expr| Ok(of(inner).is_some_and(|subquery| self.wants(&subquery.subquery)));
        if !expressions.iter().any(|expr| expr.exists(wanted).unwrap_or(false)) {
            return Ok(plan);
        }
        let names = NamePreserver::new(&plan);
        let (mut input, schema) = ((*input).clone(), Arc::clone(plan.schema()));
        let mut replaced = Vec::with_capacity(expressions.len());
        for expr in expressions {
            let name = names.save(&expr);
            replaced.push(name.restore(self.replaced(expr, &mut input)?));
        }
        let made = plan.with_new_exprs(replaced, vec![input])?;
        Ok(match made {
            LogicalPlan::Projection(_) | LogicalPlan::Aggregate(_) => made,
            made => LogicalPlan::Projection(Projection::new_from_schema(Arc::new(made), schema)),
        })
    }

    /// The expression with columns in the place of subqueries, which are joined to the input.
    fn replaced(&mut self, expr: Expr, input: &mut LogicalPlan) -> Result<Expr> {
        let replaced = expr.transform_up(|inner| {
            Ok(match inner {
                inner if of(&inner).is_some_and(|subquery| !self.wants(&subquery.subquery)) => {
                    Transformed::no(inner)
                }
                Expr::ScalarSubquery(subquery) => {
                    Transformed::yes(self.scalar(&opened(&subquery.subquery)?, input)?)
                }
                Expr::Exists(Exists { subquery, negated }) => {
                    let found = self.exists(&opened(&subquery.subquery)?, input)?;
                    Transformed::yes(if negated { found.is_null() } else { found.is_not_null() })
                }
                Expr::InSubquery(InSubquery { expr, subquery, negated }) => {
                    let found = self.within(*expr, &opened(&subquery.subquery)?, input)?;
                    Transformed::yes(if negated { Expr::Not(Box::new(found)) } else { found })
                }
                inner => Transformed::no(inner),
            })
        })?;
        Ok(replaced.data)
    }

    /// `(SELECT max(b) FROM s WHERE s.a = t.a)`.
    fn scalar(&mut self, subquery: &LogicalPlan, input: &mut LogicalPlan) -> Result<Expr> {
        let around = Around::of(input, subquery)?;
        let value = only(subquery)?;
        let (found, here) = self.push(subquery, &around)?;
        let (found, value) = if single(subquery) {
            (found, value)
        } else {
            let (first, rows) = (self.name(), self.name());
            let calls = [first_value(value, vec![]).alias(&first), count(lit(1_i64)).alias(&rows)];
            let found = LogicalPlanBuilder::from(found).aggregate(columns(&here), calls)?.build()?;
            let data_type = found.schema().field_with_unqualified_name(&first)?.data_type().clone();
            let failed = datafusion::prelude::cast(self.raise.call(vec![lit(TOO_MANY_ROWS)]), data_type);
            let value = when(unqualified(&rows).gt(lit(1_i64)), failed).otherwise(unqualified(&first))?;
            (found, value)
        };
        let name = self.name();
        self.beside(input, &around, found, &here, vec![value.alias(&name)])?;
        Ok(unqualified(&name))
    }

    /// A column that is not NULL where the subquery has rows.
    fn exists(&mut self, subquery: &LogicalPlan, input: &mut LogicalPlan) -> Result<Expr> {
        let around = Around::of(input, subquery)?;
        let (found, here) = self.push(subquery, &around)?;
        let name = self.name();
        let mut shown = columns(&here);
        shown.push(lit(true).alias(&name));
        let found = LogicalPlanBuilder::from(found).project(shown)?.distinct()?.build()?;
        self.beside(input, &around, found, &here, vec![unqualified(&name)])?;
        Ok(unqualified(&name))
    }

    /// `a IN (SELECT b FROM s)`, which is NULL where it is not known.
    fn within(&mut self, probe: Expr, subquery: &LogicalPlan, input: &mut LogicalPlan) -> Result<Expr> {
        let around = Around { probe: Some(probe.clone()), ..Around::of(input, subquery)? };
        let value = only(subquery)?;
        let (found, here) = self.push(subquery, &around)?;
        let Some(wanted) = here.last().cloned().map(Expr::Column) else { return not_impl_err!("IN nothing") };
        let flag = |condition: Expr| when(condition, lit(1_i64)).otherwise(lit(0_i64));
        let (hit, hole) = (self.name(), self.name());
        let calls =
            [max(flag(value.clone().eq(wanted))?).alias(&hit), max(flag(value.is_null())?).alias(&hole)];
        let found = LogicalPlanBuilder::from(found).aggregate(columns(&here), calls)?.build()?;
        self.beside(input, &around, found, &here, vec![unqualified(&hit), unqualified(&hole)])?;
        let unknown = probe.is_null().or(unqualified(&hole).eq(lit(1_i64)));
        when(unqualified(&hit).eq(lit(1_i64)), lit(true))
            .when(unqualified(&hit).is_null(), lit(false))
            .when(unknown, lit(datafusion::common::ScalarValue::Boolean(None)))
            .otherwise(lit(false))
    }

    /// Joins what a subquery found to the rows that asked for it.
    fn beside(
        &mut self,
        input: &mut LogicalPlan,
        around: &Around,
        found: LogicalPlan,
        here: &[Column],
        shown: Vec<Expr>,
    ) -> Result<()> {
        let found = self.plan(found)?;
        let found =
            LogicalPlanBuilder::from(found).project(columns(here).into_iter().chain(shown))?.build()?;
        let mut conditions = same(&around.values(), here);
        if conditions.is_empty() {
            conditions.push(lit(true));
        }
        let rows = std::mem::take(input);
        *input = LogicalPlanBuilder::from(rows).join_on(found, JoinType::Left, conditions)?.build()?;
        Ok(())
    }
}

/// Each pair has the same value, or NULL.
fn same(values: &[Expr], here: &[Column]) -> Vec<Expr> {
    let pairs = values.iter().cloned().zip(here.iter().cloned().map(Expr::Column));
    pairs.map(|(value, here)| binary_expr(value, Operator::IsNotDistinctFrom, here)).collect()
}

fn columns(here: &[Column]) -> Vec<Expr> {
    here.iter().cloned().map(Expr::Column).collect()
}

fn unqualified(name: &str) -> Expr {
    Expr::Column(Column::new_unqualified(name))
}

/// The one column of a subquery.
fn only(subquery: &LogicalPlan) -> Result<Expr> {
    match subquery.schema().columns().as_slice() {
        [column] => Ok(Expr::Column(column.clone())),
        _ => not_impl_err!("a subquery of several columns"),
    }
}

/// Whether there is one row at most for each that asks.
fn single(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::Projection(_)
        | LogicalPlan::SubqueryAlias(_)
        | LogicalPlan::Filter(_)
        | LogicalPlan::Sort(_)
        | LogicalPlan::Limit(_) => plan.inputs().iter().all(|input| single(input)),
        LogicalPlan::EmptyRelation(_) => true,
        _ => false,
    }
}

/// The plan with the queries of `LATERAL` in their places.
fn opened(plan: &LogicalPlan) -> Result<LogicalPlan> {
    let opened = plan.clone().transform_down(|node| {
        Ok(match node {
            LogicalPlan::Subquery(subquery) => {
                let inner = opened(&subquery.subquery)?;
                Transformed::new(inner, true, TreeNodeRecursion::Jump)
            }
            node => Transformed::no(node),
        })
    });
    Ok(opened?.data)
}
