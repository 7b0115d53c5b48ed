//! Projections over each other as one, in one step. The planner's own rule merges two at a time and names all that they
//! compute anew each time, which of a script that adds columns in a loop is a long time.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{DFSchema, Result};
use datafusion::logical_expr::{Expr, LogicalPlan, Projection};

use crate::plan::optimize::Wait;
use crate::plan::subquery::has_subquery;

/// The plan with projections merged that compute nothing twice when they are one.
///
/// # Errors
/// If nobody waits for the plan any more.
pub(crate) fn merged(plan: LogicalPlan, wait: &Wait) -> Result<LogicalPlan> {
    let merged = plan.transform_down(|node| {
        wait.check()?;
        let LogicalPlan::Projection(top) = &node else { return Ok(Transformed::no(node)) };
        if !matches!(top.input.as_ref(), LogicalPlan::Projection(_)) {
            return Ok(Transformed::no(node));
        }
        Ok(Transformed::yes(one(top)?))
    });
    Ok(merged?.data)
}

/// What a chain of projections computes, from the lowest upwards.
fn one(top: &Projection) -> Result<LogicalPlan> {
    let mut chain = vec![top];
    let mut below = &top.input;
    while let LogicalPlan::Projection(next) = below.as_ref() {
        chain.push(next);
        below = &next.input;
    }
    let mut input = Arc::clone(below);
    let mut made: Option<(Vec<Expr>, &Arc<DFSchema>)> = None;
    for projection in chain.into_iter().rev() {
        made = Some(match made {
            None => (projection.expr.clone(), &projection.schema),
            Some((exprs, schema)) if fits(projection, &exprs, schema)? => {
                (over(projection, exprs, schema)?, &projection.schema)
            }
            Some((exprs, schema)) => {
                let lower = Projection::try_new_with_schema(exprs, input, Arc::clone(schema))?;
                input = Arc::new(LogicalPlan::Projection(lower));
                (projection.expr.clone(), &projection.schema)
            }
        });
    }
    let Some((exprs, schema)) = made else { return Ok(LogicalPlan::Projection(top.clone())) };
    Ok(LogicalPlan::Projection(Projection::try_new_with_schema(exprs, input, Arc::clone(schema))?))
}

/// Whether what is computed below can stand in the place of its columns: each once, unless it is a column itself.
fn fits(upper: &Projection, below: &[Expr], schema: &DFSchema) -> Result<bool> {
    let described = |expr: &Expr| matches!(expr, Expr::Alias(alias) if alias.metadata.is_some());
    let strange = |expr: &Expr| has_subquery(expr) || described(expr);
    if upper.expr.iter().any(strange) || below.iter().any(|expr| expr.is_volatile() || described(expr)) {
        return Ok(false);
    }
    let mut asked = vec![0_usize; below.len()];
    let mut known = true;
    for expr in &upper.expr {
        expr.apply(|inner| {
            if let Expr::Column(column) = inner {
                match schema.maybe_index_of_column(column) {
                    Some(place) => asked[place] += 1,
                    None => known = false,
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })?;
    }
    let plain = |expr: &Expr| match expr {
        Expr::Alias(alias) => matches!(alias.expr.as_ref(), Expr::Column(_) | Expr::Literal(..)),
        expr => matches!(expr, Expr::Column(_) | Expr::Literal(..)),
    };
    Ok(known && asked.iter().zip(below).all(|(times, expr)| *times < 2 || plain(expr)))
}

/// The upper expressions with the lower ones in the place of their columns, under the upper names.
fn over(upper: &Projection, below: Vec<Expr>, schema: &DFSchema) -> Result<Vec<Expr>> {
    let mut below: Vec<Expr> = below.into_iter().map(Expr::unalias).collect();
    let names = upper.schema.columns();
    let mut exprs = Vec::with_capacity(names.len());
    for (expr, name) in upper.expr.iter().zip(names) {
        let expr = expr.clone().unalias().transform_down(|inner| {
            let place = match &inner {
                Expr::Column(column) => schema.maybe_index_of_column(column),
                _ => None,
            };
            Ok(match place {
                Some(place) => {
                    let value = &mut below[place];
                    let plain = matches!(value, Expr::Column(_) | Expr::Literal(..));
                    let value = if plain { value.clone() } else { std::mem::take(value) };
                    Transformed::new(value, true, TreeNodeRecursion::Jump)
                }
                None => Transformed::no(inner),
            })
        })?;
        exprs.push(match expr.data {
            Expr::Column(column) if column == name => Expr::Column(column),
            expr => expr.alias_qualified(name.relation, name.name),
        });
    }
    Ok(exprs)
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{LogicalPlanBuilder, col, lit};
    use datafusion::prelude::SessionConfig;

    use super::*;
    use crate::plan::{incremental, optimize};

    fn steps(count: usize, step: impl Fn(Expr) -> Expr) -> LogicalPlan {
        let rows = LogicalPlanBuilder::values(vec![vec![lit(1_i64), lit(7_i64)]]).unwrap();
        let mut plan = rows.project([col("column1").alias("id"), col("column2").alias("other")]).unwrap();
        for _ in 0..count {
            plan = plan.project([step(col("id")).alias("id"), col("other")]).unwrap();
        }
        plan.build().unwrap()
    }

    fn projections(plan: &LogicalPlan) -> usize {
        let mut count = 0;
        plan.apply(|node| {
            count += usize::from(matches!(node, LogicalPlan::Projection(_)));
            Ok(TreeNodeRecursion::Continue)
        })
        .unwrap();
        count
    }

    async fn shown(plan: LogicalPlan) -> String {
        let context = incremental::session(SessionConfig::new());
        let physical = optimize::physical(&context.state(), &plan, &Wait::default()).await.unwrap();
        let rows = datafusion::physical_plan::collect(physical, context.task_ctx()).await.unwrap();
        datafusion::arrow::util::pretty::pretty_format_batches(&rows).unwrap().to_string()
    }

    #[tokio::test]
    async fn steps_become_one() {
        let plan = steps(60, |id| id + lit(1_i64));
        let one = merged(plan.clone(), &Wait::default()).unwrap();
        assert_eq!((projections(&plan), projections(&one)), (61, 1));
        assert_eq!(one.schema(), plan.schema());
        let table = shown(plan).await;
        assert!(table.contains("| 61 | 7     |"), "{table}");
    }

    #[tokio::test]
    async fn nothing_is_computed_twice() {
        // As one, it would be two to the power of 60 columns.
        let plan = steps(60, |id| id.clone() + id - lit(1_i64));
        assert!(projections(&merged(plan.clone(), &Wait::default()).unwrap()) >= 60);
        assert!(shown(plan).await.contains("| 1  | 7     |"));
    }

    #[test]
    fn nobody_waits() {
        let wait = Wait::default();
        wait.end();
        assert!(merged(steps(2, |id| id), &wait).is_err());
    }
}
