//! KSWIN: the newest values against as many drawn from those before them (Raab, Heusinger and Schleif, 2020).
//!
//! Of a window of `window_size` values, the newest `stat_size` are compared with as many of the others, drawn without
//! putting back. With `D` the largest difference between the two distributions (Kolmogorov and Smirnov), both of `r`
//! values, `h = r D`, and all orders of the `2r` values equally likely, a difference as large has the probability
//!
//! ```text
//! p = 2 · sum over k >= 1 of (-1)^(k+1) · C(2r, r - k h) / C(2r, r)
//! ```
//!
//! and the values changed if `p <= alpha` and `D > 0.1`. Then only the newest `stat_size` stay in the window, as in the
//! paper; River empties it. Its defaults are River's: `alpha` 0.005, `window_size` 100, `stat_size` 30. What is drawn
//! depends on `seed` (42) and is not what Python's generator would draw.

use std::collections::{BTreeMap, VecDeque};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "kswin";

/// The longest window.
const WINDOW_MAX: u32 = 100_000;

/// How KSWIN decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// How likely a false alarm may be, with each value.
    pub alpha: f64,
    /// Values in the window.
    pub window_size: u32,
    /// Values that are compared, on either side.
    pub stat_size: u32,
    /// Chooses the values that are drawn.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { alpha: 0.005, window_size: 100, stat_size: 30, seed: 42 }
    }
}

impl Config {
    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["alpha", "window_size", "stat_size", "seed"], options)?;
        let default = Config::default();
        let config = Config {
            alpha: options.number("alpha", 0.0..=1.0)?.unwrap_or(default.alpha),
            window_size: options.number("window_size", 2..=WINDOW_MAX)?.unwrap_or(default.window_size),
            stat_size: options.number("stat_size", 1..=WINDOW_MAX)?.unwrap_or(default.stat_size),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(default.seed),
        };
        if !config.good() {
            return Err(options.invalid("stat_size", "a number no larger than half of window_size"));
        }
        Ok(config)
    }

    fn good(&self) -> bool {
        (0.0..=1.0).contains(&self.alpha)
            && self.window_size <= WINDOW_MAX
            && self.stat_size >= 1
            && self.stat_size <= self.window_size / 2
    }
}

/// The KSWIN detector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Kswin {
    config: Config,
    rows_learned: u64,
    detections: u64,
    p_value: f64,
    random: Box<Random>,
    window: VecDeque<f64>,
    /// Where values are drawn and sorted; no part of what it knows.
    #[serde(skip)]
    scratch: (Vec<f64>, Vec<f64>),
}

impl PartialEq for Kswin {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
            && self.rows_learned == other.rows_learned
            && self.detections == other.detections
            && self.p_value == other.p_value
            && self.random == other.random
            && self.window == other.window
    }
}

impl Kswin {
    /// A detector that has seen nothing yet.
    ///
    /// # Panics
    ///
    /// If the two samples do not fit in the window.
    #[must_use]
    pub fn new(config: Config) -> Self {
        assert!(config.good(), "settings of KSWIN out of range: {config:?}");
        Kswin {
            config,
            rows_learned: 0,
            detections: 0,
            p_value: 1.0,
            random: Box::new(Random::new(config.seed)),
            window: VecDeque::new(),
            scratch: (Vec::new(), Vec::new()),
        }
    }

    fn step(&mut self, value: f64) -> Drift {
        self.rows_learned = self.rows_learned.saturating_add(1);
        let size = self.config.window_size as usize;
        if self.window.len() == size {
            self.window.pop_front();
        }
        self.window.push_back(value);
        if self.window.len() < size {
            return Drift::None;
        }
        let apart = self.compare();
        if self.p_value > self.config.alpha || apart <= 0.1 {
            return Drift::None;
        }
        self.detections += 1;
        self.window.drain(..size - self.config.stat_size as usize);
        Drift::Detected
    }

    /// The largest difference of the two distributions; notes how likely it was.
    fn compare(&mut self) -> f64 {
        let drawn = self.config.stat_size as usize;
        let others = self.window.len() - drawn;
        let (older, newer) = &mut self.scratch;
        newer.clear();
        newer.extend(self.window.range(others..));
        older.clear();
        // Each value in turn has the chance that makes all choices equally likely (Knuth's algorithm S).
        for (seen, &value) in self.window.range(..others).enumerate() {
            let wanted = drawn - older.len();
            if self.random.uniform() * ((others - seen) as f64) < wanted as f64 {
                older.push(value);
            }
        }
        older.sort_unstable_by(f64::total_cmp);
        newer.sort_unstable_by(f64::total_cmp);
        let steps = largest_gap(older, newer);
        self.p_value = probability(drawn, steps);
        steps as f64 / drawn as f64
    }

    fn describe(&self) -> Value {
        json!({ "detections": self.detections, "p_value": self.p_value, "width": self.window.len() })
    }
}

/// How many more values of one of two equally long sorted samples are below some point than of the other, at most.
fn largest_gap(one: &[f64], other: &[f64]) -> usize {
    let (mut left, mut right, mut largest) = (0, 0, 0);
    while left < one.len() && right < other.len() {
        let value = one[left].min(other[right]);
        while left < one.len() && one[left] <= value {
            left += 1;
        }
        while right < other.len() && other[right] <= value {
            right += 1;
        }
        largest = largest.max(left.abs_diff(right));
    }
    largest
}

/// How likely a gap of at least `steps` is between two samples of `size` values each.
fn probability(size: usize, steps: usize) -> f64 {
    if steps == 0 {
        return 1.0;
    }
    // Horner's rule from the smallest term: C(2r, r - k h) is that of k - 1 times a product of quotients.
    let mut sum = 0.0;
    for k in (1..=size / steps).rev() {
        let mut quotient = 1.0;
        for place in (k - 1) * steps..k * steps {
            quotient *= (size - place) as f64 / (size + place + 1) as f64;
        }
        sum = quotient * (1.0 - sum);
    }
    (2.0 * sum).clamp(0.0, 1.0)
}

detector!(Kswin, NAME);

impl State for Kswin {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let window = self.window.len() <= self.config.window_size as usize
            && self.window.iter().all(|value| value.is_finite());
        if self.config.good() && window && self.p_value.is_finite() { Ok(()) } else { Err("its window") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drift::tests::{alarms, steps};

    /// `scipy.stats.ks_2samp(range(r), [h - 0.5 + i for i in range(r)]).pvalue`, SciPy 1.17.1.
    #[test]
    fn probabilities_are_exact() {
        for (size, steps, expected) in [
            (30, 5, 0.8079631540901643),
            (30, 12, 0.015643390496754332),
            (30, 13, 0.006548396368058784),
            (30, 20, 1.2750060342394341e-06),
            (30, 30, 1.6911233892144742e-17),
            (7, 2, 0.9627039627039629),
            (100, 1, 1.0),
            (100, 23, 0.009878183186176536),
        ] {
            let found = probability(size, steps);
            assert!((found / expected - 1.0).abs() < 1e-12, "{size} {steps}: {found}");
            let newer: Vec<f64> = (0..size).map(|place| (steps + place) as f64 - 0.5).collect();
            let older: Vec<f64> = (0..size).map(|place| place as f64).collect();
            assert_eq!(largest_gap(&older, &newer), steps);
        }
    }

    #[test]
    fn each_move_of_the_values_is_noticed_soon() {
        let found = alarms(&mut Kswin::new(Config { alpha: 0.0001, ..Config::default() }), steps()).0;
        for moved in [1_000, 3_000, 4_000] {
            assert!(found.iter().any(|&at| (moved..moved + 40).contains(&at)), "{moved}: {found:?}");
        }
        assert!(found.len() < 10, "{found:?}");
    }

    #[test]
    fn as_many_values_are_drawn_as_wanted() {
        let mut kswin = Kswin::new(Config::default());
        (0..500).for_each(|turn| {
            kswin.step(f64::from(turn % 10));
            assert!(turn < 99 || kswin.scratch.0.len() == 30);
        });
    }
}
