//! What Spark writes in a way that the tokenizer does not know.

use std::borrow::Cow;

use datafusion::sql::sqlparser::dialect::Dialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{Span, Token, TokenWithSpan, Tokenizer, Whitespace, Word};
use engine::unescaped;

/// Letters behind a number that say its type.
const SUFFIXES: [&str; 5] = ["Y", "S", "F", "D", "BD"];

/// The tokens of a text: `2.5D` is one number, `exists(array, x -> ...)` no subquery, escapes in strings are taken.
pub(super) fn tokens(dialect: &dyn Dialect, text: &str) -> Result<Vec<TokenWithSpan>, ParserError> {
    let text = quotes_doubled(text);
    let raw = Tokenizer::new(dialect, &text).with_unescape(false).tokenize_with_location()?;
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(raw.len());
    for (index, mut token) in raw.iter().cloned().enumerate() {
        match &mut token.token {
            Token::Word(word) if follows_number(out.last(), &token.span, word) => {
                if let Some(TokenWithSpan { token: Token::Number(digits, _), .. }) = out.last_mut() {
                    digits.push_str(&word.value);
                }
                continue;
            }
            Token::SingleQuotedString(text) => *text = unescaped(&text.replace("''", "'")),
            Token::DoubleQuotedString(text) => *text = unescaped(&text.replace("\"\"", "\"")),
            Token::Word(word) if is_of_an_array(word, &raw[index + 1..]) => {
                let (value, keyword) = ("any_match".to_owned(), Keyword::NoKeyword);
                *word = Word { value, quote_style: None, keyword };
            }
            _ => {}
        }
        out.push(token);
    }
    Ok(rows(&out))
}

/// `VALUES 1, 2` is `VALUES (1), (2)`.
fn rows(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    // Inside of VALUES: how many parentheses are open; whether a row without them has begun.
    let mut values: Option<(i32, bool)> = None;
    for (index, token) in tokens.iter().enumerate() {
        let solid = !is_blank(&token.token);
        let parenthesis = |kind: Token| TokenWithSpan { token: kind, span: token.span };
        if let Some((depth, open)) = &mut values
            && solid
        {
            let ends = match &token.token {
                Token::LParen => {
                    *depth += 1;
                    false
                }
                Token::RParen => {
                    *depth -= 1;
                    *depth < 0
                }
                Token::Comma | Token::EOF | Token::SemiColon => *depth == 0,
                Token::Word(word) => *depth == 0 && ends_values(word),
                _ => false,
            };
            if ends && *open {
                out.push(parenthesis(Token::RParen));
                *open = false;
            }
            let over = ends && token.token != Token::Comma;
            let before =
                out.iter().rev().map(|token: &TokenWithSpan| &token.token).find(|token| !is_blank(token));
            let begins = matches!(before, Some(Token::Comma)) || is_values(before);
            if !over
                && !*open
                && *depth == 0
                && begins
                && !matches!(token.token, Token::Comma | Token::LParen)
            {
                out.push(parenthesis(Token::LParen));
                *open = true;
            }
            if over {
                values = None;
            }
        }
        out.push(token.clone());
        if values.is_none() && is_values(Some(&token.token)) && !follows_a_list(&tokens[..index]) {
            values = Some((0, false));
        }
    }
    if matches!(values, Some((_, true))) {
        let span = tokens.last().map_or_else(Span::empty, |token| token.span);
        out.push(TokenWithSpan { token: Token::RParen, span });
    }
    out
}

fn is_values(token: Option<&Token>) -> bool {
    matches!(token, Some(Token::Word(word)) if word.quote_style.is_none() && word.keyword == Keyword::VALUES)
}

/// Whether VALUES is a name here: behind a point, or in a list of columns.
fn follows_a_list(before: &[TokenWithSpan]) -> bool {
    let before = before.iter().rev().map(|token| &token.token).find(|token| !is_blank(token));
    match before {
        None | Some(Token::LParen | Token::RParen | Token::SemiColon) => false,
        Some(Token::Word(_)) => false,
        Some(_) => true,
    }
}

/// What stands behind the rows.
fn ends_values(word: &Word) -> bool {
    const BEHIND: [Keyword; 22] = [
        Keyword::AS,
        Keyword::WHERE,
        Keyword::GROUP,
        Keyword::ORDER,
        Keyword::LIMIT,
        Keyword::UNION,
        Keyword::INTERSECT,
        Keyword::EXCEPT,
        Keyword::MINUS,
        Keyword::JOIN,
        Keyword::LEFT,
        Keyword::RIGHT,
        Keyword::FULL,
        Keyword::CROSS,
        Keyword::INNER,
        Keyword::HAVING,
        Keyword::LATERAL,
        Keyword::NATURAL,
        Keyword::OFFSET,
        Keyword::SORT,
        Keyword::PIVOT,
        Keyword::WINDOW,
    ];
    word.quote_style.is_none() && BEHIND.contains(&word.keyword)
}

/// A quote behind a backslash does not end a string: the tokenizer knows quotes that come twice.
fn quotes_doubled(text: &str) -> Cow<'_, str> {
    if !text.contains("\\'") && !text.contains("\\\"") {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    // The quote that ends the string we are in, and whether backslashes mean something there.
    let mut inside: Option<(char, bool)> = None;
    let mut rest = text.chars().peekable();
    let mut before = ' ';
    while let Some(character) = rest.next() {
        match inside {
            Some((quote, true)) if character == '\\' => match rest.next() {
                Some(next) if next == quote => out.extend([quote, quote]),
                next => out.extend(std::iter::once('\\').chain(next)),
            },
            Some((quote, _)) => {
                inside = inside.filter(|_| character != quote);
                out.push(character);
            }
            None => {
                if matches!(character, '\'' | '"' | '`') {
                    inside = Some((character, character != '`' && !before.eq_ignore_ascii_case(&'r')));
                }
                out.push(character);
            }
        }
        before = character;
    }
    Cow::Owned(out)
}

fn follows_number(before: Option<&TokenWithSpan>, at: &Span, word: &Word) -> bool {
    before
        .is_some_and(|before| matches!(before.token, Token::Number(_, false)) && before.span.end == at.start)
        && word.quote_style.is_none()
        && SUFFIXES.iter().any(|suffix| word.value.eq_ignore_ascii_case(suffix))
}

/// `exists(` of an array and a function.
fn is_of_an_array(word: &Word, behind: &[TokenWithSpan]) -> bool {
    if word.quote_style.is_some() || !word.value.eq_ignore_ascii_case("exists") {
        return false;
    }
    let mut behind = behind.iter().map(|token| &token.token).filter(|token| !is_blank(token));
    if behind.next() != Some(&Token::LParen) {
        return false;
    }
    match behind.find(|token| **token != Token::LParen) {
        Some(Token::Word(word)) => !["select", "with", "values", "from", "table"]
            .iter()
            .any(|known| word.value.eq_ignore_ascii_case(known)),
        _ => true,
    }
}

fn is_blank(token: &Token) -> bool {
    matches!(
        token,
        Token::Whitespace(
            Whitespace::Space
                | Whitespace::Newline
                | Whitespace::Tab
                | Whitespace::SingleLineComment { .. }
                | Whitespace::MultiLineComment(_)
        )
    )
}

#[cfg(test)]
mod tests {
    use datafusion::sql::sqlparser::dialect::SparkSqlDialect;

    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = tokens(&SparkSqlDialect {}, text).unwrap();
        tokens.iter().filter(|token| !is_blank(&token.token)).map(|token| token.token.to_string()).collect()
    }

    #[test]
    fn numbers_keep_their_letters() {
        assert_eq!(words("1Y + 2.5BD"), ["1Y", "+", "2.5BD"]);
        assert_eq!(words("1 Y"), ["1", "Y"]);
    }

    #[test]
    fn escapes_are_taken() {
        assert_eq!(words(r"'a\tb'"), ["'a\tb'"]);
        assert_eq!(words(r"'a\%b'"), [r"'a\%b'"]);
        assert_eq!(words(r"'it\'s' || 'a\\'").len(), 3);
        assert_eq!(words(r#""say \"it\"" 1"#).len(), 2);
    }

    #[test]
    fn rows_of_one_value_need_no_parentheses() {
        assert_eq!(words("VALUES 1, f(2, 3) AS t(a)").join(" "), "VALUES ( 1 ) , ( f ( 2 , 3 ) ) AS t ( a )");
        assert_eq!(words("(VALUES 1)").join(" "), "( VALUES ( 1 ) )");
        assert_eq!(words("VALUES (1), (2)").join(" "), "VALUES ( 1 ) , ( 2 )");
        assert_eq!(words("values 1").join(" "), "values ( 1 )");
    }

    #[test]
    fn exists_is_of_arrays_or_of_queries() {
        assert_eq!(words("exists(a, x -> x)")[0], "any_match");
        assert_eq!(words("EXISTS (SELECT 1)")[0], "EXISTS");
        assert_eq!(words("EXISTS ((SELECT 1))")[0], "EXISTS");
    }
}
