//! STAGGER concepts (Schlimmer and Granger, *Incremental learning from noisy data*, 1986).
//!
//! Three categories of three values each: size (small, medium, large), colour (red, blue, green) and shape (circle,
//! square, triangle), coded in that order. The class is 1 for what is, as `function` says, 1: small and red; 2: green
//! or a circle; 3: medium or large.

use std::collections::BTreeMap;

use super::{Generator, class, column, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Kind, Label, Schema};

pub(super) const NAME: &str = "stagger";

/// The stream.
#[derive(Debug)]
pub struct Stagger {
    function: u8,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let options = Options::new(NAME, &["function", "seed"], options)?;
    let function = options.number("function", 1..=3)?.unwrap_or(1);
    Ok(Box::new(Stagger { function, random: rows(seed(&options)?) }))
}

impl Generator for Stagger {
    fn schema(&self) -> Schema {
        let columns = ["size", "colour", "shape"].map(|name| column(name, Kind::Category)).to_vec();
        Schema { columns, label: Some(Label::Class) }
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        let [size, colour, shape] = [(); 3].map(|()| self.random.index(3));
        row.clear();
        row.extend([size, colour, shape].map(|code| code as f64));
        class(match self.function {
            1 => size == 0 && colour == 0,
            2 => colour == 2 || shape == 0,
            _ => size > 0,
        })
    }
}
