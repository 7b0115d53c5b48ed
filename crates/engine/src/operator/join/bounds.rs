//! How long a row can find a match, from the join's condition.
//!
//! The other side's rows come with a time of at least the watermark. If the condition says that a match is at most
//! so much newer than the row, the row is of no use once the watermark has passed that: `click.at <= view.at +
//! INTERVAL 1 HOUR` ends a view an hour after it, as far as clicks have a watermark. An equal window or instant as
//! the key does the same.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::datatypes::{DataType, Schema};
use datafusion::common::{JoinSide, ScalarValue};
use datafusion::logical_expr::Operator as Op;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::ScalarFunctionExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, CastExpr, Column, Literal};
use datafusion::physical_expr::split_conjunction;
use datafusion::physical_plan::joins::utils::JoinFilter;

use super::plan::Joined;
use crate::functions::time::SHIFT;
use crate::plan::event_time;
use crate::state::expiry::TimeKind;

/// No match is newer than this column's time and so much.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bound {
    /// Among the side's own columns.
    pub(super) column: usize,
    kind: TimeKind,
    pub(super) after_us: i64,
}

/// The bounds of both sides.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    pub(super) left: Vec<Bound>,
    pub(super) right: Vec<Bound>,
}

/// Days of the calendar are shorter and longer than others by at most this, where clocks change in summer and winter.
const SLACK_US: i64 = 3 * 3_600_000_000;

/// A time column of one side, and so much.
#[derive(Debug, Clone, Copy)]
struct Shifted {
    side: JoinSide,
    column: usize,
    shift_us: i64,
    /// By how much a step in the calendar may be longer or shorter.
    slack_us: i64,
}

impl Bound {
    /// The last instant at which each row may find a match; the first of all for one that never can.
    pub(super) fn last(&self, times: &ArrayRef) -> Vec<i64> {
        let absent = |row: usize| times.is_null(row);
        let ends = self.kind.ends(times).into_iter().enumerate();
        ends.map(|(row, end)| if absent(row) { i64::MIN } else { (end - 1).saturating_add(self.after_us) })
            .collect()
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "column {} {:?} + {} us", self.column, self.kind, self.after_us)
    }
}

impl Bounds {
    pub(super) fn of(join: &Joined<'_>) -> Self {
        let mut bounds = Bounds::default();
        let (left, right) = (join.left.schema(), join.right.schema());
        for (of_left, of_right) in &join.on {
            let (Some(a), Some(b)) = (of_left.downcast_ref::<Column>(), of_right.downcast_ref::<Column>())
            else {
                continue;
            };
            let kinds = (event_time::kind(left.field(a.index())), event_time::kind(right.field(b.index())));
            // The other side's mark is what bounds: it tells which of its rows come too late.
            if let Some(kind) = kinds.1 {
                bounds.left.push(Bound { column: a.index(), kind, after_us: 0 });
            }
            if let Some(kind) = kinds.0 {
                bounds.right.push(Bound { column: b.index(), kind, after_us: 0 });
            }
        }
        let Some(filter) = &join.filter else { return bounds };
        for condition in split_conjunction(filter.expression()) {
            let Some(comparison) = condition.downcast_ref::<BinaryExpr>() else { continue };
            let sides = (shifted(comparison.left(), filter), shifted(comparison.right(), filter));
            let (Some(less), Some(more)) = sides else { continue };
            match comparison.op() {
                Op::Lt | Op::LtEq => bounds.note(less, more, &left, &right),
                Op::Gt | Op::GtEq => bounds.note(more, less, &left, &right),
                Op::Eq => {
                    bounds.note(less, more, &left, &right);
                    bounds.note(more, less, &left, &right);
                }
                _ => {}
            }
        }
        bounds
    }

    /// `less` is at most `more`: it bounds the rows of `more` if the times of `less` have a watermark.
    fn note(&mut self, less: Shifted, more: Shifted, left: &Schema, right: &Schema) {
        let (schema, own) = match (less.side, more.side) {
            (JoinSide::Left, JoinSide::Right) => (left, &mut self.right),
            (JoinSide::Right, JoinSide::Left) => (right, &mut self.left),
            _ => return,
        };
        if event_time::kind(schema.field(less.column)) == Some(TimeKind::Instant) {
            let after_us = more.shift_us.saturating_sub(less.shift_us);
            let after_us = after_us.saturating_add(less.slack_us).saturating_add(more.slack_us);
            own.push(Bound { column: more.column, kind: TimeKind::Instant, after_us });
        }
    }
}

/// A time column, or one and an interval.
fn shifted(expression: &Arc<dyn PhysicalExpr>, filter: &JoinFilter) -> Option<Shifted> {
    if let Some(column) = expression.downcast_ref::<Column>() {
        let place = filter.column_indices().get(column.index())?;
        let is_time = matches!(filter.schema().field(column.index()).data_type(), DataType::Timestamp(..));
        return is_time.then_some(Shifted {
            side: place.side,
            column: place.index,
            shift_us: 0,
            slack_us: 0,
        });
    }
    if let Some(cast) = expression.downcast_ref::<CastExpr>() {
        let is_time = matches!(cast.cast_type(), DataType::Timestamp(..));
        return shifted(cast.expr(), filter).filter(|_| is_time);
    }
    if let Some(step) = expression.downcast_ref::<ScalarFunctionExpr>().filter(|call| call.name() == SHIFT) {
        let (time, by) = (shifted(step.args().first()?, filter)?, micros(step.args().get(1)?)?);
        let shift_us = time.shift_us.checked_add(by)?;
        return Some(Shifted { shift_us, slack_us: time.slack_us + SLACK_US, ..time });
    }
    let sum = expression.downcast_ref::<BinaryExpr>()?;
    let (time, by) = (shifted(sum.left(), filter)?, micros(sum.right())?);
    let by = match sum.op() {
        Op::Plus => by,
        Op::Minus => by.checked_neg()?,
        _ => return None,
    };
    Some(Shifted { shift_us: time.shift_us.checked_add(by)?, ..time })
}

fn micros(expression: &Arc<dyn PhysicalExpr>) -> Option<i64> {
    match expression.downcast_ref::<Literal>()?.value() {
        ScalarValue::DurationMicrosecond(span) => *span,
        interval => event_time::window::span_of(interval),
    }
}
