//! The answer is the label of the row before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CLASSES_MAX, no_options};
use crate::learner::{Classifier, Regressor, check_lesson, learner_of_state};
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub(super) const NAME: &str = "no_change";

/// The name for `create` where labels are numbers.
pub(super) const REGRESSOR_NAME: &str = "no_change_regressor";

/// Answers with the class of the last row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoChange {
    dim: Option<usize>,
    rows_learned: u64,
    last: Option<u32>,
    /// One more than the largest class.
    classes: u32,
}

impl NoChange {
    /// One that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If there are options, or rows are not labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        no_options(NAME, Label::Class, options, schema)?;
        Ok(NoChange { dim: schema.dim(), rows_learned: 0, last: None, classes: 0 })
    }

    fn summary(&self) -> Value {
        json!({ "last": self.last.map_or(json!("none"), |class| json!(class)) })
    }
}

impl Classifier for NoChange {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Skipped, weight)?;
        if class >= CLASSES_MAX {
            return Err(Rejection::TooManyCategories { limit: CLASSES_MAX as usize });
        }
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.last = Some(class);
            self.classes = self.classes.max(class + 1);
        }
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        let Some(last) = self.last.filter(|_| row.check(self.dim, Missing::Skipped).is_ok()) else {
            return false;
        };
        shares.resize(self.classes as usize, 0.0);
        shares[last as usize] = 1.0;
        true
    }
}

learner_of_state!(NoChange, Missing::Skipped);

impl State for NoChange {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let known = self.last.is_none_or(|last| last < self.classes);
        if known && self.classes <= CLASSES_MAX { Ok(()) } else { Err("its classes") }
    }
}

/// Answers with the number of the last row, and with 0 before there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NoChangeRegressor {
    dim: Option<usize>,
    rows_learned: u64,
    last: f64,
}

impl NoChangeRegressor {
    /// One that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If there are options, or rows are not labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        no_options(REGRESSOR_NAME, Label::Number, options, schema)?;
        Ok(NoChangeRegressor { dim: schema.dim(), rows_learned: 0, last: 0.0 })
    }

    fn summary(&self) -> Value {
        json!({ "last": self.last })
    }
}

impl Regressor for NoChangeRegressor {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Skipped, weight)?;
        check_target(target)?;
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.last = target;
        }
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(self.dim, Missing::Skipped).is_ok().then_some(self.last)
    }
}

/// A label that sums of squares can take.
pub(super) fn check_target(target: f64) -> Result<(), Rejection> {
    if target.abs() <= VALUE_MAX { Ok(()) } else { Err(Rejection::BadLabel) }
}

learner_of_state!(NoChangeRegressor, Missing::Skipped);

impl State for NoChangeRegressor {
    const NAME: &'static str = REGRESSOR_NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if self.last.abs() <= VALUE_MAX { Ok(()) } else { Err("its last number") }
    }
}
