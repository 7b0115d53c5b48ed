//! The two streaming regressions of Spark's MLlib, `StreamingLinearRegressionWithSGD` and
//! `StreamingLogisticRegressionWithSGD`.
//!
//! A micro-batch of `n` rows is learned as a whole, by up to `num_iterations` steps of gradient descent that begin where
//! the last batch ended. Step `i`, counted from 1 in every batch, is
//!
//! `w' = (1 - r reg_param) w - r / n sum_j e_j x_j` with `r = step_size / sqrt(i)`,
//!
//! where `e_j` is `w x_j - y_j`, or `1 / (1 + e^(-w x_j)) - y_j` with `y` 0 or 1. From the second step on, a step
//! shorter than `convergence_tol max(|w'|, 1)` is the last one of its batch. There is no intercept: a constant column is
//! one. Without a batch nothing changes.
//!
//! Defaults are MLlib's: 50 iterations, `step_size` 0.1, `convergence_tol` 0.001, `reg_param` 0 (which MLlib has for the
//! classes alone). It wants initial weights; here they are 0 unless `initial_weights '[0.5, 0]'` says otherwise. Its
//! `miniBatchFraction` is always 1. More than two classes, which it does not know, have one function each.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::features::Features;
use crate::learner::{Classifier, Contributions, LearnReport, Learner, Regressor, kept_as_state};
use crate::linear::config::{Config, refuse_categories};
use crate::linear::loss::sigmoid;
use crate::linear::one_vs_rest::OneVsRest;
use crate::linear::regression::{check_target, contributions};
use crate::linear::weights::{GRADIENT_MAX, WEIGHT_MAX, Weights, add_scaled, dot};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::row::{DIM_MAX, Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create` of the regression of numbers.
pub const LINEAR: &str = "streaming_linear_regression";

/// The name for `create` of that of classes.
pub const LOGISTIC: &str = "streaming_logistic_regression";

/// How a batch is learned.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Descent {
    step_size: f64,
    num_iterations: u32,
    convergence_tol: f64,
    reg_param: f64,
}

impl Descent {
    /// Reads the options, with the initial weights if there are any.
    fn from_options(
        algorithm: &'static str,
        options: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Option<Vec<f64>>), OptionError> {
        let known: &[&str] =
            &["step_size", "num_iterations", "convergence_tol", "initial_weights", "reg_param"];
        let known = if algorithm == LOGISTIC { known } else { &known[..4] };
        let options = Options::new(algorithm, known, options)?;
        let mut descent =
            Descent { step_size: 0.1, num_iterations: 50, convergence_tol: 0.001, reg_param: 0.0 };
        options.set("step_size", 0.0..=1e6, &mut descent.step_size)?;
        options.set("num_iterations", 1..=100_000, &mut descent.num_iterations)?;
        options.set("convergence_tol", 0.0..=1.0, &mut descent.convergence_tol)?;
        options.set("reg_param", 0.0..=1e6, &mut descent.reg_param)?;
        let initial = match options.get("initial_weights") {
            None => None,
            Some(text) => {
                let weights: Vec<f64> = serde_json::from_str(text).unwrap_or_default();
                let good = !weights.is_empty() && weights.iter().all(|weight| weight.abs() <= VALUE_MAX);
                if !good || schema.dim().is_some_and(|dim| dim != weights.len()) {
                    return Err(options.invalid("initial_weights", "one number per column, as '[0.5, 0]'"));
                }
                Some(weights)
            }
        };
        Ok((descent, initial))
    }

    /// Learns a batch of rows that were checked; `error` has the error of a row's place and sum.
    fn run(&self, weights: &mut [f64], rows: &[Row<'_>], error: impl Fn(usize, f64) -> f64) {
        if rows.is_empty() {
            return;
        }
        let mut gradient = Lent::zeros(weights.len());
        for iteration in 1..=self.num_iterations {
            gradient.fill(0.0);
            for (place, &row) in rows.iter().enumerate() {
                let error = error(place, dot(weights, row));
                add_scaled(&mut gradient, row, error.clamp(-GRADIENT_MAX, GRADIENT_MAX));
            }
            let rate = self.step_size / f64::from(iteration).sqrt();
            let (mut moved, mut length) = (0.0, 0.0);
            for (weight, sum) in weights.iter_mut().zip(&*gradient) {
                let next = (1.0 - rate * self.reg_param) * *weight - rate * (sum / rows.len() as f64);
                let next = next.clamp(-WEIGHT_MAX, WEIGHT_MAX);
                moved += (next - *weight) * (next - *weight);
                length += next * next;
                *weight = next;
            }
            if iteration > 1 && moved.sqrt() < self.convergence_tol * length.sqrt().max(1.0) {
                break;
            }
        }
    }

    fn is_sound(&self) -> bool {
        (0.0..=1e6).contains(&self.step_size)
            && (1..=100_000).contains(&self.num_iterations)
            && (0.0..=1.0).contains(&self.convergence_tol)
            && (0.0..=1e6).contains(&self.reg_param)
    }

    fn alter(&mut self, algorithm: &'static str, option: &str, value: &str) -> Result<(), OptionError> {
        let known = ["step_size", "num_iterations", "convergence_tol"];
        if !known.contains(&option.to_ascii_lowercase().as_str()) {
            return Err(OptionError::Fixed { algorithm, name: option.to_owned() });
        }
        let given = [(option.to_owned(), value.to_owned())].into();
        let options = Options::new(algorithm, &known, &given)?;
        options.set("step_size", 0.0..=1e6, &mut self.step_size)?;
        options.set("num_iterations", 1..=100_000, &mut self.num_iterations)?;
        options.set("convergence_tol", 0.0..=1.0, &mut self.convergence_tol)
    }
}

/// What a row must be: dense, since every step goes through all weights.
fn check(dim: Option<usize>, row: Row<'_>) -> Result<(), Rejection> {
    row.check(dim, Missing::Refused)?;
    let found = row.dim();
    if found > DIM_MAX { Err(Rejection::TooWide { limit: DIM_MAX, found }) } else { Ok(()) }
}

/// MLlib's `StreamingLinearRegressionWithSGD`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamingLinearRegression {
    descent: Descent,
    rows_learned: u64,
    dim: Option<usize>,
    weights: Vec<f64>,
}

impl StreamingLinearRegression {
    /// A model from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: LINEAR, needs: "needs a label of numbers" });
        }
        refuse_categories(LINEAR, schema)?;
        let (descent, initial) = Descent::from_options(LINEAR, options, schema)?;
        let dim = initial.as_ref().map(Vec::len).or(schema.dim());
        let weights = initial.unwrap_or_else(|| vec![0.0; dim.unwrap_or(0)]);
        Ok(StreamingLinearRegression { descent, rows_learned: 0, dim, weights })
    }
}

impl Regressor for StreamingLinearRegression {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        check(self.dim, row)?;
        check_target(target, weight)?;
        self.dim = Some(row.dim());
        self.weights.resize(row.dim(), 0.0);
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.descent.run(&mut self.weights, &[row], |_, sum| sum - target);
        }
        Ok(())
    }

    fn learn_many(&mut self, rows: Features<'_>, targets: &[f64]) -> LearnReport {
        let (mut report, mut taken, mut numbers) = (LearnReport::default(), Vec::new(), Vec::new());
        for (index, (row, &target)) in rows.iter().zip(targets).enumerate() {
            let outcome = check(self.dim, row).and_then(|()| check_target(target, 1.0));
            if outcome.is_ok() {
                self.dim = Some(row.dim());
                taken.push(row);
                numbers.push(target);
            }
            report.note(index, outcome);
        }
        self.weights.resize(self.dim.unwrap_or(0), 0.0);
        self.rows_learned = self.rows_learned.saturating_add(taken.len() as u64);
        self.descent.run(&mut self.weights, &taken, |place, sum| sum - numbers[place]);
        report
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        check(Some(self.dim?), row).ok()?;
        Some(dot(&self.weights, row).clamp(-VALUE_MAX, VALUE_MAX))
    }

    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        check(Some(self.dim?), row).ok()?;
        Some(contributions(&self.weights, row))
    }
}

/// MLlib's `StreamingLogisticRegressionWithSGD`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamingLogisticRegression {
    descent: Descent,
    initial: Option<Vec<f64>>,
    rows_learned: u64,
    classes: OneVsRest,
}

impl StreamingLogisticRegression {
    /// A model from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: LOGISTIC, needs: "needs a label of classes" });
        }
        refuse_categories(LOGISTIC, schema)?;
        let (descent, initial) = Descent::from_options(LOGISTIC, options, schema)?;
        let classes = OneVsRest::new(initial.as_ref().map(Vec::len).or(schema.dim()));
        Ok(StreamingLogisticRegression { descent, initial, rows_learned: 0, classes })
    }

    fn check(&self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check(self.classes.dim(), row)?;
        self.classes.check(&Config::default(), row, class, weight)
    }

    /// Learns rows that were checked.
    fn learn_rows(&mut self, rows: &[Row<'_>], codes: &[u32]) {
        let config = Config { intercept_init: 0.0, ..Config::default() };
        for (&row, &code) in rows.iter().zip(codes) {
            let fresh = self.classes.functions().is_empty();
            self.classes.meet(&config, row, code);
            if let (true, Some(initial)) = (fresh, &self.initial) {
                // They speak for the second class.
                self.classes.each(1).for_each(|(weights, _)| weights.weights_mut().copy_from_slice(initial));
            }
        }
        let descent = self.descent;
        let alone = self.classes.functions().len() == 1;
        for class in 0..self.classes.classes() {
            let Some(function) = self.classes.function_mut(class) else { continue };
            // The only function there is speaks for the second class.
            let code = if alone { 1 } else { class };
            let of_class = |place: usize| f64::from(u8::from(codes[place] as usize == code));
            descent.run(function.weights_mut(), rows, |place, sum| sigmoid(sum) - of_class(place));
        }
    }
}

impl Classifier for StreamingLogisticRegression {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        self.check(row, class, weight)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.learn_rows(&[row], &[class]);
        }
        Ok(())
    }

    fn learn_many(&mut self, rows: Features<'_>, classes: &[u32]) -> LearnReport {
        let (mut report, mut taken, mut codes) = (LearnReport::default(), Vec::new(), Vec::new());
        for (index, (row, &class)) in rows.iter().zip(classes).enumerate() {
            let width = taken.first().map(|row: &Row<'_>| row.dim()).or(self.classes.dim());
            let outcome = check(width, row).and_then(|()| self.check(row, class, 1.0));
            if outcome.is_ok() {
                taken.push(row);
                codes.push(class);
            }
            report.note(index, outcome);
        }
        self.rows_learned = self.rows_learned.saturating_add(taken.len() as u64);
        self.learn_rows(&taken, &codes);
        report
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        self.classes.shares(row, shares)
    }

    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        self.classes.contributions(row)
    }
}

impl Learner for StreamingLinearRegression {
    fn algorithm(&self) -> &'static str {
        LINEAR
    }

    kept_as_state!(dim);

    fn by_batch(&self) -> bool {
        true
    }

    fn describe(&self) -> Value {
        json!({
            "algorithm": LINEAR,
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "options": self.descent,
            "weights": self.weights,
        })
    }

    fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        self.descent.alter(LINEAR, option, value)
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        Some(graph.sums(rows, &[&self.weights], &[0.0]))
    }
}

impl Learner for StreamingLogisticRegression {
    fn algorithm(&self) -> &'static str {
        LOGISTIC
    }

    kept_as_state!();

    fn dim(&self) -> Option<usize> {
        self.classes.dim()
    }

    fn by_batch(&self) -> bool {
        true
    }

    fn describe(&self) -> Value {
        json!({
            "algorithm": LOGISTIC,
            "dim": self.dim().unwrap_or(0),
            "rows_learned": self.rows_learned,
            "options": self.descent,
            "weights": self.classes.functions().iter().map(Weights::weights).collect::<Vec<_>>(),
        })
    }

    fn alter(&mut self, option: &str, value: &str) -> Result<(), OptionError> {
        self.descent.alter(LOGISTIC, option, value)
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        self.classes.draw(graph, rows)
    }
}

impl State for StreamingLinearRegression {
    const NAME: &'static str = LINEAR;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let good = self.weights.iter().all(|weight| weight.abs() <= WEIGHT_MAX) && self.descent.is_sound();
        if self.weights.len() != self.dim.unwrap_or(0) {
            return Err("its sizes");
        }
        if good { Ok(()) } else { Err("its numbers") }
    }
}

impl State for StreamingLogisticRegression {
    const NAME: &'static str = LOGISTIC;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if self.initial.as_ref().is_some_and(|initial| Some(initial.len()) != self.classes.dim()) {
            return Err("its sizes");
        }
        let finite = self.initial.iter().flatten().all(|weight| weight.abs() <= WEIGHT_MAX);
        if !finite || !self.descent.is_sound() {
            return Err("its numbers");
        }
        self.classes.validate(&Config::default())
    }
}
