//! Statements about tables that a script makes: `CREATE TABLE`, `INSERT`, `DROP TABLE`.

use std::collections::BTreeMap;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;
use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::{Result, SparkError};
use crate::sql::describe::name;
use crate::sql::value::spelled;
use crate::sql::{Arguments, Query, finished, parser, rest, wrong};

/// `CREATE TABLE name (a INT) USING parquet AS SELECT ...`.
#[derive(Debug, Clone, Default)]
pub(crate) struct CreateTable {
    /// As it was written.
    pub(crate) name: String,
    pub(crate) replace: bool,
    pub(crate) if_not_exists: bool,
    /// Names and types.
    pub(crate) columns: Vec<(String, String)>,
    pub(crate) format: Option<String>,
    pub(crate) options: BTreeMap<String, String>,
    pub(crate) partition_by: Vec<String>,
    pub(crate) comment: Option<String>,
    pub(crate) query: Option<Query>,
}

/// `INSERT INTO name (a, b) SELECT ...`.
#[derive(Debug, Clone)]
pub(crate) struct Insert {
    pub(crate) name: String,
    pub(crate) overwrite: bool,
    /// The columns that are given, if the statement names them.
    pub(crate) columns: Vec<String>,
    pub(crate) query: Query,
}

fn names(parser: &mut Parser<'_>) -> Result<Vec<String>> {
    let names = parser
        .parse_parenthesized_column_list(datafusion::sql::sqlparser::parser::IsOptional::Mandatory, false);
    Ok(names.map_err(wrong)?.into_iter().map(|name| name.value).collect())
}

/// Reads a `CREATE TABLE`.
pub(super) fn create(text: &str, arguments: &Arguments) -> Result<CreateTable> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::CREATE).map_err(wrong)?;
    let replace = p.parse_keywords(&[Keyword::OR, Keyword::REPLACE]);
    let _ = p.parse_keyword(Keyword::EXTERNAL);
    p.expect_keyword(Keyword::TABLE).map_err(wrong)?;
    let if_not_exists = p.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let mut table = CreateTable { name: name(p)?, replace, if_not_exists, ..Default::default() };
    if p.consume_token(&Token::LParen) {
        table.columns = columns(p)?;
    }
    loop {
        if p.parse_keyword(Keyword::USING) {
            table.format = Some(p.parse_identifier().map_err(wrong)?.value.to_lowercase());
        } else if p.parse_keyword(Keyword::OPTIONS) {
            table.options.extend(options(p)?);
        } else if p.parse_keyword(Keyword::TBLPROPERTIES) {
            options(p)?;
        } else if p.parse_keywords(&[Keyword::PARTITIONED, Keyword::BY]) {
            table.partition_by = names(p)?;
        } else if p.parse_keyword(Keyword::LOCATION) {
            let path = p.parse_literal_string().map_err(wrong)?;
            table.options.insert("path".to_owned(), path);
        } else if p.parse_keyword(Keyword::COMMENT) {
            table.comment = Some(p.parse_literal_string().map_err(wrong)?);
        } else {
            break;
        }
    }
    if p.parse_keyword(Keyword::AS) || !matches!(p.peek_token_ref().token, Token::EOF | Token::SemiColon) {
        table.query = Some(rest(p, arguments)?);
    }
    Ok(table)
}

/// `a INT NOT NULL COMMENT '...', b STRING)`. What must not be NULL is not looked at.
fn columns(p: &mut Parser<'_>) -> Result<Vec<(String, String)>> {
    let mut columns = Vec::new();
    loop {
        let name = p.parse_identifier().map_err(wrong)?.value;
        columns.push((name, spelled(&p.parse_data_type().map_err(wrong)?)));
        loop {
            if p.parse_keywords(&[Keyword::NOT, Keyword::NULL]) {
                continue;
            } else if p.parse_keyword(Keyword::COMMENT) {
                p.parse_literal_string().map_err(wrong)?;
            } else if p.parse_keyword(Keyword::DEFAULT) {
                return Err(SparkError::unsupported("a column with a default"));
            } else {
                break;
            }
        }
        if !p.consume_token(&Token::Comma) {
            p.expect_token(&Token::RParen).map_err(wrong)?;
            return Ok(columns);
        }
    }
}

/// `(key 'value', a.b = 'value')`.
pub(super) fn options(p: &mut Parser<'_>) -> Result<BTreeMap<String, String>> {
    let mut options = BTreeMap::new();
    p.expect_token(&Token::LParen).map_err(wrong)?;
    loop {
        let mut key = String::new();
        loop {
            let token = p.next_token().token;
            key.push_str(&match token {
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text,
                Token::Word(word) => word.value,
                other => other.to_string(),
            });
            if !p.consume_token(&Token::Period) {
                break;
            }
            key.push('.');
        }
        let _ = p.consume_token(&Token::Eq);
        let value = match p.next_token().token {
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => text,
            other => other.to_string(),
        };
        options.insert(key, value);
        if !p.consume_token(&Token::Comma) {
            p.expect_token(&Token::RParen).map_err(wrong)?;
            return Ok(options);
        }
    }
}

/// Reads an `INSERT`.
pub(super) fn insert(text: &str, arguments: &Arguments) -> Result<Insert> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::INSERT).map_err(wrong)?;
    let overwrite = p.parse_keyword(Keyword::OVERWRITE);
    if !overwrite {
        p.expect_keyword(Keyword::INTO).map_err(wrong)?;
    }
    let _ = p.parse_keyword(Keyword::TABLE);
    let name = name(p)?;
    // What follows in parentheses may be names, or a query.
    let words = |token: &Token| {
        matches!(token, Token::Word(word) if word.keyword != Keyword::SELECT
        && word.keyword != Keyword::VALUES && word.keyword != Keyword::WITH)
    };
    let named = p.peek_token_ref().token == Token::LParen && words(&p.peek_nth_token_ref(1).token);
    let columns = if named { names(p)? } else { Vec::new() };
    Ok(Insert { name, overwrite, columns, query: rest(p, arguments)? })
}

/// Reads a `DROP TABLE`: the name, and whether it may be missing.
pub(super) fn drop(text: &str) -> Result<(String, bool)> {
    let mut parser = parser(text)?;
    let p = &mut parser;
    p.expect_keyword(Keyword::DROP).map_err(wrong)?;
    p.expect_keyword(Keyword::TABLE).map_err(wrong)?;
    let if_exists = p.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
    let name = name(p)?;
    let _ = p.parse_keyword(Keyword::PURGE);
    finished(p)?;
    Ok((name, if_exists))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_read() {
        let text = "CREATE TABLE IF NOT EXISTS s.t (a INT NOT NULL, `b c` DECIMAL(10, 2) COMMENT 'x') USING csv \
                    OPTIONS (header 'true', a.b = 'c') PARTITIONED BY (a)";
        let table = create(text, &Arguments::default()).unwrap();
        assert_eq!((table.name.as_str(), table.if_not_exists, table.replace), ("`s`.`t`", true, false));
        let columns = [("a", "INT"), ("b c", "DECIMAL(10,2)")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        assert_eq!(table.columns, columns);
        assert_eq!(table.options["a.b"], "c");
        assert_eq!(table.partition_by, ["a"]);
        assert!(table.query.is_none());
        assert!(create("create table t (a int default 1)", &Arguments::default()).is_err());
        let table = create("create table t as select 1 as a", &Arguments::default()).unwrap();
        assert!(table.query.is_some() && table.columns.is_empty());
    }

    #[test]
    fn inserts_are_read() {
        let read = |text: &str| insert(text, &Arguments::default()).unwrap();
        assert_eq!(read("INSERT INTO t (a, b) VALUES (1, 2)").columns, ["a", "b"]);
        assert!(read("insert overwrite table t select 1").overwrite);
        assert!(read("INSERT INTO t (SELECT 1)").columns.is_empty());
        assert_eq!(drop("DROP TABLE IF EXISTS s.t").unwrap(), ("`s`.`t`".to_owned(), true));
    }
}
