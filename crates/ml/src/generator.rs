//! Streams out of formulas, to try learners on: the generators of the literature, each written from its paper.
//!
//! A generator is made by [`create`] from a text such as `'sea(function=2)'`. Several of them, separated by commas,
//! are one stream whose concept changes ([`drift`]): `'sea(function=1), sea(function=3)'` with `drift_every=50000`.
//! The same text gives the same rows, on every machine.
//!
//! ```
//! use std::collections::BTreeMap;
//! use ml::generator;
//!
//! let mut stream = generator::create("sea(function=2, noise=0)", &BTreeMap::new())?;
//! let mut row = Vec::new();
//! let class = stream.next_row(&mut row);
//! assert_eq!(class == 1.0, row[0] + row[1] <= 9.0);
//! # Ok::<(), ml::OptionError>(())
//! ```

pub mod agrawal;
pub mod drift;
pub mod friedman;
pub mod hyperplane;
pub mod led;
pub mod random_tree;
pub mod rbf;
pub mod sea;
pub mod sine;
pub mod stagger;
#[cfg(test)]
mod tests;
pub mod waveform;

use std::collections::BTreeMap;
use std::fmt::Debug;

use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Column, Kind, Label, Schema};

/// An endless stream of rows with their labels.
pub trait Generator: Debug + Send {
    /// What its rows are.
    fn schema(&self) -> Schema;

    /// Writes the next row to `row`, whatever was in it, and says its label: the code of a class, or a number.
    /// Categories are codes.
    fn next_row(&mut self, row: &mut Vec<f64>) -> f64;
}

/// How a generator is made from its options.
type Make = fn(&BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError>;

const GENERATORS: &[(&str, Make)] = &[
    (agrawal::NAME, agrawal::make),
    (friedman::NAME, friedman::make),
    (hyperplane::NAME, hyperplane::make),
    (led::NAME, led::make),
    (random_tree::NAME, random_tree::make),
    (rbf::NAME, rbf::make),
    (sea::NAME, sea::make),
    (sine::NAME, sine::make),
    (stagger::NAME, stagger::make),
    (waveform::NAME, waveform::make),
];

/// The names that [`create`] knows, in alphabetical order.
#[must_use]
pub fn names() -> Vec<&'static str> {
    GENERATORS.iter().map(|(name, _)| *name).collect()
}

/// Makes the stream that `text` describes: one generator, or several with the options of [`drift`].
///
/// # Errors
///
/// If a generator or an option is unknown, malformed or out of range, or the generators' rows do not go together.
pub fn create(text: &str, options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let mut parts = Vec::new();
    for part in split(text) {
        parts.push(one(part)?);
    }
    match parts.len() {
        1 if options.is_empty() => Ok(parts.remove(0)),
        _ => Ok(Box::new(drift::Drift::new(parts, options)?)),
    }
}

/// The descriptions in a list; commas between brackets do not count.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_usize, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                parts.push(text[start..at].trim());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[start..].trim());
    parts
}

fn one(text: &str) -> Result<Box<dyn Generator>, OptionError> {
    let (name, arguments) = match text.split_once('(') {
        Some((name, rest)) => {
            (name.trim(), rest.trim_end().strip_suffix(')').ok_or_else(|| malformed(text))?)
        }
        None => (text, ""),
    };
    let mut options = BTreeMap::new();
    for argument in arguments.split(',').filter(|argument| !argument.trim().is_empty()) {
        let (key, value) = argument.split_once('=').ok_or_else(|| malformed(text))?;
        options.insert(key.trim().to_owned(), value.trim().to_owned());
    }
    let name = name.to_ascii_lowercase();
    match GENERATORS.iter().find(|(known, _)| *known == name) {
        Some((_, make)) => make(&options),
        None => Err(OptionError::UnknownAlgorithm { name, known: names().join(", ") }),
    }
}

fn malformed(text: &str) -> OptionError {
    let expected = "a generator and its options, as 'sea(function=2, noise=0.1)'".to_owned();
    OptionError::Invalid { name: "generator", value: text.to_owned(), expected }
}

/// The option `seed`, 42 unless it is given.
fn seed(options: &Options) -> Result<u64, OptionError> {
    Ok(options.number("seed", 0..=u64::MAX)?.unwrap_or(42))
}

/// What a row is drawn with.
fn rows(seed: u64) -> Random {
    Random::stream(seed, 0)
}

/// What a concept is drawn with, before the first row.
fn concept(seed: u64) -> Random {
    Random::stream(seed, 1)
}

/// A schema of numbers `x0`, `x1`, and so on.
fn numbers(count: usize, label: Label) -> Schema {
    let columns = (0..count).map(|at| column(&format!("x{at}"), Kind::Number)).collect();
    Schema { columns, label: Some(label) }
}

fn column(name: &str, kind: Kind) -> Column {
    Column { name: name.to_owned(), kind }
}

/// 1 for true: the codes of two classes.
fn class(positive: bool) -> f64 {
    f64::from(u8::from(positive))
}
