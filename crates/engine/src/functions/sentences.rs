//! `sentences(text [, language [, country]])`: words by sentence, near to how Java breaks a text of no language in
//! particular. The language and the country change nothing.

use std::sync::Arc;

use datafusion::arrow::array::ArrayRef;
use datafusion::arrow::array::builder::{ListBuilder, StringBuilder};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::Result;

use crate::functions::own::{Call, Kind, Own, Planned, list_of};

pub(super) const FUNCTIONS: &[Own] =
    &[Own::new("sentences", &[Kind::Text, Kind::Text, Kind::Text], lists, sentences).optional(2)];

fn lists(_: &Planned<'_>) -> Result<DataType> {
    Ok(list_of(list_of(DataType::Utf8)))
}

fn sentences(call: &Call) -> Result<ArrayRef> {
    let mut lists = ListBuilder::new(ListBuilder::new(StringBuilder::new()));
    for index in 0..call.rows {
        let row = call.row(index);
        if row.is_null(0) {
            lists.append_null();
            continue;
        }
        for sentence in cut(row.text(0)) {
            let sentence: Vec<char> = sentence.chars().collect();
            lists.values().append_value(words(&sentence).into_iter().map(Some));
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// A sentence ends behind `.`, `!` or `?`, what closes after it and spaces, unless a small letter follows; behind
/// the full stops of Chinese and Japanese at once.
fn cut(text: &str) -> Vec<&str> {
    let (mut sentences, mut start) = (Vec::new(), 0);
    let mut rest = text.char_indices().peekable();
    while let Some((_, character)) = rest.next() {
        let wide = matches!(character, '。' | '！' | '？');
        if !wide && !matches!(character, '.' | '!' | '?') {
            continue;
        }
        let ends = |c: char| matches!(c, '.' | '!' | '?' | '"' | '\'' | ')' | ']' | '}' | '”' | '’' | '»');
        while rest.next_if(|(_, c)| ends(*c)).is_some() {}
        let mut spaces = false;
        while rest.next_if(|(_, c)| c.is_whitespace()).is_some() {
            spaces = true;
        }
        match rest.peek() {
            Some((at, next)) if wide || (spaces && goes_on(character, *next)) => {
                sentences.push(&text[start..*at]);
                start = *at;
            }
            _ => {}
        }
    }
    if start < text.len() {
        sentences.push(&text[start..]);
    }
    sentences
}

/// Whether the next sentence begins with this, after such an end.
fn goes_on(end: char, next: char) -> bool {
    match end {
        '.' => !next.is_lowercase(),
        _ => !matches!(next, '.' | '!' | '?'),
    }
}

/// The words, which begin with a letter or a digit.
fn words(text: &[char]) -> Vec<String> {
    let (mut words, mut at) = (Vec::new(), 0);
    while at < text.len() {
        let end = end_of(text, at);
        if text[at].is_alphanumeric() {
            words.push(text[at..end].iter().collect());
        }
        at = end;
    }
    words
}

/// The end of the piece that begins here.
fn end_of(text: &[char], start: usize) -> usize {
    // An amount of money is one piece.
    let money =
        matches!(text[start], '$' | '€' | '£' | '¥') && text.get(start + 1).is_some_and(char::is_ascii_digit);
    if !money && !is_word(text[start]) {
        return start + 1;
    }
    let mut at = start + 1;
    while let Some(&character) = text.get(at) {
        let (before, after) = (text[at - 1], text.get(at + 1).copied().unwrap_or(' '));
        let within = match character {
            c if is_word(c) => is_ideograph(c) == is_ideograph(text[start]) || money,
            '.' | ',' if before.is_numeric() && after.is_numeric() => true,
            '.' | '\'' | '’' | '-' | '·' => before.is_alphabetic() && after.is_alphabetic(),
            '%' => before.is_numeric(),
            _ => false,
        };
        if !within {
            break;
        }
        at += 1;
    }
    at
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{4e00}'..='\u{9fff}' | '\u{3400}'..='\u{4dbf}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(text: &str) -> Vec<Vec<String>> {
        cut(text).into_iter().map(|sentence| words(&sentence.chars().collect::<Vec<_>>())).collect()
    }

    /// What Spark 4.2 answers.
    #[test]
    fn as_java_breaks_them() {
        let told = "Hello Mr. Smith. How are you? I am fine, thanks. It's 3.14 or $5.00!";
        let found = all(told);
        assert_eq!(found[0], ["Hello", "Mr"]);
        assert_eq!(found[3], ["I", "am", "fine", "thanks"]);
        assert_eq!(found[4], ["It's", "3.14", "or"]);
        let found = all("one two-three  four_five a.b www.spark.org x@y.z");
        assert_eq!(found, [["one", "two-three", "four_five", "a.b", "www.spark.org", "x", "y.z"]]);
        assert_eq!(all("e.g. this. and that"), [["e.g", "this", "and", "that"]]);
        assert_eq!(all("He said \"stop.\" Then left. (Yes.) Ok")[2], ["Yes"]);
        assert_eq!(all("... !!! ??"), [[""; 0], [""; 0]]);
        assert_eq!(all("你好。世界"), [["你好"], ["世界"]]);
    }
}
