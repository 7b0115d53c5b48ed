//! Texts of Spark SQL: they become the same messages and frames as a client's calls.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::sql::sqlparser::ast::{Query as Parsed, SelectItem, Statement};
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;
use engine::language::{self, Numbers, SqlFunction};

use crate::error::{Result, SparkError};
use crate::expression::build;
use crate::wire::expression::Expression;

mod command;
mod condition;
mod database;
mod describe;
mod from;
mod group;
mod lateral;
mod pivot;
mod query;
mod read;
mod select;
mod table;
mod upkeep;
mod value;
mod variable;

pub(crate) use command::Command;
pub(crate) use database::{Databases, NewDatabase};
pub(crate) use describe::{Described, Shows, fits};
use read::Reader;
pub(crate) use read::{CALLED, FILTERED, NONE_OF, ONE_OF, ORDERED, TYPED};
pub(crate) use table::{CreateTable, Insert};
pub(crate) use upkeep::Upkeep;
pub(crate) use variable::{Declare, Execute, SetVariables};
pub(crate) use variable::{name as variable_name, unresolved as unresolved_variable};

/// The values of `:name` and `?`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Arguments {
    named: Arc<BTreeMap<String, Expression>>,
    placed: Arc<Vec<Expression>>,
    /// Functions that SQL itself says.
    functions: SqlFunctions,
}

/// Functions of SQL by name, in lower case.
pub(crate) type SqlFunctions = Arc<BTreeMap<String, Arc<SqlFunction>>>;

impl Arguments {
    pub(crate) fn new(named: &BTreeMap<String, Expression>, placed: &[Expression]) -> Self {
        Arguments {
            named: Arc::new(named.clone()),
            placed: Arc::new(placed.to_vec()),
            functions: SqlFunctions::default(),
        }
    }

    pub(crate) fn knowing(self, functions: SqlFunctions) -> Self {
        Arguments { functions, ..self }
    }
}

/// A query and the values in it.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    parsed: Arc<Parsed>,
    arguments: Arguments,
    /// Names for its columns, if it has been given some.
    columns: Vec<String>,
}

fn parser(text: &str) -> Result<Parser<'static>> {
    Ok(language::parser(language::tokens(text, Numbers::Suffixed).map_err(wrong)?))
}

fn finished(parser: &Parser<'_>) -> Result<()> {
    match &parser.peek_token_ref().token {
        Token::EOF | Token::SemiColon => Ok(()),
        other => Err(SparkError::parse(format!("at or near '{other}'"))),
    }
}

fn wrong(error: ParserError) -> SparkError {
    SparkError::parse(match error {
        ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
        ParserError::RecursionLimitExceeded => "nested too deeply".to_owned(),
    })
}

/// An expression, with or without a name behind it.
pub(crate) fn expression(text: &str) -> Result<Expression> {
    let mut parser = parser(text)?;
    let item = parser.parse_select_item().map_err(wrong)?;
    finished(&parser)?;
    let arguments = Arguments::default();
    let mut reader = Reader::new(&arguments, -1);
    let expression = reader.item(&item)?;
    match reader.subqueries.is_empty() {
        true => Ok(expression),
        false => Err(SparkError::unsupported("a subquery in a column's text")),
    }
}

/// A query.
pub(crate) fn query(text: &str, arguments: &Arguments) -> Result<Query> {
    rest(&mut parser(text)?, arguments)
}

/// The rest of the text as a query.
fn rest(parser: &mut Parser<'_>, arguments: &Arguments) -> Result<Query> {
    let parsed = parser.parse_query().map_err(wrong)?;
    finished(parser)?;
    Query::of(*parsed, arguments)
}

impl Query {
    fn of(mut parsed: Parsed, arguments: &Arguments) -> Result<Self> {
        language::plain(&mut parsed).map_err(wrong)?;
        Ok(Query { parsed: Arc::new(parsed), arguments: arguments.clone(), columns: Vec::new() })
    }
}

/// Whether the text is a query, and not a command.
pub(crate) fn is_query(text: &str) -> bool {
    let word: String = command::plain(text)
        .trim_start_matches(|c: char| c.is_whitespace() || c == '(')
        .chars()
        .take_while(char::is_ascii_alphabetic)
        .collect();
    ["SELECT", "WITH", "VALUES", "FROM", "TABLE"].iter().any(|known| word.eq_ignore_ascii_case(known))
}

impl Reader<'_> {
    /// A column of a `SELECT`.
    fn item(&mut self, item: &SelectItem) -> Result<Expression> {
        match item {
            SelectItem::UnnamedExpr(expression) => self.expression(expression),
            SelectItem::ExprWithAlias { expr, alias } => {
                Ok(build::alias(self.expression(expr)?, vec![alias.value.clone()]))
            }
            SelectItem::ExprWithAliases { expr, aliases } => {
                let names = aliases.iter().map(|alias| alias.value.clone()).collect();
                Ok(build::alias(self.expression(expr)?, names))
            }
            SelectItem::Wildcard(_) => Ok(build::star(None)),
            SelectItem::QualifiedWildcard(of, _) => {
                Ok(build::star(Some(of.to_string().trim_end_matches(".*").to_owned())))
            }
        }
    }
}

/// A statement that is no query.
fn statement(text: &str) -> Result<Statement> {
    let mut parser = parser(text)?;
    let statement = parser.parse_statement().map_err(wrong)?;
    finished(&parser)?;
    Ok(statement)
}
