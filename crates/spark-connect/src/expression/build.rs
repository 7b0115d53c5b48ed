//! Expressions as a client would send them, made here: SQL becomes these.

use crate::wire::expression::{
    Alias, Cast, CastTo, ExprType, Expression, Literal, LiteralType, NamedArgumentExpression,
    UnresolvedAttribute, UnresolvedFunction, UnresolvedStar,
};

fn of(kind: ExprType) -> Expression {
    Expression { expr_type: Some(kind), common: None }
}

pub(crate) fn attribute(name: &str) -> Expression {
    let unparsed_identifier = name.to_owned();
    of(ExprType::UnresolvedAttribute(Box::new(UnresolvedAttribute {
        unparsed_identifier,
        ..Default::default()
    })))
}

pub(crate) fn star(target: Option<String>) -> Expression {
    of(ExprType::UnresolvedStar(Box::new(UnresolvedStar { unparsed_target: target, plan_id: None })))
}

pub(crate) fn call(name: &str, arguments: Vec<Expression>) -> UnresolvedFunction {
    UnresolvedFunction { function_name: name.to_owned(), arguments, ..Default::default() }
}

pub(crate) fn function(name: &str, arguments: Vec<Expression>) -> Expression {
    of(ExprType::UnresolvedFunction(Box::new(call(name, arguments))))
}

pub(crate) fn distinct(name: &str, arguments: Vec<Expression>) -> Expression {
    let call = UnresolvedFunction { is_distinct: true, ..call(name, arguments) };
    of(ExprType::UnresolvedFunction(Box::new(call)))
}

pub(crate) fn literal(value: LiteralType) -> Expression {
    literal_of(Literal { literal_type: Some(value), data_type: None })
}

pub(crate) fn literal_of(literal: Literal) -> Expression {
    of(ExprType::Literal(Box::new(literal)))
}

pub(crate) fn text(value: impl Into<String>) -> Expression {
    literal(LiteralType::String(value.into()))
}

/// An argument by the name of its parameter.
pub(crate) fn named(key: String, value: Expression) -> Expression {
    of(ExprType::NamedArgumentExpression(Box::new(NamedArgumentExpression {
        key,
        value: Some(Box::new(value)),
    })))
}

pub(crate) fn alias(expression: Expression, names: Vec<String>) -> Expression {
    of(ExprType::Alias(Box::new(Alias { expr: Some(Box::new(expression)), name: names, metadata: None })))
}

pub(crate) fn cast(expression: Expression, type_text: String, lenient: bool) -> Expression {
    of(ExprType::Cast(Box::new(Cast {
        expr: Some(Box::new(expression)),
        eval_mode: if lenient { 3 } else { 0 },
        cast_to_type: Some(CastTo::TypeStr(type_text)),
    })))
}

pub(crate) fn kind(kind: ExprType) -> Expression {
    of(kind)
}
