//! Operators and what else has a notation of its own: comparisons, `CASE`, `IN`, `LIKE`.

use datafusion::arrow::datatypes::{DataType, IntervalMonthDayNano, IntervalUnit};
use datafusion::common::ScalarValue;
use datafusion::logical_expr::expr::{Case, InList, Like};
use datafusion::logical_expr::{BinaryExpr, Expr, Operator, lit};
use datafusion::prelude::cast;

use crate::error::Result;
use crate::expression::{Named, Resolver};

/// Operators between two values: Spark's word, the planner's, as it is shown.
const BINARY: &[(&str, Operator, &str)] = &[
    ("+", Operator::Plus, "+"),
    ("-", Operator::Minus, "-"),
    ("*", Operator::Multiply, "*"),
    ("%", Operator::Modulo, "%"),
    ("=", Operator::Eq, "="),
    ("==", Operator::Eq, "="),
    ("!=", Operator::NotEq, "!="),
    ("<>", Operator::NotEq, "!="),
    ("<", Operator::Lt, "<"),
    ("<=", Operator::LtEq, "<="),
    (">", Operator::Gt, ">"),
    (">=", Operator::GtEq, ">="),
    ("<=>", Operator::IsNotDistinctFrom, "<=>"),
    ("and", Operator::And, "AND"),
    ("or", Operator::Or, "OR"),
    ("&", Operator::BitwiseAnd, "&"),
    ("|", Operator::BitwiseOr, "|"),
    ("^", Operator::BitwiseXor, "^"),
    ("||", Operator::StringConcat, "||"),
];

/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

impl Resolver<'_> {
    /// A call that is written as an operator, if it is one.
    pub(super) fn operator(&self, function: &str, arguments: &[Named]) -> Result<Option<Named>> {
        if let [left, right] = arguments
            && let Some((_, operator, sign)) = BINARY.iter().find(|(name, ..)| *name == function)
        {
            let name = if *operator == Operator::NotEq {
                format!("(NOT ({} = {}))", left.name, right.name)
            } else {
                format!("({} {sign} {})", left.name, right.name)
            };
            return Ok(Some(Named::new(self.between(left, *operator, right)?, name)));
        }
        let expr = |index: usize| arguments[index].expr.clone();
        let name = |index: usize| arguments[index].name.as_str();
        let named = match (function, arguments.len()) {
            ("/", 2) => {
                let shown = format!("({} / {})", name(0), name(1));
                Named::new(self.between(&arguments[0], Operator::Divide, &arguments[1])?, shown)
            }
            ("div", 2) => {
                let quotient = self.udf("div")?.call(vec![expr(0), expr(1)]);
                Named::new(quotient, format!("({} div {})", name(0), name(1)))
            }
            ("not" | "!", 1) => Named::new(!expr(0), format!("(NOT {})", name(0))),
            ("negative", 1) => Named::new(-expr(0), format!("negative({})", name(0))),
            // As SQL writes it.
            ("-", 1) => Named::new(-expr(0), format!("(- {})", name(0))),
            ("positive", 1) => Named::new(expr(0), format!("(+ {})", name(0))),
            ("isnull", 1) => Named::new(expr(0).is_null(), format!("({} IS NULL)", name(0))),
            ("isnotnull", 1) => Named::new(expr(0).is_not_null(), format!("({} IS NOT NULL)", name(0))),
            ("in", 2..) => in_list(arguments),
            ("<<" | ">>" | ">>>", 2) => self.shifted(function, arguments)?,
            ("like" | "ilike", 2 | 3) => like(self, function, arguments)?,
            ("rlike" | "regexp_like" | "regexp", 2) => {
                let found = self.udf("regexp_like")?.call(vec![expr(0), expr(1)]);
                Named::new(found, format!("{}({}, {})", function.to_uppercase(), name(0), name(1)))
            }
            ("when", 2..) => case(&self.alike(arguments, |at| at % 2 == 1 || at + 1 == arguments.len())?),
            ("if", 3) => {
                let shown = super::shown::call("if", &[name(0), name(1), name(2)], false);
                Named { name: shown, ..case(&self.alike(arguments, |at| at > 0)?) }
            }
            ("between", 3) => {
                let above = self.between(&arguments[0], Operator::GtEq, &arguments[1])?;
                let below = self.between(&arguments[0], Operator::LtEq, &arguments[2])?;
                Named::new(above.and(below), format!("between({}, {}, {})", name(0), name(1), name(2)))
            }
            _ => return Ok(None),
        };
        Ok(Some(named))
    }

    fn shifted(&self, sign: &str, arguments: &[Named]) -> Result<Named> {
        let function = match sign {
            "<<" => "shiftleft",
            ">>" => "shiftright",
            _ => "shiftrightunsigned",
        };
        let value = arguments[0].expr.clone();
        let wide = self.type_of(&value)? == DataType::Int64;
        let value = if wide { value } else { cast(value, DataType::Int32) };
        let moved = self.udf(function)?.call(vec![value, cast(arguments[1].expr.clone(), DataType::Int32)]);
        Ok(Named::new(moved, format!("({} {sign} {})", arguments[0].name, arguments[1].name)))
    }

    /// The same values, those that are chosen from in one type.
    pub(super) fn alike(&self, values: &[Named], chosen: impl Fn(usize) -> bool) -> Result<Vec<Named>> {
        let types = values.iter().map(|value| self.type_of(&value.expr)).collect::<Result<Vec<_>>>()?;
        let of = types.iter().enumerate().filter(|(at, _)| chosen(*at)).map(|(_, found)| found.clone());
        let common = of.map(Some).reduce(|a, b| crate::plan::common_type(&a?, &b?)).flatten();
        let Some(common) = common else { return Ok(values.to_vec()) };
        let one = |(at, (value, found)): (usize, (&Named, &DataType))| {
            if !chosen(at) || *found == common {
                return Ok(value.clone());
            }
            let expr = self.converted(value.expr.clone(), found, &common, false)?;
            Ok(Named { expr, ..value.clone() })
        };
        values.iter().zip(&types).enumerate().map(one).collect()
    }

    fn between(&self, left: &Named, operator: Operator, right: &Named) -> Result<Expr> {
        let (mut a, mut b) = (left.expr.clone(), right.expr.clone());
        let types = (self.type_of(&a)?, self.type_of(&b)?);
        // Numbers are reckoned with as in SQL: what does not fit is an error.
        if let Some(function) = arithmetic(operator)
            && is_number(&types.0)
            && is_number(&types.1)
        {
            let decimal = |data_type: &DataType| matches!(data_type, DataType::Decimal128(..));
            let (of_a, of_b) = (decimal(&types.0), decimal(&types.1));
            let (a, b) = (if of_b { narrowed(a) } else { a }, if of_a { narrowed(b) } else { b });
            return Ok(self.udf(function)?.call(vec![a, b]));
        }
        // Text beside a number is read as a number.
        match &types {
            (DataType::Utf8, other) if other.is_numeric() && operator != Operator::StringConcat => {
                a = self.converted(a, &DataType::Utf8, &number_for(other), false)?;
            }
            (other, DataType::Utf8) if other.is_numeric() && operator != Operator::StringConcat => {
                b = self.converted(b, &DataType::Utf8, &number_for(other), false)?;
            }
            (DataType::Decimal128(..), DataType::Float32 | DataType::Float64) => {
                a = cast(a, DataType::Float64);
            }
            (DataType::Float32 | DataType::Float64, DataType::Decimal128(..)) => {
                b = cast(b, DataType::Float64);
            }
            (DataType::Date32, other) if other.is_integer() => {
                let function = if operator == Operator::Minus { "date_sub" } else { "date_add" };
                return Ok(self.udf(function)?.call(vec![a, cast(b, DataType::Int32)]));
            }
            (time, DataType::Duration(_)) if is_time(time) => b = spanned(b)?,
            (DataType::Duration(_), time) if is_time(time) => a = spanned(a)?,
            _ => {}
        }
        Ok(Expr::BinaryExpr(BinaryExpr::new(Box::new(a), operator, Box::new(b))))
    }
}

/// Times of several kinds, of which an instant is chosen from.
pub(super) fn mixes_times(types: &[DataType]) -> bool {
    types.iter().any(|given| matches!(given, DataType::Timestamp(_, Some(_))))
        && types.iter().any(|given| matches!(given, DataType::Date32 | DataType::Timestamp(_, None)))
}

fn is_time(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Timestamp(..) | DataType::Date32)
}

/// A span as the planner adds it to a time.
fn spanned(expr: Expr) -> Result<Expr> {
    let wanted = DataType::Interval(IntervalUnit::MonthDayNano);
    let span = match &expr {
        Expr::Literal(ScalarValue::DurationMicrosecond(Some(micros)), _) => {
            let (days, rest) = (micros / DAY_US, micros % DAY_US);
            let days = i32::try_from(days).ok();
            days.map(|days| IntervalMonthDayNano::new(0, days, rest.saturating_mul(1000)))
        }
        _ => None,
    };
    Ok(match span {
        Some(span) => Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(span)), None),
        None => cast(expr, wanted),
    })
}

/// The engine's function in the place of an operator between numbers.
fn arithmetic(operator: Operator) -> Option<&'static str> {
    Some(match operator {
        Operator::Plus => "add",
        Operator::Minus => "subtract",
        Operator::Multiply => "multiply",
        Operator::Modulo => "mod",
        Operator::Divide => "divide",
        _ => return None,
    })
}

fn is_number(data_type: &DataType) -> bool {
    data_type.is_numeric() || matches!(data_type, DataType::Null | DataType::Utf8)
}

/// A whole number as it was written has, beside a decimal, only as many digits as it shows.
fn narrowed(expr: Expr) -> Expr {
    let Expr::Literal(value, _) = &expr else { return expr };
    let value = match value {
        ScalarValue::Int32(Some(value)) => i64::from(*value),
        ScalarValue::Int64(Some(value)) => *value,
        _ => return expr,
    };
    let digits = u8::try_from(value.unsigned_abs().to_string().len()).unwrap_or(19);
    Expr::Literal(ScalarValue::Decimal128(Some(i128::from(value)), digits, 0), None)
}

fn number_for(other: &DataType) -> DataType {
    if other.is_integer() { DataType::Int64 } else { DataType::Float64 }
}

fn in_list(arguments: &[Named]) -> Named {
    let list = arguments[1..].iter().map(|item| item.expr.clone()).collect();
    let names: Vec<&str> = arguments[1..].iter().map(|item| item.name.as_str()).collect();
    let expr = Expr::InList(InList::new(Box::new(arguments[0].expr.clone()), list, false));
    Named::new(expr, format!("({} IN ({}))", arguments[0].name, names.join(", ")))
}

fn like(resolver: &Resolver<'_>, function: &str, arguments: &[Named]) -> Result<Named> {
    let escape = match arguments.get(2).map(|argument| &argument.expr) {
        Some(Expr::Literal(value, _)) => value.try_as_str().flatten().and_then(|text| text.chars().next()),
        _ => Some('\\'),
    };
    let (mut pattern, mut known) = (arguments[1].expr.clone(), escape);
    // The planner knows one letter before what stands for itself.
    if let Some(escape) = escape.filter(|escape| *escape != '\\') {
        pattern = match &pattern {
            Expr::Literal(value, _) => match value.try_as_str().flatten() {
                Some(text) => lit(backslashed(text, escape)),
                None => pattern,
            },
            _ => {
                let replace = resolver.udf("replace")?;
                let twice = String::from_iter([escape, escape]);
                let steps = [("\\", "\\\\"), (&twice, "\u{0}"), (&escape.to_string(), "\\")];
                let changed = steps
                    .iter()
                    .fold(pattern, |text, (from, to)| replace.call(vec![text, lit(*from), lit(*to)]));
                replace.call(vec![changed, lit("\u{0}"), lit(escape.to_string())])
            }
        };
        known = Some('\\');
    }
    let expr = Expr::Like(Like::new(
        false,
        Box::new(arguments[0].expr.clone()),
        Box::new(pattern),
        known,
        function == "ilike",
    ));
    let name = if function == "ilike" {
        format!("ilike({}, {})", arguments[0].name, arguments[1].name)
    } else {
        let escape = escape.filter(|escape| *escape != '\\').map(|escape| format!(" ESCAPE '{escape}'"));
        format!("{} LIKE {}{}", arguments[0].name, arguments[1].name, escape.unwrap_or_default())
    };
    Ok(Named::new(expr, name))
}

/// A pattern with a backslash where it has another letter before what stands for itself.
fn backslashed(pattern: &str, escape: char) -> String {
    let (mut out, mut rest) = (String::new(), pattern.chars());
    while let Some(character) = rest.next() {
        match character {
            c if c == escape => match rest.next() {
                Some(next @ ('%' | '_' | '\\')) => out.extend(['\\', next]),
                Some(next) => out.push(next),
                None => out.push(c),
            },
            '\\' => out.push_str("\\\\"),
            c => out.push(c),
        }
    }
    out
}

fn case(arguments: &[Named]) -> Named {
    let mut name = "CASE".to_owned();
    let mut branches = Vec::new();
    let mut pairs = arguments.chunks_exact(2);
    for pair in &mut pairs {
        name.push_str(&format!(" WHEN {} THEN {}", pair[0].name, pair[1].name));
        branches.push((Box::new(pair[0].expr.clone()), Box::new(pair[1].expr.clone())));
    }
    let otherwise = pairs.remainder().first();
    if let Some(otherwise) = otherwise {
        name.push_str(&format!(" ELSE {}", otherwise.name));
    }
    name.push_str(" END");
    let otherwise = otherwise.map(|otherwise| Box::new(otherwise.expr.clone()));
    Named::new(Expr::Case(Case::new(None, branches, otherwise)), name)
}
