//! Numbers.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type};
use datafusion::common::{Result, ScalarValue};

use crate::functions::own::{Call, Kind, Own, Planned, boolean, double, refused, text, wrong};

const ANY: Kind = Kind::Any;

const DECIMAL_DIGITS_MAX: i32 = 38;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("bround", &[ANY, Kind::Int], rounded_gives, bround).optional(1),
    Own::new("ceil_to", &[ANY, ANY], to_digits_gives, to_digits),
    Own::new("floor_to", &[ANY, ANY], to_digits_gives, to_digits),
    Own::new("isnan", &[Kind::Double], boolean, is_nan),
    Own::new("conv", &[Kind::Text, Kind::Int, Kind::Int], text, conv),
    Own::new("sqrt", &[Kind::Double], double, |call| {
        call.numbers::<Float64Type>(|row| Ok(Some(row.double(0).sqrt())))
    }),
    Own::new("log1p", &[Kind::Double], double, |call| {
        call.numbers::<Float64Type>(|row| {
            Ok(Some(row.double(0)).filter(|value| *value > -1.0).map(f64::ln_1p))
        })
    }),
    Own::new("log", &[Kind::Double, Kind::Double], double, log).optional(1),
];

fn rounded_gives(planned: &Planned<'_>) -> Result<DataType> {
    Ok(if planned.types[0].is_integer() { planned.types[0].clone() } else { DataType::Float64 })
}

/// The decimal that `ceil` and `floor` with a number of digits take.
fn decimal_of(given: &DataType) -> Result<(u8, i8)> {
    Ok(match given {
        DataType::Decimal128(precision, scale) => (*precision, *scale),
        DataType::Int8 => (3, 0),
        DataType::Int16 => (5, 0),
        DataType::Int32 | DataType::Null => (10, 0),
        DataType::Int64 => (20, 0),
        DataType::Float32 => (14, 7),
        DataType::Float64 => (30, 15),
        _ => return refused("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "ceil and floor take numbers"),
    })
}

/// There may be one digit more before the point: `ceil(9.9, 0)`.
fn to_digits_gives(planned: &Planned<'_>) -> Result<DataType> {
    let (precision, scale) = decimal_of(&planned.types[0])?;
    let digits = match planned.constants.get(1) {
        Some(Some(value)) => match value.cast_to(&DataType::Int32)? {
            ScalarValue::Int32(Some(digits)) => digits,
            _ => 0,
        },
        _ => {
            let why = "the number of digits of ceil and floor is the same for all rows";
            return refused("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", why);
        }
    };
    let whole = i32::from(precision) - i32::from(scale) + 1;
    let (precision, scale) = if digits < 0 {
        (whole.max(1 - digits), 0)
    } else {
        let scale = i32::from(scale).min(digits);
        (whole + scale, scale)
    };
    Ok(DataType::Decimal128(
        u8::try_from(precision.min(DECIMAL_DIGITS_MAX)).unwrap_or(38),
        i8::try_from(scale).unwrap_or(0),
    ))
}

fn to_digits(call: &Call) -> Result<ArrayRef> {
    let (precision, scale) = decimal_of(call.arguments[0].data_type())?;
    let values = cast(&call.arguments[0], &DataType::Decimal128(precision, scale))?;
    let values = values.as_primitive::<Decimal128Type>();
    let up = call.name == "ceil_to";
    let digits = cast(&call.arguments[1], &DataType::Int32)?;
    let digits = digits.as_primitive::<Int32Type>();
    let DataType::Decimal128(_, shown) = call.gives else { return wrong("ceil and floor give decimals") };
    call.numbers::<Decimal128Type>(|row| {
        let dropped = u32::try_from(i32::from(scale) - digits.value(row.index())).unwrap_or(0);
        let unit = 10_i128.checked_pow(dropped);
        let value = values.value(row.index());
        let Some(unit) = unit else { return Ok(Some(0)) };
        let down = value.div_euclid(unit);
        let units = if up && value.rem_euclid(unit) != 0 { down + 1 } else { down };
        // Back to the units of the answer.
        let back = i32::from(shown) - i32::from(scale) + i32::try_from(dropped).unwrap_or(0);
        Ok(10_i128.checked_pow(u32::try_from(back).unwrap_or(0)).and_then(|power| units.checked_mul(power)))
    })
}

/// Halves go to the even neighbour.
fn bround(call: &Call) -> Result<ArrayRef> {
    let mut arguments = call.arguments.clone();
    arguments[0] = cast(&arguments[0], &DataType::Float64)?;
    let answers = Call { arguments, ..call.with_gives(DataType::Float64) }.numbers::<Float64Type>(|row| {
        let digits = if row.count() > 1 { row.int(1) } else { 0 };
        let scale = 10_f64.powi(digits.abs());
        let value = row.double(0);
        Ok(Some(if digits >= 0 {
            (value * scale).round_ties_even() / scale
        } else {
            (value / scale).round_ties_even() * scale
        }))
    })?;
    Ok(cast(&answers, &call.gives)?)
}

fn is_nan(call: &Call) -> Result<ArrayRef> {
    let values = call.arguments[0].as_primitive::<Float64Type>();
    Ok(Arc::new(values.iter().map(|value| Some(value.is_some_and(f64::is_nan))).collect::<BooleanArray>()))
}

/// From one base to another; a negative base means signed numbers.
fn conv(call: &Call) -> Result<ArrayRef> {
    call.texts(|row| {
        let (from, to) = (row.int(1), row.int(2));
        let within = |base: i32| (2..=36).contains(&base.abs());
        if !within(from) || !within(to) {
            return Ok(None);
        }
        let text = row.text(0).trim();
        let (negative, digits) = text.strip_prefix('-').map_or((false, text), |digits| (true, digits));
        let base = from.unsigned_abs();
        let mut value = 0_u64;
        for digit in digits.chars().map_while(|digit| digit.to_digit(base)) {
            value = value.saturating_mul(u64::from(base)).saturating_add(u64::from(digit));
        }
        let value = if negative { value.wrapping_neg() } else { value };
        let signed = to < 0 && value > i64::MAX as u64;
        let mut rest = if signed { value.wrapping_neg() } else { value };
        let mut out = Vec::new();
        while rest > 0 || out.is_empty() {
            let digit = u32::try_from(rest % u64::from(to.unsigned_abs())).unwrap_or(0);
            out.extend(char::from_digit(digit, to.unsigned_abs()).map(|digit| digit.to_ascii_uppercase()));
            rest /= u64::from(to.unsigned_abs());
        }
        out.extend(signed.then_some('-'));
        Ok(Some(out.into_iter().rev().collect()))
    })
}

/// `log(x)` is the natural one; `log(base, x)`. NULL for what has none.
fn log(call: &Call) -> Result<ArrayRef> {
    call.numbers::<Float64Type>(|row| {
        let value = row.double(row.count() - 1);
        if value <= 0.0 || (row.count() > 1 && row.double(0) <= 0.0) {
            return Ok(None);
        }
        Ok(Some(if row.count() > 1 { value.ln() / row.double(0).ln() } else { value.ln() }))
    })
}
