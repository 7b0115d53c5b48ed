//! A turning plane (Hulten, Spencer and Domingos, *Mining time-changing data streams*, 2001).
//!
//! `columns` (10) numbers uniform in 0 to 1, of class 1 where their weighted sum is at least half of what it can be.
//! A share of `noise` (0.05) of the classes is turned round. After each row the weights of the first `drifting` (2)
//! columns move by `change` (0 unless it is said); each turns back with a chance of `turn` (0.1) per row.

use std::collections::BTreeMap;

use super::{Generator, class, concept, numbers, rows, seed};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::schema::{Label, Schema};

pub(super) const NAME: &str = "hyperplane";

/// The stream.
#[derive(Debug)]
pub struct Hyperplane {
    weights: Vec<f64>,
    /// 1 or -1 for each column that drifts.
    directions: Vec<f64>,
    change: f64,
    turn: f64,
    noise: f64,
    random: Random,
}

pub(super) fn make(options: &BTreeMap<String, String>) -> Result<Box<dyn Generator>, OptionError> {
    let known = &["columns", "drifting", "change", "turn", "noise", "seed"];
    let options = Options::new(NAME, known, options)?;
    let columns = options.number("columns", 1..=1_000)?.unwrap_or(10);
    let drifting = options.number("drifting", 0..=columns)?.unwrap_or(columns.min(2));
    let seed = seed(&options)?;
    let mut concept = concept(seed);
    Ok(Box::new(Hyperplane {
        weights: (0..columns).map(|_| concept.uniform()).collect(),
        directions: vec![1.0; drifting],
        change: options.number("change", 0.0..=1.0)?.unwrap_or(0.0),
        turn: options.number("turn", 0.0..=1.0)?.unwrap_or(0.1),
        noise: options.number("noise", 0.0..=1.0)?.unwrap_or(0.05),
        random: rows(seed),
    }))
}

impl Generator for Hyperplane {
    fn schema(&self) -> Schema {
        numbers(self.weights.len(), Label::Class)
    }

    fn next_row(&mut self, row: &mut Vec<f64>) -> f64 {
        row.clear();
        row.extend(self.weights.iter().map(|_| self.random.uniform()));
        let sum: f64 = row.iter().zip(&self.weights).map(|(value, weight)| value * weight).sum();
        let half = 0.5 * self.weights.iter().sum::<f64>();
        let turned = self.random.uniform() < self.noise;
        for (weight, direction) in self.weights.iter_mut().zip(&mut self.directions) {
            *weight += *direction * self.change;
            if self.random.uniform() < self.turn {
                *direction = -*direction;
            }
        }
        class((sum >= half) != turned)
    }
}
