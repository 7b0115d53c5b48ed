//! `+ - * / %` and `div` as Spark does them in ANSI mode: what does not fit is an error, and so is a division by
//! zero; the `try_` functions answer NULL instead.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, PrimitiveArray};
use datafusion::arrow::compute::{CastOptions, cast, cast_with_options, kernels::numeric};
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int64Type, i256};
use datafusion::arrow::error::ArrowError;
use datafusion::common::Result;

use crate::functions::cast::{Manner, changed};
use crate::functions::own::{Call, Kind, Own, Planned, is_text, refused, wrong};

mod planner;

pub(super) use planner::Operators;

const ANY: Kind = Kind::Any;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("add", &[ANY, ANY], gives, run),
    Own::new("subtract", &[ANY, ANY], gives, run),
    Own::new("multiply", &[ANY, ANY], gives, run),
    Own::new("mod", &[ANY, ANY], gives, run),
    Own::new("divide", &[ANY, ANY], gives, run),
    Own::new("div", &[ANY, ANY], gives, run),
    Own::new("try_add", &[ANY, ANY], gives, run),
    Own::new("try_subtract", &[ANY, ANY], gives, run),
    Own::new("try_multiply", &[ANY, ANY], gives, run),
    Own::new("try_mod", &[ANY, ANY], gives, run),
    Own::new("try_divide", &[ANY, ANY], gives, run),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operation {
    Add,
    Subtract,
    Multiply,
    Modulo,
    Divide,
    /// The whole part of a division.
    Whole,
}

fn operation(name: &str) -> Operation {
    match name.trim_start_matches("try_") {
        "add" => Operation::Add,
        "subtract" => Operation::Subtract,
        "multiply" => Operation::Multiply,
        "mod" => Operation::Modulo,
        "divide" => Operation::Divide,
        _ => Operation::Whole,
    }
}

/// Whether a value of this type is a number in arithmetic.
fn is_number(given: &DataType) -> bool {
    given.is_numeric() || given.is_null() || is_text(given)
}

/// The decimal that holds every value of a whole number.
fn as_decimal(given: &DataType) -> Option<(u8, i8)> {
    match given {
        DataType::Decimal128(precision, scale) => Some((*precision, *scale)),
        DataType::Int8 => Some((3, 0)),
        DataType::Int16 => Some((5, 0)),
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 | DataType::UInt64 | DataType::UInt32 => Some((20, 0)),
        _ => None,
    }
}

/// What both sides are made into, unless they are decimals, which stay as they are.
fn side(one: &DataType, other: &DataType) -> Result<DataType> {
    let rank = |given: &DataType| match given {
        DataType::Null => Some(0),
        DataType::Int8 => Some(1),
        DataType::Int16 => Some(2),
        DataType::Int32 => Some(3),
        DataType::Int64 | DataType::UInt64 | DataType::UInt32 => Some(4),
        DataType::Float32 => Some(5),
        DataType::Float64 | DataType::Decimal128(..) => Some(6),
        _ => None,
    };
    let (low, high) = match (is_text(one), is_text(other)) {
        (true, true) => {
            return refused("DATATYPE_MISMATCH", "one side of arithmetic is a number; CAST the strings");
        }
        // A string is a BIGINT, or a fraction.
        (true, false) => (Some(4), rank(other).max(Some(4))),
        (false, true) => (Some(4), rank(one).max(Some(4))),
        (false, false) => (rank(one).min(rank(other)), rank(one).max(rank(other))),
    };
    let (Some(low), Some(high)) = (low, high) else { return wrong("arithmetic takes numbers") };
    Ok(match high {
        0 | 6 => DataType::Float64,
        1 => DataType::Int8,
        2 => DataType::Int16,
        3 => DataType::Int32,
        4 => DataType::Int64,
        _ if low == 0 || low == 5 => DataType::Float32,
        // A FLOAT does not hold every whole number.
        _ => DataType::Float64,
    })
}

/// Both sides as decimals, if they are to be: one of them is, and the other is no fraction.
fn decimals(one: &DataType, other: &DataType) -> Option<[(u8, i8); 2]> {
    let any = [one, other].iter().any(|given| matches!(given, DataType::Decimal128(..)));
    let null = |given: &DataType, by: &DataType| as_decimal(if given.is_null() { by } else { given });
    if any { Some([null(one, other)?, null(other, one)?]) } else { None }
}

fn gives(planned: &Planned<'_>) -> Result<DataType> {
    let (one, other) = (&planned.types[0], &planned.types[1]);
    if !is_number(one) || !is_number(other) {
        return wrong(format!("{} takes two numbers", planned.name));
    }
    let operation = operation(planned.name);
    if operation == Operation::Whole {
        return if one.is_floating() || other.is_floating() {
            refused("DATATYPE_MISMATCH", "div takes whole numbers or decimals; floor(a / b) takes fractions")
        } else {
            Ok(DataType::Int64)
        };
    }
    if let Some([left, right]) = decimals(one, other) {
        return Ok(decimal_of(operation, left, right));
    }
    if operation == Operation::Divide {
        return Ok(DataType::Float64);
    }
    side(one, other)
}

/// The type of an answer between decimals: Spark's, and Hive's.
fn decimal_of(operation: Operation, (p, s): (u8, i8), (q, t): (u8, i8)) -> DataType {
    let (p, s, q, t) = (i32::from(p), i32::from(s), i32::from(q), i32::from(t));
    let (precision, scale) = match operation {
        Operation::Add | Operation::Subtract => (s.max(t) + (p - s).max(q - t) + 1, s.max(t)),
        Operation::Multiply => (p + q + 1, s + t),
        Operation::Modulo => ((p - s).min(q - t) + s.max(t), s.max(t)),
        _ => {
            let scale = (s + q + 1).max(6);
            (p - s + t + scale, scale)
        }
    };
    let (precision, scale) = if precision <= 38 {
        (precision, scale)
    } else {
        // The whole part is kept, and six digits behind it.
        (38, (38 - (precision - scale)).max(scale.min(6)))
    };
    DataType::Decimal128(u8::try_from(precision).unwrap_or(38), i8::try_from(scale).unwrap_or(0))
}

fn run(call: &Call) -> Result<ArrayRef> {
    let (operation, forgiving) = (operation(call.name), call.name.starts_with("try_"));
    let [one, other] = [&call.arguments[0], &call.arguments[1]];
    let DataType::Decimal128(..) = call.gives else {
        let wanted = match operation {
            Operation::Divide => DataType::Float64,
            Operation::Whole if decimals(one.data_type(), other.data_type()).is_none() => DataType::Int64,
            Operation::Whole => DataType::Float64,
            _ => call.gives.clone(),
        };
        let manner = Manner { forgiving, zone: call.zone };
        let sides = [changed(one, &wanted, manner)?, changed(other, &wanted, manner)?];
        return between(operation, &sides, &call.gives, forgiving);
    };
    let Some(kinds) = decimals(one.data_type(), other.data_type()) else { return wrong("no decimals") };
    let sides = [
        cast(one, &DataType::Decimal128(kinds[0].0, kinds[0].1))?,
        cast(other, &DataType::Decimal128(kinds[1].0, kinds[1].1))?,
    ];
    between_decimals(operation, &sides, &call.gives, forgiving)
}

fn between(
    operation: Operation,
    sides: &[ArrayRef; 2],
    gives: &DataType,
    forgiving: bool,
) -> Result<ArrayRef> {
    let [one, other] = sides;
    // NaN is what fractions leave where a remainder by zero would be; Spark looks first.
    if matches!(operation, Operation::Modulo | Operation::Divide | Operation::Whole)
        && !forgiving
        && any_zero(one, other)?
    {
        return by_zero();
    }
    if forgiving || matches!(operation, Operation::Divide | Operation::Whole) {
        return one_by_one(operation, sides, gives, forgiving);
    }
    let answer = match operation {
        Operation::Add => numeric::add(one, other),
        Operation::Subtract => numeric::sub(one, other),
        Operation::Multiply => numeric::mul(one, other),
        _ => numeric::rem(one, other),
    };
    match answer {
        Err(ArrowError::ArithmeticOverflow(_)) => overflow(operation, gives),
        answer => Ok(answer?),
    }
}

/// Whether a number would be divided by zero.
fn any_zero(one: &ArrayRef, other: &ArrayRef) -> Result<bool> {
    let zeros = cast(other, &DataType::Float64)?;
    let zeros = zeros.as_primitive::<Float64Type>();
    Ok((0..zeros.len()).any(|row| zeros.is_valid(row) && one.is_valid(row) && zeros.value(row) == 0.0))
}

fn one_by_one(
    operation: Operation,
    [one, other]: &[ArrayRef; 2],
    gives: &DataType,
    forgiving: bool,
) -> Result<ArrayRef> {
    if one.data_type().is_floating() {
        let fractions = [cast(one, &DataType::Float64)?, cast(other, &DataType::Float64)?];
        let [one, other] = fractions.each_ref().map(AsArray::as_primitive::<Float64Type>);
        let rows = one.iter().zip(other).map(|(one, other)| {
            let (one, other) = (one?, other?);
            match operation {
                Operation::Add => Some(one + other),
                Operation::Subtract => Some(one - other),
                Operation::Multiply => Some(one * other),
                _ if other == 0.0 => None,
                Operation::Modulo => Some(one % other),
                Operation::Divide => Some(one / other),
                Operation::Whole => Some((one / other).trunc()),
            }
        });
        let rows: ArrayRef = Arc::new(rows.collect::<PrimitiveArray<Float64Type>>());
        return Ok(cast(&rows, gives)?);
    }
    let wholes = [cast(one, &DataType::Int64)?, cast(other, &DataType::Int64)?];
    let [one, other] = wholes.each_ref().map(AsArray::as_primitive::<Int64Type>);
    let mut rows = Vec::with_capacity(one.len());
    for (one, other) in one.iter().zip(other) {
        let (Some(one), Some(other)) = (one, other) else {
            rows.push(None);
            continue;
        };
        let answer = match operation {
            Operation::Add => one.checked_add(other),
            Operation::Subtract => one.checked_sub(other),
            Operation::Multiply => one.checked_mul(other),
            Operation::Modulo => (other != 0).then(|| one.wrapping_rem(other)),
            Operation::Divide | Operation::Whole => one.checked_div(other),
        };
        if answer.is_none() && !forgiving {
            return overflow(operation, gives);
        }
        rows.push(answer);
    }
    let rows: ArrayRef = Arc::new(PrimitiveArray::<Int64Type>::from(rows));
    // A cast that leaves NULL where a number is too large.
    Ok(cast_with_options(&rows, gives, &CastOptions { safe: true, ..CastOptions::default() })?)
}

fn between_decimals(
    operation: Operation,
    [one, other]: &[ArrayRef; 2],
    gives: &DataType,
    forgiving: bool,
) -> Result<ArrayRef> {
    let (Some((_, s)), Some((_, t)), DataType::Decimal128(precision, scale)) =
        (as_decimal(one.data_type()), as_decimal(other.data_type()), gives)
    else {
        return wrong("no decimals");
    };
    let (s, t, scale) = (i32::from(s), i32::from(t), i32::from(*scale));
    let largest = ten(i32::from(*precision));
    let compute = |one: i128, other: i128| -> std::result::Result<Option<i128>, ArrowError> {
        let (one, other) = (i256::from_i128(one), i256::from_i128(other));
        // The answer's digits behind the point before it is rounded to `scale` of them.
        let (answer, digits) = match operation {
            Operation::Multiply => (one.checked_mul(other), s + t),
            Operation::Divide => {
                if other == i256::ZERO {
                    return if forgiving { Ok(None) } else { Err(ArrowError::DivideByZero) };
                }
                // One digit more than wanted, for rounding.
                let shift = scale + 1 - s + t;
                (shifted(one, shift).map(|one| one.wrapping_div(other)), scale + 1)
            }
            _ => {
                let common = s.max(t);
                let (one, other) = (shifted(one, common - s), shifted(other, common - t));
                let (Some(one), Some(other)) = (one, other) else { return overflown(forgiving) };
                match operation {
                    Operation::Add => (one.checked_add(other), common),
                    Operation::Subtract => (one.checked_sub(other), common),
                    _ if other == i256::ZERO => {
                        return if forgiving { Ok(None) } else { Err(ArrowError::DivideByZero) };
                    }
                    _ => (Some(one.wrapping_rem(other)), common),
                }
            }
        };
        let answer = answer.and_then(|answer| rescaled(answer, scale - digits));
        match answer.filter(|answer| answer.wrapping_abs() < largest).and_then(i256::to_i128) {
            Some(answer) => Ok(Some(answer)),
            None => overflown(forgiving),
        }
    };
    let sides = [one, other].map(AsArray::as_primitive::<Decimal128Type>);
    let mut rows = Vec::with_capacity(sides[0].len());
    for (one, other) in sides[0].iter().zip(sides[1]) {
        let answer = match (one, other) {
            (Some(one), Some(other)) => compute(one, other),
            _ => Ok(None),
        };
        match answer {
            Ok(answer) => rows.push(answer),
            Err(ArrowError::DivideByZero) => return by_zero(),
            Err(_) => {
                return refused(
                    "NUMERIC_VALUE_OUT_OF_RANGE",
                    "a decimal does not fit; the try_ functions answer NULL",
                );
            }
        }
    }
    Ok(Arc::new(PrimitiveArray::<Decimal128Type>::from(rows).with_data_type(gives.clone())))
}

fn overflown(forgiving: bool) -> std::result::Result<Option<i128>, ArrowError> {
    if forgiving { Ok(None) } else { Err(ArrowError::ArithmeticOverflow(String::new())) }
}

fn ten(power: i32) -> i256 {
    (0..power).fold(i256::ONE, |product, _| product.wrapping_mul(i256::from_i128(10)))
}

/// `value` with `digits` more digits.
fn shifted(value: i256, digits: i32) -> Option<i256> {
    if digits < 0 { Some(value.wrapping_div(ten(-digits))) } else { value.checked_mul(ten(digits)) }
}

/// `value` with `digits` more digits; if they are fewer, halves are rounded away from zero.
fn rescaled(value: i256, digits: i32) -> Option<i256> {
    if digits >= 0 {
        return shifted(value, digits);
    }
    let by = ten(-digits);
    let (whole, rest) = (value.wrapping_div(by), value.wrapping_rem(by));
    let up = rest.wrapping_abs().wrapping_mul(i256::from_i128(2)) >= by;
    let away = if value.is_negative() { i256::MINUS_ONE } else { i256::ONE };
    Some(if up { whole.wrapping_add(away) } else { whole })
}

fn by_zero<T>() -> Result<T> {
    refused("DIVIDE_BY_ZERO", "division by zero; try_divide and try_mod answer NULL instead")
}

fn overflow<T>(operation: Operation, gives: &DataType) -> Result<T> {
    let instead = match operation {
        Operation::Add => "try_add answers NULL instead",
        Operation::Subtract => "try_subtract answers NULL instead",
        Operation::Multiply => "try_multiply answers NULL instead",
        _ => "cast the numbers to a wider type",
    };
    let small = matches!(gives, DataType::Int8 | DataType::Int16);
    let condition = if small { "BINARY_ARITHMETIC_OVERFLOW" } else { "ARITHMETIC_OVERFLOW" };
    refused(condition, &format!("the answer does not fit its type; {instead}"))
}
