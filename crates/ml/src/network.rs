//! Small models whose columns work together: factorization machines, and networks with layers between.
//!
//! Both follow the gradient of a loss row by row: of classes the logistic loss of a softmax over one output per class, of
//! numbers the squared error at the scale of the targets so far. Values count up to a magnitude of 1,000, so scale rows
//! before (`preprocess 'standard_scaler'`); a row with a missing value is refused.

mod classes;
mod numbers;

pub mod factorization;
pub mod perceptron;

pub use classes::Classes;
pub use factorization::{FactorizationMachine, FactorizationMachineRegressor};
pub use numbers::Numbers;
pub use perceptron::{MlpClassifier, MlpRegressor};

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::onnx::Graph;
use crate::options::OptionError;
use crate::registry::{Algorithm, algorithm};
use crate::row::Row;
use crate::schema::Label;

/// Factorization machines and networks.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!("factorization_machine", Classify, Some(Label::Class), FactorizationMachine),
    algorithm!(
        "factorization_machine_regressor",
        Regress,
        Some(Label::Number),
        FactorizationMachineRegressor
    ),
    algorithm!("mlp_classifier", Classify, Some(Label::Class), MlpClassifier),
    algorithm!("mlp_regressor", Regress, Some(Label::Number), MlpRegressor),
];

/// Numbers that a model may keep.
const CELLS_MAX: usize = 4 << 20;

/// The largest magnitude of a value, a slope and a weight. Products of four of them are far from the largest double.
const VALUE_MAX: f64 = 1e3;
const SLOPE_MAX: f64 = 1e3;
const WEIGHT_MAX: f64 = 1e9;

/// Functions of a row with parameters that follow gradients.
pub trait Outputs: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The names for `create`, of the model of classes and of that of numbers.
    const NAMES: [&'static str; 2];

    /// Makes it from the options of `CREATE MODEL`, as the first or the second of its names.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range.
    fn from_options(name: usize, options: &BTreeMap<String, String>) -> Result<Self, OptionError>;

    /// Numbers that it would keep for rows so wide and so many outputs.
    fn cells(&self, dim: usize, outputs: usize) -> usize;

    /// Makes room for rows so wide and so many outputs, never fewer than before.
    fn grow(&mut self, dim: usize, outputs: usize);

    /// Writes the outputs for a row.
    fn outputs(&self, row: Row<'_>, outputs: &mut Vec<f64>);

    /// Follows the slope of the loss over each output, and the row's weight.
    fn follow(&mut self, row: Row<'_>, slopes: &[f64]);

    /// Adds the outputs for rows to a graph, and gives their name.
    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String>;

    /// What it is like, for people.
    fn describe(&self) -> Value;

    /// Says what is impossible about one that was read.
    ///
    /// # Errors
    ///
    /// What that is.
    fn validate(&self, dim: usize, outputs: usize) -> Result<(), &'static str>;
}

/// A number within the bounds of others like it.
fn bounded(number: f64, most: f64) -> f64 {
    number.clamp(-most, most)
}
