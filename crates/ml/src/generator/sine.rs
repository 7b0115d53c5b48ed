//! Curves that part a square (Gama, Medas, Castillo and Rodrigues, *Learning with drift detection*, 2004).
//!
//! Two numbers uniform in 0 to 1. With `function` 1 the class is 1 below the curve `sin x`, with 3 below
//! `0.5 + 0.3 sin(3 pi x)`; 2 and 4 are the same turned round. `noise_columns` adds numbers that mean nothing.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use super::{Generator, class, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Label, Schema};

pub(super) const NAME: &str = "sine";

/// The stream.
#[derive(Debug)]
pub struct Sine {
    function: u8,
    noise_columns: usize,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["function", "noise_columns", "seed"], options)?;
    Ok(Box::new(Sine {
        function: options.number("function", 1..=4)?.unwrap_or(1),
        noise_columns: options.number("noise_columns", 0..=100)?.unwrap_or(0),
        random: rows(seed(&options)?),
    }))
}

impl Generator for Sine {
    fn schema(&self) -> Schema {
        numbers(2 + self.noise_columns, Label::Class)
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        row.clear();
        row.extend((0..2 + self.noise_columns).map(|_| self.random.uniform()));
        let curve =
            if self.function <= 2 { libm::sin(row[0]) } else { 0.5 + 0.3 * libm::sin(3.0 * PI * row[0]) };
        class((row[1] < curve) == (self.function % 2 == 1))
    }
}
