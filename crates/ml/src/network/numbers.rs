//! Numbers by one output, at the scale of the targets so far.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, Outputs, SLOPE_MAX, bounded};
use crate::learner::{Learner, Regressor, check_lesson, kept_as_state};
use crate::linear::config::refuse_categories;
use crate::onnx::Graph;
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row, SPARSE_DIM_MAX, VALUE_MAX};
use crate::schema::{Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;
use crate::tree::{Moments, WEIGHT_MAX};

/// A learner of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Numbers<O: Outputs> {
    dim: Option<usize>,
    rows_learned: u64,
    targets: Moments,
    outputs: O,
}

impl<O: Outputs> Numbers<O> {
    /// A model that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not numbers labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let algorithm = O::NAMES[1];
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm, needs: "needs a label of numbers" });
        }
        refuse_categories(algorithm, schema)?;
        let outputs = O::from_options(1, options)?;
        Ok(Numbers { dim: schema.dim(), rows_learned: 0, targets: Moments::default(), outputs })
    }

    fn output(&self, row: Row<'_>) -> f64 {
        let mut outputs = Lent::new();
        self.outputs.outputs(row, &mut outputs);
        outputs.first().copied().unwrap_or(0.0)
    }
}

impl<O: Outputs> Regressor for Numbers<O> {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        check_lesson(row, self.dim, Missing::Refused, weight)?;
        if weight > WEIGHT_MAX {
            return Err(Rejection::BadWeight);
        }
        if !target.is_finite() || target.abs() > VALUE_MAX {
            return Err(Rejection::BadLabel);
        }
        if self.targets.weight == 0.0 && self.outputs.cells(row.dim(), 1) > CELLS_MAX {
            return Err(Rejection::TooWide { limit: CELLS_MAX, found: row.dim() });
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight == 0.0 {
            return Ok(());
        }
        if self.targets.weight == 0.0 {
            self.dim = Some(row.dim());
            self.outputs.grow(row.dim(), 1);
        }
        self.targets.add(target, weight);
        let deviation = self.targets.variance().sqrt();
        if deviation > 0.0 {
            let wanted = bounded((target - self.targets.mean) / deviation, SLOPE_MAX);
            let slope = (self.output(row) - wanted) * weight;
            self.outputs.follow(row, &[slope]);
        }
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(Some(self.dim?), Missing::Refused).ok()?;
        if self.targets.weight == 0.0 {
            return None;
        }
        let deviation = self.targets.variance().sqrt();
        Some(bounded(self.targets.mean + deviation * bounded(self.output(row), SLOPE_MAX), VALUE_MAX))
    }
}

impl<O: Outputs> Learner for Numbers<O> {
    fn algorithm(&self) -> &'static str {
        O::NAMES[1]
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        json!({
            "algorithm": O::NAMES[1],
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "target_mean": self.targets.mean,
            "model": self.outputs.describe(),
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let output = self.outputs.draw(graph, rows)?;
        let output = graph.clipped(&output, -SLOPE_MAX, SLOPE_MAX);
        let deviation = self.targets.variance().sqrt();
        Some(graph.sums(&output, &[[deviation]], &[self.targets.mean]))
    }
}

impl<O: Outputs> State for Numbers<O> {
    const NAME: &'static str = O::NAMES[1];
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let begun = self.targets.weight > 0.0;
        let dim = if begun { self.dim.unwrap_or(0) } else { 0 };
        if !self.targets.is_sound() || dim > SPARSE_DIM_MAX || begun && dim == 0 {
            return Err("its targets");
        }
        self.outputs.validate(dim, usize::from(begun))
    }
}
