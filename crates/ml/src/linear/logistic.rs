//! Logistic regression by gradient descent, as River's `LogisticRegression`, and the perceptron.
//!
//! With two classes, the probability of the second one is `1 / (1 + e^-p)` for `p = w x + b`. Learning follows the
//! gradient of a [loss of margins](crate::linear::loss), as [linear regression](crate::linear::regression) does with
//! its own, with the same options and defaults. More classes are told apart by
//! one function each, where River would wrap the model in `OneVsRestClassifier`.
//!
//! The perceptron (Rosenblatt, 1958) is the same with the loss `hinge`, whose threshold is 0, and steps of length 1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{Classifier, Contributions, Learner, kept_as_state};
use crate::linear::config::{Config, refuse_categories};
use crate::linear::loss::BinaryLoss;
use crate::linear::one_vs_rest::OneVsRest;
use crate::linear::optimizer::Optimizer;
use crate::linear::weights::Weights;
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{Rejection, Row};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "logistic_regression";

/// The same for the perceptron.
pub const PERCEPTRON: &str = "perceptron";

/// Logistic regression.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogisticRegression {
    config: Config,
    loss: BinaryLoss,
    perceptron: bool,
    rows_learned: u64,
    classes: OneVsRest,
}

/// What makes a perceptron.
#[derive(Debug)]
pub struct Perceptron;

impl Perceptron {
    /// A perceptron from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// As [`LogisticRegression::from_options`].
    pub fn from_options(
        options: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<LogisticRegression, OptionError> {
        let options = Options::new(PERCEPTRON, &["l2", "clip_gradient"], options)?;
        let config = Config { optimizer: Optimizer::sgd(1.0), intercept_lr: 1.0, ..Config::default() };
        let config = config.with_options(&options)?;
        let loss = BinaryLoss::Hinge { threshold: 0.0 };
        let model = LogisticRegression::new(config, loss, schema)?;
        Ok(LogisticRegression { perceptron: true, ..model })
    }
}

impl LogisticRegression {
    /// A model that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If rows are not numbers labelled with classes.
    pub fn new(config: Config, loss: BinaryLoss, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of classes" });
        }
        refuse_categories(NAME, schema)?;
        let classes = OneVsRest::new(schema.dim());
        Ok(LogisticRegression { config, loss, perceptron: false, rows_learned: 0, classes })
    }

    /// The same from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &Config::options(&BinaryLoss::OPTIONS), options)?;
        let config = Config::default().with_options(&options)?;
        Self::new(config, BinaryLoss::from_options(&options)?, schema)
    }
}

impl Classifier for LogisticRegression {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        self.classes.check(&self.config, row, class, weight)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.classes.meet(&self.config, row, class);
            for (weights, of_class) in self.classes.each(class) {
                weights.look_ahead(&self.config, row);
                let slope = self.loss.slope(weights.sum(row), of_class) * weight;
                weights.follow(&self.config, row, slope);
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

impl Learner for LogisticRegression {
    fn algorithm(&self) -> &'static str {
        if self.perceptron { PERCEPTRON } else { NAME }
    }

    kept_as_state!();

    fn dim(&self) -> Option<usize> {
        self.classes.dim()
    }

    fn describe(&self) -> Value {
        let functions = self.classes.functions();
        json!({
            "algorithm": self.algorithm(),
            "dim": self.dim().unwrap_or(0),
            "rows_learned": self.rows_learned,
            "loss": self.loss,
            "options": self.config.describe(),
            "weights": functions.iter().map(Weights::weights).collect::<Vec<_>>(),
            "intercepts": functions.iter().map(Weights::intercept).collect::<Vec<_>>(),
        })
    }

    fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        self.config.alter(self.algorithm(), option, value)
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        self.classes.draw(graph, rows)
    }
}

impl State for LogisticRegression {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.is_sound() || !self.loss.is_sound() {
            return Err("its options");
        }
        self.classes.validate(&self.config)
    }
}
