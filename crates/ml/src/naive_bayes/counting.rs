//! Naive Bayes over counts, as River's `MultinomialNB`, `BernoulliNB` and `ComplementNB`: what texts are sorted with.
//!
//! A column is a term, and its value how often the term occurs in the row. `n_cf` is how often term `f` occurred in
//! rows of class `c`, `n_c` the sum over all terms, `n_f` over all classes, `n` over both; `r_c` counts the rows of the
//! class, `t` the terms that ever were listed, and `a` is the option `alpha`, which keeps what never happened possible
//! (default 1, Laplace's rule). The score of a class for row `x` is
//!
//! - multinomial (Manning, Raghavan and Schütze, *Introduction to information retrieval*, 2008, 13.2):
//!   `ln P(c) + sum_f x_f ln((n_cf + a) / (n_c + a t))`;
//! - Bernoulli (the same, 13.3), where `n_cf` counts the rows in which `x_f` is above `true_threshold` (default 0), and
//!   `p_cf = (n_cf + a) / (r_c + 2 a)`: `ln P(c) + sum_f ln(1e-9 + p_cf)`, with `1 - p_cf` for a term that the row lacks;
//! - complement (Rennie, Shih, Teevan and Karger, 2003), which asks how badly the row fits all other classes, and is
//!   less misled by classes of unequal size: `-sum_f x_f ln((n_f - n_cf + a) / (n - n_c + a t))`.
//!
//! A missing value is a term that does not occur. So is a negative one: River's learners would count backwards. An
//! `alpha` of 0 is taken as 1e-10, as scikit-learn does, for there is no logarithm of 0. Learning takes time for the
//! values that a row lists; so does answering, except for Bernoulli, to which the absent terms matter too.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::marker::PhantomData;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::softmax;
use crate::learner::{Classifier, check_lesson, learner_of_state};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Kind, Label, Schema};
use crate::snapshot::State;

/// The names for `create`.
pub const MULTINOMIAL: &str = "multinomial_naive_bayes";
/// Counts only whether a term occurs.
pub const BERNOULLI: &str = "bernoulli_naive_bayes";
/// By the other classes.
pub const COMPLEMENT: &str = "complement_naive_bayes";

/// Keeps the logarithm of a Bernoulli share finite.
const SHARE_MIN: f64 = 1e-9;

/// The least that is added to a count.
const ALPHA_MIN: f64 = 1e-10;

/// Numbers the model may keep, 64 MiB: classes times columns is otherwise without an end.
const CELLS_MAX: usize = 8 << 20;

/// What a term's occurrences in a row mean.
pub trait Event: Copy + Debug + PartialEq + Send + Sync + 'static {
    /// The algorithm's name.
    const NAME: &'static str;
    /// Its options.
    const OPTIONS: &'static [&'static str];

    /// How often a term occurs.
    fn occurrences(value: f64, threshold: f64) -> f64;

    /// The same in a graph, for all values; a missing one is none.
    fn draw(graph: &mut Graph, rows: &str, _: f64) -> String {
        let values = graph.filled(rows, &[0.0]);
        graph.at_least(&values, 0.0)
    }

    /// How well a row fits a class; only differences between classes matter.
    fn score(counts: &Counts, config: &Config, class: usize, row: Row<'_>) -> f64;

    /// The same as a weighted sum over the columns of what [`Event::occurrences`] gives: the weights, and what is added.
    fn weights(counts: &Counts, config: &Config, class: usize) -> (Vec<f64>, f64);
}

/// Terms occur so many times.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Multinomial;

/// Terms occur or do not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bernoulli;

/// Terms occur so many times in rows of all other classes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Complement;

/// How rows are counted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Added to every count.
    pub alpha: f64,
    /// Above it a term occurs; only Bernoulli's.
    pub true_threshold: f64,
}

/// How often each term occurred in rows of each class.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Counts {
    /// Weight of the rows, by class.
    rows: Vec<f64>,
    /// Sum over all terms, by class.
    totals: Vec<f64>,
    /// By class, then column.
    cells: Vec<f64>,
    /// Sum over all classes, by column.
    terms: Vec<f64>,
    /// Whether the column ever was listed.
    seen: Vec<bool>,
    /// In how many columns `seen` is set.
    known: usize,
}

impl Counts {
    fn width(&self) -> usize {
        self.seen.len()
    }

    fn cell(&self, class: usize, column: usize) -> f64 {
        self.cells[class * self.width() + column]
    }

    /// Makes room for a class.
    fn meet(&mut self, class: usize, width: usize) {
        if self.seen.is_empty() {
            self.seen.resize(width, false);
            self.terms.resize(width, 0.0);
        }
        if class >= self.rows.len() {
            self.rows.resize(class + 1, 0.0);
            self.totals.resize(class + 1, 0.0);
            self.cells.resize((class + 1) * width, 0.0);
        }
    }

    fn add(&mut self, class: usize, column: usize, amount: f64) {
        if !self.seen[column] {
            self.seen[column] = true;
            self.known += 1;
        }
        let cell = class * self.width() + column;
        self.cells[cell] += amount;
        self.totals[class] += amount;
        self.terms[column] += amount;
    }

    fn prior(&self, class: usize) -> f64 {
        libm::log(self.rows[class] / self.rows.iter().sum::<f64>())
    }
}

impl Event for Multinomial {
    const NAME: &'static str = MULTINOMIAL;
    const OPTIONS: &'static [&'static str] = &["alpha"];

    fn occurrences(value: f64, _: f64) -> f64 {
        value.max(0.0)
    }

    fn score(counts: &Counts, config: &Config, class: usize, row: Row<'_>) -> f64 {
        let all = libm::log(counts.totals[class] + config.alpha * counts.known as f64);
        let mut score = counts.prior(class);
        row.for_each(|column, value| {
            if value > 0.0 {
                score += value * (libm::log(counts.cell(class, column) + config.alpha) - all);
            }
        });
        score
    }

    fn weights(counts: &Counts, config: &Config, class: usize) -> (Vec<f64>, f64) {
        let all = libm::log(counts.totals[class] + config.alpha * counts.known as f64);
        let weight = |column| libm::log(counts.cell(class, column) + config.alpha) - all;
        ((0..counts.width()).map(weight).collect(), counts.prior(class))
    }
}

impl Event for Bernoulli {
    const NAME: &'static str = BERNOULLI;
    const OPTIONS: &'static [&'static str] = &["alpha", "true_threshold"];

    fn occurrences(value: f64, threshold: f64) -> f64 {
        f64::from(u8::from(value > threshold))
    }

    fn draw(graph: &mut Graph, rows: &str, threshold: f64) -> String {
        // What is missing is not greater.
        graph.greater(rows, threshold)
    }

    fn score(counts: &Counts, config: &Config, class: usize, row: Row<'_>) -> f64 {
        let all = counts.rows[class] + 2.0 * config.alpha;
        let share = |column: usize| (counts.cell(class, column) + config.alpha) / all;
        let absent = |column: usize| {
            if counts.seen[column] { libm::log(SHARE_MIN + (1.0 - share(column)).max(0.0)) } else { 0.0 }
        };
        let (mut score, mut next) = (counts.prior(class), 0);
        row.for_each(|column, value| {
            score += (next..column).map(absent).sum::<f64>();
            next = column + 1;
            score += match value > config.true_threshold {
                true if counts.seen[column] => libm::log(SHARE_MIN + share(column)),
                _ => absent(column),
            };
        });
        score + (next..counts.width()).map(absent).sum::<f64>()
    }

    fn weights(counts: &Counts, config: &Config, class: usize) -> (Vec<f64>, f64) {
        let all = counts.rows[class] + 2.0 * config.alpha;
        let (mut weights, mut added) = (Vec::with_capacity(counts.width()), counts.prior(class));
        for column in 0..counts.width() {
            let share = (counts.cell(class, column) + config.alpha) / all;
            let absent = libm::log(SHARE_MIN + (1.0 - share).max(0.0));
            let seen = counts.seen[column];
            weights.push(if seen { libm::log(SHARE_MIN + share) - absent } else { 0.0 });
            added += if seen { absent } else { 0.0 };
        }
        (weights, added)
    }
}

impl Event for Complement {
    const NAME: &'static str = COMPLEMENT;
    const OPTIONS: &'static [&'static str] = &["alpha"];

    fn occurrences(value: f64, _: f64) -> f64 {
        value.max(0.0)
    }

    fn score(counts: &Counts, config: &Config, class: usize, row: Row<'_>) -> f64 {
        // What is left after taking a class away is not quite 0 for the only class, because sums are rounded.
        let others = (counts.totals.iter().sum::<f64>() - counts.totals[class]).max(0.0);
        let all = libm::log(others + config.alpha * counts.known.max(1) as f64);
        let mut score = 0.0;
        row.for_each(|column, value| {
            if value > 0.0 {
                let elsewhere = (counts.terms[column] - counts.cell(class, column)).max(0.0);
                score -= value * (libm::log(elsewhere + config.alpha) - all);
            }
        });
        score
    }

    fn weights(counts: &Counts, config: &Config, class: usize) -> (Vec<f64>, f64) {
        let others = (counts.totals.iter().sum::<f64>() - counts.totals[class]).max(0.0);
        let all = libm::log(others + config.alpha * counts.known.max(1) as f64);
        let elsewhere = |column: usize| (counts.terms[column] - counts.cell(class, column)).max(0.0);
        let weight = |column| all - libm::log(elsewhere(column) + config.alpha);
        ((0..counts.width()).map(weight).collect(), 0.0)
    }
}

/// Naive Bayes over counts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct CountingNaiveBayes<E: Event> {
    config: Config,
    dim: Option<usize>,
    rows_learned: u64,
    counts: Counts,
    event: PhantomData<E>,
}

/// Terms occur so many times.
pub type MultinomialNaiveBayes = CountingNaiveBayes<Multinomial>;
/// Terms occur or do not.
pub type BernoulliNaiveBayes = CountingNaiveBayes<Bernoulli>;
/// Terms occur so many times in rows of all other classes.
pub type ComplementNaiveBayes = CountingNaiveBayes<Complement>;

impl<E: Event> CountingNaiveBayes<E> {
    /// One that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own, or rows are not labelled counts.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let options = Options::new(E::NAME, E::OPTIONS, options)?;
        let needs = |needs| OptionError::Schema { algorithm: E::NAME, needs };
        if schema.label != Some(Label::Class) {
            return Err(needs("needs a label of classes"));
        }
        if (0..schema.columns.len()).any(|column| schema.kind(column) == Kind::Category) {
            return Err(needs("needs columns of counts, not of names"));
        }
        let alpha = options.number("alpha", 0.0_f64..=1e6)?.unwrap_or(1.0);
        let true_threshold = options.number("true_threshold", -1e9..=1e9)?.unwrap_or(0.0);
        let config = Config { alpha: alpha.max(ALPHA_MIN), true_threshold };
        let counts = Counts::default();
        Ok(CountingNaiveBayes { config, dim: schema.dim(), rows_learned: 0, counts, event: PhantomData })
    }

    /// Adds the share of each class to a graph.
    fn shares_drawn(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        if self.counts.rows.is_empty() {
            return None;
        }
        let class = |(class, &rows): (usize, &f64)| {
            let (weights, added) = E::weights(&self.counts, &self.config, class);
            (weights, if rows > 0.0 { added } else { f64::NEG_INFINITY })
        };
        let (weights, added): (Vec<Vec<f64>>, Vec<f64>) =
            self.counts.rows.iter().enumerate().map(class).unzip();
        let occurrences = E::draw(graph, rows, self.config.true_threshold);
        let scores = graph.sums(&occurrences, &weights, &added);
        Some(graph.softmax(&scores))
    }

    fn summary(&self) -> Value {
        json!({
            "alpha": self.config.alpha,
            "true_threshold": self.config.true_threshold,
            "class_weights": self.counts.rows,
            "class_totals": self.counts.totals,
            "terms": self.counts.known,
        })
    }
}

impl<E: Event> Classifier for CountingNaiveBayes<E> {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Skipped, weight)?;
        let (width, class) = (row.dim(), class as usize);
        let limit = CELLS_MAX / width;
        if class >= limit {
            return Err(Rejection::TooManyCategories { limit });
        }
        self.dim = Some(width);
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.counts.meet(class, width);
            self.counts.rows[class] += weight;
            let threshold = self.config.true_threshold;
            row.for_each(|column, value| {
                self.counts.add(class, column, weight * E::occurrences(value, threshold));
            });
        }
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        if self.counts.rows.is_empty() || row.check(self.dim, Missing::Skipped).is_err() {
            return false;
        }
        shares.extend(self.counts.rows.iter().enumerate().map(|(class, &rows)| match rows > 0.0 {
            true => E::score(&self.counts, &self.config, class, row),
            false => f64::NEG_INFINITY,
        }));
        softmax(shares);
        true
    }
}

learner_of_state!(CountingNaiveBayes<E>, Missing::Skipped, E: Event; shares_drawn);

impl<E: Event> State for CountingNaiveBayes<E> {
    const NAME: &'static str = E::NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let (counts, dim) = (&self.counts, self.dim.unwrap_or(0));
        let (classes, width) = (counts.rows.len(), counts.width());
        let whole = counts.totals.len() == classes
            && width.checked_mul(classes) == Some(counts.cells.len())
            && counts.terms.len() == width
            && (width == dim || classes == 0 && width == 0)
            && counts.known == counts.seen.iter().filter(|&&seen| seen).count();
        if !whole {
            return Err("its sizes");
        }
        let sound = |numbers: &[f64]| numbers.iter().all(|number| (0.0..=f64::MAX).contains(number));
        let some = classes == 0 || counts.rows.iter().any(|&rows| rows > 0.0);
        let numbers = [&counts.rows, &counts.totals, &counts.cells, &counts.terms];
        let options =
            (ALPHA_MIN..=1e6).contains(&self.config.alpha) && self.config.true_threshold.is_finite();
        if some && options && numbers.into_iter().all(|numbers| sound(numbers)) {
            Ok(())
        } else {
            Err("its numbers")
        }
    }
}

#[cfg(test)]
mod tests;
