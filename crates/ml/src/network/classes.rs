//! Classes by a softmax over outputs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, Outputs};
use crate::learner::{Classifier, Learner, check_lesson, kept_as_state};
use crate::linear::config::refuse_categories;
use crate::onnx::Graph;
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row, SPARSE_DIM_MAX};
use crate::schema::{Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// A learner of classes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Classes<O: Outputs> {
    dim: Option<usize>,
    rows_learned: u64,
    classes: usize,
    outputs: O,
}

impl<O: Outputs> Classes<O> {
    /// A model that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let algorithm = O::NAMES[0];
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm, needs: "needs a label of classes" });
        }
        refuse_categories(algorithm, schema)?;
        let outputs = O::from_options(0, options)?;
        Ok(Classes { dim: schema.dim(), rows_learned: 0, classes: 0, outputs })
    }
}

/// Turns outputs into shares that sum to 1.
fn softmax(outputs: &mut [f64]) {
    let most = outputs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    outputs.iter_mut().for_each(|output| *output = libm::exp(*output - most));
    let sum: f64 = outputs.iter().sum();
    outputs.iter_mut().for_each(|share| *share /= sum);
}

impl<O: Outputs> Classifier for Classes<O> {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Refused, weight)?;
        let class = class as usize;
        let classes = self.classes.max(class + 1);
        if classes > self.classes && self.outputs.cells(row.dim(), classes) > CELLS_MAX {
            if self.classes == 0 {
                return Err(Rejection::TooWide { limit: CELLS_MAX, found: row.dim() });
            }
            return Err(Rejection::TooManyCategories { limit: self.classes });
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight == 0.0 {
            return Ok(());
        }
        if classes > self.classes {
            self.dim = Some(row.dim());
            self.classes = classes;
            self.outputs.grow(row.dim(), classes);
        }
        let mut slopes = Lent::new();
        self.outputs.outputs(row, &mut slopes);
        softmax(&mut slopes);
        slopes[class] -= 1.0;
        slopes.iter_mut().for_each(|slope| *slope *= weight);
        self.outputs.follow(row, &slopes);
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        if self.classes == 0 || row.check(self.dim, Missing::Refused).is_err() {
            return false;
        }
        self.outputs.outputs(row, shares);
        softmax(shares);
        true
    }
}

impl<O: Outputs> Learner for Classes<O> {
    fn algorithm(&self) -> &'static str {
        O::NAMES[0]
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        json!({
            "algorithm": O::NAMES[0],
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "model": self.outputs.describe(),
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let outputs = self.outputs.draw(graph, rows)?;
        Some(graph.softmax(&outputs))
    }
}

impl<O: Outputs> State for Classes<O> {
    const NAME: &'static str = O::NAMES[0];
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = if self.classes == 0 { 0 } else { self.dim.unwrap_or(0) };
        if self.classes > CELLS_MAX || dim > SPARSE_DIM_MAX || self.classes > 0 && dim == 0 {
            return Err("its sizes");
        }
        self.outputs.validate(dim, self.classes)
    }
}
