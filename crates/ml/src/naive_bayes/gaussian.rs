//! Gaussian naive Bayes, as River's `GaussianNB`: a bell curve per class and column.
//!
//! The score of class `c` for row `x` is `ln P(c) + sum_j ln(1e-9 + N(x_j; mean_cj, var_cj))`, where `P(c)` is the
//! share of the rows that were of the class, the variance is the sample's (n - 1), and a class that has seen fewer
//! than two different values of a column gives the curve no height. A column of categories counts instead:
//! `ln((n_cv + 1) / (n_c + v))` with `v` categories seen in the column (Laplace's rule). Missing values are left out.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{Classifier, Learner};
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Kind, Label, Schema};
use crate::snapshot::{self, SnapshotError, State};

/// The name for `create`.
pub const NAME: &str = "naive_bayes";

/// Keeps the logarithm of a curve's height finite.
const HEIGHT_MIN: f64 = 1e-9;

/// Numbers the model may keep, about 256 MiB: classes times columns is otherwise without an end.
const CELLS_MAX: usize = 8 << 20;

/// It has no options yet.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If there is any: it has none.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        Options::new(NAME, &[], options)?;
        Ok(Config {})
    }
}

/// Gaussian naive Bayes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianNaiveBayes {
    config: Config,
    dim: Option<usize>,
    /// The columns of categories, in order.
    nominal: Vec<usize>,
    rows_learned: u64,
    /// By class.
    weights: Vec<f64>,
    /// By class, then column.
    curves: Vec<Curve>,
    /// By column of categories, then class, then category.
    counts: Vec<Vec<Vec<f64>>>,
}

/// Weight, mean and sum of squared deviations of what a class saw in a column (Welford, 1962; West, 1979).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Curve {
    weight: f64,
    mean: f64,
    deviations: f64,
}

impl Curve {
    fn add(&mut self, value: f64, weight: f64) {
        self.weight += weight;
        let difference = value - self.mean;
        self.mean += difference * weight / self.weight;
        self.deviations += weight * difference * (value - self.mean);
    }

    fn height(&self, value: f64) -> f64 {
        let variance = self.deviations / (self.weight - 1.0);
        // Also false while there is no variance yet.
        if self.weight > 1.0 && variance > 0.0 {
            let difference = value - self.mean;
            let height = libm::exp(difference * difference / (-2.0 * variance));
            height / (std::f64::consts::TAU * variance).sqrt()
        } else {
            0.0
        }
    }
}

impl GaussianNaiveBayes {
    /// A model that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If rows are not labelled with classes.
    pub fn new(config: Config, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of classes" });
        }
        let columns = 0..schema.columns.len();
        let nominal: Vec<usize> = columns.filter(|&column| schema.kind(column) == Kind::Category).collect();
        Ok(GaussianNaiveBayes {
            config,
            dim: schema.dim(),
            counts: vec![Vec::new(); nominal.len()],
            nominal,
            rows_learned: 0,
            weights: Vec::new(),
            curves: Vec::new(),
        })
    }

    /// The same from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own, or rows are not labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        Self::new(Config::from_options(options)?, schema)
    }

    fn check(&self, row: Row<'_>, class: u32) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        let limit = CELLS_MAX / row.dim();
        if class as usize >= limit { Err(Rejection::TooManyCategories { limit }) } else { Ok(()) }
    }

    /// Makes room for a class.
    fn meet(&mut self, class: usize, dim: usize) {
        if class >= self.weights.len() {
            self.weights.resize(class + 1, 0.0);
            self.curves.resize((class + 1) * dim, Curve::default());
            self.counts.iter_mut().for_each(|column| column.resize(class + 1, Vec::new()));
        }
    }

    fn learn_category(&mut self, place: usize, class: usize, code: f64, weight: f64) {
        let counts = &mut self.counts[place][class];
        let code = code as usize;
        if code >= counts.len() {
            counts.resize(code + 1, 0.0);
        }
        counts[code] += weight;
    }

    fn log_category(&self, place: usize, class: usize, code: f64) -> f64 {
        let column = &self.counts[place];
        let categories = column.iter().map(Vec::len).max().unwrap_or(0).max(1) as f64;
        let seen = column[class].get(code as usize).copied().unwrap_or(0.0);
        libm::log((seen + 1.0) / (column[class].iter().sum::<f64>() + categories))
    }

    fn score(&self, class: usize, row: Row<'_>, dim: usize, total: f64) -> f64 {
        let curves = &self.curves[class * dim..(class + 1) * dim];
        let mut score = libm::log(self.weights[class] / total);
        row.for_each(|column, value| {
            score += match self.nominal.binary_search(&column) {
                Ok(place) => self.log_category(place, class, value),
                Err(_) => libm::log(HEIGHT_MIN + curves[column].height(value)),
            };
        });
        score
    }
}

impl Classifier for GaussianNaiveBayes {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        self.check(row, class)?;
        if !(0.0..=f64::MAX).contains(&weight) {
            return Err(Rejection::BadWeight);
        }
        self.rows_learned += 1;
        if weight == 0.0 {
            return Ok(());
        }
        let dim = *self.dim.get_or_insert(row.dim());
        let class = class as usize;
        self.meet(class, dim);
        self.weights[class] += weight;
        row.for_each(|column, value| match self.nominal.binary_search(&column) {
            Ok(place) => self.learn_category(place, class, value, weight),
            Err(_) => self.curves[class * dim + column].add(value, weight),
        });
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        let Some(dim) = self.dim else { return false };
        let total: f64 = self.weights.iter().sum();
        if total <= 0.0 || row.check(Some(dim), Missing::Skipped).is_err() {
            return false;
        }
        shares.extend((0..self.weights.len()).map(|class| {
            if self.weights[class] > 0.0 { self.score(class, row, dim, total) } else { f64::NEG_INFINITY }
        }));
        softmax(shares);
        true
    }
}

/// Turns scores into shares of 1.
fn softmax(scores: &mut [f64]) {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::exp(*score - most);
        sum += *score;
    }
    scores.iter_mut().for_each(|score| *score /= sum);
}

impl Learner for GaussianNaiveBayes {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    fn rows_learned(&self) -> u64 {
        self.rows_learned
    }

    fn dim(&self) -> Option<usize> {
        self.dim
    }

    fn missing(&self) -> Missing {
        Missing::Skipped
    }

    fn snapshot(&self) -> Vec<u8> {
        snapshot::write(self)
    }

    fn export(&self) -> Value {
        snapshot::export(self)
    }

    fn describe(&self) -> Value {
        let dim = self.dim.unwrap_or(0).max(1);
        let of_class = |read: fn(&Curve) -> f64| -> Vec<Vec<f64>> {
            self.curves.chunks(dim).map(|curves| curves.iter().map(read).collect()).collect()
        };
        json!({
            "algorithm": NAME,
            "dim": self.dim,
            "rows_learned": self.rows_learned,
            "class_weights": self.weights,
            "means": of_class(|curve| curve.mean),
            "variances": of_class(|curve| curve.deviations / (curve.weight - 1.0).max(1.0)),
        })
    }

    fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        snapshot::read(snapshot)
    }
}

impl State for GaussianNaiveBayes {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = self.dim.unwrap_or(0);
        let finite =
            |curve: &Curve| curve.weight.is_finite() && curve.mean.is_finite() && curve.deviations >= 0.0;
        let whole = self.curves.len() == self.weights.len() * dim
            && self.counts.len() == self.nominal.len()
            && self.counts.iter().all(|column| column.len() == self.weights.len())
            && self.nominal.windows(2).all(|pair| pair[0] < pair[1])
            && self.nominal.last().is_none_or(|&last| last < dim);
        if !whole {
            return Err("its sizes");
        }
        let good = self.curves.iter().all(finite) && self.weights.iter().all(|weight| *weight >= 0.0);
        if good { Ok(()) } else { Err("its numbers") }
    }
}

#[cfg(test)]
mod tests;
