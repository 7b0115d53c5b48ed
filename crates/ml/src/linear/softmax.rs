//! Softmax regression by gradient descent, as River's `SoftmaxRegression`.
//!
//! Each class `k` has a linear function `p_k`; its probability is `e^p_k` over the sum of all. With cross entropy as
//! the loss, the slope for a row of class `y` is `P(k) - [k = y]`, the probability kept 1e-15 away from 0 and 1. A class
//! that comes for the first time has the probability 0 for its first row. Options and defaults are those of
//! [linear regression](crate::linear::regression), except that, as in River, there is no intercept unless
//! `intercept_lr` is given.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::exponential::exp;
use crate::learner::{Classifier, Contributions, Learner, argmax, kept_as_state};
use crate::linear::config::{CELLS_MAX, Config, refuse_categories};
use crate::linear::regression::contributions;
use crate::linear::weights::Weights;
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "softmax_regression";

/// How near a probability comes to 0 and 1.
const SHARE_MIN: f64 = 1e-15;

/// Softmax regression.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SoftmaxRegression {
    config: Config,
    dim: Option<usize>,
    rows_learned: u64,
    /// By class; none for a class that only one with a larger code has made room for.
    functions: Vec<Option<Weights>>,
    /// Scratch space.
    #[serde(skip)]
    shares: Vec<f64>,
}

impl PartialEq for SoftmaxRegression {
    fn eq(&self, other: &Self) -> bool {
        (self.config, self.dim, self.rows_learned) == (other.config, other.dim, other.rows_learned)
            && self.functions == other.functions
    }
}

impl SoftmaxRegression {
    /// A model that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If rows are not numbers labelled with classes.
    pub fn new(config: Config, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of classes" });
        }
        refuse_categories(NAME, schema)?;
        let (functions, shares) = (Vec::new(), Vec::new());
        Ok(SoftmaxRegression { config, dim: schema.dim(), rows_learned: 0, functions, shares })
    }

    /// The same from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &Config::options(&[]), options)?;
        let config = Config { intercept_lr: 0.0, ..Config::default() };
        Self::new(config.with_options(&options)?, schema)
    }

    fn check(&self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        if !(0.0..=f64::MAX).contains(&weight) {
            return Err(Rejection::BadWeight);
        }
        let limit = CELLS_MAX / self.config.numbers_per_column() / row.dim();
        if class as usize >= limit { Err(Rejection::TooManyCategories { limit }) } else { Ok(()) }
    }

    /// Writes the probability of each class, 0 for one that never came.
    fn write_shares(&self, row: Row<'_>, shares: &mut Vec<f64>) {
        shares.clear();
        let sums = self.functions.iter();
        shares.extend(sums.map(|known| known.as_ref().map_or(f64::NEG_INFINITY, |known| known.sum(row))));
        let most = shares.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let mut total = 0.0;
        for share in shares.iter_mut() {
            *share = exp(*share - most);
            total += *share;
        }
        shares.iter_mut().for_each(|share| *share /= total);
    }
}

impl Classifier for SoftmaxRegression {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        self.check(row, class, weight)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight == 0.0 {
            return Ok(());
        }
        let dim = *self.dim.get_or_insert(row.dim());
        self.functions.iter_mut().flatten().for_each(|known| known.look_ahead(&self.config, row));
        let mut shares = std::mem::take(&mut self.shares);
        self.write_shares(row, &mut shares);
        let class = class as usize;
        if class >= self.functions.len() {
            self.functions.resize_with(class + 1, || None);
        }
        if self.functions[class].is_none() {
            self.functions[class] = Some(Weights::new(dim, &self.config));
            shares.resize(self.functions.len(), 0.0);
            shares[class] = 0.0;
        }
        for (place, known) in self.functions.iter_mut().enumerate() {
            let Some(known) = known else { continue };
            let share = shares[place].clamp(SHARE_MIN, 1.0 - SHARE_MIN);
            let slope = share - f64::from(u8::from(place == class));
            known.follow(&self.config, row, slope * weight);
        }
        self.shares = shares;
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        let known = !self.functions.is_empty() && row.check(self.dim, Missing::Refused).is_ok();
        if known {
            self.write_shares(row, shares);
        }
        known
    }

    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        let mut shares = Vec::new();
        let class = self.predict_proba_one(row, &mut shares).then(|| argmax(&shares)).flatten()?;
        Some(contributions(self.functions.get(class as usize)?.as_ref()?.weights(), row))
    }
}

impl Learner for SoftmaxRegression {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        let functions = self.functions.iter().flatten();
        json!({
            "algorithm": NAME,
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "options": self.config.describe(),
            "weights": functions.clone().map(Weights::weights).collect::<Vec<_>>(),
            "intercepts": functions.map(Weights::intercept).collect::<Vec<_>>(),
        })
    }

    fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        self.config.alter(NAME, option, value)
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let blank = vec![0.0; self.dim?];
        let known = || self.functions.iter().map(Option::as_ref);
        let weights: Vec<&[f64]> = known().map(|known| known.map_or(&blank[..], Weights::weights)).collect();
        let added: Vec<f64> =
            known().map(|known| known.map_or(f64::NEG_INFINITY, Weights::intercept)).collect();
        let sums = graph.sums(rows, &weights, &added);
        Some(graph.softmax(&sums))
    }
}

impl State for SoftmaxRegression {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.is_sound() {
            return Err("its options");
        }
        let none = self.functions.iter().all(Option::is_none);
        if !self.functions.is_empty() && (none || self.dim.is_none()) {
            return Err("its sizes");
        }
        let dim = self.dim.unwrap_or(0);
        self.functions.iter().flatten().try_for_each(|weights| weights.validate(dim, &self.config))
    }
}
