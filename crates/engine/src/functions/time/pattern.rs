//! Patterns of dates and times as Java and Spark write them: `yyyy-MM-dd HH:mm:ss.SSS`, `EEE, d MMM yyyy`.

use datafusion::common::Result;

use crate::functions::own::wrong;

pub(super) mod format;
mod names;
pub(super) mod parse;

/// A pattern, taken apart.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::functions) struct Pattern {
    items: Vec<Item>,
}

#[derive(Debug, Clone, PartialEq)]
enum Item {
    Literal(String),
    /// A letter and how often it stands there.
    Field(char, usize),
    /// `[...]`
    Optional(Vec<Item>),
}

/// The letters, and the most that may stand together.
const LETTERS: &[(char, usize)] = &[
    ('G', 4),
    ('y', 6),
    ('M', 4),
    ('L', 4),
    ('d', 2),
    ('D', 3),
    ('E', 4),
    ('F', 1),
    ('Q', 4),
    ('q', 4),
    ('a', 1),
    ('h', 2),
    ('H', 2),
    ('k', 2),
    ('K', 2),
    ('m', 2),
    ('s', 2),
    ('S', 9),
    ('V', 2),
    ('z', 4),
    ('O', 4),
    ('X', 5),
    ('x', 5),
    ('Z', 5),
];

impl Pattern {
    pub(in crate::functions) fn parse(text: &str) -> Result<Pattern> {
        let mut characters = text.chars().peekable();
        let mut open: Vec<Vec<Item>> = vec![Vec::new()];
        while let Some(character) = characters.next() {
            let item = match character {
                '[' => {
                    open.push(Vec::new());
                    continue;
                }
                ']' => match (open.pop(), open.len()) {
                    (Some(inside), 1..) => Item::Optional(inside),
                    _ => return refused(text, "a ']' without a '['"),
                },
                '\'' => Item::Literal(quoted(&mut characters)),
                '#' | '{' | '}' => return refused(text, "'#', '{' and '}' are reserved"),
                letter if letter.is_ascii_alphabetic() => {
                    let mut count = 1;
                    while characters.next_if_eq(&letter).is_some() {
                        count += 1;
                    }
                    match LETTERS.iter().find(|(known, _)| *known == letter) {
                        Some((_, most)) if count <= *most => Item::Field(letter, count),
                        Some(_) => return refused(text, &format!("too many '{letter}'")),
                        None => return refused(text, &format!("no letter '{letter}'")),
                    }
                }
                other => Item::Literal(other.to_string()),
            };
            if let Some(items) = open.last_mut() {
                items.push(item);
            }
        }
        match (open.pop(), open.is_empty()) {
            (Some(items), true) => Ok(Pattern { items }),
            _ => refused(text, "a '[' is not closed"),
        }
    }
}

fn refused(pattern: &str, reason: &str) -> Result<Pattern> {
    wrong(format!("the pattern '{pattern}' is not one of dates and times: {reason}"))
}

/// The text up to the closing quote; two quotes are one.
fn quoted(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) -> String {
    let mut literal = String::new();
    if characters.next_if_eq(&'\'').is_some() {
        return "'".to_owned();
    }
    while let Some(character) = characters.next() {
        if character == '\'' && characters.next_if_eq(&'\'').is_none() {
            break;
        }
        literal.push(character);
    }
    literal
}

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
