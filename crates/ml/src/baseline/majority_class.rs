//! The answer is the class that most rows were of.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CLASSES_MAX, no_options};
use crate::learner::{Classifier, check_lesson, learner_of_state};
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub(super) const NAME: &str = "majority_class";

/// Answers with how frequent each class was, whatever the row.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MajorityClass {
    dim: Option<usize>,
    rows_learned: u64,
    /// By class.
    weights: Vec<f64>,
}

impl MajorityClass {
    /// One that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If there are options, or rows are not labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        no_options(NAME, Label::Class, options, schema)?;
        Ok(MajorityClass { dim: schema.dim(), rows_learned: 0, weights: Vec::new() })
    }

    fn summary(&self) -> Value {
        json!({ "class_weights": self.weights })
    }
}

impl Classifier for MajorityClass {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Skipped, weight)?;
        if class >= CLASSES_MAX {
            return Err(Rejection::TooManyCategories { limit: CLASSES_MAX as usize });
        }
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            let class = class as usize;
            self.weights.resize(self.weights.len().max(class + 1), 0.0);
            self.weights[class] += weight;
        }
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        if self.weights.is_empty() || row.check(self.dim, Missing::Skipped).is_err() {
            return false;
        }
        let total: f64 = self.weights.iter().sum();
        shares.extend(self.weights.iter().map(|weight| weight / total));
        true
    }
}

learner_of_state!(MajorityClass, Missing::Skipped);

impl State for MajorityClass {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let counted = self.weights.iter().all(|weight| (0.0..=f64::MAX).contains(weight));
        let some = self.weights.is_empty() || self.weights.iter().any(|&weight| weight > 0.0);
        let few = self.weights.len() <= CLASSES_MAX as usize;
        if counted && some && few { Ok(()) } else { Err("its classes") }
    }
}
