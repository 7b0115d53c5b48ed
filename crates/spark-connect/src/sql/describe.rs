//! `DESCRIBE` and `SHOW`: what there is, asked in Spark's words.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::expression::name_quoted;
use crate::sql::read::object;
use crate::sql::{Arguments, Query, finished, is_query, parser, wrong};

/// What is described.
#[derive(Debug, Clone)]
pub(crate) enum Described {
    /// A table or a view; more of it if so wanted; one column only, if it is named.
    Table {
        name: String,
        extended: bool,
        column: Option<String>,
    },
    Query(Box<Query>),
    Function(String),
}

/// What is listed.
#[derive(Debug, Clone)]
pub(crate) enum Shows {
    /// Tables and views of a database whose names fit a pattern.
    Tables(Option<String>, Option<String>),
    Views(Option<String>, Option<String>),
    Columns(String),
    Databases(Option<String>),
    Functions(Option<String>, Option<String>),
    Catalogs(Option<String>),
    /// Properties of a table; one of them.
    Properties(Option<String>),
}

pub(super) fn word(p: &mut Parser<'_>, texts: &[&str]) -> bool {
    let found = matches!(&p.peek_token_ref().token, Token::Word(word)
        if word.quote_style.is_none() && texts.iter().any(|text| word.value.eq_ignore_ascii_case(text)));
    if found {
        p.next_token();
    }
    found
}

pub(super) fn name(p: &mut Parser<'_>) -> Result<String> {
    Ok(name_quoted(&object(&p.parse_object_name(false).map_err(wrong)?)))
}

/// Reads a `DESCRIBE`; `None` if the engine is meant.
pub(super) fn describe(text: &str, arguments: &Arguments) -> Result<Option<Described>> {
    let rest = text.trim_start_matches(|c: char| c.is_ascii_alphabetic()).trim_start();
    let query =
        rest.get(..5).filter(|word| word.eq_ignore_ascii_case("query")).map(|_| rest[5..].trim_start());
    // As a query, `TABLE t` is all of it.
    let table = rest.split_once(char::is_whitespace).filter(|(word, _)| word.eq_ignore_ascii_case("table"));
    let asks = |text: &&str| is_query(text);
    if let Some(query) = query.filter(asks).or_else(|| Some(rest).filter(|_| table.is_none()).filter(asks)) {
        return Ok(Some(Described::Query(Box::new(crate::sql::query(query, arguments)?))));
    }
    let mut parser = parser(table.map_or(rest, |(_, name)| name))?;
    let p = &mut parser;
    if word(p, &["FUNCTION"]) {
        let _ = word(p, &["EXTENDED"]);
        let name = p.next_token().token.to_string();
        return Ok(Some(Described::Function(name.trim_matches('`').to_owned())));
    }
    if word(p, &["MODEL", "DATABASE", "SCHEMA", "NAMESPACE", "CATALOG", "VARIABLE"]) {
        return Ok(None);
    }
    let extended = word(p, &["EXTENDED", "FORMATTED"]);
    let table = name(p)?;
    let column = match &p.peek_token_ref().token {
        Token::Word(_) => Some(object(&p.parse_object_name(false).map_err(wrong)?).join(".")),
        _ => None,
    };
    finished(p)?;
    Ok(Some(Described::Table { name: table, extended, column }))
}

/// Reads a `SHOW`; `None` if the engine is meant.
pub(super) fn show(text: &str) -> Result<Option<Shows>> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::SHOW).map_err(wrong)?;
    let known = if word(p, &["TABLES"]) {
        Shows::Tables(inside(p)?, pattern(p)?)
    } else if word(p, &["VIEWS"]) {
        Shows::Views(inside(p)?, pattern(p)?)
    } else if word(p, &["COLUMNS"]) {
        p.expect_one_of_keywords(&[Keyword::IN, Keyword::FROM]).map_err(wrong)?;
        let table = name(p)?;
        Shows::Columns(match inside(p)? {
            Some(database) if !table.contains("`.`") => format!("{database}.{table}"),
            _ => table,
        })
    } else if word(p, &["DATABASES", "SCHEMAS", "NAMESPACES"]) {
        Shows::Databases(pattern(p)?)
    } else if word(p, &["CATALOGS"]) {
        Shows::Catalogs(pattern(p)?)
    } else if word(p, &["TBLPROPERTIES"]) {
        name(p)?;
        let mut key = None;
        if p.consume_token(&Token::LParen) {
            key = Some(p.next_token().token.to_string().trim_matches(['\'', '"']).to_owned());
            p.expect_token(&Token::RParen).map_err(wrong)?;
        }
        Shows::Properties(key)
    } else {
        let _ = word(p, &["USER", "SYSTEM", "ALL"]);
        if !word(p, &["FUNCTIONS"]) {
            return Ok(None);
        }
        Shows::Functions(inside(p)?, pattern(p)?)
    };
    finished(p)?;
    Ok(Some(known))
}

/// `IN default`.
fn inside(p: &mut Parser<'_>) -> Result<Option<String>> {
    match p.parse_one_of_keywords(&[Keyword::IN, Keyword::FROM]) {
        Some(_) => Ok(Some(name(p)?)),
        None => Ok(None),
    }
}

/// `[LIKE] 'a*|b'`.
fn pattern(p: &mut Parser<'_>) -> Result<Option<String>> {
    let said = p.parse_keyword(Keyword::LIKE);
    match &p.peek_token_ref().token {
        Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => {
            let text = text.clone();
            p.next_token();
            Ok(Some(text))
        }
        _ if said => Ok(Some(p.parse_identifier().map_err(wrong)?.value)),
        _ => Ok(None),
    }
}

/// Whether a name fits a pattern: `*` is anything, `|` parts alternatives, letters of any case.
pub(crate) fn fits(pattern: Option<&str>, name: &str) -> bool {
    let Some(pattern) = pattern else { return true };
    pattern
        .split('|')
        .any(|one| matches(one.trim().to_lowercase().as_bytes(), name.to_lowercase().as_bytes()))
}

fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some((b'*', rest)) => (0..=text.len()).any(|taken| matches(rest, &text[taken..])),
        Some((first, rest)) => {
            text.split_first().is_some_and(|(byte, text)| first == byte && matches(rest, text))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_described() {
        let read = |text: &str| describe(text, &Arguments::default()).unwrap();
        assert!(matches!(read("DESC t"), Some(Described::Table { extended: false, column: None, .. })));
        assert!(matches!(read("DESCRIBE TABLE EXTENDED a.t"), Some(Described::Table { extended: true, .. })));
        assert!(matches!(read("DESC QUERY SELECT 1"), Some(Described::Query(_))));
        assert!(matches!(read("DESC SELECT 1"), Some(Described::Query(_))));
        assert!(matches!(read("DESC FUNCTION abs"), Some(Described::Function(name)) if name == "abs"));
        assert!(read("DESCRIBE MODEL m").is_none());
    }

    #[test]
    fn what_is_listed() {
        let read = |text: &str| show(text).unwrap();
        assert!(matches!(read("SHOW TABLES IN default LIKE 'a*'"), Some(Shows::Tables(Some(_), Some(_)))));
        assert!(matches!(read("SHOW COLUMNS FROM t"), Some(Shows::Columns(_))));
        assert!(matches!(read("SHOW SCHEMAS"), Some(Shows::Databases(None))));
        assert!(read("SHOW MODELS").is_none());
        assert!(fits(Some("a*|b"), "ABC") && fits(Some("a*|b"), "b") && !fits(Some("a*|b"), "bc"));
    }
}
