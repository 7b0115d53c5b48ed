//! The class that most of the nearest rows are of.
//!
//! Each neighbour votes with its weight divided by its distance (`weighted`, default true), or with its weight alone. A
//! row that is equal to the question, to the last bit, decides alone. A class of which no row is left in the window has
//! a share of 0.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::sizes;
use super::window::{Neighbor, Window};
use crate::learner::{Classifier, check_lesson, learner_of_state};
use crate::options::{OptionError, Options};
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "knn_classifier";

/// The most classes: a code beyond it can only be a mistake.
const CLASSES_MAX: u32 = 1 << 20;

/// Nearest neighbours that vote.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KnnClassifier {
    n_neighbors: usize,
    weighted: bool,
    dim: Option<usize>,
    rows_learned: u64,
    window: Window,
    /// Class and weight, by slot of the window.
    labels: Vec<(u32, f64)>,
    /// One more than the largest class.
    classes: u32,
}

impl KnnClassifier {
    /// One that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["n_neighbors", "window_size", "scale", "weighted"], options)?;
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a label of classes" });
        }
        let (n_neighbors, window_size, scaled) = sizes(&options)?;
        let weighted = options.flag("weighted")?.unwrap_or(true);
        let window = Window::new(window_size, scaled, schema);
        let (dim, labels) = (schema.dim(), Vec::new());
        Ok(KnnClassifier { n_neighbors, weighted, dim, rows_learned: 0, window, labels, classes: 0 })
    }

    /// Adds up the votes; true if one row decides alone.
    fn vote(&self, neighbors: &[Neighbor], shares: &mut [f64]) -> bool {
        let Some(nearest) = neighbors.first() else { return false };
        if nearest.distance() == 0.0 {
            shares[self.labels[nearest.slot].0 as usize] = 1.0;
            return true;
        }
        for neighbor in neighbors {
            let (class, weight) = self.labels[neighbor.slot];
            // Relative to the nearest: the shares are the same, and the sums stay in range.
            let closeness = if self.weighted { nearest.distance() / neighbor.distance() } else { 1.0 };
            shares[class as usize] += weight * closeness;
        }
        false
    }

    fn summary(&self) -> Value {
        json!({
            "n_neighbors": self.n_neighbors,
            "weighted": self.weighted,
            "rows_in_window": self.window.rows(),
        })
    }
}

impl Classifier for KnnClassifier {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Refused, weight)?;
        self.window.check(row.dim())?;
        if class >= CLASSES_MAX {
            return Err(Rejection::TooManyCategories { limit: CLASSES_MAX as usize });
        }
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            let slot = self.window.push(row.dense(&mut Lent::new()));
            self.labels.resize(self.window.rows(), (0, 1.0));
            self.labels[slot] = (class, weight);
            self.classes = self.classes.max(class + 1);
        }
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        if self.labels.is_empty() || row.check(self.dim, Missing::Refused).is_err() {
            return false;
        }
        shares.resize(self.classes as usize, 0.0);
        let mut scratch = Lent::new();
        let question = row.dense(&mut scratch);
        let decided =
            self.window.nearest(question, self.n_neighbors, |neighbors| self.vote(neighbors, shares));
        if decided {
            return true;
        }
        let total: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= total);
        true
    }
}

learner_of_state!(KnnClassifier, Missing::Refused);

impl State for KnnClassifier {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 2;

    fn validate(&self) -> Result<(), &'static str> {
        self.window.validate(self.dim)?;
        let known = |&(class, weight): &(u32, f64)| class < self.classes && weight > 0.0 && weight <= 1e100;
        let whole = self.labels.len() == self.window.rows() && self.labels.iter().all(known);
        let bounded = self.classes <= CLASSES_MAX && (1..=super::NEIGHBORS_MAX).contains(&self.n_neighbors);
        if whole && bounded { Ok(()) } else { Err("its labels") }
    }
}
