//! Operators between numbers become our functions; dates, times and intervals stay the planner's.

use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::tree_node::TreeNode as _;
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr};
use datafusion::logical_expr::{Case, Expr, ExprSchemable as _, ScalarUDF, cast, lit};
use datafusion::sql::sqlparser::ast::BinaryOperator;

use super::{FUNCTIONS, is_number};

/// Puts our functions in the place of operators.
#[derive(Debug)]
pub(in crate::functions) struct Operators(Vec<Arc<ScalarUDF>>);

impl Operators {
    pub(in crate::functions) fn new() -> Self {
        Operators(FUNCTIONS.iter().map(|own| Arc::new(own.function())).collect())
    }
}

fn name(operator: &BinaryOperator) -> Option<&'static str> {
    Some(match operator {
        BinaryOperator::Plus => "add",
        BinaryOperator::Minus => "subtract",
        BinaryOperator::Multiply => "multiply",
        BinaryOperator::Modulo => "mod",
        BinaryOperator::Divide => "divide",
        BinaryOperator::MyIntegerDivide => "div",
        _ => return None,
    })
}

impl ExprPlanner for Operators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        if matches!(expr.op, BinaryOperator::And | BinaryOperator::Or)
            && !expr.left.is_volatile()
            && may_fail(&expr.right)?
        {
            return Ok(PlannerResult::Planned(guarded(expr)));
        }
        let Some(name) = name(&expr.op) else { return Ok(PlannerResult::Original(expr)) };
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let function = self.0.iter().find(|function| function.name() == name);
        let (Some(function), true) = (function, is_number(&left) && is_number(&right)) else {
            return Ok(PlannerResult::Original(expr));
        };
        let RawBinaryExpr { left: one, right: other, .. } = expr;
        let decimal = |given: &DataType| matches!(given, DataType::Decimal128(..));
        let one = if decimal(&right) { narrowed(one) } else { one };
        let other = if decimal(&left) { narrowed(other) } else { other };
        Ok(PlannerResult::Planned(function.call(vec![one, other])))
    }
}

/// What ends a query where a value does not suit it.
const MAY_FAIL: [&str; 12] = [
    "divide",
    "mod",
    "div",
    "cast_to",
    "subscript",
    "element_at",
    "to_timestamp",
    "to_date",
    "unix_timestamp",
    "from_json",
    "raise_error",
    "assert_true",
];

fn may_fail(expr: &Expr) -> Result<bool> {
    expr.exists(|inner| {
        Ok(match inner {
            Expr::ScalarFunction(call) if MAY_FAIL.contains(&call.name()) => {
                // Such as `cast_to(1, 'INT')`, which a number is read as.
                !call.args.iter().all(|argument| matches!(argument, Expr::Literal(..)))
            }
            _ => false,
        })
    })
}

/// `a AND b` where `b` is worked out for those rows alone that `a` leaves open; a CASE of numbers, as one of truth
/// values would be taken apart again.
fn guarded(expr: RawBinaryExpr) -> Expr {
    let RawBinaryExpr { op, left, right } = expr;
    let and = op == BinaryOperator::And;
    let (open, known, both) = if and {
        (left.clone().is_not_false(), 0_i8, left.clone().and(right))
    } else {
        (left.clone().is_not_true(), 1_i8, left.clone().or(right))
    };
    let both = cast(both, DataType::Int8);
    let case = Case::new(None, vec![(Box::new(open), Box::new(both))], Some(Box::new(lit(known))));
    let case = Expr::Case(case).eq(lit(1_i8));
    // The first half stays in sight: it may be what a join is made by.
    if and { left.and(case) } else { case }
}

/// A whole number as it was written has only as many digits as it shows.
fn narrowed(expr: Expr) -> Expr {
    let written = match &expr {
        Expr::Cast(cast) => Some(cast.expr.as_ref()),
        Expr::ScalarFunction(call) if call.name() == "cast_to" => call.args.first(),
        other => Some(other),
    };
    match written {
        Some(Expr::Literal(ScalarValue::Int64(Some(value)), _)) => {
            let digits = u8::try_from(value.unsigned_abs().to_string().len()).unwrap_or(19);
            Expr::Literal(ScalarValue::Decimal128(Some(i128::from(*value)), digits, 0), None)
        }
        _ => expr,
    }
}
