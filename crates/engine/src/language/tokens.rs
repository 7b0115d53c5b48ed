//! Tokens: what Spark writes in a way that the tokenizer does not know.

use std::borrow::Cow;

use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{
    Span, Token, TokenWithSpan, Tokenizer, TokenizerError, Whitespace, Word,
};

use crate::language::{DIALECT, identifier, table_argument, values};
use crate::sql::unescaped;

/// Letters behind a number that say its type.
const SUFFIXES: [(&str, &str); 5] =
    [("Y", "TINYINT"), ("S", "SMALLINT"), ("F", "FLOAT"), ("D", "DOUBLE"), ("BD", "DECIMAL")];

/// What becomes of `2.5D`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Numbers {
    /// One token with its letters.
    Suffixed,
    /// `CAST(2.5 AS DOUBLE)`.
    Cast,
}

/// The tokens of a text, for a [`parser`](crate::language::parser).
///
/// # Errors
/// A text or a comment that does not end.
pub fn tokens(text: &str, numbers: Numbers) -> Result<Vec<TokenWithSpan>, ParserError> {
    let raw = tokenize(text)?;
    let solid: Vec<TokenWithSpan> = raw.into_iter().filter(|token| !is_blank(&token.token)).collect();
    Ok(read(&solid, numbers))
}

/// The tokens of a text as they stand, blanks too. A quote behind a backslash does not end a text.
pub(crate) fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>, TokenizerError> {
    let text = quotes_doubled(text);
    let mut tokens = Tokenizer::new(&DIALECT, &text).with_unescape(false).tokenize_with_location()?;
    for token in &mut tokens {
        match &mut token.token {
            Token::SingleQuotedString(text) => *text = text.replace("''", "'"),
            Token::DoubleQuotedString(text) => *text = text.replace("\"\"", "\""),
            Token::Word(word) if word.quote_style == Some('`') => word.value = word.value.replace("``", "`"),
            _ => {}
        }
    }
    Ok(tokens)
}

/// What the parser gets: `2.5D` is one number, `exists(array, x -> ...)` no subquery, texts side by side are one,
/// escapes in them are taken, `VALUES 1, 2` has its parentheses. `tokens` are without blanks.
pub(crate) fn read(tokens: &[TokenWithSpan], numbers: Numbers) -> Vec<TokenWithSpan> {
    let mut out: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for (index, mut token) in tokens.iter().cloned().enumerate() {
        let raw = follows_r(out.last(), &token);
        match &mut token.token {
            Token::Word(word) if follows_number(out.last(), &token.span, word) => {
                suffixed(&mut out, &word.value, numbers);
                continue;
            }
            Token::SingleQuotedString(_) | Token::DoubleQuotedString(_) if raw => {
                out.pop();
            }
            Token::SingleQuotedString(text) | Token::DoubleQuotedString(text) if text.contains('\\') => {
                *text = unescaped(text);
            }
            Token::Word(word) if is_of_an_array(word, &tokens[index + 1..]) => {
                let (value, keyword) = ("any_match".to_owned(), Keyword::NoKeyword);
                *word = Word { value, quote_style: None, keyword };
            }
            _ => {}
        }
        out.push(token);
    }
    table_argument::called(values::rows(&values::tables(&identifier::named(out))))
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

/// Whether the text is one of `r'...'`, in which a backslash means itself.
fn follows_r(before: Option<&TokenWithSpan>, token: &TokenWithSpan) -> bool {
    before.is_some_and(|before| {
        before.span.end == token.span.start
            && matches!(&before.token, Token::Word(word)
                if word.quote_style.is_none() && word.value.eq_ignore_ascii_case("r"))
    })
}

/// The number that came last, with the letters behind it.
fn suffixed(out: &mut Vec<TokenWithSpan>, letters: &str, numbers: Numbers) {
    let Some(TokenWithSpan { token: Token::Number(digits, long), span }) = out.pop() else { return };
    if numbers == Numbers::Suffixed {
        out.push(TokenWithSpan { token: Token::Number(digits + letters, long), span });
        return;
    }
    let known = SUFFIXES.iter().find(|(suffix, _)| letters.eq_ignore_ascii_case(suffix));
    let mut name = known.map_or("DOUBLE", |(_, name)| *name).to_owned();
    if name == "DECIMAL" {
        let (whole, fraction) = digits.split_once('.').unwrap_or((&digits, ""));
        let scale = fraction.len();
        name = format!("DECIMAL({}, {scale})", (whole.trim_start_matches('0').len() + scale).max(1));
    }
    let cast = tokenize(&format!("CAST({digits} AS {name})")).unwrap_or_default();
    let cast = cast.into_iter().filter(|token| !is_blank(&token.token));
    out.extend(cast.map(|token| TokenWithSpan { token: token.token, span }));
}

fn follows_number(before: Option<&TokenWithSpan>, at: &Span, word: &Word) -> bool {
    before
        .is_some_and(|before| matches!(before.token, Token::Number(_, false)) && before.span.end == at.start)
        && word.quote_style.is_none()
        && SUFFIXES.iter().any(|(suffix, _)| word.value.eq_ignore_ascii_case(suffix))
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

pub(super) fn is_blank(token: &Token) -> bool {
    matches!(
        token,
        Token::EOF
            | Token::Whitespace(
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
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let tokens = tokens(text, Numbers::Suffixed).unwrap();
        tokens.iter().map(|token| token.token.to_string()).collect()
    }

    #[test]
    fn numbers_keep_their_letters() {
        assert_eq!(words("1Y + 2.5BD"), ["1Y", "+", "2.5BD"]);
        assert_eq!(words("1 Y"), ["1", "Y"]);
        let cast = tokens("2.50BD", Numbers::Cast).unwrap();
        let cast: Vec<String> = cast.iter().map(|token| token.token.to_string()).collect();
        assert_eq!(cast.join(" "), "CAST ( 2.50 AS DECIMAL ( 3 , 2 ) )");
    }

    #[test]
    fn escapes_are_taken() {
        assert_eq!(words(r"'a\tb'"), ["'a\tb'"]);
        assert_eq!(words(r"'a\%b'"), [r"'a\%b'"]);
        assert_eq!(words(r"'it\'s' || 'a\\'").len(), 3);
        assert_eq!(words(r#""say \"it\"" 1"#).len(), 2);
        assert_eq!(words(r"r'\d' r"), [r"'\d'", "r"]);
    }

    #[test]
    fn exists_is_of_arrays_or_of_queries() {
        assert_eq!(words("exists(a, x -> x)")[0], "any_match");
        assert_eq!(words("EXISTS (SELECT 1)")[0], "EXISTS");
        assert_eq!(words("EXISTS ((SELECT 1))")[0], "EXISTS");
    }

    #[test]
    fn names_may_be_said_by_texts() {
        assert_eq!(words("SELECT IDENTIFIER('a' || '.b')").join(" "), "SELECT `a` . `b`");
        assert_eq!(words("identifier(c)").join(" "), "identifier ( c )");
    }
}
