//! Passive-aggressive learning (Crammer et al., 2006), as River's `PAClassifier` and `PARegressor`.
//!
//! A row whose answer is good enough changes nothing; any other moves the weights just so far that it would be good.
//! With the loss `l` of a row `x`, the step is `t` times the row, and as much for the intercept:
//!
//! | `mode` | `t` |
//! |---|---|
//! | 0 (PA) | `l / (x x)` |
//! | 1 (PA-I, the default) | the same, but at most `c` |
//! | 2 (PA-II) | `l / (x x + 1 / (2 c))` |
//!
//! The loss of a number is how far beyond `eps` the answer is off, that of a class `max(1 - m, 0)` of the margin `m`.
//! Defaults are River's: `c` 1, `mode` 1, `eps` 0.1, with an intercept (which `x x` does not count). River 0.26's
//! regressor passes its targets through the mapping of classes first; this one follows the paper, as scikit-learn does.
//! More than two classes have one function each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{Classifier, Contributions, Learner, Regressor, kept_as_state};
use crate::linear::config::{Config, refuse_categories};
use crate::linear::one_vs_rest::OneVsRest;
use crate::linear::regression::{check_target, contributions};
use crate::linear::weights::Weights;
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create` of the classifier.
pub const CLASSIFIER: &str = "pa_classifier";

/// The name for `create` of the regressor.
pub const REGRESSOR: &str = "pa_regressor";

/// How far a row may move the weights.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Aggression {
    c: f64,
    mode: u8,
    eps: f64,
    learn_intercept: bool,
}

impl Aggression {
    fn from_options(
        algorithm: &'static str,
        options: &BTreeMap<String, String>,
    ) -> Result<Self, OptionError> {
        let known: &[&str] = &["c", "mode", "learn_intercept", "eps"];
        let known = if algorithm == REGRESSOR { known } else { &known[..3] };
        let options = Options::new(algorithm, known, options)?;
        let mut aggression = Aggression { c: 1.0, mode: 1, eps: 0.1, learn_intercept: true };
        options.set("c", 1e-9..=1e9, &mut aggression.c)?;
        options.set("mode", 0..=2, &mut aggression.mode)?;
        options.set("eps", 0.0..=1e12, &mut aggression.eps)?;
        aggression.learn_intercept = options.flag("learn_intercept")?.unwrap_or(true);
        Ok(aggression)
    }

    /// How many times a row is added to the weights, but for the sign.
    fn step(&self, row: Row<'_>, loss: f64) -> f64 {
        let mut square = 0.0;
        row.for_each(|_, value| square += value * value);
        match self.mode {
            2 => loss / (square + 0.5 / self.c),
            // So small a row cannot be answered better.
            _ if square < f64::MIN_POSITIVE => 0.0,
            0 => loss / square,
            _ => (loss / square).min(self.c),
        }
    }

    fn is_sound(&self) -> bool {
        (1e-9..=1e9).contains(&self.c) && self.mode <= 2 && (0.0..=1e12).contains(&self.eps)
    }

    fn describe(&self) -> Value {
        json!({ "c": self.c, "mode": self.mode, "eps": self.eps, "learn_intercept": self.learn_intercept })
    }
}

/// A passive-aggressive classifier.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassiveAggressiveClassifier {
    aggression: Aggression,
    rows_learned: u64,
    classes: OneVsRest,
}

/// A passive-aggressive regressor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PassiveAggressiveRegressor {
    aggression: Aggression,
    rows_learned: u64,
    dim: Option<usize>,
    weights: Weights,
}

impl PassiveAggressiveClassifier {
    /// A model from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: CLASSIFIER, needs: "needs a label of classes" });
        }
        refuse_categories(CLASSIFIER, schema)?;
        let aggression = Aggression::from_options(CLASSIFIER, options)?;
        Ok(PassiveAggressiveClassifier { aggression, rows_learned: 0, classes: OneVsRest::new(schema.dim()) })
    }
}

impl PassiveAggressiveRegressor {
    /// A model from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: REGRESSOR, needs: "needs a label of numbers" });
        }
        refuse_categories(REGRESSOR, schema)?;
        let aggression = Aggression::from_options(REGRESSOR, options)?;
        let weights = Weights::new(schema.dim().unwrap_or(0), &Config::default());
        Ok(PassiveAggressiveRegressor { aggression, rows_learned: 0, dim: schema.dim(), weights })
    }
}

impl Classifier for PassiveAggressiveClassifier {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        let config = Config::default();
        self.classes.check(&config, row, class, weight)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.classes.meet(&config, row, class);
            let aggression = self.aggression;
            for (weights, of_class) in self.classes.each(class) {
                let side = if of_class { 1.0 } else { -1.0 };
                let loss = (1.0 - side * weights.sum(row)).max(0.0);
                let step = aggression.step(row, loss) * weight.min(1.0);
                weights.move_along(row, side * step, aggression.learn_intercept);
            }
        }
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        self.classes.shares(row, shares)
    }

    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        self.classes.contributions(row)
    }
}

impl Regressor for PassiveAggressiveRegressor {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        check_target(target, weight)?;
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.weights = Weights::new(row.dim(), &Config::default());
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let error = target - self.weights.sum(row);
        let loss = (error.abs() - self.aggression.eps).max(0.0);
        let step = self.aggression.step(row, loss).copysign(error) * weight.min(1.0);
        self.weights.move_along(row, step, self.aggression.learn_intercept);
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(Some(self.dim?), Missing::Refused).ok()?;
        Some(self.weights.sum(row).clamp(-VALUE_MAX, VALUE_MAX))
    }

    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        row.check(Some(self.dim?), Missing::Refused).ok()?;
        Some(contributions(self.weights.weights(), row))
    }
}

impl Learner for PassiveAggressiveClassifier {
    fn algorithm(&self) -> &'static str {
        CLASSIFIER
    }

    kept_as_state!();

    fn dim(&self) -> Option<usize> {
        self.classes.dim()
    }

    fn describe(&self) -> Value {
        let functions = self.classes.functions();
        json!({
            "algorithm": CLASSIFIER,
            "dim": self.dim().unwrap_or(0),
            "rows_learned": self.rows_learned,
            "options": self.aggression.describe(),
            "weights": functions.iter().map(Weights::weights).collect::<Vec<_>>(),
            "intercepts": functions.iter().map(Weights::intercept).collect::<Vec<_>>(),
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        self.classes.draw(graph, rows)
    }
}

impl Learner for PassiveAggressiveRegressor {
    fn algorithm(&self) -> &'static str {
        REGRESSOR
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        json!({
            "algorithm": REGRESSOR,
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "options": self.aggression.describe(),
            "weights": self.weights.weights(),
            "intercept": self.weights.intercept(),
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        Some(graph.sums(rows, &[self.weights.weights()], &[self.weights.intercept()]))
    }
}

impl State for PassiveAggressiveClassifier {
    const NAME: &'static str = CLASSIFIER;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.aggression.is_sound() {
            return Err("its options");
        }
        self.classes.validate(&Config::default())
    }
}

impl State for PassiveAggressiveRegressor {
    const NAME: &'static str = REGRESSOR;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.aggression.is_sound() {
            return Err("its options");
        }
        self.weights.validate(self.dim.unwrap_or(0), &Config::default())
    }
}
