//! Two classes with one linear function, more with one each.
//!
//! While there are two classes, one function tells the second (code 1) from the first. When a third one comes, each
//! class gets a function that tells it from all others: the first class the mirror image of the one there was, which
//! is what it would have learned itself; new ones start with nothing. The share of a class is then its probability
//! over the sum of all.

use serde::{Deserialize, Serialize};

use crate::linear::config::{CELLS_MAX, Config};
use crate::linear::loss::sigmoid;
use crate::linear::weights::Weights;
use crate::onnx::Graph;
use crate::row::{Missing, Rejection, Row};

/// The functions of a classifier.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct OneVsRest {
    dim: Option<usize>,
    /// The largest code that was learned, plus 1.
    classes: usize,
    /// One for up to two classes, else one per class.
    functions: Vec<Weights>,
}

impl OneVsRest {
    pub(crate) fn new(dim: Option<usize>) -> Self {
        OneVsRest { dim, classes: 0, functions: Vec::new() }
    }

    pub(crate) fn dim(&self) -> Option<usize> {
        self.dim
    }

    pub(crate) fn functions(&self) -> &[Weights] {
        &self.functions
    }

    /// Says whether a row can be learned.
    pub(crate) fn check(
        &self,
        config: &Config,
        row: Row<'_>,
        class: u32,
        weight: f64,
    ) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        if !(0.0..=f64::MAX).contains(&weight) {
            return Err(Rejection::BadWeight);
        }
        if (class as usize) < self.classes {
            return Ok(());
        }
        let limit = CELLS_MAX / config.numbers_per_column() / row.dim();
        let needed = if class < 2 { 1 } else { class as usize + 1 };
        match limit {
            0 => Err(Rejection::TooWide { limit: CELLS_MAX / config.numbers_per_column(), found: row.dim() }),
            _ if needed > limit => Err(Rejection::TooManyCategories { limit: limit.max(2) }),
            _ => Ok(()),
        }
    }

    /// Makes room for a class.
    pub(crate) fn meet(&mut self, config: &Config, row: Row<'_>, class: u32) {
        let classes = self.classes.max(class as usize + 1);
        if classes == self.classes {
            return;
        }
        let dim = *self.dim.get_or_insert(row.dim());
        if self.functions.is_empty() {
            self.functions.push(Weights::new(dim, config));
        }
        if classes > 2 {
            if self.functions.len() == 1 {
                self.functions.insert(0, self.functions[0].mirrored());
            }
            self.functions.resize_with(classes, || Weights::new(dim, config));
        }
        self.classes = classes;
    }

    /// How many classes there are.
    pub(crate) fn classes(&self) -> usize {
        self.classes
    }

    /// The function of a class. Of two classes only the second one has one, even before it came.
    pub(crate) fn function_mut(&mut self, class: usize) -> Option<&mut Weights> {
        if self.functions.len() != 1 {
            return self.functions.get_mut(class);
        }
        let its_class = if self.classes == 1 { 0 } else { 1 };
        if class == its_class { self.functions.first_mut() } else { None }
    }

    /// Each function, and whether the row is one of its class.
    pub(crate) fn each(&mut self, class: u32) -> impl Iterator<Item = (&mut Weights, bool)> {
        let first = usize::from(self.functions.len() == 1);
        let class = class as usize;
        self.functions.iter_mut().enumerate().map(move |(place, weights)| (weights, place + first == class))
    }

    /// Writes the share of each class.
    pub(crate) fn shares(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        let acceptable = |dim| row.check(Some(dim), Missing::Refused).is_ok();
        if self.classes == 0 || !self.dim.is_some_and(acceptable) {
            return false;
        }
        match self.functions.as_slice() {
            _ if self.classes == 1 => shares.push(1.0),
            [only] => {
                let second = sigmoid(only.sum(row));
                shares.extend([1.0 - second, second]);
            }
            functions => {
                shares.extend(functions.iter().map(|weights| sigmoid(weights.sum(row))));
                let total: f64 = shares.iter().sum();
                let even = 1.0 / shares.len() as f64;
                shares.iter_mut().for_each(|share| *share = if total > 0.0 { *share / total } else { even });
            }
        }
        true
    }

    /// Draws the share of each class; there have to be two of them.
    pub(crate) fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        if self.classes < 2 {
            return None;
        }
        let weights: Vec<&[f64]> = self.functions.iter().map(Weights::weights).collect();
        let added: Vec<f64> = self.functions.iter().map(Weights::intercept).collect();
        let sums = graph.sums(rows, &weights, &added);
        let shares = graph.op("Sigmoid", &[&sums]);
        if self.functions.len() == 1 {
            return Some(graph.with_the_other(&shares));
        }
        Some(graph.parts(&shares, self.classes))
    }

    /// What each column adds to the sum that speaks for the class the row is put into.
    pub(crate) fn contributions(&self, row: Row<'_>) -> Option<Vec<(usize, f64)>> {
        let mut shares = Vec::new();
        let class = self.shares(row, &mut shares).then(|| crate::learner::argmax(&shares)).flatten()?;
        let sign = if self.functions.len() == 1 && class == 0 { -1.0 } else { 1.0 };
        let function = self.functions.get(class as usize).or(self.functions.first())?;
        let mut parts = Vec::new();
        row.for_each(|column, value| parts.push((column, sign * function.weights()[column] * value)));
        Some(parts)
    }

    pub(crate) fn validate(&self, config: &Config) -> Result<(), &'static str> {
        let expected = match self.classes {
            0 => 0,
            1 | 2 => 1,
            more => more,
        };
        if self.functions.len() != expected || self.classes > 0 && self.dim.is_none() {
            return Err("its sizes");
        }
        let dim = self.dim.unwrap_or(0);
        self.functions.iter().try_for_each(|weights| weights.validate(dim, config))
    }
}
