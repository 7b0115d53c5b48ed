//! Rows that lie in several windows: `window(time, duration, slide)` with a shorter slide becomes one row for each
//! of them below the node that calls it, as Spark's analyzer does.

use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::common::{Column, Result};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::{Expr, ExprSchemable, LogicalPlan, LogicalPlanBuilder, lit};

use super::delay;
use super::window::{TimeFunction, Windows, span_of};

const WINDOW: &str = "__window";

/// Rewrites the whole plan.
pub(crate) fn expand_windows(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan.transform_up(expand)?.data)
}

fn expand(node: LogicalPlan) -> Result<Transformed<LogicalPlan>> {
    if !matches!(node, LogicalPlan::Aggregate(_) | LogicalPlan::Projection(_)) {
        return Ok(Transformed::no(node));
    }
    let Some(call) = sliding(&node)? else { return Ok(Transformed::no(node)) };
    let input = node.inputs()[0].clone();
    let (_, field) = Expr::ScalarFunction(call.clone()).to_field(input.schema())?;
    let windows = TimeFunction::Windows.udf().call(call.args.clone()).alias(WINDOW);
    let columns = input
        .schema()
        .iter()
        .map(|(qualifier, field)| Expr::Column(Column::new(qualifier.cloned(), field.name())));
    let columns: Vec<Expr> = columns.chain([windows]).collect();
    let input = LogicalPlanBuilder::from(input).project(columns)?.unnest_column(WINDOW)?.build()?;
    let mut window = Expr::Column(Column::new_unqualified(WINDOW));
    if let Some(delay) = delay(&field) {
        window = TimeFunction::Mark.udf().call(vec![window, lit(delay.to_string())]);
    }
    let names = NamePreserver::new(&node);
    let rewritten = node.expressions().into_iter().map(|expression| {
        let name = names.save(&expression);
        let replaced = expression.transform_up(|inner| match &inner {
            Expr::ScalarFunction(other) if *other == call => Ok(Transformed::yes(window.clone())),
            _ => Ok(Transformed::no(inner)),
        })?;
        Ok(name.restore(replaced.data))
    });
    let rewritten = rewritten.collect::<Result<Vec<_>>>()?;
    Ok(Transformed::yes(node.with_new_exprs(rewritten, vec![input])?))
}

/// The first call whose windows overlap.
fn sliding(node: &LogicalPlan) -> Result<Option<ScalarFunction>> {
    let mut found = None;
    node.apply_expressions(|expression| {
        expression.apply(|inner| {
            if let Expr::ScalarFunction(call) = inner
                && call.name() == TimeFunction::Window.name()
                && call.args.len() > 2
            {
                let spans: Vec<Option<i64>> = call.args[1..].iter().map(constant).collect();
                if Windows::try_new(&spans)?.overlap() {
                    found = Some(call.clone());
                    return Ok(TreeNodeRecursion::Stop);
                }
            }
            Ok(TreeNodeRecursion::Continue)
        })
    })?;
    Ok(found)
}

fn constant(expression: &Expr) -> Option<i64> {
    match expression {
        Expr::Literal(scalar, _) => span_of(scalar),
        _ => None,
    }
}
