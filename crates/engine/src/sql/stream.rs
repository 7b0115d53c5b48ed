//! What a `SELECT` says of its streams: `FROM STREAM t`, `FROM STREAM(t)`, and how late their rows may come.
//!
//! ```sql
//! FROM STREAM clicks WATERMARK at DELAY OF INTERVAL 10 MINUTES AS c
//! ```
//!
//! The clause is that of Databricks' SQL; DataFusion gets to see `FROM clicks AS c`.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::SqlError;
use crate::sql::cursor::position;
use crate::sql::interval;
use crate::sql::select::is_word;

/// A table read as a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct StreamRef {
    /// As written.
    pub(crate) table: String,
    pub(crate) watermark: Option<Watermark>,
}

/// How far behind the newest event time a row may come and still count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Watermark {
    pub(crate) column: String,
    /// Microseconds.
    pub(crate) delay_us: i64,
}

/// Notes the streams; what is left is plain SQL. `tokens` are without blanks.
pub(super) fn take_out_streams(
    tokens: &[TokenWithSpan],
) -> Result<(Vec<TokenWithSpan>, Vec<StreamRef>), SqlError> {
    let mut kept = Vec::with_capacity(tokens.len());
    let mut streams = Vec::new();
    let mut index = 0;
    while index < tokens.len() {
        let place = index > 0 && begins_a_table(&tokens[index - 1].token);
        let token = |ahead: usize| tokens.get(index + ahead).map(|token| &token.token);
        let table = match (place && is_word(&tokens[index].token, "STREAM"), token(1), token(2), token(3)) {
            (true, Some(Token::LParen), Some(Token::Word(table)), Some(Token::RParen)) => Some((table, 2, 4)),
            (true, Some(Token::Word(table)), _, _) => Some((table, 1, 2)),
            // Not a stream, or a table that is called so.
            _ => None,
        };
        let Some((table, at, length)) = table else {
            kept.push(tokens[index].clone());
            index += 1;
            continue;
        };
        kept.push(tokens[index + at].clone());
        index += length;
        let watermark = watermark(tokens, &mut index)?;
        streams.push(StreamRef { table: table.value.clone(), watermark });
    }
    Ok((kept, streams))
}

/// `WATERMARK column DELAY OF INTERVAL ...`, if it comes next.
fn watermark(tokens: &[TokenWithSpan], index: &mut usize) -> Result<Option<Watermark>, SqlError> {
    let word = |at: usize, text: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, text));
    if !word(*index, "WATERMARK") {
        return Ok(None);
    }
    let wrong = || SqlError::Syntax {
        position: position(tokens[*index].span.start),
        reason: "expected WATERMARK column DELAY OF INTERVAL 10 MINUTES".to_owned(),
    };
    let Some(Token::Word(column)) = tokens.get(*index + 1).map(|token| &token.token) else {
        return Err(wrong());
    };
    if !(word(*index + 2, "DELAY") && word(*index + 3, "OF")) {
        return Err(wrong());
    }
    let begin = *index + 4 + usize::from(word(*index + 4, "INTERVAL"));
    let (text, end) = span(tokens, begin);
    let delay_us = interval::micros(&text).filter(|delay| *delay >= 0).ok_or_else(wrong)?;
    *index = end;
    Ok(Some(Watermark { column: column.value.clone(), delay_us }))
}

/// `'10 minutes'`, `'10' MINUTES` or `1 HOUR 30 MINUTES`, and where it ends.
fn span(tokens: &[TokenWithSpan], begin: usize) -> (String, usize) {
    let (mut text, mut at) = (String::new(), begin);
    while let Some(TokenWithSpan {
        token: Token::Number(number, _) | Token::SingleQuotedString(number),
        ..
    }) = tokens.get(at)
    {
        text = format!("{text} {number}");
        at += 1;
        match tokens.get(at).map(|token| &token.token) {
            Some(Token::Word(unit)) if !number.contains(char::is_alphabetic) => {
                text = format!("{text} {}", unit.value);
                at += 1;
            }
            _ => break,
        }
    }
    (text, at)
}

fn begins_a_table(token: &Token) -> bool {
    is_word(token, "FROM") || is_word(token, "JOIN") || *token == Token::Comma
}
