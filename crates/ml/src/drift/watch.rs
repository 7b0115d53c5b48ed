//! ADWIN over the errors of a learner that another one holds: a tree of a forest, a fork of a tree.

use serde::{Deserialize, Serialize};

use super::{Adwin, adwin};
use crate::snapshot::State;

/// Watches the errors of a tree for a rise (ADWIN).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Watch {
    adwin: Adwin,
    delta: f64,
}

impl Watch {
    pub(crate) fn new(delta: f64) -> Self {
        Watch { adwin: Adwin::new(adwin::Config::keeping(delta)), delta }
    }

    /// Takes in how wrong the tree was, from 0 to 1; true if it errs more now than it did.
    pub(crate) fn add(&mut self, error: f64) -> bool {
        let before = self.adwin.estimation();
        self.adwin.add(error) && self.adwin.estimation() > before
    }

    /// How many errors it looks back on.
    pub(crate) fn width(&self) -> u64 {
        self.adwin.width()
    }

    pub(crate) fn variance(&self) -> f64 {
        self.adwin.variance()
    }

    /// Numbers that it keeps, or so.
    pub(crate) fn size(&self) -> u64 {
        self.adwin.size()
    }

    pub(crate) fn error(&self) -> f64 {
        self.adwin.estimation()
    }

    pub(crate) fn reset(&mut self) {
        *self = Watch::new(self.delta);
    }

    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        if !(1e-12..=1.0).contains(&self.delta) {
            return Err("the settings of a detector");
        }
        self.adwin.validate()
    }
}
