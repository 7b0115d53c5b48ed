//! Numbers.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, AsArray, BooleanArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::Result;

use crate::functions::own::{Call, Kind, Own, Planned, boolean, double, text};

const ANY: Kind = Kind::Any;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("bround", &[ANY, Kind::Int], rounded_gives, bround).optional(1),
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
