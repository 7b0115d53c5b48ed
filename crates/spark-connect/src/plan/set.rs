//! Frames as sets: union, intersection, difference, and each row once.

use datafusion::arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion::common::ScalarValue;
use datafusion::functions_window::expr_fn::row_number;
use datafusion::logical_expr::type_coercion::binary::comparison_coercion;
use datafusion::logical_expr::{Expr, ExprFunctionExt as _, LogicalPlan, LogicalPlanBuilder};
use datafusion::prelude::cast;

use engine::streaming::is_streaming;

use crate::error::{Class, Result, SparkError};
use crate::expression::Named;
use crate::plan::Planner;
use crate::plan::frame::{Column, Frame, column};
use crate::plan::project::whole;
use crate::wire::relation::{Deduplicate, SetOperation};

/// `set_op_type`s of the message.
pub(crate) const INTERSECT: i32 = 1;
pub(crate) const UNION: i32 = 2;
pub(crate) const EXCEPT: i32 = 3;

impl Planner<'_> {
    pub(crate) fn set_operation(&mut self, left: Frame, right: Frame, set: &SetOperation) -> Result<Frame> {
        let (left, right) = if set.by_name == Some(true) {
            self.same_names(left, right, set.allow_missing_columns == Some(true))?
        } else {
            (left, right)
        };
        self.combine(left, right, set.set_op_type, set.is_all == Some(true))
    }

    pub(crate) fn combine(&mut self, left: Frame, right: Frame, kind: i32, all: bool) -> Result<Frame> {
        if left.columns.len() != right.columns.len() {
            let word = match kind {
                UNION => "UNION",
                INTERSECT => "INTERSECT",
                _ => "EXCEPT",
            };
            let text = format!(
                "{word} can only be performed on inputs with the same number of columns, but the first input has {} \
                 columns and the second input has {} columns.",
                left.columns.len(),
                right.columns.len()
            );
            return Err(SparkError::new(Class::Analysis, "NUM_COLUMNS_MISMATCH", "42826", text));
        }
        let mut types = Vec::new();
        for (a, b) in left.columns.iter().zip(&right.columns) {
            let (a, b) = (left.data_type(a), right.data_type(b));
            let common = if a == b { Some(a.clone()) } else { common_type(&a, &b) };
            types.push(common.ok_or_else(|| mismatch(&a, &b))?);
        }
        let ids: Vec<String> = types.iter().map(|_| self.new_id()).collect();
        let names: Vec<String> = left.names();
        // A union is by place under the same names; the others compare columns of different ones.
        let others = if kind == UNION { ids.clone() } else { types.iter().map(|_| self.new_id()).collect() };
        let side = |frame: Frame, ids: &[String]| -> Result<_> {
            let exprs = frame.columns.iter().zip(&types).zip(ids).map(|((column, wanted), id)| {
                let same = frame.data_type(column) == *wanted;
                let expr = if same { column.expr() } else { cast(column.expr(), wanted.clone()) };
                expr.alias(id)
            });
            let exprs: Vec<Expr> = exprs.collect();
            Ok(LogicalPlanBuilder::from(frame.plan).project(exprs)?.build()?)
        };
        let (left, right) = (side(left, &ids)?, side(right, &others)?);
        let plan = match kind {
            UNION => {
                let both = LogicalPlanBuilder::from(left).union(right)?;
                if all { both.build()? } else { both.distinct()?.build()? }
            }
            INTERSECT if all => {
                let shown = ids.iter().map(|id| column(id)).collect::<Vec<_>>();
                let both = LogicalPlanBuilder::intersect(counted(left)?, counted(right)?, true)?;
                LogicalPlanBuilder::from(both).project(shown)?.build()?
            }
            EXCEPT if all => {
                let shown = ids.iter().map(|id| column(id)).collect::<Vec<_>>();
                let rest = LogicalPlanBuilder::except(counted(left)?, counted(right)?, true)?;
                LogicalPlanBuilder::from(rest).project(shown)?.build()?
            }
            INTERSECT => LogicalPlanBuilder::intersect(left, right, false)?,
            EXCEPT => LogicalPlanBuilder::except(left, right, false)?,
            _ => return Err(SparkError::unsupported("this set operation")),
        };
        let columns = names.into_iter().zip(ids).map(|(name, id)| Column::new(name, id)).collect();
        Ok(Frame { plan, columns })
    }

    fn same_names(&mut self, left: Frame, right: Frame, missing: bool) -> Result<(Frame, Frame)> {
        let called = |frame: &Frame, name: &str| {
            frame.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name)).cloned()
        };
        let absent = |frame: &Frame, column: &Column| -> Result<Named> {
            if !missing {
                return Err(SparkError::column(&column.name, &[]));
            }
            let null = ScalarValue::try_from(&frame.data_type(column))?;
            Ok(Named::new(Expr::Literal(null, None), &column.name))
        };
        let (mut of_left, mut of_right) = (Vec::new(), Vec::new());
        for column in &left.columns {
            of_left.push(whole(column));
            of_right.push(match called(&right, &column.name) {
                Some(found) => whole(&found),
                None => absent(&left, column)?,
            });
        }
        for column in &right.columns {
            if called(&left, &column.name).is_none() {
                of_left.push(absent(&right, column)?);
                of_right.push(whole(column));
            }
        }
        Ok((self.projected(left, of_left)?, self.projected(right, of_right)?))
    }

    pub(crate) fn deduplicate(&mut self, frame: Frame, deduplicate: &Deduplicate) -> Result<Frame> {
        if is_streaming(&frame.plan) {
            return self.deduplicate_stream(frame, deduplicate);
        }
        let Frame { plan, mut columns } = frame;
        columns.iter_mut().for_each(|column| column.sides.clear());
        let shown: Vec<Expr> = columns.iter().map(Column::expr).collect();
        let builder = LogicalPlanBuilder::from(plan).project(shown)?;
        if deduplicate.all_columns_as_keys == Some(true) || deduplicate.column_names.is_empty() {
            return Ok(Frame { plan: builder.distinct()?.build()?, columns });
        }
        let names = columns.iter().map(|column| column.name.clone()).collect::<Vec<_>>();
        let mut keys = Vec::new();
        for name in &deduplicate.column_names {
            let found = columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
            keys.push(found.ok_or_else(|| SparkError::column(name, &names))?.expr());
        }
        let all = columns.iter().map(Column::expr).collect();
        Ok(Frame { plan: builder.distinct_on(keys, all, None)?.build()?, columns })
    }
}

/// The rows with the number of each among those like it, which makes them a set: of `ALL`, so many rows meet as many.
fn counted(plan: LogicalPlan) -> Result<LogicalPlan> {
    let all = plan.schema().columns().into_iter().map(Expr::Column).collect();
    let number = row_number().partition_by(all).build()?;
    Ok(LogicalPlanBuilder::from(plan).window([number])?.build()?)
}

/// The type that Spark gives what may be a value of one type or of another.
pub(crate) fn common_type(a: &DataType, b: &DataType) -> Option<DataType> {
    let of_text = |other: &DataType| match other {
        DataType::Utf8 | DataType::Null => Some(DataType::Utf8),
        whole if whole.is_integer() => Some(DataType::Int64),
        number if number.is_numeric() => Some(DataType::Float64),
        DataType::Boolean | DataType::Date32 | DataType::Timestamp(..) => Some(other.clone()),
        _ => None,
    };
    match (a, b) {
        _ if a == b => Some(a.clone()),
        (DataType::Utf8, other) | (other, DataType::Utf8) if of_text(other).is_some() => of_text(other),
        (time @ DataType::Timestamp(_, Some(_)), DataType::Date32 | DataType::Timestamp(_, None))
        | (DataType::Date32 | DataType::Timestamp(_, None), time @ DataType::Timestamp(_, Some(_)))
        | (time @ DataType::Timestamp(_, None), DataType::Date32)
        | (DataType::Date32, time @ DataType::Timestamp(_, None)) => Some(time.clone()),
        // Whole numbers and decimals have more digits than a FLOAT.
        (x, y) if x.is_numeric() && y.is_numeric() && (x.is_floating() || y.is_floating()) => {
            Some(DataType::Float64)
        }
        (x, y) => match (digits(x), digits(y)) {
            (Some(_), Some(_)) if x.is_integer() && y.is_integer() => comparison_coercion(x, y),
            (Some((p, s)), Some((q, t))) => {
                let scale = s.max(t);
                let whole = (p - s).max(q - t);
                let precision = (whole + scale).min(i16::from(DECIMAL128_MAX_PRECISION));
                Some(DataType::Decimal128(u8::try_from(precision).ok()?, i8::try_from(scale).ok()?))
            }
            _ => comparison_coercion(x, y),
        },
    }
}

/// How many digits a number has, and how many of them behind the point.
fn digits(data_type: &DataType) -> Option<(i16, i16)> {
    Some(match data_type {
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 => (10, 0),
        DataType::Int64 => (20, 0),
        DataType::Decimal128(precision, scale) => (i16::from(*precision), i16::from(*scale)),
        _ => return None,
    })
}

fn mismatch(a: &DataType, b: &DataType) -> SparkError {
    let (a, b) = (crate::schema::name(a), crate::schema::name(b));
    let text = format!(
        "The columns of a set operation must have compatible types, and \"{a}\" does not fit \"{b}\"."
    );
    SparkError::new(Class::Analysis, "INCOMPATIBLE_COLUMN_TYPE", "42825", text)
}
