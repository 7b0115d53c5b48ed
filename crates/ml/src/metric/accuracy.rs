//! The share of right predictions.

use serde::Serialize;

/// Right predictions out of all. A row that got no answer counts as a wrong one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Accuracy {
    right: u64,
    total: u64,
}

impl Accuracy {
    /// Counts one prediction.
    pub fn add(&mut self, predicted: Option<u32>, actual: u32) {
        self.right += u64::from(predicted == Some(actual));
        self.total += 1;
    }

    /// Predictions counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The share of right ones; `None` before there are any.
    pub fn value(&self) -> Option<f64> {
        (self.total > 0).then(|| self.right as f64 / self.total as f64)
    }
}
