//! Literals of SQL: `1`, `1.5`, `'text'`, `X'00'`, `INTERVAL 2 DAYS`, `:name`.

use datafusion::sql::sqlparser::ast::{
    ArrayElemTypeDef, DataType as Spelled, Expr, Interval, StructField, Value,
};

use crate::error::{Result, SparkError};
use crate::expression::build;
use crate::sql::read::Reader;
use crate::wire::expression::{Expression, LiteralDecimal, LiteralType};
use crate::wire::types::{DataType, Kind, Plain};

const DAY_US: i64 = 86_400_000_000;

/// More than a decimal can have.
const DECIMAL_DIGITS: i32 = 64;

impl Reader<'_> {
    pub(super) fn value(&mut self, value: &Value) -> Result<Expression> {
        Ok(match value {
            Value::Number(text, long) => number(text, *long)?,
            Value::SingleQuotedString(text)
            | Value::DoubleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::SingleQuotedRawStringLiteral(text)
            | Value::DoubleQuotedRawStringLiteral(text)
            | Value::NationalStringLiteral(text) => build::text(text),
            Value::HexStringLiteral(digits) => {
                let byte = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
                let bytes: Option<Vec<u8>> = (0..digits.len()).step_by(2).map(byte).collect();
                let bytes =
                    bytes.ok_or_else(|| SparkError::parse(format!("X'{digits}' is no binary value")))?;
                build::literal(LiteralType::Binary(bytes.into()))
            }
            Value::Boolean(value) => build::literal(LiteralType::Boolean(*value)),
            Value::Null => {
                let null = DataType { kind: Some(Kind::Null(Plain {})) };
                build::literal(LiteralType::Null(Box::new(null)))
            }
            Value::Placeholder(name) => self.argument(name)?,
            other => return Err(SparkError::unsupported(format!("the literal {other}"))),
        })
    }

    pub(super) fn negative(&mut self, value: &Value) -> Result<Expression> {
        match value {
            Value::Number(text, long) => number(&format!("-{text}"), *long),
            other => Ok(build::function("-", vec![self.value(other)?])),
        }
    }

    fn argument(&self, name: &str) -> Result<Expression> {
        let unbound = || {
            let text =
                format!("Found the unbound parameter: {name}. Please, fix `args` and provide a mapping.");
            SparkError::new(crate::error::Class::Analysis, "UNBOUND_SQL_PARAMETER", "42P02", text)
        };
        if let Some(name) = name.strip_prefix(':') {
            return self.arguments.named.get(name).cloned().ok_or_else(unbound);
        }
        let place = self.place.replace(self.place.get() + 1);
        self.arguments.placed.get(place).cloned().ok_or_else(unbound)
    }

    pub(super) fn interval(&mut self, interval: &Interval) -> Result<Expression> {
        let text = match interval.value.as_ref() {
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(text) | Value::DoubleQuotedString(text) => text.clone(),
                Value::Number(text, _) => text.clone(),
                other => other.to_string(),
            },
            other => other.to_string(),
        };
        let unit = interval.leading_field.as_ref().map(ToString::to_string).unwrap_or_default();
        span(&format!("{text} {unit}"))
    }
}

/// `2 days 3 hours`.
fn span(text: &str) -> Result<Expression> {
    let read = engine::language::span(text);
    let read = read.ok_or_else(|| SparkError::parse(format!("{text} is no interval")))?;
    let kind = match (read.has_months, read.has_days) {
        (true, false) => LiteralType::YearMonthInterval(read.months),
        (false, true) => {
            let days = i64::from(read.days).checked_mul(DAY_US);
            let whole = days.and_then(|days| days.checked_add(read.microseconds));
            LiteralType::DayTimeInterval(
                whole.ok_or_else(|| SparkError::parse(format!("{text} is too long an interval")))?,
            )
        }
        _ => return Err(SparkError::parse("Cannot mix year-month and day-time fields")),
    };
    Ok(build::literal(kind))
}

/// A type as Spark spells it.
pub(super) fn spelled(kind: &Spelled) -> String {
    match kind {
        Spelled::Map(key, value) => format!("MAP<{}, {}>", spelled(key), spelled(value)),
        Spelled::Array(ArrayElemTypeDef::AngleBracket(item)) => format!("ARRAY<{}>", spelled(item)),
        Spelled::Struct(fields, _) => {
            let field = |field: &StructField| match &field.field_name {
                Some(name) => format!("`{}`: {}", name.value.replace('`', "``"), spelled(&field.field_type)),
                None => spelled(&field.field_type),
            };
            format!("STRUCT<{}>", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn number(text: &str, long: bool) -> Result<Expression> {
    let wrong = || SparkError::parse(format!("{text} is no number"));
    let upper = text.to_ascii_uppercase();
    let digits = upper.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let whole = |least: i32, most: i32| {
        let value = digits.parse::<i32>().ok().filter(|value| (least..=most).contains(value));
        value.ok_or_else(|| SparkError::parse(format!("Numeric literal {digits} is outside the valid range")))
    };
    let kind = if long || upper.ends_with('L') {
        LiteralType::Long(digits.parse().map_err(|_| wrong())?)
    } else if upper.ends_with("BD") {
        decimal(digits)
    } else if upper.ends_with('Y') {
        LiteralType::Byte(whole(i8::MIN.into(), i8::MAX.into())?)
    } else if upper.ends_with('S') {
        LiteralType::Short(whole(i16::MIN.into(), i16::MAX.into())?)
    } else if upper.ends_with('F') {
        LiteralType::Float(digits.parse().map_err(|_| wrong())?)
    } else if upper.contains('E') || upper.ends_with('D') {
        LiteralType::Double(digits.parse().map_err(|_| wrong())?)
    } else if upper.contains('.') {
        decimal(&upper)
    } else if let Ok(value) = upper.parse::<i32>() {
        LiteralType::Integer(value)
    } else if let Ok(value) = upper.parse::<i64>() {
        LiteralType::Long(value)
    } else {
        decimal(&upper)
    };
    Ok(build::literal(kind))
}

/// `1.5`, or `15E-1` with all of its zeros.
fn decimal(text: &str) -> LiteralType {
    let (mantissa, power) = text.split_once('E').unwrap_or((text, "0"));
    let power: i32 = power.parse().unwrap_or(0);
    let (sign, mantissa) = mantissa.strip_prefix('-').map_or(("", mantissa), |rest| ("-", rest));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let (mut whole, mut fraction) = (whole.to_owned(), fraction.to_owned());
    for _ in 0..power.clamp(0, DECIMAL_DIGITS) {
        whole.push(if fraction.is_empty() { '0' } else { fraction.remove(0) });
    }
    for _ in 0..(-power).clamp(0, DECIMAL_DIGITS) {
        fraction.insert(0, whole.pop().unwrap_or('0'));
    }
    let whole = whole.trim_start_matches('0');
    let point = if fraction.is_empty() { "" } else { "." };
    let value = format!("{sign}{}{point}{fraction}", if whole.is_empty() { "0" } else { whole });
    LiteralType::Decimal(LiteralDecimal { value, precision: None, scale: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_written_out() {
        let value = |text| match decimal(text) {
            LiteralType::Decimal(decimal) => decimal.value,
            other => panic!("{other:?}"),
        };
        assert_eq!(value("1.50"), "1.50");
        assert_eq!(value(".5"), "0.5");
        assert_eq!(value("-1.5E3"), "-1500");
        assert_eq!(value("15E-3"), "0.015");
        assert_eq!(value("0090"), "90");
    }
}
