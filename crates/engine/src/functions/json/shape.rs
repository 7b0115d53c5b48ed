//! The type of a piece of JSON.

use super::value::Json;

/// A type as `schema_of_json` says it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Shape {
    Unknown,
    Boolean,
    Whole,
    Fraction,
    Text,
    List(Box<Shape>),
    /// Sorted by name.
    Object(Vec<(String, Shape)>),
}

pub(super) fn of(json: &Json<'_>) -> Shape {
    match json {
        Json::Null => Shape::Unknown,
        Json::Boolean(_) => Shape::Boolean,
        Json::Number(digits) if digits.parse::<i64>().is_ok() => Shape::Whole,
        Json::Number(_) => Shape::Fraction,
        Json::Text(_) => Shape::Text,
        Json::List(items) => Shape::List(Box::new(items.iter().map(of).fold(Shape::Unknown, both))),
        Json::Object(fields) => {
            let mut shapes: Vec<(String, Shape)> = Vec::new();
            for (name, value) in fields {
                shapes.push((name.to_string(), of(value)));
            }
            shapes.sort_by(|a, b| a.0.cmp(&b.0));
            shapes.dedup_by(|a, b| a.0 == b.0);
            Shape::Object(shapes)
        }
    }
}

/// The same with texts for everything plain.
pub(super) fn as_texts(shape: Shape) -> Shape {
    match shape {
        Shape::List(item) => Shape::List(Box::new(as_texts(*item))),
        Shape::Object(fields) => {
            Shape::Object(fields.into_iter().map(|(name, shape)| (name, as_texts(shape))).collect())
        }
        Shape::Unknown | Shape::Boolean | Shape::Whole | Shape::Fraction | Shape::Text => Shape::Text,
    }
}

/// A type that has room for both.
fn both(one: Shape, other: Shape) -> Shape {
    match (one, other) {
        (Shape::Unknown, shape) | (shape, Shape::Unknown) => shape,
        (one, other) if one == other => one,
        (Shape::Whole, Shape::Fraction) | (Shape::Fraction, Shape::Whole) => Shape::Fraction,
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

/// As a schema that `from_json` takes.
pub(super) fn name(shape: &Shape) -> String {
    match shape {
        Shape::Boolean => "BOOLEAN".to_owned(),
        Shape::Whole => "BIGINT".to_owned(),
        Shape::Fraction => "DOUBLE".to_owned(),
        Shape::Unknown | Shape::Text => "STRING".to_owned(),
        Shape::List(item) => format!("ARRAY<{}>", name(item)),
        Shape::Object(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|(field, shape)| format!("{field}: {}", name(shape))).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
    }
}
