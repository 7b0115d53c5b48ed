//! HDDM_A: the mean of all values against the lowest it ever had, by Hoeffding's bound (Frías-Blanco and others,
//! 2015), as in River.
//!
//! For values from 0 to 1 with the mean `z` of all `n`, and `e(n) = sqrt(ln(1 / drift_confidence) / 2n)`, the mean `x`
//! of the first `k` with the lowest `x + e(k)` is remembered. The values rose if
//! `z - x >= sqrt((n - k) / (2 k n) · ln(2 / confidence))`, with `drift_confidence` for drift and `warning_confidence`
//! for a warning. With `two_sided_test`, the mirror image raises the alarm when they fall. After an alarm everything
//! starts afresh. Defaults are River's: 0.001, 0.005, one side. Values outside 0 to 1 are taken for the nearer of the
//! two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mean::Mean;
use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "hddm_a";

/// How HDDM_A decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// How likely a false alarm may be.
    pub drift_confidence: f64,
    /// How likely a false warning may be.
    pub warning_confidence: f64,
    /// Whether values that fall raise the alarm too.
    pub two_sided_test: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { drift_confidence: 0.001, warning_confidence: 0.005, two_sided_test: false }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["drift_confidence", "warning_confidence", "two_sided_test"];
        let options = Options::new(NAME, &known, options)?;
        let default = Config::default();
        Ok(Config {
            drift_confidence: options
                .number("drift_confidence", 1e-100..=1.0)?
                .unwrap_or(default.drift_confidence),
            warning_confidence: options
                .number("warning_confidence", 1e-100..=1.0)?
                .unwrap_or(default.warning_confidence),
            two_sided_test: options.flag("two_sided_test")?.unwrap_or(default.two_sided_test),
        })
    }

    fn good(&self) -> bool {
        [self.drift_confidence, self.warning_confidence].iter().all(|share| (1e-100..=1.0).contains(share))
    }
}

/// The HDDM_A detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HddmA {
    config: Config,
    rows_learned: u64,
    detections: u64,
    all: Mean,
    lowest: Mean,
    highest: Mean,
}

impl HddmA {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        let none = Mean::default();
        HddmA { config, rows_learned: 0, detections: 0, all: none, lowest: none, highest: none }
    }

    fn step(&mut self, value: f64) -> Drift {
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.all.add(value.clamp(0.0, 1.0));
        let surprise = libm::log(1.0 / self.config.drift_confidence);
        let bound = |count: u64| (1.0 / (2 * count) as f64 * surprise).sqrt();
        let now = bound(self.all.count);
        if self.lowest.count == 0 || self.lowest.mean + bound(self.lowest.count) >= self.all.mean + now {
            self.lowest = self.all;
        }
        if self.highest.count == 0 || self.highest.mean - bound(self.highest.count) <= self.all.mean - now {
            self.highest = self.all;
        }
        let drift = if self.changed(self.config.drift_confidence) {
            Drift::Detected
        } else if self.changed(self.config.warning_confidence) {
            Drift::Warning
        } else {
            Drift::None
        };
        if drift == Drift::Detected {
            let (rows_learned, detections) = (self.rows_learned, self.detections + 1);
            *self = HddmA { rows_learned, detections, ..HddmA::new(self.config) };
        }
        drift
    }

    fn changed(&self, confidence: f64) -> bool {
        let apart = |past: &Mean, difference: f64| {
            let (then, now) = (past.count as f64, self.all.count as f64);
            let share = (now - then) / then * (1.0 / now);
            past.count != self.all.count && difference >= (share / 2.0 * libm::log(2.0 / confidence)).sqrt()
        };
        apart(&self.lowest, self.all.mean - self.lowest.mean)
            || self.config.two_sided_test && apart(&self.highest, self.highest.mean - self.all.mean)
    }

    fn describe(&self) -> Value {
        json!({
            "detections": self.detections,
            "mean": self.all.mean,
            "lowest": self.lowest.mean,
            "highest": self.highest.mean,
        })
    }
}

detector!(HddmA, NAME);

impl State for HddmA {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let good = [&self.all, &self.lowest, &self.highest].iter().all(|mean| mean.good());
        if good && self.config.good() { Ok(()) } else { Err("its means") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, errors};

    /// `river.drift.binary.HDDM_A(...)`, River 0.26.1.
    #[test]
    fn alarms_and_warnings_are_rivers() {
        assert_eq!(alarms(&mut HddmA::new(Config::default()), errors()), (vec![2061], 3));
        let both = Config { drift_confidence: 0.01, warning_confidence: 0.05, two_sided_test: true };
        let backwards = errors().into_iter().rev().collect();
        assert_eq!(alarms(&mut HddmA::new(both), backwards), (vec![2126], 66));
    }
}
