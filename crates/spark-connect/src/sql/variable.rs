//! Variables of a session: `DECLARE VARIABLE`, `SET VAR`, `DROP TEMPORARY VARIABLE`; and texts that are carried out.

use datafusion::sql::sqlparser::ast::{CastKind, DataType, Expr, SelectItem, SetExpr};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::{Class, Result, SparkError};
use crate::sql::read::object;
use crate::sql::{Arguments, Query, finished, parser, rest, wrong};

/// `DECLARE [OR REPLACE] VARIABLE name [type] [DEFAULT value]`.
#[derive(Debug, Clone)]
pub(crate) struct Declare {
    pub(crate) names: Vec<String>,
    pub(crate) replace: bool,
    /// As written.
    pub(crate) data_type: Option<String>,
    /// A query of one value; NULL without one.
    pub(crate) value: Option<Query>,
}

/// `SET VAR a = 1, b = 2` or `SET VAR (a, b) = (SELECT ...)`.
#[derive(Debug, Clone)]
pub(crate) struct SetVariables {
    /// The variables, and the query whose only row has their values; none means the default.
    pub(crate) sets: Vec<(Vec<String>, Option<Query>)>,
}

/// `EXECUTE IMMEDIATE text [INTO variables] [USING values]`.
#[derive(Debug, Clone)]
pub(crate) struct Execute {
    /// The text that is carried out.
    pub(crate) text: Query,
    pub(crate) into: Vec<String>,
    /// The values and their names, where they have some.
    pub(crate) using: Vec<(Option<String>, Query)>,
}

/// The name of a variable, in lower case. `session.` and `system.session.` may stand before it.
pub(crate) fn name(parts: &[String]) -> Option<String> {
    let (last, before) = parts.split_last()?;
    let known = match before {
        [] => true,
        [session] => session.eq_ignore_ascii_case("session"),
        [system, session] => system.eq_ignore_ascii_case("system") && session.eq_ignore_ascii_case("session"),
        _ => false,
    };
    known.then(|| last.to_lowercase())
}

fn named(p: &mut Parser<'_>) -> Result<String> {
    let parts = object(&p.parse_object_name(false).map_err(wrong)?);
    name(&parts).ok_or_else(|| unresolved(&parts.join("`.`")))
}

pub(crate) fn unresolved(name: &str) -> SparkError {
    let text = format!(
        "Cannot resolve variable `{name}` on search path `SYSTEM`.`SESSION`. Verify the spelling and correctness of the \
         schema and catalog."
    );
    SparkError::new(Class::Analysis, "UNRESOLVED_VARIABLE", "42883", text)
        .with("variableName", format!("`{name}`"))
        .with("searchPath", "`SYSTEM`.`SESSION`")
}

fn word(p: &mut Parser<'_>, text: &str) -> bool {
    let found = matches!(&p.peek_token_ref().token, Token::Word(word)
        if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text));
    if found {
        p.next_token();
    }
    found
}

fn variable_word(p: &mut Parser<'_>) -> bool {
    word(p, "VARIABLE") || word(p, "VAR")
}

/// A query of one value.
fn query_of(value: Expr, arguments: &Arguments) -> Result<Query> {
    let mut query = *parser("SELECT 1")?.parse_query().map_err(wrong)?;
    if let SetExpr::Select(select) = query.body.as_mut() {
        select.projection = vec![SelectItem::UnnamedExpr(value)];
    }
    Query::of(query, arguments)
}

fn cast(value: Expr, data_type: DataType) -> Expr {
    Expr::Cast { kind: CastKind::Cast, expr: Box::new(value), data_type, array: false, format: None }
}

/// Reads a `DECLARE`.
pub(super) fn declare(text: &str, arguments: &Arguments) -> Result<Declare> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::DECLARE).map_err(wrong)?;
    let replace = p.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    let _ = variable_word(p);
    let mut names = vec![named(p)?];
    while p.consume_token(&Token::Comma) {
        names.push(named(p)?);
    }
    let begins_value = |p: &mut Parser<'_>| p.parse_keyword(Keyword::DEFAULT) || p.consume_token(&Token::Eq);
    let ends = matches!(p.peek_token_ref().token, Token::EOF | Token::SemiColon | Token::Eq)
        || p.peek_keyword(Keyword::DEFAULT);
    let data_type = if ends { None } else { Some(p.parse_data_type().map_err(wrong)?) };
    let value = if begins_value(p) { Some(p.parse_expr().map_err(wrong)?) } else { None };
    finished(p)?;
    let value = match (value, &data_type) {
        (Some(value), Some(data_type)) => Some(cast(value, data_type.clone())),
        (value, _) => value,
    };
    let value = value.map(|value| query_of(value, arguments)).transpose()?;
    Ok(Declare { names, replace, data_type: data_type.map(|data_type| data_type.to_string()), value })
}

/// Reads a `SET VAR`.
pub(super) fn set(text: &str, arguments: &Arguments) -> Result<SetVariables> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::SET).map_err(wrong)?;
    let _ = variable_word(p);
    let mut sets = Vec::new();
    if p.consume_token(&Token::LParen) {
        let mut names = vec![named(p)?];
        while p.consume_token(&Token::Comma) {
            names.push(named(p)?);
        }
        p.expect_token(&Token::RParen).map_err(wrong)?;
        p.expect_token(&Token::Eq).map_err(wrong)?;
        sets.push((names, Some(rest(p, arguments)?)));
        return Ok(SetVariables { sets });
    }
    loop {
        let name = named(p)?;
        p.expect_token(&Token::Eq).map_err(wrong)?;
        let value = if p.parse_keyword(Keyword::DEFAULT) {
            None
        } else {
            Some(query_of(p.parse_expr().map_err(wrong)?, arguments)?)
        };
        sets.push((vec![name], value));
        if !p.consume_token(&Token::Comma) {
            finished(p)?;
            return Ok(SetVariables { sets });
        }
    }
}

/// Reads a `DROP TEMPORARY VARIABLE`: the name, and whether it may be missing.
pub(super) fn drop(text: &str) -> Result<(String, bool)> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::DROP).map_err(wrong)?;
    p.expect_one_of_keywords(&[Keyword::TEMPORARY, Keyword::TEMP]).map_err(wrong)?;
    let _ = variable_word(p);
    let if_exists = p.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = named(p)?;
    finished(p)?;
    Ok((name, if_exists))
}

/// Reads an `EXECUTE IMMEDIATE`.
pub(super) fn execute(text: &str, arguments: &Arguments) -> Result<Execute> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::EXECUTE).map_err(wrong)?;
    if !word(p, "IMMEDIATE") {
        return Err(SparkError::parse("at or near 'EXECUTE'"));
    }
    let text = query_of(p.parse_expr().map_err(wrong)?, arguments)?;
    let (mut into, mut using) = (Vec::new(), Vec::new());
    if p.parse_keyword(Keyword::INTO) {
        into.push(named(p)?);
        while p.consume_token(&Token::Comma) {
            into.push(named(p)?);
        }
    }
    if p.parse_keyword(Keyword::USING) {
        let closed = p.consume_token(&Token::LParen);
        loop {
            let value = p.parse_expr().map_err(wrong)?;
            let name = if p.parse_keyword(Keyword::AS) {
                Some(p.parse_identifier().map_err(wrong)?.value)
            } else {
                None
            };
            using.push((name, query_of(value, arguments)?));
            if !p.consume_token(&Token::Comma) {
                break;
            }
        }
        if closed {
            p.expect_token(&Token::RParen).map_err(wrong)?;
        }
    }
    finished(p)?;
    Ok(Execute { text, into, using })
}
