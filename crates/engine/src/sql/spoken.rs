//! What Spark writes in a way that the tokenizer does not know.

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::sql::cursor::tokenize;

/// `2.5D`, `exists(array, x -> ...)`, and the escapes in strings.
pub(crate) fn spoken(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let token = &tokens[index];
        let next = tokens.get(index + 1);
        if let (Token::Number(digits, false), Some(Token::Word(word))) =
            (&token.token, next.map(|next| &next.token))
            && next.is_some_and(|next| next.span.start == token.span.end)
            && let Some(name) = suffix(word)
        {
            out.extend(cast(digits, name, token));
            index += 2;
            continue;
        }
        let mut token = token.clone();
        match &mut token.token {
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) if text.contains('\\') => {
                *text = unescaped(text);
            }
            Token::Word(word)
                if is_higher_order_exists(word, tokens.get(index + 1..).unwrap_or_default()) =>
            {
                *word = Word {
                    value: "any_match".to_owned(),
                    quote_style: None,
                    keyword: datafusion::sql::sqlparser::keywords::Keyword::NoKeyword,
                };
            }
            _ => {}
        }
        out.push(token);
        index += 1;
    }
    out
}

fn suffix(word: &Word) -> Option<&'static str> {
    if word.quote_style.is_some() {
        return None;
    }
    match word.value.to_ascii_uppercase().as_str() {
        "D" => Some("DOUBLE"),
        "F" => Some("FLOAT"),
        "S" => Some("SMALLINT"),
        "Y" => Some("TINYINT"),
        _ => None,
    }
}

fn cast(digits: &str, name: &str, at: &TokenWithSpan) -> Vec<TokenWithSpan> {
    let tokens = tokenize(&format!("CAST({digits} AS {name})")).unwrap_or_default();
    tokens
        .into_iter()
        .filter(|token| !crate::sql::cursor::is_blank(token))
        .map(|token| TokenWithSpan { token: token.token, span: at.span })
        .collect()
}

/// `exists(` of an array, not of a subquery.
fn is_higher_order_exists(word: &Word, behind: &[TokenWithSpan]) -> bool {
    let is = |token: Option<&TokenWithSpan>, name: &str| matches!(token.map(|token| &token.token), Some(Token::Word(word)) if word.value.eq_ignore_ascii_case(name));
    word.quote_style.is_none()
        && word.value.eq_ignore_ascii_case("exists")
        && behind.first().is_some_and(|token| token.token == Token::LParen)
        && !["select", "with", "values", "from"].iter().any(|name| is(behind.get(1), name))
        && behind.get(1).is_some_and(|token| token.token != Token::LParen)
}

/// What stands between a literal's quotes, with `\n`, `\t`, `\\`, `\'` and `\u00e4` as what they mean; `\%` and `\_` stay as
/// they are, for LIKE.
#[must_use]
pub fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        if character != '\\' {
            out.push(character);
            continue;
        }
        match rest.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('b') => out.push('\u{8}'),
            Some('0') => out.push('\0'),
            Some('Z') => out.push('\u{1a}'),
            Some(kept @ ('%' | '_')) => out.extend(['\\', kept]),
            Some('u') => {
                let digits: String = rest.clone().take(4).collect();
                match u32::from_str_radix(&digits, 16).ok().and_then(char::from_u32) {
                    Some(decoded) if digits.len() == 4 => {
                        out.push(decoded);
                        rest.nth(3);
                    }
                    _ => out.push('u'),
                }
            }
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    out
}
