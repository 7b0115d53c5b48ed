//! Aggregates of Python over windows: `mean(v).over(Window.partitionBy(k))`.
//!
//! A partition goes to the worker whole, as one group. In front of its columns stand, for each row, where the row's frame
//! begins and ends, unless all frames are the whole partition.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int32Array};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema};
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::window_state::WindowFrameContext;
use datafusion::logical_expr::{
    LimitEffect, PartitionEvaluator, Signature, Volatility, WindowFrame, WindowFrameBound, WindowFrameUnits,
    WindowUDF, WindowUDFImpl,
};
use datafusion::physical_expr::PhysicalExpr;

use crate::python::call::{Call, batch, blocking, count, fitted};
use crate::python::failure::Failure;
use crate::python::function::{Function, Makes, kind};
use crate::python::run::Run;
use crate::python::task::Next;
use crate::schema::zone::in_zone;

/// An aggregate over a window. Its arguments in a plan are the function's own, and then what the window is ordered by.
#[derive(Debug, Clone)]
pub(crate) struct WindowCall(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    call: Call,
    /// How many of the arguments are the function's.
    arguments: usize,
    frame: WindowFrame,
    order: Vec<SortOptions>,
    signature: Signature,
}

impl WindowCall {
    /// The function over this frame, or `None` of a function that Spark does not put over windows.
    pub(crate) fn over(
        mut function: Function,
        arguments: usize,
        frame: &WindowFrame,
        order: Vec<SortOptions>,
        run: &Arc<Run>,
    ) -> Option<WindowUDF> {
        function.eval_type = match function.eval_type {
            kind::GROUPED_AGG_PANDAS => kind::WINDOW_AGG_PANDAS,
            kind::GROUPED_AGG_ARROW => kind::WINDOW_AGG_ARROW,
            _ => return None,
        };
        let whole = matches!(&frame.start_bound, WindowFrameBound::Preceding(value) if value.is_null())
            && matches!(&frame.end_bound, WindowFrameBound::Following(value) if value.is_null());
        function.window = Some(if whole { "unbounded" } else { "bounded" });
        if !whole {
            function.names.splice(0..0, [None, None]);
        }
        let signature = match arguments + order.len() {
            0 => Signature::nullary(Volatility::Volatile),
            _ => Signature::variadic_any(Volatility::Volatile),
        };
        let mut call = Call::of(function, Makes::Aggregate, Vec::new(), Vec::new(), run);
        let frame = settled(frame);
        call.measured_as(&frame);
        Some(WindowUDF::from(WindowCall(Arc::new(Inner { call, arguments, frame, order, signature }))))
    }
}

/// A frame with its bounds in the types that the planner counts with.
fn settled(frame: &WindowFrame) -> WindowFrame {
    let rows = frame.units == WindowFrameUnits::Rows;
    let settled = |value: &ScalarValue| match value.is_null() && rows {
        true => ScalarValue::UInt64(None),
        false => value.clone(),
    };
    let bound = |bound: &WindowFrameBound| match bound {
        WindowFrameBound::Preceding(value) => WindowFrameBound::Preceding(settled(value)),
        WindowFrameBound::Following(value) => WindowFrameBound::Following(settled(value)),
        WindowFrameBound::CurrentRow => WindowFrameBound::CurrentRow,
    };
    WindowFrame::new_bounds(frame.units, bound(&frame.start_bound), bound(&frame.end_bound))
}

impl Inner {
    fn bounded(&self) -> bool {
        self.call.function().window == Some("bounded")
    }

    /// The values of a partition's rows.
    fn called(&self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        let (arguments, order) = values.split_at(self.arguments.min(values.len()));
        let mut columns = if self.bounded() { self.frames(order, rows)?.to_vec() } else { Vec::new() };
        for argument in arguments {
            columns.push(fitted(Arc::clone(argument))?);
        }
        Ok(blocking(|| self.partition(&columns, rows))?)
    }

    /// Where the frame of each row begins, and where the next one would.
    fn frames(&self, order: &[ArrayRef], rows: usize) -> Result<[ArrayRef; 2]> {
        let mut frames = WindowFrameContext::new(Arc::new(self.frame.clone()), self.order.clone());
        let number = |place: usize| i32::try_from(place).unwrap_or(i32::MAX);
        let (mut begins, mut ends) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        let mut last = 0..0;
        for row in 0..rows {
            last = frames.calculate_range(order, &last, rows, row)?;
            begins.push(number(last.start));
            ends.push(number(last.end.max(last.start)));
        }
        Ok([Arc::new(Int32Array::from(begins)), Arc::new(Int32Array::from(ends))])
    }

    fn partition(&self, columns: &[ArrayRef], rows: usize) -> Result<ArrayRef, Failure> {
        let group = in_zone(&batch(columns, None, rows), self.call.zone());
        let group = group.map_err(|error| self.call.arrow(error))?;
        let mut bytes = 1_i32.to_be_bytes().to_vec();
        let mut writer =
            StreamWriter::try_new(&mut bytes, group.schema_ref()).map_err(|error| self.call.arrow(error))?;
        writer.write(&group).and_then(|()| writer.finish()).map_err(|error| self.call.arrow(error))?;
        drop(writer);
        let places: Vec<usize> = (0..columns.len()).collect();
        let made = self.call.begun(&places, &Schema::empty(), |task, next, made| {
            if next == Next::Finished {
                return Ok(next);
            }
            task.give(&bytes)?;
            let next = task.wait(made)?;
            if next == Next::Wants && count(made) < rows {
                task.end()?;
                return task.wait(made);
            }
            Ok(next)
        })?;
        self.call.column(&made, rows)
    }
}

impl PartialEq for WindowCall {
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&self.0, &other.0);
        one.call == two.call
            && (one.arguments, &one.frame, &one.order) == (two.arguments, &two.frame, &two.order)
    }
}

impl Eq for WindowCall {}

impl Hash for WindowCall {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.call.hash(state);
    }
}

impl WindowUDFImpl for WindowCall {
    fn name(&self) -> &str {
        &self.0.call.function().name
    }

    fn signature(&self) -> &Signature {
        &self.0.signature
    }

    fn partition_evaluator(&self, _: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(Arc::clone(&self.0))))
    }

    fn field(&self, about: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(about.name(), self.0.call.function().output.clone(), true)))
    }

    fn limit_effect(&self, _: &[Arc<dyn PhysicalExpr>]) -> LimitEffect {
        LimitEffect::Unknown
    }
}

#[derive(Debug)]
struct Evaluator(Arc<Inner>);

impl PartitionEvaluator for Evaluator {
    fn evaluate_all(&mut self, values: &[ArrayRef], rows: usize) -> Result<ArrayRef> {
        self.0.called(values, rows)
    }
}
