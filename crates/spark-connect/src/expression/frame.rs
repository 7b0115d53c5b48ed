//! Frames of windows: how far from its row a function looks, in rows or in what the window is ordered by.

use datafusion::arrow::datatypes::{DataType, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{
    Expr, ExprSchemable, SortExpr, WindowFrame, WindowFrameBound, WindowFrameUnits,
};

use crate::error::{Class, Result, SparkError};
use crate::expression::Resolver;
use crate::wire::expression::{Boundary, Expression, FrameBoundary, WindowFrame as Frame};

const MISMATCH: &str = "42K09";

/// What is added to dates and timestamps.
const SPAN: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

impl Resolver<'_> {
    /// The frame as it was asked for; [`Resolver::typed_frame`] is what a plan needs.
    pub(super) fn frame_of(
        &self,
        function: &str,
        frame: Option<&Frame>,
        order: &[SortExpr],
    ) -> Result<WindowFrame> {
        const ROW: i32 = 1;
        let unbounded = WindowFrameBound::Preceding(ScalarValue::Null);
        let Some(frame) = frame else {
            let ranks = ["row_number", "rank", "dense_rank", "ntile", "percent_rank", "lag", "lead"];
            let rows = order.is_empty() || ranks.contains(&function.to_lowercase().as_str());
            let units = if rows { WindowFrameUnits::Rows } else { WindowFrameUnits::Range };
            let end = if order.is_empty() {
                WindowFrameBound::Following(ScalarValue::Null)
            } else {
                WindowFrameBound::CurrentRow
            };
            return Ok(WindowFrame::new_bounds(units, unbounded, end));
        };
        let rows = frame.frame_type == ROW;
        let units = if rows { WindowFrameUnits::Rows } else { WindowFrameUnits::Range };
        let lower = self.bound(frame.lower.as_ref(), rows, false)?;
        let upper = self.bound(frame.upper.as_ref(), rows, true)?;
        Ok(WindowFrame::new_bounds(units, lower, upper))
    }

    fn bound(&self, bound: Option<&FrameBoundary>, rows: bool, upper: bool) -> Result<WindowFrameBound> {
        let value = match bound.and_then(|bound| bound.boundary.as_ref()) {
            Some(Boundary::CurrentRow(_)) => return Ok(WindowFrameBound::CurrentRow),
            Some(Boundary::Value(value)) => value,
            _ if upper => return Ok(WindowFrameBound::Following(ScalarValue::Null)),
            _ => return Ok(WindowFrameBound::Preceding(ScalarValue::Null)),
        };
        let distance = self.distance(value)?;
        let zero = ScalarValue::new_zero(&distance.data_type())?;
        let back = distance < zero;
        let distance = if back { distance.arithmetic_negate()? } else { distance };
        let distance = match distance.cast_to(&DataType::UInt64) {
            Ok(count) if rows && whole(&distance.data_type()) => count,
            _ if rows => return Err(SparkError::unsupported("rows of a window that are no whole number")),
            _ => distance,
        };
        Ok(match back {
            _ if distance == ScalarValue::new_zero(&distance.data_type())? => WindowFrameBound::CurrentRow,
            true => WindowFrameBound::Preceding(distance),
            false => WindowFrameBound::Following(distance),
        })
    }

    /// How far, as the literal says it: a number or an interval, below zero for what comes before.
    fn distance(&self, value: &Expression) -> Result<ScalarValue> {
        let wrong = || SparkError::unsupported("the boundary of a window that is no literal");
        let mut expr = self.named(value)?.expr;
        let mut negative = false;
        if let Expr::Negative(inner) = expr {
            (negative, expr) = (true, *inner);
        }
        let Expr::Literal(value, _) = expr else { return Err(wrong()) };
        if value.is_null() || !(value.data_type().is_numeric() || interval(&value.data_type())) {
            return Err(wrong());
        }
        let value = if interval(&value.data_type()) { value.cast_to(&SPAN)? } else { value };
        Ok(if negative { value.arithmetic_negate()? } else { value })
    }

    /// The frame with the bounds of values in the type of what the window is ordered by, as they are added to it.
    pub(super) fn typed_frame(
        &self,
        frame: &WindowFrame,
        order: &[SortExpr],
        shown: &str,
    ) -> Result<WindowFrame> {
        let wrong = |condition: &'static str, text: &str| {
            let text = format!("Cannot resolve \"({shown})\" due to data type mismatch: {text}");
            SparkError::new(Class::Analysis, condition, MISMATCH, text)
        };
        if frame.units != WindowFrameUnits::Range
            || ![&frame.start_bound, &frame.end_bound].into_iter().any(far)
        {
            return Ok(frame.clone());
        }
        let [order] = order else {
            return Err(match order {
                [] => wrong(
                    "DATATYPE_MISMATCH.RANGE_FRAME_WITHOUT_ORDER",
                    "A range window frame cannot be used in an unordered window specification.",
                ),
                _ => wrong(
                    "DATATYPE_MISMATCH.RANGE_FRAME_MULTI_ORDER",
                    "A range window frame with value boundaries cannot be used in a window specification with multiple order by expressions.",
                ),
            });
        };
        let by = order.expr.get_type(self.schema)?;
        let typed = |value: &ScalarValue| {
            typed(value, &by).ok_or_else(|| {
                let (by, value) = (crate::schema::name(&by), crate::schema::name(&value.data_type()));
                let text = format!(
                    "The data type \"{by}\" used in the order specification does not support the data type \"{value}\" \
                     which is used in the range frame."
                );
                wrong("DATATYPE_MISMATCH.RANGE_FRAME_INVALID_TYPE", &text)
            })
        };
        let bound = |bound: &WindowFrameBound| {
            Ok::<_, SparkError>(match bound {
                WindowFrameBound::Preceding(value) if far(bound) => {
                    WindowFrameBound::Preceding(typed(value)?)
                }
                WindowFrameBound::Following(value) if far(bound) => {
                    WindowFrameBound::Following(typed(value)?)
                }
                other => other.clone(),
            })
        };
        Ok(WindowFrame::new_bounds(frame.units, bound(&frame.start_bound)?, bound(&frame.end_bound)?))
    }
}

/// Whether the bound is a value away.
fn far(bound: &WindowFrameBound) -> bool {
    match bound {
        WindowFrameBound::CurrentRow => false,
        WindowFrameBound::Preceding(value) | WindowFrameBound::Following(value) => !value.is_null(),
    }
}

/// The distance in a type that can be added to values of `by`; `None` if there is none.
fn typed(distance: &ScalarValue, by: &DataType) -> Option<ScalarValue> {
    let kind = distance.data_type();
    match by {
        _ if by.is_numeric() && kind.is_numeric() => {
            (whole(&kind) || !whole(by)).then(|| distance.cast_to(by).ok()).flatten()
        }
        DataType::Date32 | DataType::Timestamp(..) if kind == SPAN => Some(distance.clone()),
        // Spark takes days in an INT, and not in a BIGINT.
        DataType::Date32 if matches!(kind, DataType::Int8 | DataType::Int16 | DataType::Int32) => {
            let ScalarValue::Int32(days) = distance.cast_to(&DataType::Int32).ok()? else { return None };
            Some(ScalarValue::new_interval_mdn(0, days?, 0))
        }
        _ => None,
    }
}

fn whole(data_type: &DataType) -> bool {
    data_type.is_integer()
}

fn interval(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Interval(_) | DataType::Duration(_))
}
