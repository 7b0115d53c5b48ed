//! CUSUM: a sum of deviations above the mean that never falls below 0 (Page, 1954).
//!
//! `s = max(0, s + x - mean - delta)`, where the mean has taken in `x`; when `s` is above `threshold` the values rose.
//! With `two_sided`, a second sum watches for values that fall. Nothing is said before `min_instances` values, and
//! after an alarm everything starts afresh. The defaults are those in use elsewhere: `min_instances` 30, `delta`
//! 0.005, `threshold` 50, one side. It is [`page_hinkley`](super::page_hinkley) without fading.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mean::Mean;
use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "cusum";

/// How CUSUM decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Values before it says anything.
    pub min_instances: u32,
    /// A deviation that does not matter.
    pub delta: f64,
    /// How large the sum may become.
    pub threshold: f64,
    /// Whether values that fall raise the alarm too.
    pub two_sided: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config { min_instances: 30, delta: 0.005, threshold: 50.0, two_sided: false }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["min_instances", "delta", "threshold", "two_sided"], options)?;
        let default = Config::default();
        Ok(Config {
            min_instances: options.number("min_instances", 1..=1_000_000)?.unwrap_or(default.min_instances),
            delta: options.number("delta", 0.0..=1e6)?.unwrap_or(default.delta),
            threshold: options.number("threshold", 0.0..=1e12)?.unwrap_or(default.threshold),
            two_sided: options.flag("two_sided")?.unwrap_or(default.two_sided),
        })
    }
}

/// The CUSUM detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Cusum {
    config: Config,
    rows_learned: u64,
    detections: u64,
    mean: Mean,
    rise: f64,
    fall: f64,
}

impl Cusum {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Cusum { config, rows_learned: 0, detections: 0, mean: Mean::default(), rise: 0.0, fall: 0.0 }
    }

    fn step(&mut self, value: f64) -> Drift {
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.mean.add(value);
        let Config { delta, threshold, two_sided, min_instances } = self.config;
        let deviation = value - self.mean.mean;
        self.rise = (self.rise + deviation - delta).max(0.0);
        self.fall = (self.fall - deviation - delta).max(0.0);
        let changed = self.rise > threshold || two_sided && self.fall > threshold;
        if !changed || self.mean.count < u64::from(min_instances) {
            return Drift::None;
        }
        self.detections += 1;
        (self.mean, self.rise, self.fall) = (Mean::default(), 0.0, 0.0);
        Drift::Detected
    }

    fn describe(&self) -> Value {
        json!({ "detections": self.detections, "mean": self.mean.mean, "rise": self.rise, "fall": self.fall })
    }
}

detector!(Cusum, NAME);

impl State for Cusum {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let finite = self.rise.is_finite() && self.fall.is_finite() && self.mean.good();
        if finite { Ok(()) } else { Err("its sums") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, steps};

    #[test]
    fn a_rise_is_noticed_and_a_fall_if_asked_for() {
        let one = Config { threshold: 100.0, ..Config::default() };
        let found = alarms(&mut Cusum::new(one), steps()).0;
        let near = |moved: usize| found.iter().any(|at| (moved..moved + 60).contains(at));
        assert!(near(1_000) && near(3_000) && !near(4_000), "{found:?}");
        let found = alarms(&mut Cusum::new(Config { two_sided: true, ..one }), steps()).0;
        assert!(found.iter().any(|at| (4_000..4_060).contains(at)), "{found:?}");
    }
}
