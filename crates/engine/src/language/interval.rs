//! Intervals: `INTERVAL 1 DAY 2 HOURS`, `INTERVAL '2 weeks 3 days'`, `INTERVAL '1 02:03:04' DAY TO SECOND`.

use datafusion::sql::sqlparser::ast::{DateTimeField, Expr, Interval, Value};
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

const SECOND_US: i64 = 1_000_000;

/// Units: name, months, days, microseconds.
const UNITS: &[(&str, i32, i32, i64)] = &[
    ("YEAR", 12, 0, 0),
    ("MONTH", 1, 0, 0),
    ("WEEK", 0, 7, 0),
    ("DAY", 0, 1, 0),
    ("HOUR", 0, 0, 3600 * SECOND_US),
    ("MINUTE", 0, 0, 60 * SECOND_US),
    ("SECOND", 0, 0, SECOND_US),
    ("MILLISECOND", 0, 0, 1000),
    ("MICROSECOND", 0, 0, 1),
];

/// The units of what stands between two of them, the longest first: `DAY TO SECOND`.
const LADDER: [&str; 6] = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];

/// A span of time in the three parts that do not turn into each other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Span {
    /// Of the calendar.
    pub months: i32,
    /// Of the calendar: an hour longer or shorter where clocks are changed.
    pub days: i32,
    /// Of a clock.
    pub microseconds: i64,
    /// Whether a unit of months was named.
    pub has_months: bool,
    /// Whether a unit of days or less was named.
    pub has_days: bool,
}

/// `INTERVAL ...` where the parser stands; `None` if this is none of Spark's.
pub(super) fn parse(parser: &mut Parser<'_>) -> Option<Expr> {
    if !word(&parser.peek_token_ref().token, "INTERVAL") {
        return None;
    }
    let mut at = 1;
    let mut words = String::new();
    let mut ladder = None;
    while let Some((number, quoted, taken)) = amount(parser, at) {
        at += taken;
        let unit = unit(&parser.peek_nth_token_ref(at).token);
        match unit {
            None if quoted && words.is_empty() => {
                words = number;
                break;
            }
            None => return None,
            Some(first) if words.is_empty() && word(&parser.peek_nth_token_ref(at + 1).token, "TO") => {
                let last = self::unit(&parser.peek_nth_token_ref(at + 2).token)?;
                words = steps(&number, &first, &last)?;
                ladder = Some(());
                at += 3;
                break;
            }
            Some(unit) => {
                words = format!("{words} {} {unit}", number.trim());
                at += 1;
            }
        }
    }
    let words = words.trim().to_owned();
    let parts: Vec<&str> = words.split_whitespace().collect();
    if parts.is_empty() {
        return None;
    }
    // One unit stays what every planner knows.
    let single = ladder.is_none() && parts.len() == 2 && parts[0].parse::<f64>().is_ok();
    let field = single.then(|| field(parts[1])).flatten();
    if field.is_none() && span(&words).is_none() {
        return None;
    }
    for _ in 0..at {
        parser.next_token();
    }
    let text = if field.is_some() { parts[0].to_owned() } else { words };
    Some(Expr::Interval(Interval {
        value: Box::new(Expr::value(Value::SingleQuotedString(text))),
        leading_field: field,
        leading_precision: None,
        last_field: None,
        fractional_seconds_precision: None,
    }))
}

/// A number with its sign, or a text; whether it is a text; how many tokens it is.
fn amount(parser: &Parser<'_>, at: usize) -> Option<(String, bool, usize)> {
    let (sign, signs) = match parser.peek_nth_token_ref(at).token {
        Token::Minus => ("-", 1),
        Token::Plus => ("", 1),
        _ => ("", 0),
    };
    match &parser.peek_nth_token_ref(at + signs).token {
        Token::Number(digits, _) => Some((format!("{sign}{digits}"), false, signs + 1)),
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
            let text = text.trim();
            let text = match (sign, text.strip_prefix('-')) {
                ("", _) => text.to_owned(),
                (_, Some(positive)) => positive.to_owned(),
                (_, None) => format!("-{text}"),
            };
            Some((text, true, signs + 1))
        }
        _ => None,
    }
}

fn word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}

fn unit(token: &Token) -> Option<String> {
    let Token::Word(word) = token else { return None };
    if word.quote_style.is_some() {
        return None;
    }
    let upper = word.value.to_ascii_uppercase();
    named(&upper).map(|(name, ..)| (*name).to_owned())
}

fn named(upper: &str) -> Option<&'static (&'static str, i32, i32, i64)> {
    let one = upper.strip_suffix('S').unwrap_or(upper);
    UNITS.iter().find(|(name, ..)| *name == one)
}

fn field(unit: &str) -> Option<DateTimeField> {
    Some(match unit {
        "YEAR" => DateTimeField::Year,
        "MONTH" => DateTimeField::Month,
        "WEEK" => DateTimeField::Week(None),
        "DAY" => DateTimeField::Day,
        "HOUR" => DateTimeField::Hour,
        "MINUTE" => DateTimeField::Minute,
        "SECOND" => DateTimeField::Second,
        "MILLISECOND" => DateTimeField::Millisecond,
        "MICROSECOND" => DateTimeField::Microsecond,
        _ => return None,
    })
}

/// `1 02:03:04.5` from DAY to SECOND is `1 DAY 2 HOUR 3 MINUTE 4.5 SECOND`.
fn steps(text: &str, first: &str, last: &str) -> Option<String> {
    let place = |unit: &str| LADDER.iter().position(|known| *known == unit);
    let (first, last) = (place(first)?, place(last)?);
    // Months and days do not turn into each other.
    if first >= last || (first < 2) != (last < 2) {
        return None;
    }
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", text.strip_prefix('+').unwrap_or(text)),
    };
    let parts: Vec<&str> = text.split([' ', ':', '-']).filter(|part| !part.is_empty()).collect();
    if parts.len() != last - first + 1 || parts.iter().any(|part| part.parse::<f64>().is_err()) {
        return None;
    }
    let units = &LADDER[first..=last];
    let words = parts.iter().zip(units).map(|(part, unit)| format!("{sign}{part} {unit}"));
    Some(words.collect::<Vec<_>>().join(" "))
}

/// `2 days 3 hours`, with or without the word INTERVAL before it; `None` if it is no span.
#[must_use]
pub fn span(text: &str) -> Option<Span> {
    let lower = text.trim().to_ascii_uppercase();
    let text = lower.strip_prefix("INTERVAL").unwrap_or(&lower);
    let words: Vec<&str> = text.split_whitespace().collect();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return None;
    }
    let mut span = Span::default();
    for pair in words.chunks(2) {
        let (_, months, days, micros) = named(pair[1])?;
        span.has_months |= *months > 0;
        span.has_days |= *months == 0;
        if *micros > 0 {
            span.microseconds = span.microseconds.checked_add(scaled(pair[0], *micros)?)?;
        } else {
            let count: i32 = pair[0].strip_prefix('+').unwrap_or(pair[0]).parse().ok()?;
            span.months = span.months.checked_add(count.checked_mul(*months)?)?;
            span.days = span.days.checked_add(count.checked_mul(*days)?)?;
        }
    }
    Some(span)
}

/// `-2.5` of a unit of so many microseconds.
fn scaled(number: &str, unit: i64) -> Option<i64> {
    let (negative, digits) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number.strip_prefix('+').unwrap_or(number)),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let known = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !known(whole) || !known(fraction) || (whole.is_empty() && fraction.is_empty()) {
        return None;
    }
    // A fraction is of seconds only, and what is less than a microsecond falls off.
    if !fraction.is_empty() && unit != SECOND_US {
        return None;
    }
    let whole: i64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let micros: i64 = format!("{fraction:0<6}")[..6].parse().ok()?;
    let sum = whole.checked_mul(unit)?.checked_add(micros)?;
    Some(if negative { -sum } else { sum })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<String> {
        let tokens = crate::language::tokens(text, crate::language::Numbers::Suffixed).unwrap();
        let mut parser = crate::language::parser(tokens);
        parser.parse_expr().ok().map(|expr| expr.to_string())
    }

    #[test]
    fn intervals_are_read_as_spark_writes_them() {
        let same = |text: &str, shown: &str| assert_eq!(read(text).as_deref(), Some(shown), "{text}");
        same("INTERVAL 1 DAY", "INTERVAL '1' DAY");
        same("INTERVAL -1 days", "INTERVAL '-1' DAY");
        same("INTERVAL 1 day 2 hours", "INTERVAL '1 DAY 2 HOUR'");
        same("INTERVAL '2 weeks 3 days'", "INTERVAL '2 weeks 3 days'");
        same("INTERVAL '1 02:03:04.5' DAY TO SECOND", "INTERVAL '1 DAY 02 HOUR 03 MINUTE 04.5 SECOND'");
        same("INTERVAL '-1-2' YEAR TO MONTH", "INTERVAL '-1 YEAR -2 MONTH'");
        // What is none is left as it stands, for the planner to refuse.
        assert_eq!(span("1-2"), None);
        same("INTERVAL '1-2' DAY TO SECOND", "INTERVAL '1-2' DAY TO SECOND");
    }

    #[test]
    fn spans_are_exact() {
        let wanted = Span { microseconds: 90_500_000, has_days: true, ..Span::default() };
        assert_eq!(span("1 minute 30.5 seconds"), Some(wanted));
        assert_eq!(span("-2.000001 seconds").unwrap().microseconds, -2_000_001);
        assert_eq!(span("interval 1 year 2 months").unwrap().months, 14);
        assert_eq!(span("1.5 days"), None);
        assert_eq!(span("1 fortnight"), None);
    }
}
