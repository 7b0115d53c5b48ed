//! HDDM_W: faded means before and after the best moment, by McDiarmid's bound (Frías-Blanco and others, 2015), as in
//! River.
//!
//! A faded mean takes in a value `x` as `mean = lambda · x + (1 - lambda) · mean`, and its bound grows with
//! `b = lambda² + (1 - lambda)² · b`, from 1. With `e(b) = sqrt(b · ln(1 / drift_confidence) / 2)`, whenever the mean of
//! all values plus `e` is lower than it ever was, that mean is remembered as the first sample and the second starts
//! afresh; otherwise the second takes in the value. The values rose if the second mean is more than
//! `sqrt((b1 + b2) · ln(1 / confidence) / 2)` above the first, with `drift_confidence` for drift and
//! `warning_confidence` for a warning. With `two_sided_test`, the mirror image raises the alarm when they fall. After
//! an alarm everything starts afresh. Defaults are River's: 0.001, 0.005, `lambda_val` 0.05, one side. Values outside 0
//! to 1 are taken for the nearer of the two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "hddm_w";

/// How HDDM_W decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// How likely a false alarm may be.
    pub drift_confidence: f64,
    /// How likely a false warning may be.
    pub warning_confidence: f64,
    /// The weight of a new value.
    pub lambda_val: f64,
    /// Whether values that fall raise the alarm too.
    pub two_sided_test: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { drift_confidence: 0.001, warning_confidence: 0.005, lambda_val: 0.05, two_sided_test: false }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["drift_confidence", "warning_confidence", "lambda_val", "two_sided_test"];
        let options = Options::new(NAME, &known, options)?;
        let default = Config::default();
        Ok(Config {
            drift_confidence: options
                .number("drift_confidence", 1e-100..=1.0)?
                .unwrap_or(default.drift_confidence),
            warning_confidence: options
                .number("warning_confidence", 1e-100..=1.0)?
                .unwrap_or(default.warning_confidence),
            lambda_val: options.number("lambda_val", 1e-6..=1.0)?.unwrap_or(default.lambda_val),
            two_sided_test: options.flag("two_sided_test")?.unwrap_or(default.two_sided_test),
        })
    }

    fn good(&self) -> bool {
        [self.drift_confidence, self.warning_confidence, self.lambda_val]
            .iter()
            .all(|share| (1e-100..=1.0).contains(share))
    }
}

/// The HDDM_W detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HddmW {
    config: Config,
    rows_learned: u64,
    detections: u64,
    all: Faded,
    rise: Sides,
    fall: Sides,
}

/// A faded mean and the bound that belongs to it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Faded {
    mean: Option<f64>,
    bound: f64,
}

/// What came before the best moment, and after it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Sides {
    best: Option<f64>,
    before: Faded,
    after: Faded,
}

impl Faded {
    const NONE: Faded = Faded { mean: None, bound: 1.0 };

    fn add(&mut self, value: f64, lambda: f64) {
        self.mean = Some(self.mean.map_or(value, |mean| lambda * value + (1.0 - lambda) * mean));
        self.bound = lambda * lambda + (1.0 - lambda) * (1.0 - lambda) * self.bound;
    }

    fn good(&self) -> bool {
        self.mean.is_none_or(f64::is_finite) && (0.0..=1.0).contains(&self.bound)
    }
}

impl Sides {
    const NONE: Sides = Sides { best: None, before: Faded::NONE, after: Faded::NONE };

    /// Takes in a value. `height` is how low, or high, all values are by now; less is better.
    fn add(&mut self, value: f64, lambda: f64, height: f64, all: Faded) {
        if self.best.is_none_or(|best| height < best) {
            (self.best, self.before, self.after) = (Some(height), all, Faded::NONE);
        } else {
            self.after.add(value, lambda);
        }
    }

    /// Whether the mean moved, upwards for a `sign` of 1, downwards for -1.
    fn moved(&self, sign: f64, confidence: f64) -> bool {
        let (Some(before), Some(after)) = (self.before.mean, self.after.mean) else { return false };
        (after - before) * sign > bound(self.before.bound + self.after.bound, confidence)
    }

    fn good(&self) -> bool {
        self.best.is_none_or(f64::is_finite) && self.before.good() && self.after.good()
    }
}

fn bound(sum: f64, confidence: f64) -> f64 {
    (sum * libm::log(1.0 / confidence) / 2.0).sqrt()
}

impl HddmW {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        HddmW {
            config,
            rows_learned: 0,
            detections: 0,
            all: Faded::NONE,
            rise: Sides::NONE,
            fall: Sides::NONE,
        }
    }

    fn step(&mut self, value: f64) -> Drift {
        self.rows_learned = self.rows_learned.saturating_add(1);
        let value = value.clamp(0.0, 1.0);
        let Config { drift_confidence, warning_confidence, lambda_val, .. } = self.config;
        self.all.add(value, lambda_val);
        let mean = self.all.mean.unwrap_or(value);
        let width = bound(self.all.bound, drift_confidence);
        self.rise.add(value, lambda_val, mean + width, self.all);
        self.fall.add(value, lambda_val, width - mean, self.all);
        if self.changed(drift_confidence) {
            let (rows_learned, detections) = (self.rows_learned, self.detections + 1);
            *self = HddmW { rows_learned, detections, ..HddmW::new(self.config) };
            Drift::Detected
        } else if self.changed(warning_confidence) {
            Drift::Warning
        } else {
            Drift::None
        }
    }

    fn changed(&self, confidence: f64) -> bool {
        self.rise.moved(1.0, confidence) || self.config.two_sided_test && self.fall.moved(-1.0, confidence)
    }

    fn describe(&self) -> Value {
        json!({ "detections": self.detections, "mean": self.all.mean.unwrap_or(0.0) })
    }
}

detector!(HddmW, NAME);

impl State for HddmW {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let good = self.all.good() && self.rise.good() && self.fall.good();
        if good && self.config.good() { Ok(()) } else { Err("its means") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, errors};

    /// `river.drift.binary.HDDM_W(...)`, River 0.26.1.
    #[test]
    fn alarms_and_warnings_are_rivers() {
        assert_eq!(alarms(&mut HddmW::new(Config::default()), errors()), (vec![2061, 3502], 28));
        let both = Config {
            drift_confidence: 0.01,
            warning_confidence: 0.05,
            lambda_val: 0.1,
            two_sided_test: true,
        };
        let backwards = errors().into_iter().rev().collect();
        let (found, warnings) = alarms(&mut HddmW::new(both), backwards);
        assert_eq!((found.len(), found.iter().sum::<usize>(), warnings), (15, 16_740, 241));
    }
}
