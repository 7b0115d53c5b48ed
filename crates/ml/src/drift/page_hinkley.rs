//! Page-Hinkley: how far a faded sum of deviations from the mean has come from its lowest, or highest, point
//! (Page, 1954), as in River.
//!
//! With `d = x - mean` after the mean took in `x`, two sums are kept: `up = alpha·up + d - delta` and
//! `down = alpha·down + d + delta`. The values rose if `up - min(up) > threshold`, and fell if
//! `max(down) - down > threshold`; `mode` says which of them matters: `up`, `down` or `both`. Nothing is said before
//! `min_instances` values, and after an alarm everything starts afresh with the next value. Defaults are River's:
//! `min_instances` 30, `delta` 0.005, `threshold` 50, `alpha` 0.9999, `mode` both. Like there, the highest point of
//! `down` starts at -1.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::mean::Mean;
use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "page_hinkley";

/// Which changes raise the alarm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Values that rise.
    Up,
    /// Values that fall.
    Down,
    /// Any.
    Both,
}

/// How Page-Hinkley decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Values before it says anything.
    pub min_instances: u32,
    /// A deviation that does not matter.
    pub delta: f64,
    /// How much the sum may move.
    pub threshold: f64,
    /// What is left of the sum with each value.
    pub alpha: f64,
    /// Which changes raise the alarm.
    pub mode: Mode,
}

impl Default for Config {
    fn default() -> Self {
        Config { min_instances: 30, delta: 0.005, threshold: 50.0, alpha: 1.0 - 0.0001, mode: Mode::Both }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["min_instances", "delta", "threshold", "alpha", "mode"];
        let options = Options::new(NAME, &known, options)?;
        let default = Config::default();
        let modes = [("up", Mode::Up), ("down", Mode::Down), ("both", Mode::Both)];
        Ok(Config {
            min_instances: options.number("min_instances", 1..=1_000_000)?.unwrap_or(default.min_instances),
            delta: options.number("delta", 0.0..=1e6)?.unwrap_or(default.delta),
            threshold: options.number("threshold", 0.0..=1e12)?.unwrap_or(default.threshold),
            alpha: options.number("alpha", 0.0..=1.0)?.unwrap_or(default.alpha),
            mode: options.choice("mode", &modes)?.unwrap_or(default.mode),
        })
    }
}

/// The Page-Hinkley detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PageHinkley {
    config: Config,
    rows_learned: u64,
    detections: u64,
    detected: bool,
    mean: Mean,
    up: f64,
    up_min: Option<f64>,
    down: f64,
    down_max: f64,
}

impl PageHinkley {
    /// A detector that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config) -> Self {
        PageHinkley {
            config,
            rows_learned: 0,
            detections: 0,
            detected: false,
            mean: Mean::default(),
            up: 0.0,
            up_min: None,
            down: 0.0,
            down_max: -1.0,
        }
    }

    fn step(&mut self, value: f64) -> Drift {
        if self.detected {
            let (rows_learned, detections) = (self.rows_learned, self.detections);
            *self = PageHinkley { rows_learned, detections, ..PageHinkley::new(self.config) };
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.mean.add(value);
        let Config { delta, alpha, threshold, mode, .. } = self.config;
        let deviation = value - self.mean.mean;
        self.up = alpha * self.up + deviation - delta;
        self.down = alpha * self.down + deviation + delta;
        let lowest = self.up_min.map_or(self.up, |lowest| lowest.min(self.up));
        self.up_min = Some(lowest);
        self.down_max = self.down_max.max(self.down);
        let rose = mode != Mode::Down && self.up - lowest > threshold;
        let fell = mode != Mode::Up && self.down_max - self.down > threshold;
        self.detected = self.mean.count >= u64::from(self.config.min_instances) && (rose || fell);
        self.detections += u64::from(self.detected);
        if self.detected { Drift::Detected } else { Drift::None }
    }

    fn describe(&self) -> Value {
        json!({ "detections": self.detections, "mean": self.mean.mean, "rise": self.up - self.up_min.unwrap_or(self.up), "fall": self.down_max - self.down })
    }
}

detector!(PageHinkley, NAME);

impl State for PageHinkley {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let numbers = [self.up, self.down, self.down_max, self.up_min.unwrap_or(0.0)];
        let finite = numbers.iter().all(|number| number.is_finite()) && self.mean.good();
        if finite { Ok(()) } else { Err("its sums") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, steps};

    /// `river.drift.PageHinkley(...)`, River 0.26.1.
    #[test]
    fn alarms_are_rivers() {
        let river = alarms(&mut PageHinkley::new(Config::default()), steps()).0;
        assert_eq!(river, [1015, 1701, 2158, 3013, 4011, 5033, 5763]);
        let up = Config { min_instances: 10, delta: 0.5, threshold: 20.0, alpha: 0.99, mode: Mode::Up };
        let found = alarms(&mut PageHinkley::new(up), steps()).0;
        assert_eq!((found.len(), found.iter().sum::<usize>()), (14, 50_691));
        let down = Config { threshold: 10.0, mode: Mode::Down, ..Config::default() };
        let found = alarms(&mut PageHinkley::new(down), steps()).0;
        assert_eq!((found.len(), found.iter().sum::<usize>()), (38, 119_732));
    }
}
