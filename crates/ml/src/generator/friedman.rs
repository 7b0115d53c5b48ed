//! A function of five numbers out of ten (Friedman, *Multivariate adaptive regression splines*, 1991).
//!
//! The numbers are uniform in 0 to 1, and the label is
//! `10 sin(pi x0 x1) + 20 (x2 - 0.5)^2 + 10 x3 + 5 x4 + noise`, where the noise is normal with a deviation of `noise`
//! (1). With `concept` 2 and 3 the columns take each other's parts: another concept for a stream that drifts.

use std::collections::BTreeMap;
use std::f64::consts::PI;

use super::{Generator, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Label, Schema};

pub(super) const NAME: &str = "friedman";

/// Which column plays which part, by concept.
const PARTS: [[usize; 5]; 3] = [[0, 1, 2, 3, 4], [3, 4, 1, 0, 2], [5, 6, 7, 8, 9]];

/// The stream.
#[derive(Debug)]
pub struct Friedman {
    parts: [usize; 5],
    noise: f64,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["concept", "noise", "seed"], options)?;
    let concept: usize = options.number("concept", 1..=3)?.unwrap_or(1);
    let noise = options.number("noise", 0.0..=1e6)?.unwrap_or(1.0);
    Ok(Box::new(Friedman { parts: PARTS[concept - 1], noise, random: rows(seed(&options)?) }))
}

impl Generator for Friedman {
    fn schema(&self) -> Schema {
        numbers(10, Label::Number)
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        row.clear();
        row.extend((0..10).map(|_| self.random.uniform()));
        let [a, b, c, d, e] = self.parts.map(|column| row[column]);
        let exact = 10.0 * libm::sin(PI * a * b) + 20.0 * (c - 0.5) * (c - 0.5) + 10.0 * d + 5.0 * e;
        exact + self.noise * self.random.normal()
    }
}
