//! `ML_PREDICT` and `ML_EVALUATE`, as Flink and BigQuery write them, in the words of our own functions:
//!
//! ```text
//! ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(a, b))
//!   = (SELECT *, predict('m', a, b) AS prediction, model_version('m') AS model_version FROM t)
//! ML_EVALUATE(TABLE t, MODEL m, DESCRIPTOR(label), DESCRIPTOR(a, b))
//!   = (SELECT unnest(map_keys(figures)) AS metric, unnest(map_values(figures)) AS value
//!      FROM (SELECT evaluate(label, predict('m', a, b)) AS figures FROM t))
//! ```

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::error::SqlError;
use crate::sql::cursor::{is_blank, position, tokenize};
use crate::sql::select::is_word;

const PREDICT: &str = "ML_PREDICT(TABLE t, MODEL m, DESCRIPTOR(features, ...))";
const EVALUATE: &str = "ML_EVALUATE(TABLE t, MODEL m, DESCRIPTOR(label), DESCRIPTOR(features, ...))";

/// Writes the calls out. `tokens` are without blanks.
pub(super) fn expand(tokens: &[TokenWithSpan]) -> Result<Vec<TokenWithSpan>, SqlError> {
    let mut expanded = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let Some((evaluate, open)) = call(&tokens[index..]).map(|(evaluate, len)| (evaluate, index + len))
        else {
            expanded.push(tokens[index].clone());
            index += 1;
            continue;
        };
        let usage = if evaluate { EVALUATE } else { PREDICT };
        let wrong = || SqlError::Syntax {
            position: position(tokens[index].span.start),
            reason: format!("expected {usage}"),
        };
        let close = closing(tokens, open).ok_or_else(wrong)?;
        let arguments = Arguments::read(&tokens[open + 1..close]).ok_or_else(wrong)?;
        let written = if evaluate { arguments.evaluate() } else { arguments.predict() }.ok_or_else(wrong)?;
        // Errors about what was written out point at the call.
        expanded.extend(written.into_iter().map(|token| TokenWithSpan { span: tokens[index].span, ..token }));
        index = close + 1;
    }
    Ok(expanded)
}

/// Whether a call begins here, of which function, and where its bracket opens.
fn call(tokens: &[TokenWithSpan]) -> Option<(bool, usize)> {
    let word = |at: usize, text: &str| tokens.get(at).is_some_and(|token| is_word(&token.token, text));
    let token = |at: usize, wanted: &Token| tokens.get(at).is_some_and(|token| token.token == *wanted);
    let (evaluate, len) = if word(0, "ML_PREDICT") || word(0, "ML_EVALUATE") {
        (word(0, "ML_EVALUATE"), 1)
    } else if word(0, "ML") && token(1, &Token::Period) && (word(2, "PREDICT") || word(2, "EVALUATE")) {
        (word(2, "EVALUATE"), 3)
    } else {
        return None;
    };
    token(len, &Token::LParen).then_some((evaluate, len))
}

/// The bracket that closes the one at `open`.
fn closing(tokens: &[TokenWithSpan], open: usize) -> Option<usize> {
    let mut depth = 0;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen if depth == 1 => return Some(index),
            Token::RParen => depth -= 1,
            _ => {}
        }
    }
    None
}

/// What stands between the brackets.
struct Arguments<'a> {
    /// A name, or a query in brackets.
    table: &'a [TokenWithSpan],
    /// The model's name, with the version if one is named.
    model: String,
    descriptors: Vec<&'a [TokenWithSpan]>,
}

impl<'a> Arguments<'a> {
    fn read(tokens: &'a [TokenWithSpan]) -> Option<Self> {
        let (mut table, mut model, mut descriptors) = (None, None, Vec::new());
        for argument in split(tokens) {
            let first = argument.first()?;
            if is_word(&first.token, "MODEL") {
                model = Some(reference(&argument[1..])?);
            } else if is_word(&first.token, "DESCRIPTOR") {
                let columns = argument.get(2..argument.len().checked_sub(1)?)?;
                descriptors.push(columns);
            } else if is_word(&first.token, "TABLE") {
                table = Some(&argument[1..]);
            } else if is_word(&first.token, "STREAM") || first.token == Token::LParen {
                table = Some(argument);
            } else {
                return None;
            }
        }
        let table = table.filter(|table| !table.is_empty())?;
        Some(Arguments { table, model: model?, descriptors })
    }

    fn predict(&self) -> Option<Vec<TokenWithSpan>> {
        let [features] = self.descriptors.as_slice() else { return None };
        let mut written = words("(SELECT *, predict(")?;
        self.asked(features, &mut written)?;
        written.extend(words(") AS prediction, model_version(")?);
        written.extend(words(&self.name())?);
        written.extend(words(") AS model_version FROM")?);
        written.extend_from_slice(self.table);
        written.extend(words(")")?);
        Some(written)
    }

    fn evaluate(&self) -> Option<Vec<TokenWithSpan>> {
        let [label, features] = self.descriptors.as_slice() else { return None };
        let figures = "(SELECT unnest(map_keys(figures)) AS metric, unnest(map_values(figures)) AS value";
        let mut written = words(figures)?;
        written.extend(words("FROM (SELECT evaluate(")?);
        written.extend_from_slice(label);
        written.extend(words(", predict(")?);
        self.asked(features, &mut written)?;
        written.extend(words(")) AS figures FROM")?);
        written.extend_from_slice(self.table);
        written.extend(words(") AS judged)")?);
        Some(written)
    }

    fn asked(&self, features: &[TokenWithSpan], written: &mut Vec<TokenWithSpan>) -> Option<()> {
        written.extend(words(&self.name())?);
        if !features.is_empty() {
            written.extend(words(",")?);
            written.extend_from_slice(features);
        }
        Some(())
    }

    fn name(&self) -> String {
        format!("'{}'", self.model.replace('\'', "''"))
    }
}

/// `m`, `m VERSION AS OF 7` or `m TIMESTAMP AS OF '2026-05-04'`.
fn reference(tokens: &[TokenWithSpan]) -> Option<String> {
    let name = match &tokens.first()?.token {
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(name) => name.clone(),
        _ => return None,
    };
    let of = |word: &str| {
        tokens.len() == 5
            && is_word(&tokens[1].token, word)
            && is_word(&tokens[2].token, "AS")
            && is_word(&tokens[3].token, "OF")
    };
    match tokens.last().map(|token| &token.token) {
        _ if tokens.len() == 1 => Some(name),
        Some(Token::Number(version, _)) if of("VERSION") => Some(format!("{name}@{version}")),
        Some(Token::SingleQuotedString(time)) if of("TIMESTAMP") => Some(format!("{name}@{time}")),
        _ => None,
    }
}

/// Cuts at the commas that stand in no bracket.
fn split(tokens: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    let (mut parts, mut start, mut depth) = (Vec::new(), 0, 0_usize);
    for (index, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Comma if depth == 0 => {
                parts.push(&tokens[start..index]);
                start = index + 1;
            }
            _ => {}
        }
    }
    parts.push(&tokens[start..]);
    parts
}

fn words(text: &str) -> Option<Vec<TokenWithSpan>> {
    let tokens = tokenize(text).ok()?;
    Some(tokens.into_iter().filter(|token| !is_blank(token) && token.token != Token::EOF).collect())
}
