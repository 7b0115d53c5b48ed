//! The answer is the mean of all labels.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::no_change::check_target;
use super::no_options;
use crate::learner::{Regressor, check_lesson, learner_of_state};
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::snapshot::State;

/// The name for `create`.
pub(super) const NAME: &str = "target_mean";

/// Answers with the mean of all numbers learned, whatever the row; with 0 before there is one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TargetMean {
    dim: Option<usize>,
    rows_learned: u64,
    weight: f64,
    mean: f64,
}

impl TargetMean {
    /// One that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If there are options, or rows are not labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        no_options(NAME, Label::Number, options, schema)?;
        Ok(TargetMean { dim: schema.dim(), rows_learned: 0, weight: 0.0, mean: 0.0 })
    }

    fn summary(&self) -> Value {
        json!({ "mean": self.mean })
    }
}

impl Regressor for TargetMean {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Skipped, weight)?;
        check_target(target)?;
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight > 0.0 {
            self.weight += weight;
            self.mean += (target - self.mean) * (weight / self.weight);
        }
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(self.dim, Missing::Skipped).is_ok().then_some(self.mean)
    }
}

learner_of_state!(TargetMean, Missing::Skipped);

impl State for TargetMean {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let sound = (0.0..=f64::MAX).contains(&self.weight) && self.mean.abs() <= 2.0 * VALUE_MAX;
        if sound { Ok(()) } else { Err("its mean") }
    }
}
