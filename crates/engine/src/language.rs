//! Spark's SQL as text: what both ways to a query, the engine's own and the door for Spark's clients, read alike.
//!
//! A text becomes tokens ([`tokens`]), these a syntax tree ([`parser`]), and what the tree says in a way of Spark's own
//! becomes what any planner knows ([`plain`]): pipes become queries in queries, `FROM t` becomes `SELECT * FROM t`.
//! What a name or a function means is not known here.

use datafusion::sql::sqlparser::ast::Query;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;

mod dialect;
mod function;
mod identifier;
mod interval;
mod pipes;
mod table_argument;
mod tokens;
mod values;

pub use dialect::Spark;
pub use function::{Parameter, SqlFunction};
pub use interval::{Span, span};
pub use table_argument::TABLE_ARGUMENT;
pub use tokens::{Numbers, tokens};
pub(crate) use tokens::{read, tokenize};

/// How deep expressions and queries may be nested.
pub const DEPTH_MAX: usize = 60;

static DIALECT: Spark = Spark;

/// A parser of these tokens.
#[must_use]
pub fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&DIALECT).with_recursion_limit(DEPTH_MAX).with_tokens_with_locations(tokens)
}

/// Says in the words of every SQL what the query says in Spark's own.
///
/// # Errors
/// A pipe that is not known.
pub fn plain(query: &mut Query) -> Result<(), ParserError> {
    pipes::flatten(query)
}
