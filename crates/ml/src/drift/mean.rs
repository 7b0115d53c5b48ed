//! A running mean and its variance, as the detectors keep them.

use serde::{Deserialize, Serialize};

/// How many values, their mean, and the sum of squared deviations from it (Welford, 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Mean {
    pub(super) count: u64,
    pub(super) mean: f64,
    deviations: f64,
}

impl Mean {
    pub(super) fn add(&mut self, value: f64) {
        self.count = self.count.saturating_add(1);
        let difference = value - self.mean;
        self.mean += difference / self.count as f64;
        self.deviations += difference * (value - self.mean);
    }

    /// The variance of the sample; 0 before there are two values.
    pub(super) fn variance(&self) -> f64 {
        if self.count < 2 { 0.0 } else { self.deviations.max(0.0) / (self.count - 1) as f64 }
    }

    pub(super) fn good(&self) -> bool {
        self.mean.is_finite() && self.deviations.is_finite()
    }
}
