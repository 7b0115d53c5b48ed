//! A bell curve per column: how unlikely a value as far from the mean is.
//!
//! The score of a row is that of its strangest column, `2 |Phi((x - mean) / deviation) - 1/2|`, where `Phi` is the
//! normal distribution's and the deviation the sample's: 0 at the mean, towards 1 far from it. With one column it is
//! River's `GaussianScorer`. `window_size` (0: all) is the number of last rows that count; there is no score before
//! `grace_period` (100) rows, where River gives 0. Columns that never changed score 1 for any other value.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, anomaly_detector};
use crate::learner::AnomalyDetector;
use crate::options::{OptionError, Options};
use crate::row::{DIM_MAX, Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "gaussian_scorer";

const WINDOW_MAX: u32 = 1_000_000;

/// What it looks back to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Last rows that count; 0 is all.
    pub window_size: u32,
    /// Rows before there is a score.
    pub grace_period: u32,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["window_size", "grace_period"], options)?;
        Ok(Config {
            window_size: options.number("window_size", 0..=WINDOW_MAX)?.unwrap_or(0),
            grace_period: options.number("grace_period", 0..=WINDOW_MAX)?.unwrap_or(100),
        })
    }

    fn describe(&self) -> Value {
        json!(self)
    }
}

/// The scorer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GaussianScorer {
    config: Config,
    rows_learned: u64,
    dim: Option<usize>,
    /// Rows that count.
    count: u64,
    curves: Vec<Curve>,
    /// The values of those rows, if not all count.
    window: VecDeque<f64>,
    /// Rows that left the window since the curves were summed up from it.
    left: u32,
}

/// Mean and sum of squared deviations of a column (Welford, 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Curve {
    mean: f64,
    deviations: f64,
}

impl Curve {
    /// Takes in a value, the `count`th.
    fn add(&mut self, value: f64, count: u64) {
        let difference = value - self.mean;
        self.mean += difference / count as f64;
        self.deviations += difference * (value - self.mean);
    }

    /// Takes a value out again; `count` are left.
    fn remove(&mut self, value: f64, count: u64) {
        if count == 0 {
            *self = Curve::default();
            return;
        }
        let difference = value - self.mean;
        self.mean -= difference / count as f64;
        self.deviations = (self.deviations - difference * (value - self.mean)).max(0.0);
    }

    fn score(&self, value: f64, count: u64) -> f64 {
        let difference = (value - self.mean).abs();
        if difference == 0.0 {
            return 0.0;
        }
        let deviation = (self.deviations / count.saturating_sub(1).max(1) as f64).sqrt();
        // The distance is infinite where nothing ever deviated, and erf of it is 1.
        libm::erf(difference / deviation / std::f64::consts::SQRT_2)
    }
}

impl GaussianScorer {
    /// A scorer that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        Ok(GaussianScorer {
            config: Config::from_options(options)?,
            rows_learned: 0,
            dim: schema.dim(),
            count: 0,
            curves: Vec::new(),
            window: VecDeque::new(),
            left: 0,
        })
    }

    /// Lets the oldest row go.
    fn forget(&mut self, dim: usize) {
        self.count -= 1;
        for (curve, value) in self.curves.iter_mut().zip(self.window.drain(..dim)) {
            curve.remove(value, self.count);
        }
        self.left += 1;
        if self.left < self.config.window_size {
            return;
        }
        // What rounding adds up to while values come and go must not last.
        self.left = 0;
        self.curves.fill(Curve::default());
        for (place, &value) in self.window.iter().enumerate() {
            self.curves[place % dim].add(value, (place / dim) as u64 + 1);
        }
    }

    fn describe(&self) -> Value {
        let count = self.count.saturating_sub(1).max(1) as f64;
        json!({
            "means": self.curves.iter().map(|curve| curve.mean).collect::<Vec<_>>(),
            "variances": self.curves.iter().map(|curve| curve.deviations / count).collect::<Vec<_>>(),
        })
    }
}

impl AnomalyDetector for GaussianScorer {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        let limit = CELLS_MAX / self.config.window_size.max(1) as usize;
        if row.dim() > limit.min(DIM_MAX) {
            return Err(Rejection::TooWide { limit: limit.min(DIM_MAX), found: row.dim() });
        }
        let dim = *self.dim.get_or_insert(row.dim());
        self.curves.resize(dim, Curve::default());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if self.config.window_size > 0 && self.count == u64::from(self.config.window_size) {
            self.forget(dim);
        }
        self.count += 1;
        let mut scratch = Lent::new();
        let values = row.dense(&mut scratch);
        for (curve, &value) in self.curves.iter_mut().zip(values) {
            curve.add(value, self.count);
        }
        if self.config.window_size > 0 {
            self.window.extend(values);
        }
        Ok(())
    }

    fn score_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(self.dim, Missing::Refused).ok()?;
        if self.count == 0 || self.count < u64::from(self.config.grace_period) {
            return None;
        }
        let mut scratch = Lent::new();
        let values = row.dense(&mut scratch).iter();
        let scores = values.zip(&self.curves).map(|(&value, curve)| curve.score(value, self.count));
        Some(scores.fold(0.0, f64::max))
    }
}

anomaly_detector!(GaussianScorer, NAME, Refused);

impl State for GaussianScorer {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let Config { window_size, grace_period } = self.config;
        if window_size > WINDOW_MAX || grace_period > WINDOW_MAX || self.dim.is_some_and(|dim| dim > DIM_MAX)
        {
            return Err("its options");
        }
        let dim = self.dim.unwrap_or(0);
        let sizes = if window_size == 0 {
            self.window.is_empty()
        } else {
            self.count <= u64::from(window_size)
                && self.window.len() as u64 == self.count.saturating_mul(dim as u64)
        };
        let known = self.curves.len() == dim || self.count == 0 && self.curves.is_empty();
        let finite = self.curves.iter().all(|curve| curve.mean.is_finite() && curve.deviations >= 0.0)
            && self.window.iter().all(|value| value.abs() <= VALUE_MAX);
        if sizes && known && finite && (dim > 0 || self.count == 0) { Ok(()) } else { Err("its window") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scorer(options: &[(&str, &str)]) -> GaussianScorer {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        GaussianScorer::from_options(&options, &Schema::default()).unwrap()
    }

    /// `river.anomaly.GaussianScorer(window_size=..., grace_period=10)`, River 0.26.1, on the same numbers.
    #[test]
    fn scores_are_rivers() {
        for (window, expected) in [
            ("0", [0.9031688584163349, 0.010253327122260236, 0.8081751187191786, 0.9999999999999998]),
            ("20", [0.9570769178427809, 0.18045731549303612, 0.7733088656624025, 1.0]),
        ] {
            let mut scorer = scorer(&[("window_size", window), ("grace_period", "10")]);
            for turn in 0..500 {
                let value = f64::from(turn * turn % 101);
                scorer.learn_one(Row::F64(&[value])).unwrap();
            }
            for (value, expected) in [0.0, 50.0, 90.0, 300.0].into_iter().zip(expected) {
                let found = scorer.score_one(Row::F64(&[value])).unwrap();
                assert!((found - expected).abs() < 1e-9, "{window}: {found} instead of {expected}");
            }
        }
    }

    #[test]
    fn the_strangest_column_decides() {
        let mut scorer = scorer(&[]);
        for turn in 0..100 {
            assert_eq!(scorer.score_one(Row::F64(&[0.0, 0.0])), None);
            scorer.learn_one(Row::F64(&[f64::from(turn % 5), 7.0])).unwrap();
        }
        let score = |row: &[f64]| scorer.score_one(Row::F64(row)).unwrap();
        assert!(score(&[2.0, 7.0]) < 0.01);
        assert!(score(&[9.0, 7.0]) > 0.99);
        assert!(score(&[2.0, 7.5]) >= 1.0);
    }
}
