//! The type of a piece of JSON.

use std::sync::Arc;

use datafusion::arrow::datatypes::{DataType, Field, Fields};

use super::value::Json;

/// Digits of the largest decimal.
const DIGITS_MAX: usize = 38;

/// How types are found.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hints {
    /// Whatever is no list and no object is text.
    pub(super) texts: bool,
    /// Fractions are decimals where these have room.
    pub(super) decimals: bool,
    /// A field that is never more than null, or an empty list of such, is left out.
    pub(super) drop_nulls: bool,
}

/// A type as `schema_of_json` says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Unknown,
    Boolean,
    Whole,
    Fraction,
    /// Digits, and how many of them follow the point.
    Decimal(usize, usize),
    Text,
    List(Box<Shape>),
    /// Sorted by name.
    Object(Vec<(String, Shape)>),
}

pub(super) fn of(json: &Json<'_>, hints: Hints) -> Shape {
    match json {
        Json::Null => Shape::Unknown,
        Json::Boolean(_) | Json::Number(_) if hints.texts => Shape::Text,
        Json::Boolean(_) => Shape::Boolean,
        Json::Number(digits) => number(digits, hints.decimals),
        Json::Text(_) => Shape::Text,
        Json::List(items) => {
            let items = items.iter().map(|item| of(item, hints));
            Shape::List(Box::new(items.fold(Shape::Unknown, both)))
        }
        Json::Object(fields) => {
            let mut shapes: Vec<(String, Shape)> = Vec::new();
            for (name, value) in fields {
                shapes.push((name.to_string(), of(value, hints)));
            }
            shapes.sort_by(|a, b| a.0.cmp(&b.0));
            shapes.dedup_by(|a, b| a.0 == b.0);
            Shape::Object(shapes)
        }
    }
}

fn number(digits: &str, decimals: bool) -> Shape {
    if digits.parse::<i64>().is_ok() {
        return Shape::Whole;
    }
    let plain = digits.trim_start_matches('-');
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    let exact = [whole, part].iter().all(|half| half.bytes().all(|byte| byte.is_ascii_digit()));
    let significant = whole.trim_start_matches('0').len() + part.len();
    if exact && !whole.is_empty() && (part.is_empty() || decimals) && significant <= DIGITS_MAX {
        return Shape::Decimal(significant.max(part.len()).max(1), part.len());
    }
    Shape::Fraction
}

/// A type that has room for both.
pub(super) fn both(one: Shape, other: Shape) -> Shape {
    match (one, other) {
        (Shape::Unknown, shape) | (shape, Shape::Unknown) => shape,
        (one, other) if one == other => one,
        (Shape::Whole, Shape::Fraction) | (Shape::Fraction, Shape::Whole) => Shape::Fraction,
        (Shape::Whole, Shape::Decimal(digits, scale)) | (Shape::Decimal(digits, scale), Shape::Whole) => {
            decimal((20, 0), (digits, scale))
        }
        (Shape::Decimal(a, b), Shape::Decimal(c, d)) => decimal((a, b), (c, d)),
        (Shape::Fraction, Shape::Decimal(..)) | (Shape::Decimal(..), Shape::Fraction) => Shape::Fraction,
        (Shape::List(one), Shape::List(other)) => Shape::List(Box::new(both(*one, *other))),
        (Shape::Object(mut one), Shape::Object(other)) => {
            for (name, shape) in other {
                match one.iter_mut().find(|(known, _)| *known == name) {
                    Some((_, known)) => *known = both(known.clone(), shape),
                    None => one.push((name, shape)),
                }
            }
            one.sort_by(|a, b| a.0.cmp(&b.0));
            Shape::Object(one)
        }
        _ => Shape::Text,
    }
}

/// A decimal with room for both, or a fraction if there is none.
fn decimal(one: (usize, usize), other: (usize, usize)) -> Shape {
    let scale = one.1.max(other.1);
    let digits = (one.0 - one.1).max(other.0 - other.1) + scale;
    if digits > DIGITS_MAX { Shape::Fraction } else { Shape::Decimal(digits, scale) }
}

/// As the type of a column; `None` if nothing is left of it.
pub(super) fn data_type(shape: &Shape, drop_nulls: bool) -> Option<DataType> {
    Some(match shape {
        Shape::Unknown if drop_nulls => return None,
        Shape::Unknown | Shape::Text => DataType::Utf8,
        Shape::Boolean => DataType::Boolean,
        Shape::Whole => DataType::Int64,
        Shape::Fraction => DataType::Float64,
        Shape::Decimal(digits, scale) => {
            DataType::Decimal128(u8::try_from(*digits).ok()?, i8::try_from(*scale).ok()?)
        }
        Shape::List(item) => {
            DataType::List(Arc::new(Field::new_list_field(data_type(item, drop_nulls)?, true)))
        }
        Shape::Object(shapes) => {
            let field =
                |(name, shape): &(String, Shape)| Some(Field::new(name, data_type(shape, drop_nulls)?, true));
            let fields: Fields = shapes.iter().filter_map(field).collect();
            if fields.is_empty() {
                return None;
            }
            DataType::Struct(fields)
        }
    })
}

/// As a schema that `from_json` takes.
pub(super) fn name(shape: &Shape) -> String {
    match shape {
        Shape::Boolean => "BOOLEAN".to_owned(),
        Shape::Whole => "BIGINT".to_owned(),
        Shape::Fraction => "DOUBLE".to_owned(),
        Shape::Decimal(digits, scale) => format!("DECIMAL({digits},{scale})"),
        Shape::Unknown | Shape::Text => "STRING".to_owned(),
        Shape::List(item) => format!("ARRAY<{}>", name(item)),
        Shape::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(field, shape)| format!("{field}: {}", name(shape))).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
    }
}
