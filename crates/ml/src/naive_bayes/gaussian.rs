//! Gaussian naive Bayes, as River's `GaussianNB`: a bell curve per class and column.
//!
//! The score of class `c` for row `x` is `ln P(c) + sum_j ln(1e-9 + N(x_j; mean_cj, var_cj))`, where `P(c)` is the
//! share of the rows that were of the class, the variance is that of the rows seen (divided by n), and a class that has
//! seen fewer than two different values of a column gives the curve no height. A column of categories counts instead:
//! `ln((n_cv + 1) / (n_c + v))` with `v` categories seen in the column (Laplace's rule). Missing values are left out.
//!
//! With the option `curves 'plain'` (default `'smoothed'`) nothing is added to the heights, the variance is the sample's
//! (divided by n - 1), and a class that has seen only one value of a column is sure of it: 1 at that value and 0
//! elsewhere. That is what MOA answers, and what the literature's figures are made with. Where no class is possible any
//! more, the answer is how frequent each was.
//!
//! A logarithm costs as much as a curve. So heights are multiplied, and the logarithm is taken of the product before it
//! leaves the range of a float.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::softmax;
use crate::learner::{Classifier, Contributions, Learner, argmax, check_lesson, kept_as_state};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Kind, Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "naive_bayes";

/// Keeps the logarithm of a curve's height finite.
const HEIGHT_MIN: f64 = 1e-9;

/// Numbers the model may keep, about 256 MiB: classes times columns is otherwise without an end.
const CELLS_MAX: usize = 8 << 20;

/// The range in which heights are multiplied. The highest curve has 1e161, the lowest 1e-9 or else 0, so that the
/// next one cannot leave the range of a float.
const PRODUCTS: std::ops::Range<f64> = 1e-100..1e100;

/// What becomes of small heights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Curves {
    /// None is 0.
    #[default]
    Smoothed,
    /// They are what they are.
    Plain,
}

/// How classes are told apart.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// What becomes of small heights.
    pub curves: Curves,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If there is another option than `curves`.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["curves"], options)?;
        let words = [("smoothed", Curves::Smoothed), ("plain", Curves::Plain)];
        Ok(Config { curves: options.choice("curves", &words)?.unwrap_or_default() })
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

    fn variance(&self, curves: Curves) -> f64 {
        let rows = match curves {
            Curves::Smoothed => self.weight,
            Curves::Plain => self.weight - 1.0,
        };
        if rows > 0.0 { self.deviations / rows } else { 0.0 }
    }

    /// The same in four numbers: what the squared distance is multiplied by in the exponent, what the curve is multiplied
    /// by, what is added at the mean, and what is added everywhere.
    fn drawn(&self, curves: Curves) -> [f64; 4] {
        let variance = self.variance(curves);
        let (steepness, height) = match variance > 0.0 {
            true => (-0.5 / variance, (std::f64::consts::TAU * variance).sqrt().recip()),
            false => (0.0, 0.0),
        };
        match curves {
            Curves::Smoothed => [steepness, height, 0.0, HEIGHT_MIN],
            Curves::Plain if self.weight <= 0.0 => [0.0, 0.0, 0.0, 1.0],
            Curves::Plain if variance <= 0.0 => [0.0, 0.0, 1.0, 0.0],
            Curves::Plain => [steepness, height, 0.0, 0.0],
        }
    }

    /// What a value does to the likelihood of the class.
    fn factor(&self, value: f64, curves: Curves) -> f64 {
        let variance = self.variance(curves);
        let height = if variance > 0.0 {
            let difference = value - self.mean;
            let height = libm::exp(difference * difference / (-2.0 * variance));
            height / (std::f64::consts::TAU * variance).sqrt()
        } else {
            0.0
        };
        match curves {
            Curves::Smoothed => HEIGHT_MIN + height,
            Curves::Plain if self.weight <= 0.0 => 1.0,
            Curves::Plain if variance <= 0.0 => f64::from(u8::from(value == self.mean)),
            Curves::Plain => height,
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

    fn category(&self, place: usize, class: usize, code: f64) -> f64 {
        let column = &self.counts[place];
        let categories = column.iter().map(Vec::len).max().unwrap_or(0).max(1) as f64;
        let seen = column[class].get(code as usize).copied().unwrap_or(0.0);
        (seen + 1.0) / (column[class].iter().sum::<f64>() + categories)
    }

    /// What a value of a column does to the likelihood of a class.
    fn factor(&self, class: usize, dim: usize, column: usize, value: f64) -> f64 {
        match self.nominal.binary_search(&column) {
            Ok(place) => self.category(place, class, value),
            Err(_) => self.curves[class * dim + column].factor(value, self.config.curves),
        }
    }

    /// Adds the share of each class to a graph. There are no columns of categories in a graph.
    fn shares_drawn(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let (classes, total) = (self.weights.len(), self.weights.iter().sum::<f64>());
        if total <= 0.0 || !self.nominal.is_empty() {
            return None;
        }
        let drawn: Vec<[f64; 4]> = self.curves.iter().map(|curve| curve.drawn(self.config.curves)).collect();
        let part = |which: usize| -> Vec<f64> { drawn.iter().map(|curve| curve[which]).collect() };
        let means: Vec<f64> = self.curves.iter().map(|curve| curve.mean).collect();
        let [means, steepness, heights, points, ground] =
            [means, part(0), part(1), part(2), part(3)].map(|numbers| graph.by_class(classes, &numbers));
        let values = graph.before_classes(rows);
        let apart = graph.op("Sub", &[&values, &means]);
        let squares = graph.op("Mul", &[&apart, &apart]);
        let exponents = graph.op("Mul", &[&squares, &steepness]);
        let curves = graph.op("Exp", &[&exponents]);
        let curves = graph.op("Mul", &[&curves, &heights]);
        let hits = graph.equal(&values, &means);
        let hits = graph.op("Mul", &[&hits, &points]);
        let curves = graph.op("Add", &[&curves, &hits]);
        let factors = graph.op("Add", &[&curves, &ground]);
        let logarithms = graph.op("Log", &[&factors]);
        let scores = graph.sum_where_known(&values, &logarithms);
        let frequencies: Vec<f64> = self.weights.iter().map(|weight| weight / total).collect();
        let priors: Vec<f64> = frequencies.iter().map(|share| libm::log(*share)).collect();
        let priors = graph.row(&priors);
        let scores = graph.op("Add", &[&scores, &priors]);
        let shares = graph.softmax(&scores);
        Some(graph.filled(&shares, &frequencies))
    }

    fn score(&self, class: usize, row: Row<'_>, dim: usize, total: f64) -> f64 {
        let (mut score, mut product) = (0.0, self.weights[class] / total);
        row.for_each(|column, value| {
            product *= self.factor(class, dim, column, value);
            if !PRODUCTS.contains(&product) {
                score += libm::log(product);
                product = 1.0;
            }
        });
        score + libm::log(product)
    }
}

impl Classifier for GaussianNaiveBayes {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Skipped, weight)?;
        let limit = CELLS_MAX / row.dim();
        if class as usize >= limit {
            return Err(Rejection::TooManyCategories { limit });
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
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
        if shares.iter().all(|&score| score == f64::NEG_INFINITY) {
            shares.clear();
            shares.extend(self.weights.iter().map(|weight| weight / total));
        } else {
            softmax(shares);
        }
        true
    }

    /// By how much each column speaks for the class rather than for the next likely one, as a difference of logarithms.
    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        let mut shares = Vec::new();
        if !self.predict_proba_one(row, &mut shares) {
            return None;
        }
        let best = argmax(&shares)? as usize;
        shares[best] = -1.0;
        let next = argmax(&shares)? as usize;
        let (dim, mut contributions) = (self.dim?, Vec::new());
        row.for_each(|column, value| {
            let log = |class: usize| libm::log(self.factor(class, dim, column, value).max(f64::MIN_POSITIVE));
            let part = if best == next { 0.0 } else { log(best) - log(next) };
            contributions.push((column, part));
        });
        Some(contributions)
    }
}

impl Learner for GaussianNaiveBayes {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn missing(&self) -> Missing {
        Missing::Skipped
    }

    fn describe(&self) -> Value {
        let dim = self.dim.unwrap_or(0).max(1);
        let of_class = |read: &dyn Fn(&Curve) -> f64| -> Vec<Vec<f64>> {
            self.curves.chunks(dim).map(|curves| curves.iter().map(read).collect()).collect()
        };
        json!({
            "algorithm": NAME,
            "dim": self.dim,
            "rows_learned": self.rows_learned,
            "class_weights": self.weights,
            "means": of_class(&|curve| curve.mean),
            "variances": of_class(&|curve| curve.variance(self.config.curves)),
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        self.shares_drawn(graph, rows)
    }
}

impl State for GaussianNaiveBayes {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 2;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = self.dim.unwrap_or(0);
        let counted = |numbers: &[f64]| numbers.iter().all(|number| (0.0..=f64::MAX).contains(number));
        let finite = |curve: &Curve| counted(&[curve.weight, curve.deviations]) && curve.mean.is_finite();
        let whole = self.curves.len() == self.weights.len() * dim
            && self.counts.len() == self.nominal.len()
            && self.counts.iter().all(|column| column.len() == self.weights.len())
            && self.nominal.windows(2).all(|pair| pair[0] < pair[1])
            && self.nominal.last().is_none_or(|&last| last < dim);
        if !whole {
            return Err("its sizes");
        }
        let good = self.curves.iter().all(finite)
            && counted(&self.weights)
            && self.counts.iter().flatten().all(|counts| counted(counts));
        if good { Ok(()) } else { Err("its numbers") }
    }
}

#[cfg(test)]
mod tests;
