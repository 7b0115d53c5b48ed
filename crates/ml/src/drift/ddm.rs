//! DDM: a model's error rate against the best it ever had (Gama and others, 2004), as in River.
//!
//! For values 0 (right) and 1 (wrong), with `p` the share of wrong ones among `n` and `s = sqrt(p (1 - p) / n)`, the
//! lowest `p + s` is remembered as `p_min`, `s_min`. A warning is `p + s > p_min + warning_threshold · s_min`, drift
//! the same with `drift_threshold`. Nothing is said during the first `warm_start` values, and after an alarm everything
//! starts afresh. Defaults are River's: 30, 2 and 3. Values outside 0 to 1 are taken for the nearer of the two.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mean::Mean;
use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "ddm";

/// How DDM decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Values before it says anything.
    pub warm_start: u32,
    /// Deviations from the best for a warning.
    pub warning_threshold: f64,
    /// Deviations from the best for drift.
    pub drift_threshold: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { warm_start: 30, warning_threshold: 2.0, drift_threshold: 3.0 }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["warm_start", "warning_threshold", "drift_threshold"], options)?;
        let default = Config::default();
        Ok(Config {
            warm_start: options.number("warm_start", 0..=1_000_000)?.unwrap_or(default.warm_start),
            warning_threshold: options
                .number("warning_threshold", 0.0..=1_000.0)?
                .unwrap_or(default.warning_threshold),
            drift_threshold: options
                .number("drift_threshold", 0.0..=1_000.0)?
                .unwrap_or(default.drift_threshold),
        })
    }
}

/// The DDM detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Ddm {
    config: Config,
    rows_learned: u64,
    detections: u64,
    errors: Mean,
    best: Option<Rate>,
}

/// An error rate and how sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Rate {
    rate: f64,
    deviation: f64,
}

impl Ddm {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Ddm { config, rows_learned: 0, detections: 0, errors: Mean::default(), best: None }
    }

    /// Takes in an error, from 0 to 1.
    pub(crate) fn step(&mut self, value: f64) -> Drift {
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.errors.add(value.clamp(0.0, 1.0));
        if self.errors.count <= u64::from(self.config.warm_start) {
            return Drift::None;
        }
        let rate = self.errors.mean;
        let deviation = ((rate * (1.0 - rate)).max(0.0) / self.errors.count as f64).sqrt();
        let now = rate + deviation;
        let best = match self.best {
            Some(best) if now > best.rate + best.deviation => best,
            _ => Rate { rate, deviation },
        };
        self.best = Some(best);
        if now > best.rate + self.config.drift_threshold * best.deviation {
            self.detections += 1;
            (self.errors, self.best) = (Mean::default(), None);
            Drift::Detected
        } else if now > best.rate + self.config.warning_threshold * best.deviation {
            Drift::Warning
        } else {
            Drift::None
        }
    }

    fn describe(&self) -> Value {
        let best = self.best.map_or(0.0, |best| best.rate);
        json!({ "detections": self.detections, "error_rate": self.errors.mean, "lowest_error_rate": best })
    }
}

detector!(Ddm, NAME);

impl State for Ddm {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let best = self.best.is_none_or(|best| best.rate.is_finite() && best.deviation.is_finite());
        if best && self.errors.good() { Ok(()) } else { Err("its rates") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, errors};

    /// `river.drift.binary.DDM(...)`, River 0.26.1.
    #[test]
    fn alarms_and_warnings_are_rivers() {
        assert_eq!(alarms(&mut Ddm::new(Config::default()), errors()), (vec![2147], 188));
        let eager = Config { warm_start: 10, warning_threshold: 1.5, drift_threshold: 2.5 };
        assert_eq!(alarms(&mut Ddm::new(eager), errors()), (vec![13, 26, 2083, 2113], 1978));
    }
}
