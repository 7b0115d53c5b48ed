//! `IDENTIFIER('a' || '.b')`: a name that a text says.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan, Word};

/// The tokens with names in the place of what says them. `tokens` are without blanks.
pub(super) fn named(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let begins = |token: &TokenWithSpan| {
        matches!(&token.token, Token::Word(word)
            if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("IDENTIFIER"))
    };
    if !tokens.iter().any(begins) {
        return tokens;
    }
    let mut out = Vec::with_capacity(tokens.len());
    let mut index = 0;
    while index < tokens.len() {
        let name = if begins(&tokens[index]) { name(&tokens[index + 1..]) } else { None };
        match name {
            Some((name, length)) => {
                let span = tokens[index].span;
                out.extend(parts(&name).into_iter().map(|token| TokenWithSpan { token, span }));
                index += 1 + length;
            }
            None => {
                out.push(tokens[index].clone());
                index += 1;
            }
        }
    }
    out
}

/// What `('a' || 'b')` says, and how many tokens it is.
fn name(tokens: &[TokenWithSpan]) -> Option<(String, usize)> {
    if tokens.first()?.token != Token::LParen {
        return None;
    }
    let mut name = String::new();
    let mut at = 1;
    loop {
        match &tokens.get(at)?.token {
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) => name.push_str(text),
            _ => return None,
        }
        match &tokens.get(at + 1)?.token {
            Token::RParen => return Some((name, at + 2)),
            Token::StringConcat => at += 2,
            _ => return None,
        }
    }
}

/// `` a.`b.c` `` as words and points.
fn parts(name: &str) -> Vec<Token> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    for character in name.chars() {
        match character {
            '`' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            other => parts.last_mut().expect("there is a part always").push(other),
        }
    }
    let word =
        |value: String| Token::Word(Word { value, quote_style: Some('`'), keyword: Keyword::NoKeyword });
    let mut out = Vec::with_capacity(2 * parts.len());
    for part in parts {
        if !out.is_empty() {
            out.push(Token::Period);
        }
        out.push(word(part));
    }
    out
}
