//! A walk over a statement's tokens that knows where it is.

use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, TokenizerError};

use crate::error::{Position, SqlError};
use crate::language;

/// Types and options nest at most this deep.
const DEPTH_MAX: usize = 32;

#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    tokens: &'a [TokenWithSpan],
    next: usize,
    end: Position,
    depth: usize,
}

/// Cuts the text into tokens, white space and comments included.
pub(crate) fn tokenize(text: &str) -> Result<Vec<TokenWithSpan>, SqlError> {
    language::tokenize(text).map_err(|TokenizerError { message, location }| SqlError::Syntax {
        position: position(location),
        reason: message,
    })
}

pub(crate) fn position(location: Location) -> Position {
    Position { line: location.line.max(1), column: location.column.max(1) }
}

pub(crate) fn is_blank(token: &TokenWithSpan) -> bool {
    matches!(token.token, Token::Whitespace(_) | Token::EOF)
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(tokens: &'a [TokenWithSpan]) -> Self {
        let end = tokens.last().map_or(Position { line: 1, column: 1 }, |token| position(token.span.end));
        Cursor { tokens, next: 0, end, depth: 0 }
    }

    /// The next token that is not blank, without taking it.
    pub(crate) fn peek(&mut self) -> Option<&'a Token> {
        while self.tokens.get(self.next).is_some_and(is_blank) {
            self.next += 1;
        }
        self.tokens.get(self.next).map(|token| &token.token)
    }

    pub(crate) fn take(&mut self) -> Option<&'a Token> {
        let token = self.peek();
        self.next += usize::from(token.is_some());
        token
    }

    /// Where the next token stands.
    pub(crate) fn position(&mut self) -> Position {
        self.peek();
        self.tokens.get(self.next).map_or(self.end, |token| position(token.span.start))
    }

    /// Everything that is left.
    pub(crate) fn rest(&mut self) -> &'a [TokenWithSpan] {
        self.peek();
        let rest = &self.tokens[self.next..];
        self.next = self.tokens.len();
        rest
    }

    pub(crate) fn error(&mut self, expected: impl std::fmt::Display) -> SqlError {
        let position = self.position();
        let met = self.peek().map_or_else(|| "the end".to_owned(), |token| format!("'{token}'"));
        SqlError::Syntax { position, reason: format!("expected {expected}, met {met}") }
    }

    /// Takes the word if it comes next.
    pub(crate) fn accept(&mut self, word: &str) -> bool {
        let found = matches!(self.peek(), Some(Token::Word(w))
            if w.quote_style.is_none() && w.value.eq_ignore_ascii_case(word));
        self.next += usize::from(found);
        found
    }

    /// Takes the words if all of them come next, none of them otherwise.
    pub(crate) fn accept_all(&mut self, words: &[&str]) -> bool {
        let start = self.next;
        let found = words.iter().all(|word| self.accept(word));
        if !found {
            self.next = start;
        }
        found
    }

    pub(crate) fn expect(&mut self, word: &str) -> Result<(), SqlError> {
        if self.accept(word) { Ok(()) } else { Err(self.error(word)) }
    }

    pub(crate) fn accept_token(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.next += usize::from(found);
        found
    }

    pub(crate) fn expect_token(&mut self, token: &Token) -> Result<(), SqlError> {
        if self.accept_token(token) { Ok(()) } else { Err(self.error(format!("'{token}'"))) }
    }

    /// A name, quoted by backticks or not.
    pub(crate) fn name(&mut self, what: &str) -> Result<String, SqlError> {
        match self.peek() {
            Some(Token::Word(word)) => {
                self.next += 1;
                Ok(word.value.clone())
            }
            _ => Err(self.error(what)),
        }
    }

    /// A string in single or double quotes.
    pub(crate) fn string(&mut self, what: &str) -> Result<String, SqlError> {
        match self.peek() {
            Some(Token::SingleQuotedString(text) | Token::DoubleQuotedString(text)) => {
                self.next += 1;
                Ok(text.clone())
            }
            _ => Err(self.error(what)),
        }
    }

    pub(crate) fn finish(&mut self) -> Result<(), SqlError> {
        if self.peek().is_none() { Ok(()) } else { Err(self.error("the end of the statement")) }
    }

    /// Runs `parse` one level deeper.
    pub(crate) fn nested<T>(
        &mut self,
        parse: impl FnOnce(&mut Self) -> Result<T, SqlError>,
    ) -> Result<T, SqlError> {
        if self.depth == DEPTH_MAX {
            return Err(self.error(format!("at most {DEPTH_MAX} levels of nesting")));
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }
}
