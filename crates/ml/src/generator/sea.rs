//! SEA concepts (Street and Kim, *A streaming ensemble algorithm for large-scale classification*, 2001).
//!
//! Three numbers uniform in 0 to 10, of which the third means nothing. The class is whether the sum of the first two
//! is at most a threshold: 8, 9, 7 or 9.5 as `function` is 1 to 4. A share of `noise` of the classes, 0.1 unless it is
//! said, is turned round.

use std::collections::BTreeMap;

use super::{Generator, class, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Label, Schema};

pub(super) const NAME: &str = "sea";
const THRESHOLDS: [f64; 4] = [8.0, 9.0, 7.0, 9.5];

/// The stream.
#[derive(Debug)]
pub struct Sea {
    threshold: f64,
    noise: f64,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["function", "noise", "seed"], options)?;
    let function: usize = options.number("function", 1..=4)?.unwrap_or(1);
    Ok(Box::new(Sea {
        threshold: THRESHOLDS[function - 1],
        noise: options.number("noise", 0.0..=1.0)?.unwrap_or(0.1),
        random: rows(seed(&options)?),
    }))
}

impl Generator for Sea {
    fn schema(&self) -> Schema {
        numbers(3, Label::Class)
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        row.clear();
        row.extend((0..3).map(|_| 10.0 * self.random.uniform()));
        let turned = self.random.uniform() < self.noise;
        class((row[0] + row[1] <= self.threshold) != turned)
    }
}
