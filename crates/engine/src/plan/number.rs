//! Carries the number of each record through a stateless plan.
//!
//! The planner saw the table as the user does. Here its scan gets the hidden column, every projection above
//! passes it on, and our own functions get it as a last argument, so that a value that cannot be used leads
//! back to the record that brought it. An aggregation ends it, and `DISTINCT` does: a group is no record.

use std::sync::Arc;

use datafusion::catalog::TableProvider;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{Column, Result};
use datafusion::datasource::provider_as_source;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{
    Distinct, Expr, LogicalPlan, LogicalPlanBuilder, Projection, TableScanBuilder,
};

use crate::operator::scope::ROW;

/// Puts `table`, which has the hidden column, in the place of the plan's table. `ours` tells our functions.
pub(crate) fn number_rows(
    plan: LogicalPlan,
    table: &Arc<dyn TableProvider>,
    ours: &dyn Fn(&str) -> bool,
) -> Result<LogicalPlan> {
    let numbered = plan.transform_up(|node| {
        let node = match node {
            LogicalPlan::TableScan(scan) => {
                let source = provider_as_source(Arc::clone(table));
                let scan = TableScanBuilder::new(scan.table_name, source).build()?;
                return Ok(Transformed::yes(LogicalPlan::TableScan(scan)));
            }
            other => other.recompute_schema()?,
        };
        let Some(row) = row_of_input(&node) else { return Ok(Transformed::yes(node)) };
        let node = pass_to_functions(node, &row, ours)?;
        match node {
            LogicalPlan::Projection(projection) if !carries_row(&projection) => {
                let mut expressions = projection.expr;
                expressions.push(Expr::Column(row));
                let projection = Projection::try_new(expressions, projection.input)?;
                Ok(Transformed::yes(LogicalPlan::Projection(projection)))
            }
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let input = without_row(Arc::unwrap_or_clone(input))?;
                Ok(Transformed::yes(LogicalPlan::Distinct(Distinct::All(Arc::new(input)))))
            }
            other => Ok(Transformed::yes(other)),
        }
    })?;
    Ok(numbered.data)
}

fn row_of_input(node: &LogicalPlan) -> Option<Column> {
    let inputs = node.inputs();
    let schema = inputs.first()?.schema();
    let (qualifier, field) = schema.iter().find(|(_, field)| field.name() == ROW)?;
    Some(Column::new(qualifier.cloned(), field.name().clone()))
}

/// Rows that differ in their number alone are the same row.
fn without_row(plan: LogicalPlan) -> Result<LogicalPlan> {
    let columns = plan.schema().columns().into_iter().filter(|column| column.name != ROW);
    let columns: Vec<Expr> = columns.map(Expr::Column).collect();
    LogicalPlanBuilder::from(plan).project(columns)?.build()
}

fn carries_row(projection: &Projection) -> bool {
    projection.schema.fields().iter().any(|field| field.name() == ROW)
}

fn pass_to_functions(node: LogicalPlan, row: &Column, ours: &dyn Fn(&str) -> bool) -> Result<LogicalPlan> {
    let names = NamePreserver::new(&node);
    let passed = node.map_expressions(|expression| {
        let name = names.save(&expression);
        let rewritten = expression.transform_up(|expression| match expression {
            Expr::ScalarFunction(mut call) if ours(call.name()) => {
                call.args.push(Expr::Column(row.clone()));
                Ok(Transformed::yes(Expr::ScalarFunction(call)))
            }
            other => Ok(Transformed::no(other)),
        })?;
        Ok(rewritten.update_data(|expression| name.restore(expression)))
    })?;
    passed.data.recompute_schema()
}
