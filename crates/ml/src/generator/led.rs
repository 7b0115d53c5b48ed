//! The digits of a display of seven light-emitting diodes (Breiman, Friedman, Olshen and Stone, *Classification and
//! regression trees*, 1984).
//!
//! The class is a digit, the columns say which of the seven lights are on, and each light is wrong with a chance of
//! `noise` (0.1). Seventeen more lights mean nothing (`irrelevant=false` leaves them out). With `moved=n` the first
//! `n` lights have changed places with meaningless ones: another concept for a stream that drifts. At a noise of 0.1
//! nobody can be right in more than 74 % of the rows.

use std::collections::BTreeMap;

use super::{Generator, column, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Kind, Label, Schema};

pub(super) const NAME: &str = "led";

/// Which lights a digit needs: top, upper left, upper right, middle, lower left, lower right, bottom.
const DIGITS: [[u8; 7]; 10] = [
    [1, 1, 1, 0, 1, 1, 1],
    [0, 0, 1, 0, 0, 1, 0],
    [1, 0, 1, 1, 1, 0, 1],
    [1, 0, 1, 1, 0, 1, 1],
    [0, 1, 1, 1, 0, 1, 0],
    [1, 1, 0, 1, 0, 1, 1],
    [1, 1, 0, 1, 1, 1, 1],
    [1, 0, 1, 0, 0, 1, 0],
    [1, 1, 1, 1, 1, 1, 1],
    [1, 1, 1, 1, 0, 1, 1],
];
const IRRELEVANT: usize = 17;

/// The stream.
#[derive(Debug)]
pub struct Led {
    noise: f64,
    irrelevant: usize,
    moved: usize,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["noise", "irrelevant", "moved", "seed"], options)?;
    let irrelevant = match options.get("irrelevant") {
        None | Some("true") => IRRELEVANT,
        Some("false") => 0,
        Some(_) => return Err(options.invalid("irrelevant", "true or false")),
    };
    let moved = options.number("moved", 0..=7)?.unwrap_or(0);
    if moved > irrelevant {
        return Err(OptionError::Unused { name: "moved", with: "irrelevant=true" });
    }
    let noise = options.number("noise", 0.0..=1.0)?.unwrap_or(0.1);
    Ok(Box::new(Led { noise, irrelevant, moved, random: rows(seed(&options)?) }))
}

impl Generator for Led {
    fn schema(&self) -> Schema {
        let names = (0..7 + self.irrelevant).map(|at| column(&format!("light{at}"), Kind::Category));
        Schema { columns: names.collect(), label: Some(Label::Class) }
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        let digit = self.random.index(10);
        row.clear();
        for light in DIGITS[digit] {
            let wrong = self.random.uniform() < self.noise;
            row.push(f64::from(light ^ u8::from(wrong)));
        }
        row.extend((0..self.irrelevant).map(|_| self.random.index(2) as f64));
        (0..self.moved).for_each(|light| row.swap(light, 7 + light));
        digit as f64
    }
}
