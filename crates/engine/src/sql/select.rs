//! A `SELECT` as tokens: what marks a stream is noted and taken out, the rest is DataFusion's.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use datafusion::sql::parser::Statement as PlannerStatement;
use datafusion::sql::resolve::resolve_table_references;
use datafusion::sql::sqlparser::ast::{ObjectNamePart, Statement, visit_relations};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::{Position, SqlError};
use crate::functions::rewrite;
use crate::language::{self, Numbers};
use crate::sql::cursor::{Cursor, is_blank, position};
use crate::sql::model_functions::expand;
use crate::sql::stream::{StreamRef, take_out_streams};
use crate::sql::windows::name_windows;

/// A query over tables and streams.
#[derive(Debug, Clone)]
pub(crate) struct Select {
    /// Without the word `STREAM`.
    tokens: Vec<TokenWithSpan>,
    /// The tables that were marked as streams.
    streams: Vec<StreamRef>,
    position: Position,
}

impl Select {
    /// Takes the rest of the statement.
    pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Self, SqlError> {
        let position = cursor.position();
        let solid: Vec<TokenWithSpan> = cursor.rest().iter().filter(|t| !is_blank(t)).cloned().collect();
        if solid.is_empty() {
            return Err(SqlError::Syntax { position, reason: "expected SELECT, met the end".to_owned() });
        }
        let (tokens, streams) = take_out_streams(&expand(&language::read(&solid, Numbers::Cast))?)?;
        let select = Select { tokens, streams, position };
        select.statement(&[])?;
        Ok(select)
    }

    /// The tables read as streams.
    pub(crate) fn streams(&self) -> &[StreamRef] {
        &self.streams
    }

    /// The same, with all of its tables read as streams.
    pub(crate) fn streaming(mut self) -> Result<Self, SqlError> {
        let statement = self.statement(&[])?;
        let (tables, _with) =
            resolve_table_references(&statement, false).map_err(|error| SqlError::plan(&error))?;
        let places = relations(&statement);
        for table in tables {
            let same = |other: &str| other.eq_ignore_ascii_case(table.table());
            let marked = self.streams.iter().filter(|stream| same(&stream.table)).count();
            let stream = StreamRef { table: table.table().to_owned(), watermark: None };
            let wanted = places.iter().filter(|place| same(place)).count().max(1);
            self.streams.extend(std::iter::repeat_n(stream, wanted.saturating_sub(marked)));
        }
        Ok(self)
    }

    pub(crate) fn position(&self) -> Position {
        self.position
    }

    /// Every table that it reads, streams too, once each.
    ///
    /// # Errors
    /// A table that is read both as a stream and as it is.
    pub(crate) fn tables(&self) -> Result<Vec<String>, SqlError> {
        let statement = self.statement(&[])?;
        let (tables, _with) =
            resolve_table_references(&statement, false).map_err(|error| SqlError::plan(&error))?;
        for stream in &self.streams {
            let same = |name: &str| name.eq_ignore_ascii_case(&stream.table);
            let as_stream = self.streams.iter().filter(|other| same(&other.table)).count();
            if relations(&statement).iter().filter(|name| same(name)).count() > as_stream {
                let reason = "is read both as a STREAM and as it is; use STREAM for it everywhere";
                return Err(SqlError::invalid(format!("table {}", stream.table), reason));
            }
        }
        Ok(tables.into_iter().map(|table| table.table().to_owned()).collect())
    }

    /// Whether the word occurs as an identifier anywhere.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        self.words().any(|word| word.eq_ignore_ascii_case(name))
    }

    /// Every word, for finding out which tables, functions and columns are meant.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.tokens.iter().filter_map(|token| match &token.token {
            Token::Word(word) => Some(word.value.as_str()),
            _ => None,
        })
    }

    /// Every string literal: models are named by strings.
    pub(crate) fn strings(&self) -> BTreeSet<String> {
        self.tokens
            .iter()
            .filter_map(|token| match &token.token {
                Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => Some(text.clone()),
                _ => None,
            })
            .collect()
    }

    /// The query for the planner. Names are compared without regard to case, as Spark does: a word that
    /// means one of `names` becomes that name.
    pub(crate) fn statement(&self, names: &[String]) -> Result<PlannerStatement, SqlError> {
        self.statement_knowing(names, &|_| None)
    }

    /// The same, by a planner that knows what the tables hold.
    pub(crate) fn statement_knowing(
        &self,
        names: &[String],
        shows: rewrite::Shows<'_>,
    ) -> Result<PlannerStatement, SqlError> {
        let tokens = self.tokens.iter().cloned().map(|token| respell(token, names)).collect();
        let mut parser = language::parser(tokens);
        let mut query = parser.parse_query().map_err(|error| self.syntax(error))?;
        language::plain(&mut query).map_err(|error| self.syntax(error))?;
        rewrite::query(&mut query, shows);
        let rest = parser.peek_token();
        if rest.token != Token::EOF {
            let reason = format!("expected the end of the query, met '{}'", rest.token);
            return Err(SqlError::Syntax { position: position(rest.span.start), reason });
        }
        name_windows(&mut query);
        Ok(PlannerStatement::Statement(Box::new(Statement::Query(query))))
    }

    fn syntax(&self, error: ParserError) -> SqlError {
        let text = match error {
            ParserError::TokenizerError(text) | ParserError::ParserError(text) => text,
            ParserError::RecursionLimitExceeded => "nested too deeply".to_owned(),
        };
        match located(&text) {
            Some((reason, position)) => SqlError::Syntax { position, reason },
            None => SqlError::Syntax { position: self.position, reason: text },
        }
    }
}

/// Every mention of a table.
fn relations(statement: &PlannerStatement) -> Vec<String> {
    let mut names = Vec::new();
    if let PlannerStatement::Statement(statement) = statement {
        let _: ControlFlow<()> = visit_relations(statement, |name| {
            let last = name.0.last().and_then(ObjectNamePart::as_ident);
            names.extend(last.map(|last| last.value.clone()));
            ControlFlow::Continue(())
        });
    }
    names
}

/// `... at Line: 3, Column: 14` is how the parser tells where.
fn located(text: &str) -> Option<(String, Position)> {
    let (reason, place) = text.rsplit_once(" at Line: ")?;
    let (line, column) = place.split_once(", Column: ")?;
    Some((reason.to_owned(), Position { line: line.parse().ok()?, column: column.trim().parse().ok()? }))
}

fn respell(mut token: TokenWithSpan, names: &[String]) -> TokenWithSpan {
    if let Token::Word(word) = &mut token.token
        && !names.contains(&word.value)
        && let Some(name) = names.iter().find(|name| name.eq_ignore_ascii_case(&word.value))
    {
        word.value.clone_from(name);
    }
    token
}

pub(super) fn is_word(token: &Token, text: &str) -> bool {
    matches!(token, Token::Word(word) if word.quote_style.is_none() && word.value.eq_ignore_ascii_case(text))
}
