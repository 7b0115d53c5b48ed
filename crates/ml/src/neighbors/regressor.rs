//! What the nearest rows were labelled with, taken together.
//!
//! `aggregation_method` is `'mean'` (the default), `'median'` or `'weighted_mean'`, by one over the distance. The rows'
//! own weights count in both means. A row that is equal to the question, to the last bit, is the answer. Before there
//! is a row the answer is 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sizes;
use super::window::{Neighbor, Window};
use crate::learner::{Regressor, check_lesson, learner_of_state};
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "knn_regressor";

/// What is made of the neighbours' labels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Aggregation {
    /// All count the same.
    #[default]
    Mean,
    /// The middle one.
    Median,
    /// Nearer ones count more.
    WeightedMean,
}

/// Nearest neighbours that are averaged.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnnRegressor {
    n_neighbors: usize,
    aggregation: Aggregation,
    dim: Option<usize>,
    rows_learned: u64,
    window: Window,
    /// Label and weight, by slot of the window.
    labels: Vec<(f64, f64)>,
}

impl KnnRegressor {
    /// One that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let options =
            Options::new(NAME, &["n_neighbors", "window_size", "scale", "aggregation_method"], options)?;
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of numbers" });
        }
        let (n_neighbors, window_size, scaled) = sizes(&options)?;
        let methods = [
            ("mean", Aggregation::Mean),
            ("median", Aggregation::Median),
            ("weighted_mean", Aggregation::WeightedMean),
        ];
        let aggregation = options.choice("aggregation_method", &methods)?.unwrap_or_default();
        let window = Window::new(window_size, scaled, schema);
        Ok(KnnRegressor {
            n_neighbors,
            aggregation,
            dim: schema.dim(),
            rows_learned: 0,
            window,
            labels: Vec::new(),
        })
    }

    fn summary(&self) -> Value {
        json!({
            "n_neighbors": self.n_neighbors,
            "aggregation_method": self.aggregation,
            "rows_in_window": self.window.rows(),
        })
    }

    fn answer(&self, neighbors: &[Neighbor]) -> Option<f64> {
        let nearest = neighbors.first()?;
        if nearest.distance() == 0.0 {
            return Some(self.labels[nearest.slot].0);
        }
        Some(match self.aggregation {
            Aggregation::Mean => self.mean(neighbors, |_| 1.0),
            Aggregation::Median => self.median(neighbors),
            // Relative to the nearest: the mean is the same, and the products stay in range.
            Aggregation::WeightedMean => {
                self.mean(neighbors, |neighbor| nearest.distance() / neighbor.distance())
            }
        })
    }

    fn mean(&self, neighbors: &[Neighbor], vote: impl Fn(&Neighbor) -> f64) -> f64 {
        let (mut sum, mut votes) = (0.0, 0.0);
        for neighbor in neighbors {
            let (label, weight) = self.labels[neighbor.slot];
            let weight = weight * vote(neighbor);
            sum += label * weight;
            votes += weight;
        }
        sum / votes
    }

    fn median(&self, neighbors: &[Neighbor]) -> f64 {
        let mut labels: Vec<f64> = neighbors.iter().map(|neighbor| self.labels[neighbor.slot].0).collect();
        labels.sort_by(f64::total_cmp);
        let middle = labels.len() / 2;
        if labels.len().is_multiple_of(2) {
            (labels[middle - 1] + labels[middle]) / 2.0
        } else {
            labels[middle]
        }
    }
}

impl Regressor for KnnRegressor {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Refused, weight)?;
        self.window.check(row.dim())?;
        if target.is_nan() || target.abs() > VALUE_MAX {
            return Err(Rejection::BadLabel);
        }
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            let slot = self.window.push(row.dense(&mut Lent::new()));
            self.labels.resize(self.window.rows(), (0.0, 1.0));
            self.labels[slot] = (target, weight);
        }
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(self.dim, Missing::Refused).ok()?;
        if self.labels.is_empty() {
            return Some(0.0);
        }
        let mut scratch = Lent::new();
        let question = row.dense(&mut scratch);
        self.window.nearest(question, self.n_neighbors, |neighbors| self.answer(neighbors))
    }
}

learner_of_state!(KnnRegressor, Missing::Refused);

impl State for KnnRegressor {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 2;

    fn validate(&self) -> Result<(), &'static str> {
        self.window.validate(self.dim)?;
        let sound =
            |&(label, weight): &(f64, f64)| label.abs() <= VALUE_MAX && weight > 0.0 && weight <= VALUE_MAX;
        let whole = self.labels.len() == self.window.rows() && self.labels.iter().all(sound);
        if whole && (1..=super::NEIGHBORS_MAX).contains(&self.n_neighbors) {
            Ok(())
        } else {
            Err("its labels")
        }
    }
}
