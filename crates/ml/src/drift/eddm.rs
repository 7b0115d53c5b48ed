//! EDDM: the distance between a model's errors against the longest it ever had (Baena-García and others, 2006), as in
//! River.
//!
//! With `m` the mean and `s` the deviation of the numbers of values between two wrong ones, `m + 2s` is compared with
//! the largest it ever was. A quotient below `alpha` is a warning, one below `beta` drift. Nothing is said before more
//! than `warm_start` errors, and after an alarm everything starts afresh. Defaults are River's: 30, 0.95 and 0.9. A
//! value from 0.5 on is an error. A warning stays until an error takes it back, as there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mean::Mean;
use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "eddm";

/// How EDDM decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Errors before it says anything.
    pub warm_start: u32,
    /// A warning is a distance below this share of the longest.
    pub alpha: f64,
    /// Drift is one below this share.
    pub beta: f64,
}

impl Default for Config {
    fn default() -> Self {
        Config { warm_start: 30, alpha: 0.95, beta: 0.9 }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["warm_start", "alpha", "beta"], options)?;
        let default = Config::default();
        let config = Config {
            warm_start: options.number("warm_start", 0..=1_000_000)?.unwrap_or(default.warm_start),
            alpha: options.number("alpha", 0.0..=1.0)?.unwrap_or(default.alpha),
            beta: options.number("beta", 0.0..=1.0)?.unwrap_or(default.beta),
        };
        if config.alpha < config.beta {
            return Err(options.invalid("beta", "a number no larger than alpha"));
        }
        Ok(config)
    }
}

/// The EDDM detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Eddm {
    config: Config,
    rows_learned: u64,
    detections: u64,
    /// Values since the last alarm, and which of them was the last error.
    values: u64,
    last_error: u64,
    distances: Mean,
    longest: Option<f64>,
    warning: bool,
}

impl Eddm {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Eddm {
            config,
            rows_learned: 0,
            detections: 0,
            values: 0,
            last_error: 0,
            distances: Mean::default(),
            longest: None,
            warning: false,
        }
    }

    fn step(&mut self, value: f64) -> Drift {
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.values += 1;
        if value >= 0.5 && self.error() {
            let (rows_learned, detections) = (self.rows_learned, self.detections + 1);
            *self = Eddm { rows_learned, detections, ..Eddm::new(self.config) };
            return Drift::Detected;
        }
        if self.warning { Drift::Warning } else { Drift::None }
    }

    /// Takes in an error; true if there are too many of late.
    fn error(&mut self) -> bool {
        self.distances.add((self.values - self.last_error) as f64);
        self.last_error = self.values;
        if self.values <= u64::from(self.config.warm_start) {
            return false;
        }
        let distance = self.distances.mean + 2.0 * self.distances.variance().sqrt();
        let longest = match self.longest {
            Some(longest) if distance <= longest => longest,
            _ => {
                self.longest = Some(distance);
                return false;
            }
        };
        if self.distances.count <= u64::from(self.config.warm_start) {
            return false;
        }
        let level = distance / longest;
        self.warning = level < self.config.alpha;
        level < self.config.beta
    }

    fn describe(&self) -> Value {
        json!({
            "detections": self.detections,
            "distance": self.distances.mean,
            "longest": self.longest.unwrap_or(0.0),
        })
    }
}

detector!(Eddm, NAME);

impl State for Eddm {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let finite = self.longest.is_none_or(f64::is_finite) && self.distances.good();
        if finite && self.last_error <= self.values { Ok(()) } else { Err("its distances") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, errors};

    /// `river.drift.binary.EDDM(...)`, River 0.26.1.
    #[test]
    fn alarms_and_warnings_are_rivers() {
        let (found, warnings) = alarms(&mut Eddm::new(Config::default()), errors());
        assert_eq!(found, [733, 1818, 2056, 2126, 2240, 2338, 2422, 2500, 2651, 2723]);
        assert_eq!(warnings, 1218);
        let other = Config { warm_start: 20, alpha: 0.9, beta: 0.8 };
        assert_eq!(alarms(&mut Eddm::new(other), errors()), (vec![2197, 2241, 2314], 2519));
    }
}
