//! Mixed waves (Breiman, Friedman, Olshen and Stone, *Classification and regression trees*, 1984).
//!
//! Three triangular waves of 21 points; each class mixes two of them at random shares and adds normal noise. With
//! `noise_columns=19`, as usual, 19 columns of noise follow. Nobody can be right in more than 86 % of the rows.

use std::collections::BTreeMap;

use super::{Generator, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Label, Schema};

pub(super) const NAME: &str = "waveform";
const POINTS: u8 = 21;
/// Where the three waves have their tops.
const TOPS: [f64; 3] = [11.0, 15.0, 7.0];
/// The two waves of each class.
const CLASSES: [[usize; 2]; 3] = [[0, 1], [0, 2], [1, 2]];

/// The stream.
#[derive(Debug)]
pub struct Waveform {
    noise_columns: usize,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["noise_columns", "seed"], options)?;
    let noise_columns = options.number("noise_columns", 0..=1_000)?.unwrap_or(0);
    Ok(Box::new(Waveform { noise_columns, random: rows(seed(&options)?) }))
}

fn height(wave: usize, point: u8) -> f64 {
    (6.0 - (f64::from(point) - TOPS[wave]).abs()).max(0.0)
}

impl Generator for Waveform {
    fn schema(&self) -> Schema {
        numbers(usize::from(POINTS) + self.noise_columns, Label::Class)
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        let class = self.random.index(3);
        let [one, other] = CLASSES[class];
        let share = self.random.uniform();
        row.clear();
        for point in 1..=POINTS {
            let mixed = share * height(one, point) + (1.0 - share) * height(other, point);
            row.push(mixed + self.random.normal());
        }
        row.extend((0..self.noise_columns).map(|_| self.random.normal()));
        class as f64
    }
}
