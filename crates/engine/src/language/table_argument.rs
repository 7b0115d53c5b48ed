//! `f(TABLE(t) PARTITION BY a ORDER BY b)`: a table as an argument, in the words of a window over a query.

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan};

/// The function that such an argument becomes a call of: `table_argument((SELECT * FROM t)) OVER (PARTITION BY a)`.
pub const TABLE_ARGUMENT: &str = "table_argument";

/// The tokens with tables in arguments as calls. `tokens` are without blanks.
pub(super) fn called(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    if !(1..tokens.len()).any(|at| begins(&tokens, at)) {
        return tokens;
    }
    let mut out = Vec::with_capacity(tokens.len() + 16);
    let mut at = 0;
    while at < tokens.len() {
        let found = if begins(&tokens, at) { argument(&tokens[at..]) } else { None };
        match found {
            Some((words, length)) => {
                let span = tokens[at].span;
                out.extend(words.into_iter().map(|token| TokenWithSpan { token, span }));
                at += length;
            }
            None => {
                out.push(tokens[at].clone());
                at += 1;
            }
        }
    }
    out
}

fn begins(tokens: &[TokenWithSpan], at: usize) -> bool {
    let is = |at: usize, wanted: &Token| tokens.get(at).is_some_and(|token| token.token == *wanted);
    let before = at.checked_sub(1).and_then(|before| tokens.get(before)).map(|token| &token.token);
    keyword(tokens.get(at), Keyword::TABLE)
        && is(at + 1, &Token::LParen)
        && matches!(before, Some(Token::LParen | Token::Comma | Token::RArrow))
}

fn keyword(token: Option<&TokenWithSpan>, wanted: Keyword) -> bool {
    matches!(token.map(|token| &token.token), Some(Token::Word(word))
        if word.keyword == wanted && word.quote_style.is_none())
}

/// The argument as a call, and how many tokens it is.
fn argument(tokens: &[TokenWithSpan]) -> Option<(Vec<Token>, usize)> {
    let length = brackets(&tokens[1..])?;
    let inner: Vec<Token> = called(tokens[2..length].to_vec()).into_iter().map(|token| token.token).collect();
    let query = [Keyword::SELECT, Keyword::WITH, Keyword::VALUES, Keyword::FROM];
    let first = TokenWithSpan::new(inner.first()?.clone(), Span::empty());
    let mut out = vec![Token::make_word(TABLE_ARGUMENT, None), Token::LParen, Token::LParen];
    if !query.into_iter().any(|word| keyword(Some(&first), word)) {
        out.extend([Token::make_keyword("SELECT"), Token::Mul, Token::make_keyword("FROM")]);
    }
    if keyword(Some(&first), Keyword::FROM) {
        out.extend([Token::make_keyword("SELECT"), Token::Mul]);
    }
    out.extend(inner);
    out.extend([Token::RParen, Token::RParen]);
    let mut at = 1 + length;
    let mut window = Vec::new();
    let single = [Keyword::WITH, Keyword::NONE, Keyword::PARTITION];
    let word = |at: usize, text: &str| matches!(tokens.get(at).map(|token| &token.token), Some(Token::Word(word)) if word.value.eq_ignore_ascii_case(text));
    let mut given = false;
    if keyword(tokens.get(at), single[0]) && word(at + 1, "SINGLE") && keyword(tokens.get(at + 2), single[2])
    {
        (at, given) = (at + 3, true);
    }
    for (word, other, name) in
        [(Keyword::PARTITION, Keyword::DISTRIBUTE, "PARTITION"), (Keyword::ORDER, Keyword::SORT, "ORDER")]
    {
        let here = keyword(tokens.get(at), word) || keyword(tokens.get(at), other);
        if here && keyword(tokens.get(at + 1), Keyword::BY) {
            let (list, length) = list(&tokens[at + 2..])?;
            window.extend([Token::make_keyword(name), Token::make_keyword("BY")]);
            window.extend(list);
            (at, given) = (at + 2 + length, true);
        }
    }
    if given {
        out.extend([Token::make_keyword("OVER"), Token::LParen]);
        out.extend(window);
        out.push(Token::RParen);
    }
    Some((out, at))
}

/// How many tokens stand between these brackets, and the first bracket.
fn brackets(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.checked_sub(1)?,
            _ => {}
        }
        if depth == 0 {
            return Some(at + 1);
        }
    }
    None
}

/// What stands behind `BY`, without brackets around all of it, and how many tokens it is.
fn list(tokens: &[TokenWithSpan]) -> Option<(Vec<Token>, usize)> {
    let ends = |token: Option<&TokenWithSpan>| {
        matches!(token.map(|token| &token.token), None | Some(Token::Comma | Token::RParen))
            || keyword(token, Keyword::ORDER)
            || keyword(token, Keyword::SORT)
    };
    if tokens.first()?.token == Token::LParen {
        let length = brackets(tokens)?;
        if ends(tokens.get(length)) {
            return Some((tokens[1..length - 1].iter().map(|token| token.token.clone()).collect(), length));
        }
    }
    let mut depth = 0_usize;
    let mut at = 0;
    while at < tokens.len() && (depth > 0 || !ends(tokens.get(at))) {
        match tokens[at].token {
            Token::LParen => depth += 1,
            Token::RParen => depth -= 1,
            _ => {}
        }
        at += 1;
    }
    Some((tokens[..at].iter().map(|token| token.token.clone()).collect(), at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::language::tokenize;

    fn read(text: &str) -> String {
        let tokens = tokenize(text).unwrap().into_iter();
        let tokens = tokens.filter(|token| !matches!(token.token, Token::Whitespace(_))).collect();
        called(tokens).iter().map(|token| token.token.to_string()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_table_in_an_argument_is_a_call_over_a_window() {
        assert_eq!(read("f(TABLE(t))"), "f ( table_argument ( ( SELECT * FROM t ) ) )");
        assert_eq!(
            read("f(1, x => TABLE(a.t) PARTITION BY (g(a, 1), b) ORDER BY c DESC, 2)"),
            "f ( 1 , x => table_argument ( ( SELECT * FROM a . t ) ) OVER ( PARTITION BY g ( a , 1 ) , b ORDER BY c DESC ) , 2 )"
        );
        assert_eq!(
            read("f(TABLE(SELECT 1) WITH SINGLE PARTITION ORDER BY (c, d))"),
            "f ( table_argument ( ( SELECT 1 ) ) OVER ( ORDER BY c , d ) )"
        );
        assert_eq!(
            read("f(r => TABLE(FROM range(3)))"),
            "f ( r => table_argument ( ( SELECT * FROM range ( 3 ) ) ) )"
        );
        assert_eq!(
            read("f(TABLE(t) DISTRIBUTE BY (a) + 1)"),
            "f ( table_argument ( ( SELECT * FROM t ) ) OVER ( PARTITION BY ( a ) + 1 ) )"
        );
        for same in ["TABLE ( t )", "f ( TABLE t )", "f ( TABLE ( t"] {
            assert_eq!(read(same), same);
        }
    }
}
