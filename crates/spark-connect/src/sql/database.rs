//! Statements about databases: `CREATE DATABASE`, `DROP DATABASE`, `ALTER DATABASE`, `USE`, `DESCRIBE DATABASE`.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::Parser;

use crate::error::{Result, SparkError};
use crate::sql::describe::{name, word};
use crate::sql::table::options;
use crate::sql::{finished, parser, wrong};

/// What a database is called in statements.
const KINDS: [&str; 3] = ["DATABASE", "SCHEMA", "NAMESPACE"];

/// `CREATE DATABASE name COMMENT '...' LOCATION '...' WITH DBPROPERTIES (...)`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct NewDatabase {
    pub(crate) name: String,
    pub(crate) if_not_exists: bool,
    pub(crate) comment: String,
    pub(crate) location: Option<String>,
    pub(crate) properties: Vec<(String, String)>,
}

/// What is done with databases; names are as they were written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Databases {
    Create(NewDatabase),
    Drop {
        name: String,
        if_exists: bool,
        cascade: bool,
    },
    Alter {
        name: String,
        properties: Vec<(String, String)>,
        comment: Option<String>,
        location: Option<String>,
    },
    Use(String),
    Describe {
        name: String,
        extended: bool,
    },
    /// `SHOW CURRENT NAMESPACE`.
    Current,
}

/// Reads such a statement; `None` if it is another one.
pub(super) fn read(text: &str) -> Result<Option<Databases>> {
    let Ok(mut parser) = parser(text) else { return Ok(None) };
    let p = &mut parser;
    let found = if word(p, &["CREATE"]) && word(p, &KINDS) {
        Databases::Create(create(p)?)
    } else if word(p, &["DROP"]) && word(p, &KINDS) {
        let if_exists = p.parse_keywords(&[Keyword::IF, Keyword::EXISTS]);
        let name = name(p)?;
        let cascade = p.parse_keyword(Keyword::CASCADE);
        let _ = !cascade && p.parse_keyword(Keyword::RESTRICT);
        Databases::Drop { name, if_exists, cascade }
    } else if word(p, &["ALTER"]) && word(p, &KINDS) {
        alter(p)?
    } else if word(p, &["COMMENT"]) && p.parse_keyword(Keyword::ON) && word(p, &KINDS) {
        let name = name(p)?;
        p.expect_keyword(Keyword::IS).map_err(wrong)?;
        let comment = match p.parse_keyword(Keyword::NULL) {
            true => String::new(),
            false => p.parse_literal_string().map_err(wrong)?,
        };
        Databases::Alter { name, properties: Vec::new(), comment: Some(comment), location: None }
    } else if word(p, &["USE"]) {
        let _ = word(p, &KINDS);
        Databases::Use(name(p)?)
    } else if word(p, &["DESC", "DESCRIBE"]) && word(p, &KINDS) {
        let extended = word(p, &["EXTENDED"]);
        Databases::Describe { name: name(p)?, extended }
    } else if word(p, &["SHOW"]) && word(p, &["CURRENT"]) && word(p, &KINDS) {
        Databases::Current
    } else {
        return Ok(None);
    };
    finished(p)?;
    Ok(Some(found))
}

fn create(p: &mut Parser<'_>) -> Result<NewDatabase> {
    let if_not_exists = p.parse_keywords(&[Keyword::IF, Keyword::NOT, Keyword::EXISTS]);
    let mut new = NewDatabase { name: name(p)?, if_not_exists, ..NewDatabase::default() };
    loop {
        if p.parse_keyword(Keyword::COMMENT) {
            new.comment = p.parse_literal_string().map_err(wrong)?;
        } else if p.parse_keyword(Keyword::LOCATION) {
            new.location = Some(p.parse_literal_string().map_err(wrong)?);
        } else if p.parse_keyword(Keyword::WITH) {
            new.properties = properties(p)?;
        } else {
            return Ok(new);
        }
    }
}

fn alter(p: &mut Parser<'_>) -> Result<Databases> {
    let name = name(p)?;
    p.expect_keyword(Keyword::SET).map_err(wrong)?;
    let (mut given, mut location) = (Vec::new(), None);
    if p.parse_keyword(Keyword::LOCATION) {
        location = Some(p.parse_literal_string().map_err(wrong)?);
    } else {
        given = properties(p)?;
    }
    Ok(Databases::Alter { name, properties: given, comment: None, location })
}

fn properties(p: &mut Parser<'_>) -> Result<Vec<(String, String)>> {
    if !word(p, &["DBPROPERTIES", "PROPERTIES"]) {
        return Err(SparkError::parse(format!("at or near '{}'", p.peek_token_ref())));
    }
    Ok(options(p)?.into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_about_databases() {
        let read = |text: &str| read(text).unwrap();
        let new = NewDatabase {
            name: "`a`".to_owned(),
            if_not_exists: true,
            comment: "c".to_owned(),
            location: Some("/d".to_owned()),
            properties: vec![("k".to_owned(), "v".to_owned())],
        };
        let text = "create schema if not exists a comment 'c' location '/d' with dbproperties (k = 'v')";
        assert_eq!(read(text), Some(Databases::Create(new)));
        let dropped = |cascade| Databases::Drop { name: "`a`".to_owned(), if_exists: cascade, cascade };
        assert_eq!(read("DROP DATABASE IF EXISTS a CASCADE;"), Some(dropped(true)));
        assert_eq!(read("drop schema a restrict"), Some(dropped(false)));
        assert_eq!(read("USE spark_catalog.a"), Some(Databases::Use("`spark_catalog`.`a`".to_owned())));
        assert_eq!(read("use database a"), Some(Databases::Use("`a`".to_owned())));
        let described = Databases::Describe { name: "`a`".to_owned(), extended: true };
        assert_eq!(read("DESC SCHEMA EXTENDED a"), Some(described));
        assert_eq!(read("SHOW CURRENT NAMESPACE"), Some(Databases::Current));
        assert!(matches!(read("ALTER DATABASE a SET LOCATION '/x'"), Some(Databases::Alter { .. })));
        for other in ["CREATE TABLE database (a INT)", "DROP TABLE t", "DESCRIBE t", "SELECT 1", "USEFUL"] {
            assert_eq!(read(other), None, "{other}");
        }
    }
}
