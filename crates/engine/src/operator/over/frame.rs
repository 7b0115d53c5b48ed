//! What a window node needs of the past, and when a row can leave.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{WindowFrameBound, WindowFrameUnits};
use datafusion::physical_expr::expressions::Literal;
use datafusion::physical_expr::window::{StandardWindowExpr, WindowExpr};
use datafusion::physical_expr::{PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::sorts::sort::SortExec;
use datafusion::physical_plan::windows::{BoundedWindowAggExec, WindowAggExec, WindowUDFExpr};

use crate::plan::event_time;
use crate::plan::incremental::{CutError, only_child, only_moves_rows, unsupported};
use crate::state::expiry::TimeKind;

/// A window node, whichever the planner has chosen, over what it reads without the sorting.
#[derive(Debug)]
pub(crate) struct Windows<'a> {
    pub(super) node: &'a Arc<dyn ExecutionPlan>,
    functions: &'a [Arc<dyn WindowExpr>],
    pub(crate) input: &'a Arc<dyn ExecutionPlan>,
}

/// When a row leaves, and what it looks back at.
#[derive(Debug)]
pub(super) struct Frame {
    /// The row's time, or its partition's.
    pub(super) time: Arc<dyn PhysicalExpr>,
    pub(super) kind: TimeKind,
    pub(super) look: Look,
    pub(super) partition: Vec<Arc<dyn PhysicalExpr>>,
}

/// How far a row looks back: the further of both.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// At so many rows before it.
    pub(super) rows: usize,
    /// At those of so many microseconds before it.
    pub(super) time_us: Option<i64>,
}

impl Look {
    /// The time, if that alone says what is needed.
    pub(super) fn only_time(self) -> Option<i64> {
        self.time_us.filter(|_| self.rows == 0)
    }

    fn and(self, other: Look) -> Look {
        Look { rows: self.rows.max(other.rows), time_us: self.time_us.max(other.time_us) }
    }
}

/// The window node that this is, if it is one.
pub(crate) fn windows(node: &Arc<dyn ExecutionPlan>) -> Option<Windows<'_>> {
    let functions = match node.downcast_ref::<BoundedWindowAggExec>() {
        Some(bounded) => bounded.window_expr(),
        None => node.downcast_ref::<WindowAggExec>()?.window_expr(),
    };
    let mut input = only_child(node).ok()?;
    while only_moves_rows(input.name())
        || input.downcast_ref::<SortExec>().is_some_and(|sort| sort.fetch().is_none())
    {
        input = only_child(input).ok()?;
    }
    Some(Windows { node, functions, input })
}

impl Windows<'_> {
    /// The column of `row_number()`, if that is all there is and partitions do not end.
    pub(crate) fn numbers_rows_forever(&self) -> Option<usize> {
        let [function] = self.functions else { return None };
        let standard = function.as_any().downcast_ref::<StandardWindowExpr>()?;
        let call = standard.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>()?;
        let input = self.input.schema();
        let ends = |key: &Arc<dyn PhysicalExpr>| {
            key.return_field(&input).is_ok_and(|field| event_time::kind(field.as_ref()).is_some())
        };
        let forever = call.fun().name() == "row_number" && !self.partition_by().iter().any(ends);
        forever.then_some(input.fields().len())
    }

    pub(super) fn partition_by(&self) -> &[Arc<dyn PhysicalExpr>] {
        self.functions.first().map_or(&[], |function| function.partition_by())
    }

    pub(super) fn order_by(&self) -> &[PhysicalSortExpr] {
        self.functions.first().map_or(&[], |function| function.order_by())
    }
}

impl fmt::Display for Windows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |expressions: &[Arc<dyn PhysicalExpr>]| {
            expressions.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
        };
        for function in self.functions {
            write!(f, "{}({}) ", function.name(), list(&function.expressions()))?;
        }
        write!(f, "partition by {} order by", list(self.partition_by()))?;
        self.order_by().iter().try_for_each(|key| write!(f, " {key}"))
    }
}

impl Frame {
    pub(super) fn of(windows: &Windows<'_>) -> Result<Self, CutError> {
        let input = windows.input.schema();
        let partition = windows.partition_by().to_vec();
        for key in &partition {
            if let Some(kind) = event_time::kind(key.return_field(&input)?.as_ref()) {
                let (time, look) = (Arc::clone(key), Look::default());
                return Ok(Frame { time, kind, look, partition });
            }
        }
        let ordered = windows.order_by().first().filter(|key| !key.options.descending);
        let time = ordered.map(|key| Arc::clone(&key.expr));
        let kind = match &time {
            Some(time) => event_time::kind(time.return_field(&input)?.as_ref()),
            None => None,
        };
        let (Some(time), Some(kind)) = (time, kind) else {
            let reason =
                "rows never end: PARTITION BY a window, or ORDER BY event time, either with a WATERMARK";
            return Err(unsupported("OVER", reason));
        };
        let looks = windows.functions.iter().map(look).collect::<Result<Vec<_>, _>>()?;
        let look = looks.into_iter().fold(Look::default(), Look::and);
        Ok(Frame { time, kind, look, partition })
    }
}

fn look(function: &Arc<dyn WindowExpr>) -> Result<Look, CutError> {
    if let Some(standard) = function.as_any().downcast_ref::<StandardWindowExpr>() {
        return look_of_standard(standard);
    }
    let frame = function.get_window_frame();
    let refuse = |reason| Err(unsupported(function.name(), reason));
    if matches!(frame.end_bound, WindowFrameBound::Following(_)) {
        return refuse("its frame looks at rows that are still to come; end it with CURRENT ROW");
    }
    match (frame.units, &frame.start_bound) {
        (_, WindowFrameBound::CurrentRow) => Ok(Look::default()),
        (_, WindowFrameBound::Preceding(bound)) if bound.is_null() => refuse(
            "its frame looks back at all rows; say ROWS or RANGE BETWEEN ... PRECEDING AND CURRENT ROW",
        ),
        (WindowFrameUnits::Rows, WindowFrameBound::Preceding(bound)) => match rows_of(bound) {
            Some(rows) => Ok(Look { rows, time_us: None }),
            None => refuse("so many rows cannot be counted"),
        },
        (WindowFrameUnits::Range, WindowFrameBound::Preceding(bound)) => {
            match event_time::window::span_of(bound) {
                Some(span) => Ok(Look { rows: 0, time_us: Some(span) }),
                None => refuse("a RANGE over event time is an interval of days or less"),
            }
        }
        _ => refuse("a frame of this kind is not kept from batch to batch"),
    }
}

fn look_of_standard(function: &StandardWindowExpr) -> Result<Look, CutError> {
    let call = function.get_standard_func_expr().as_any().downcast_ref::<WindowUDFExpr>();
    match call.map(|call| (call.fun().name().to_owned(), call.args())) {
        Some((name, arguments)) if name == "lag" => {
            let offset = arguments.get(1).and_then(|offset| offset.downcast_ref::<Literal>());
            let rows = offset.map_or(Some(1), |offset| rows_of(offset.value()));
            let rows = rows.ok_or_else(|| unsupported("lag", "its offset is a number of rows"))?;
            Ok(Look { rows, time_us: None })
        }
        _ => Err(unsupported(
            function.name(),
            "it needs all rows of its partition; PARTITION BY a window, whose rows end",
        )),
    }
}

fn rows_of(bound: &ScalarValue) -> Option<usize> {
    let rows = bound.cast_to(&DataType::Int64).ok()?;
    match rows {
        ScalarValue::Int64(Some(rows)) => usize::try_from(rows).ok(),
        _ => None,
    }
}
