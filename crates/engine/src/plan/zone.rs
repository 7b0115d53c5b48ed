//! The session's time zone, where the planner would count in UTC: casts that it adds between text, dates, clocks'
//! times and timestamps, and steps from one timestamp to another. They become functions of ours, which know the zone.
//!
//! The rule runs behind the planner's own about types, and only in sessions whose zone is another than UTC.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, Result, ScalarValue};
use datafusion::logical_expr::expr::{BinaryExpr, Cast, TryCast};
use datafusion::logical_expr::expr_rewriter::NamePreserver;
use datafusion::logical_expr::utils::merge_schema;
use datafusion::logical_expr::{Expr, ExprSchemable as _, LogicalPlan, Operator, ScalarUDF, cast, lit};
use datafusion::optimizer::AnalyzerRule;

use crate::functions;
use crate::sql::types::UTC;

const DAY_NS: i64 = 86_400_000_000_000;

/// The rule.
#[derive(Debug)]
pub(crate) struct SessionZone {
    cast: Arc<ScalarUDF>,
    try_cast: Arc<ScalarUDF>,
    shift: Arc<ScalarUDF>,
}

impl SessionZone {
    pub(crate) fn new() -> Self {
        let [cast, try_cast, shift] = functions::of_zones().map(Arc::new);
        SessionZone { cast, try_cast, shift }
    }

    fn expression(&self, expr: Expr, schema: &DFSchema) -> Result<Transformed<Expr>> {
        expr.transform_up(|expr| {
            let said = match &expr {
                Expr::Cast(Cast { expr: inner, field, .. }) => {
                    self.cast_to(&self.cast, inner, field.data_type(), schema)
                }
                Expr::TryCast(TryCast { expr: inner, field, .. }) => {
                    self.cast_to(&self.try_cast, inner, field.data_type(), schema)
                }
                Expr::BinaryExpr(binary) => self.step(binary, schema),
                _ => None,
            };
            Ok(said.map_or_else(|| Transformed::no(expr), Transformed::yes))
        })
    }

    /// A cast that a zone matters to, by the function that knows it.
    fn cast_to(&self, by: &Arc<ScalarUDF>, inner: &Expr, to: &DataType, schema: &DFSchema) -> Option<Expr> {
        let from = inner.get_type(schema).ok()?;
        let (taken, name, given) = match (&from, to) {
            (from, DataType::Timestamp(_, Some(_))) if is_text(from) => {
                (DataType::Utf8, "TIMESTAMP", instant())
            }
            (DataType::Date32 | DataType::Date64, DataType::Timestamp(_, Some(_))) => {
                (DataType::Date32, "TIMESTAMP", instant())
            }
            (DataType::Timestamp(_, None), DataType::Timestamp(_, Some(_))) => {
                (local(), "TIMESTAMP", instant())
            }
            (DataType::Timestamp(_, Some(_)), DataType::Date32 | DataType::Date64) => {
                (instant(), "DATE", DataType::Date32)
            }
            (DataType::Timestamp(_, Some(_)), DataType::Timestamp(_, None)) => {
                (instant(), "TIMESTAMP_NTZ", local())
            }
            (DataType::Timestamp(_, Some(_)), to) if is_text(to) => (instant(), "STRING", DataType::Utf8),
            _ => return None,
        };
        let inner = if from == taken { inner.clone() } else { cast(inner.clone(), taken) };
        let value = by.call(vec![inner, lit(name)]);
        Some(if *to == given { value } else { cast(value, to.clone()) })
    }

    /// A timestamp and days or months of the calendar, and what lies between two timestamps.
    fn step(&self, binary: &BinaryExpr, schema: &DFSchema) -> Option<Expr> {
        let BinaryExpr { left, op, right } = binary;
        let kinds = (left.get_type(schema).ok()?, right.get_type(schema).ok()?);
        let moved = |from: &Expr, by: Expr| {
            let by = if is_short(&by) { None } else { Some(by) };
            by.map(|by| self.shift.call(vec![from.clone(), by]))
        };
        match (op, &kinds.0, &kinds.1) {
            (Operator::Plus, DataType::Timestamp(_, Some(_)), by) if is_span(by) => {
                moved(left, right.as_ref().clone())
            }
            (Operator::Plus, by, DataType::Timestamp(_, Some(_))) if is_span(by) => {
                moved(right, left.as_ref().clone())
            }
            (Operator::Minus, DataType::Timestamp(_, Some(_)), by) if is_span(by) => match right.as_ref() {
                Expr::Literal(value, _) => moved(left, lit(value.arithmetic_negate().ok()?)),
                by => moved(left, Expr::Negative(Box::new(by.clone()))),
            },
            (Operator::Minus, DataType::Timestamp(_, Some(_)), DataType::Timestamp(_, Some(_))) => {
                let side = |side: &Expr| self.cast_to(&self.cast, side, &local(), schema);
                Some(side(left)? - side(right)?)
            }
            _ => None,
        }
    }
}

fn is_text(given: &DataType) -> bool {
    matches!(given, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8)
}

fn is_span(given: &DataType) -> bool {
    matches!(given, DataType::Interval(_) | DataType::Duration(_))
}

fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}

fn local() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

/// Shorter than a day, and so the same in every calendar.
fn is_short(by: &Expr) -> bool {
    let Expr::Literal(value, _) = by else { return false };
    let span = value.cast_to(&DataType::Interval(IntervalUnit::MonthDayNano));
    match span {
        Ok(ScalarValue::IntervalMonthDayNano(Some(span))) => {
            span.months == 0
                && (i64::from(span.days) * DAY_NS).saturating_add(span.nanoseconds).abs() < DAY_NS
        }
        _ => false,
    }
}

impl AnalyzerRule for SessionZone {
    fn analyze(&self, plan: LogicalPlan, _: &ConfigOptions) -> Result<LogicalPlan> {
        let done = plan.transform_up_with_subqueries(|plan| {
            let mut schema = merge_schema(&plan.inputs());
            if let LogicalPlan::TableScan(scan) = &plan {
                schema.merge(&DFSchema::try_from_qualified_schema(
                    scan.table_name.clone(),
                    &scan.source.schema(),
                )?);
            }
            let names = NamePreserver::new(&plan);
            plan.map_expressions(|expr| {
                let name = names.save(&expr);
                Ok(self.expression(expr, &schema)?.update_data(|expr| name.restore(expr)))
            })
        })?;
        Ok(done.data)
    }

    fn name(&self) -> &str {
        "session_zone"
    }
}
