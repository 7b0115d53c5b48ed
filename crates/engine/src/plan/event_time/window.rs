//! Spark's functions of event time: `window`, `session_window`, `window_time`, `current_watermark`'s kin.

use std::hash::Hash;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, StructArray, TimestampMicrosecondArray};
use datafusion::arrow::buffer::{NullBuffer, OffsetBuffer};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, TimestampMicrosecondType};
use datafusion::common::{Result, ScalarValue, internal_err, plan_datafusion_err, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};

use super::{instant, marked, passed_on, unmarked};
use crate::sql::interval;
use crate::sql::types::UTC;

/// A function of event time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum TimeFunction {
    /// `window(time, duration[, slide[, start]])`: the one window of a row.
    Window,
    /// All windows of a row; what a `window` with a shorter slide is rewritten to.
    Windows,
    /// `session_window(time, gap)`: the session of a row that stands alone.
    Session,
    /// `window_time(window)`: the last microsecond that belongs to a window.
    WindowTime,
    /// A column with the mark that it lost on the way.
    Mark,
    /// A column without its mark.
    Unmark,
}

/// The function that groups rows into sessions.
pub(crate) const SESSION: &str = "session_window";

/// Every function, for the planner's session.
pub(crate) fn functions() -> impl Iterator<Item = ScalarUDF> {
    use TimeFunction as F;
    [F::Window, F::Windows, F::Session, F::WindowTime, F::Mark, F::Unmark].into_iter().map(TimeFunction::udf)
}

/// How windows lie, in microseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Windows {
    duration: i64,
    slide: i64,
    start: i64,
}

impl Windows {
    /// From a call's arguments behind the time.
    pub(crate) fn try_new(spans: &[Option<i64>]) -> Result<Self> {
        let given = |at: usize| match spans.get(at) {
            Some(None) => plan_err!(
                "window(time, duration, slide, start): durations are constants such as '10 minutes'"
            ),
            Some(Some(span)) => Ok(Some(*span)),
            None => Ok(None),
        };
        let duration = given(0)?.ok_or_else(|| plan_datafusion_err!("window() needs a duration"))?;
        let slide = given(1)?.unwrap_or(duration);
        let start = given(2)?.unwrap_or(0);
        if duration <= 0 || slide <= 0 || slide > duration || start.abs() >= slide {
            return plan_err!(
                "window(): the duration ({duration} us) is at least the slide ({slide} us), which is more than \
                 zero and more than the start ({start} us)"
            );
        }
        Ok(Windows { duration, slide, start })
    }

    /// Whether rows lie in several windows.
    pub(crate) fn overlap(self) -> bool {
        self.slide < self.duration
    }

    /// Starts of the windows that hold `time`, the latest first.
    fn starts(self, time: i64) -> impl Iterator<Item = i64> {
        let latest = time - (time - self.start).rem_euclid(self.slide);
        (0..)
            .map(move |back: i64| latest - back * self.slide)
            .take_while(move |start| time < start + self.duration)
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Udf {
    function: TimeFunction,
    signature: Signature,
}

impl TimeFunction {
    pub(crate) fn udf(self) -> ScalarUDF {
        ScalarUDF::from(Udf { function: self, signature: Signature::user_defined(Volatility::Immutable) })
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            TimeFunction::Window => "window",
            TimeFunction::Windows => "__windows",
            TimeFunction::Session => SESSION,
            TimeFunction::WindowTime => "window_time",
            TimeFunction::Mark => "__mark",
            TimeFunction::Unmark => "__unmark",
        }
    }

    fn usage(self) -> &'static str {
        match self {
            TimeFunction::Window | TimeFunction::Windows => "window(time, duration[, slide[, start]])",
            TimeFunction::Session => "session_window(time, gap)",
            TimeFunction::WindowTime => "window_time(window)",
            TimeFunction::Mark => "__mark(column, delay)",
            TimeFunction::Unmark => "__unmark(column)",
        }
    }

    fn takes(self, arguments: usize) -> bool {
        match self {
            TimeFunction::Window | TimeFunction::Windows => (2..=4).contains(&arguments),
            TimeFunction::Session | TimeFunction::Mark => arguments == 2,
            TimeFunction::WindowTime | TimeFunction::Unmark => arguments == 1,
        }
    }
}

fn bounds() -> Fields {
    vec![Field::new("start", instant(), true), Field::new("end", instant(), true)].into()
}

fn window_type() -> DataType {
    DataType::Struct(bounds())
}

fn is_window(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Struct(fields) if fields.len() == 2 && fields.iter().all(|f| f.data_type() == &instant()))
}

impl ScalarUDFImpl for Udf {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        internal_err!("return_field_from_args says it")
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let from = &args.arg_fields[0];
        let name = self.function.name();
        let field = match self.function {
            TimeFunction::Window | TimeFunction::Session => {
                passed_on(from, Field::new(name, window_type(), true))
            }
            TimeFunction::Windows => {
                Field::new(name, DataType::List(Arc::new(Field::new_list_field(window_type(), true))), true)
            }
            TimeFunction::WindowTime => passed_on(from, Field::new(name, instant(), true)),
            TimeFunction::Mark => {
                let delay = args.scalar_arguments.get(1).copied().flatten();
                let delay = delay.and_then(|delay| delay.try_as_str().flatten()?.parse().ok());
                let delay =
                    delay.ok_or_else(|| plan_datafusion_err!("__mark takes a number of microseconds"))?;
                marked(from, delay)
            }
            TimeFunction::Unmark => unmarked(from),
        };
        Ok(Arc::new(field))
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        if !self.function.takes(given.len()) {
            return plan_err!("expected {}", self.function.usage());
        }
        let time = match &given[0] {
            _ if matches!(self.function, TimeFunction::Mark | TimeFunction::Unmark) => given[0].clone(),
            window if is_window(window) => window.clone(),
            DataType::Timestamp(..) | DataType::Date32 | DataType::Utf8 | DataType::Utf8View
                if self.function != TimeFunction::WindowTime =>
            {
                instant()
            }
            other => return plan_err!("expected {}, met {other}", self.function.usage()),
        };
        Ok(std::iter::once(time).chain(given[1..].iter().cloned()).collect())
    }

    fn invoke_with_args(&self, call: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let first = call.args[0].to_array(call.number_rows)?;
        let made: ArrayRef = match self.function {
            TimeFunction::Mark | TimeFunction::Unmark => first,
            TimeFunction::WindowTime => Arc::new(last_instants(first.as_struct())),
            TimeFunction::Window => one_each(&times(&first)?, Windows::try_new(&spans(&call.args[1..]))?)?,
            TimeFunction::Windows => all(&times(&first)?, Windows::try_new(&spans(&call.args[1..]))?)?,
            TimeFunction::Session => alone(&times(&first)?, gap(&spans(&call.args[1..]))?),
        };
        Ok(ColumnarValue::Array(made))
    }
}

/// What constants say in microseconds.
fn spans(arguments: &[ColumnarValue]) -> Vec<Option<i64>> {
    let span = |argument: &ColumnarValue| match argument {
        ColumnarValue::Scalar(scalar) => span_of(scalar),
        ColumnarValue::Array(_) => None,
    };
    arguments.iter().map(span).collect()
}

/// Microseconds of a constant: a string such as `'10 minutes'`, or an interval without months.
pub(crate) fn span_of(scalar: &ScalarValue) -> Option<i64> {
    const DAY_US: i64 = 86_400_000_000;
    match scalar {
        ScalarValue::IntervalMonthDayNano(Some(span)) if span.months == 0 => {
            i64::from(span.days).checked_mul(DAY_US)?.checked_add(span.nanoseconds / 1_000)
        }
        ScalarValue::IntervalDayTime(Some(span)) => {
            i64::from(span.days).checked_mul(DAY_US)?.checked_add(i64::from(span.milliseconds) * 1_000)
        }
        other => interval::micros(other.try_as_str().flatten()?),
    }
}

fn gap(spans: &[Option<i64>]) -> Result<i64> {
    match spans {
        [Some(gap)] if *gap > 0 => Ok(*gap),
        _ => plan_err!(
            "session_window(time, gap): the gap is a constant of more than zero, such as '5 minutes'"
        ),
    }
}

/// The time of each row; a window's is its last microsecond.
fn times(values: &ArrayRef) -> Result<TimestampMicrosecondArray> {
    if is_window(values.data_type()) {
        return Ok(last_instants(values.as_struct()));
    }
    Ok(cast(values, &instant())?.as_primitive::<TimestampMicrosecondType>().clone())
}

fn last_instants(windows: &StructArray) -> TimestampMicrosecondArray {
    let ends = windows.column(1).as_primitive::<TimestampMicrosecondType>();
    let last = (0..windows.len())
        .map(|row| (windows.is_valid(row) && ends.is_valid(row)).then(|| ends.value(row) - 1));
    TimestampMicrosecondArray::from_iter(last).with_timezone(UTC)
}

fn windows_at(starts: Vec<i64>, duration: i64, nulls: Option<&NullBuffer>) -> StructArray {
    let ends: Vec<i64> = starts.iter().map(|start| start + duration).collect();
    let column = |times: Vec<i64>| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::new(times.into(), nulls.cloned()).with_timezone(UTC))
    };
    StructArray::new(bounds(), vec![column(starts), column(ends)], nulls.cloned())
}

fn one_each(times: &TimestampMicrosecondArray, windows: Windows) -> Result<ArrayRef> {
    if windows.overlap() {
        return plan_err!("a sliding window() may stand in GROUP BY and SELECT only");
    }
    let starts = times.values().iter().map(|time| windows.starts(*time).next().unwrap_or(*time)).collect();
    Ok(Arc::new(windows_at(starts, windows.duration, times.nulls())))
}

fn alone(times: &TimestampMicrosecondArray, gap: i64) -> ArrayRef {
    Arc::new(windows_at(times.values().to_vec(), gap, times.nulls()))
}

fn all(times: &TimestampMicrosecondArray, windows: Windows) -> Result<ArrayRef> {
    let (mut starts, mut lengths) = (Vec::with_capacity(times.len()), Vec::with_capacity(times.len()));
    for time in times {
        let before = starts.len();
        starts.extend(time.into_iter().flat_map(|time| windows.starts(time)));
        lengths.push(starts.len() - before);
    }
    let items = windows_at(starts, windows.duration, None);
    let field = Arc::new(Field::new_list_field(window_type(), true));
    Ok(Arc::new(ListArray::try_new(field, OffsetBuffer::from_lengths(lengths), Arc::new(items), None)?))
}
