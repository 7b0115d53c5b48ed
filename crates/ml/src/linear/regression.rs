//! Linear regression by gradient descent, as River's `LinearRegression`.
//!
//! The answer to row `x` is `p = w x + b` (of the loss `poisson`: `e^p`). Learning follows the gradient of the loss
//! `L(p, y)`: `L' x + l2 w` for the weights, by the rule of the [optimizer](crate::linear::optimizer), and
//! `b -= intercept_lr L'`. `L'` is first multiplied by the row's weight and then clipped to `clip_gradient`. `l1` is
//! Tsuruoka's cumulative penalty (2009).
//!
//! Defaults are River's: squared loss (whose slope is `2 (p - y)`), `sgd` with 0.01 for weights and intercept, no
//! penalties, all weights 0 at first. Rows with values far from 0 want `standard_scaler` before them, or the steps are
//! too long. No answer is beyond 1e100. River refuses `l1` and `l2` together; here the one is paid after the other.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{Contributions, Learner, Regressor, kept_as_state};
use crate::linear::config::{CELLS_MAX, Config, refuse_categories};
use crate::linear::loss::RegressionLoss;
use crate::linear::weights::Weights;
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "linear_regression";

/// Linear regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LinearRegression {
    config: Config,
    loss: RegressionLoss,
    dim: Option<usize>,
    rows_learned: u64,
    weights: Weights,
}

impl LinearRegression {
    /// A model that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If rows are not numbers labelled with numbers.
    pub fn new(config: Config, loss: RegressionLoss, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of numbers" });
        }
        refuse_categories(NAME, schema)?;
        let weights = Weights::new(schema.dim().unwrap_or(0), &config);
        Ok(LinearRegression { config, loss, dim: schema.dim(), rows_learned: 0, weights })
    }

    /// The same from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &Config::options(&RegressionLoss::OPTIONS), options)?;
        let config = Config::default().with_options(&options)?;
        Self::new(config, RegressionLoss::from_options(&options)?, schema)
    }

    /// One weight per column.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        self.weights.weights()
    }

    /// What is added to the weighted sum.
    #[must_use]
    pub fn intercept(&self) -> f64 {
        self.weights.intercept()
    }
}

impl Regressor for LinearRegression {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        check_target(target, weight)?;
        if self.dim.is_none() {
            let limit = CELLS_MAX / self.config.numbers_per_column();
            if row.dim() > limit {
                return Err(Rejection::TooWide { limit, found: row.dim() });
            }
            self.dim = Some(row.dim());
            self.weights = Weights::new(row.dim(), &self.config);
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.weights.look_ahead(&self.config, row);
            let slope = self.loss.slope(self.weights.sum(row), target) * weight;
            self.weights.follow(&self.config, row, slope);
        }
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(Some(self.dim?), Missing::Refused).ok()?;
        Some(self.loss.answer(self.weights.sum(row)).clamp(-VALUE_MAX, VALUE_MAX))
    }

    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        row.check(Some(self.dim?), Missing::Refused).ok()?;
        Some(contributions(self.weights.weights(), row))
    }
}

/// What each column adds to the sum.
pub(crate) fn contributions(weights: &[f64], row: Row<'_>) -> Contributions {
    let mut parts = Contributions::new();
    row.for_each(|column, value| parts.push((column, weights[column] * value)));
    parts
}

/// Says whether a target and a weight can be learned.
pub(crate) fn check_target(target: f64, weight: f64) -> Result<(), Rejection> {
    if target.is_nan() || target.abs() > VALUE_MAX {
        return Err(Rejection::BadLabel);
    }
    if (0.0..=f64::MAX).contains(&weight) { Ok(()) } else { Err(Rejection::BadWeight) }
}

impl Learner for LinearRegression {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        json!({
            "algorithm": NAME,
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "loss": self.loss,
            "options": self.config.describe(),
            "weights": self.weights.weights(),
            "intercept": self.weights.intercept(),
        })
    }

    fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        self.config.alter(NAME, option, value)
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let sums = graph.sums(rows, &[self.weights.weights()], &[self.weights.intercept()]);
        Some(if self.loss == RegressionLoss::Poisson { graph.op("Exp", &[&sums]) } else { sums })
    }
}

impl State for LinearRegression {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.is_sound() || !self.loss.is_sound() {
            return Err("its options");
        }
        self.weights.validate(self.dim.unwrap_or(0), &self.config)
    }
}
