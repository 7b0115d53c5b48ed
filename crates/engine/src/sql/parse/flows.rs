//! What a pipeline says beside its tables: views, flows, rows put in by hand, and how a query would run.

use datafusion::sql::sqlparser::tokenizer::Token;

use crate::error::SqlError;
use crate::sql::cursor::Cursor;
use crate::sql::parse::{if_exists, statement};
use crate::sql::select::Select;
use crate::sql::statement::{Columns, CreateFlow, CreateTable, CreateView, Explain, Insert, Statement};

pub(super) fn create_view(cursor: &mut Cursor<'_>, replace: bool) -> Result<Statement, SqlError> {
    let if_exists = if_exists(cursor, replace)?;
    let name = cursor.name("the name of the view")?;
    cursor.expect("AS")?;
    let query = Select::parse(cursor)?;
    Ok(Statement::CreateView(CreateView { name, if_exists, query }))
}

pub(super) fn create_flow(cursor: &mut Cursor<'_>, replace: bool) -> Result<Statement, SqlError> {
    let if_exists = if_exists(cursor, replace)?;
    let name = cursor.name("the name of the flow")?;
    cursor.expect("AS")?;
    cursor.expect("INSERT")?;
    let insert = insert(cursor)?;
    Ok(Statement::CreateFlow(CreateFlow { name, if_exists, insert }))
}

/// What comes after `INSERT`.
pub(super) fn insert(cursor: &mut Cursor<'_>) -> Result<Insert, SqlError> {
    cursor.expect("INTO")?;
    let _ = cursor.accept("TABLE");
    let table = cursor.name("the name of a table")?;
    let columns = if cursor.accept_all(&["BY", "NAME"]) { Columns::ByName } else { columns(cursor)? };
    let query = Select::parse(cursor)?;
    Ok(Insert { table, columns, query })
}

/// `(a, b)`, if that comes next and is no query in brackets.
fn columns(cursor: &mut Cursor<'_>) -> Result<Columns, SqlError> {
    let query =
        |cursor: &mut Cursor<'_>| ["SELECT", "WITH", "VALUES"].iter().any(|word| cursor.accept_all(&[word]));
    let mut ahead = cursor.clone();
    if !cursor.accept_token(&Token::LParen) {
        return Ok(Columns::ByPosition);
    }
    if query(&mut cursor.clone()) {
        std::mem::swap(cursor, &mut ahead);
        return Ok(Columns::ByPosition);
    }
    let mut names = Vec::new();
    loop {
        names.push(cursor.name("the name of a column")?);
        if !cursor.accept_token(&Token::Comma) {
            break;
        }
    }
    cursor.expect_token(&Token::RParen)?;
    Ok(Columns::Listed(names))
}

/// What comes after `EXPLAIN`.
pub(super) fn explain(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let extended = cursor.accept("EXTENDED");
    let _ = !extended && cursor.accept("FORMATTED");
    let position = cursor.position();
    let (query, options) = match statement(cursor)? {
        Statement::Select(query) | Statement::Insert(Insert { query, .. }) => (query, None),
        Statement::CreateFlow(CreateFlow { insert: Insert { query, .. }, .. }) => (query, None),
        Statement::CreateView(view) => (view.query, None),
        Statement::CreateTable(CreateTable { query: Some(query), options, .. }) => (query, Some(options)),
        Statement::CreateModel(model) => (model.query, None),
        _ => {
            let reason = "expected a statement with a query after EXPLAIN".to_owned();
            return Err(SqlError::Syntax { position, reason });
        }
    };
    Ok(Statement::Explain(Explain { query, options, extended }))
}
