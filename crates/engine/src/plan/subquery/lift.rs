//! Lateral joins where only what is computed of the right rows asks the left ones: the rows are joined, and then computed of.

use std::sync::Arc;

use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, NullEquality, Result};
use datafusion::logical_expr::utils::find_window_exprs;
use datafusion::logical_expr::{Expr, Join, JoinType, LogicalPlan, LogicalPlanBuilder};

use super::{Around, has_subquery, push};

/// Rows that ask nobody, what is computed of them, and on what condition.
struct Lifted {
    rows: LogicalPlan,
    values: Vec<(Column, Expr)>,
    conditions: Vec<Expr>,
}

/// The join in another form, if it has one.
pub(super) fn lifted(join: &Join, right: &LogicalPlan, around: &Around) -> Result<Option<LogicalPlan>> {
    let Some(Lifted { rows, values, mut conditions }) = lift(right, around)? else { return Ok(None) };
    let plain = join.on.is_empty() && join.filter.is_none() && conditions.is_empty();
    let one = matches!(&rows, LogicalPlan::EmptyRelation(empty) if empty.produce_one_row);
    let nulls_meet = join.null_equality == NullEquality::NullEqualsNull;
    if join.join_type == JoinType::Left && !(one && plain) || nulls_meet && !join.on.is_empty() {
        return Ok(None);
    }
    let computed = |expr: Expr| replaced(expr, &values);
    for (left, right) in &join.on {
        conditions.push(left.clone().eq(computed(right.clone())?));
    }
    if let Some(filter) = &join.filter {
        conditions.push(computed(filter.clone())?);
    }
    let rows = LogicalPlanBuilder::from(join.left.as_ref().clone()).cross_join(rows);
    // Columns of the same name on both sides cannot be told apart here.
    let Ok(mut rows) = rows else { return Ok(None) };
    for condition in conditions {
        rows = rows.filter(condition)?;
    }
    let before = join.left.schema().columns().into_iter().map(Expr::Column);
    let named = join.right.schema().columns().into_iter().zip(values).map(|(name, (_, value))| match value {
        Expr::Column(column) if column == name => Expr::Column(column),
        value => value.alias_qualified(name.relation, name.name),
    });
    Ok(Some(rows.project(before.chain(named).collect::<Vec<_>>())?.build()?))
}

fn lift(plan: &LogicalPlan, around: &Around) -> Result<Option<Lifted>> {
    let mut asks = false;
    push::references(plan, &mut |_| asks = true)?;
    if !asks {
        let values = plan.schema().columns().into_iter().map(|column| (column.clone(), Expr::Column(column)));
        return Ok(Some(Lifted { rows: plan.clone(), values: values.collect(), conditions: Vec::new() }));
    }
    match plan {
        LogicalPlan::Projection(projection) if projection.expr.iter().all(is_plain) => {
            let Some(Lifted { rows, values, conditions }) = lift(&projection.input, around)? else {
                return Ok(None);
            };
            let exprs = projection.expr.iter().map(|expr| settled(expr.clone(), around, &values));
            let exprs = exprs.collect::<Result<Option<Vec<_>>>>()?;
            Ok(exprs.map(|exprs| {
                let values = plan.schema().columns().into_iter().zip(exprs).collect();
                Lifted { rows, values, conditions }
            }))
        }
        LogicalPlan::Filter(filter) if is_plain(&filter.predicate) => {
            let Some(mut lifted) = lift(&filter.input, around)? else { return Ok(None) };
            let Some(condition) = settled(filter.predicate.clone(), around, &lifted.values)? else {
                return Ok(None);
            };
            lifted.conditions.push(condition);
            Ok(Some(lifted))
        }
        LogicalPlan::SubqueryAlias(alias) => Ok(lift(&alias.input, around)?.map(|lifted| {
            let values = lifted.values.into_iter().map(|(_, value)| value);
            Lifted { values: plan.schema().columns().into_iter().zip(values).collect(), ..lifted }
        })),
        LogicalPlan::Subquery(subquery) => lift(&Arc::clone(&subquery.subquery), around),
        _ => Ok(None),
    }
}

/// Whether it is the same wherever it is computed.
fn is_plain(expr: &Expr) -> bool {
    !has_subquery(expr) && !expr.is_volatile() && find_window_exprs([expr]).is_empty()
}

/// The expression over both sides joined; `None` if it asks others.
fn settled(expr: Expr, around: &Around, values: &[(Column, Expr)]) -> Result<Option<Expr>> {
    let mut others = false;
    // What is in the place of a column is not looked into again.
    let settled = replaced(expr.unalias_nested().data, values)?.transform_up(|inner| {
        Ok(match inner {
            Expr::OuterReferenceColumn(field, column) if !around.asked.contains(&column) => {
                others = true;
                Transformed::no(Expr::OuterReferenceColumn(field, column))
            }
            Expr::OuterReferenceColumn(_, column) => Transformed::yes(Expr::Column(column)),
            inner => Transformed::no(inner),
        })
    })?;
    Ok((!others).then_some(settled.data))
}

fn replaced(expr: Expr, values: &[(Column, Expr)]) -> Result<Expr> {
    let replaced = expr.transform_up(|inner| {
        let value = match &inner {
            Expr::Column(column) => values.iter().find(|(name, _)| name == column),
            _ => None,
        };
        Ok(match value {
            Some((_, value)) => Transformed::yes(value.clone()),
            None => Transformed::no(inner),
        })
    })?;
    Ok(replaced.data)
}
