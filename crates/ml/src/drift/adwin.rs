//! ADWIN: a window that shrinks when its older part no longer looks like its newer part (Bifet and Gavaldà, 2007).
//!
//! The window holds the latest values, not one by one but in buckets of 1, 2, 4, ... values: at most `max_buckets` of
//! a size, and when there is one more, the two oldest of them become one of the next size. `W` values so take
//! `O(max_buckets · log W)` memory. Every `clock` values each border between buckets is tried as a cut of the window
//! into an older part of `n0` values and a newer of `n1`. With `m = 1/(n0 - l + 1) + 1/(n1 - l + 1)`, where `l` is
//! `min_window_length`, the variance `v` of the whole window and `d = ln(2 ln(W) / delta)`, the parts differ if
//!
//! ```text
//! |mean0 - mean1| > sqrt(2 m v d) + 2/3 d m
//! ```
//!
//! and then the oldest bucket is dropped, until no cut is left that says so. The paper has `m` without `l`: parts
//! shorter than `l` are not tried, and short ones are held to a wider bound. These are River's rule and its defaults
//! (`delta` 0.002, `clock` 32, `max_buckets` 5, `min_window_length` 5, `grace_period` 10).
//!
//! The paper keeps the newer part when the older was dropped; River starts afresh with the next value. `keep_window`
//! chooses: `false`, the default, is River's way.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::drift::detector;
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "adwin";

/// Sizes of buckets: no stream reaches 2^50 values.
const SIZES_MAX: usize = 50;

/// How ADWIN decides.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// How likely a false alarm may be: smaller is slower and surer.
    pub delta: f64,
    /// Cuts are tried every so many values.
    pub clock: u32,
    /// Buckets of one size.
    pub max_buckets: u32,
    /// The shortest part of a window that is compared with the rest.
    pub min_window_length: u32,
    /// No cut is tried before the window is longer than this.
    pub grace_period: u32,
    /// Whether the newer part of the window stays after an alarm.
    pub keep_window: bool,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            delta: 0.002,
            clock: 32,
            max_buckets: 5,
            min_window_length: 5,
            grace_period: 10,
            keep_window: false,
        }
    }
}

impl Config {
    /// River's defaults with another `delta`, and the paper's window: what trees and ensembles watch themselves with.
    #[must_use]
    pub fn keeping(delta: f64) -> Self {
        Config { delta, keep_window: true, ..Config::default() }
    }

    /// Reads the options of a detector.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = ["delta", "clock", "max_buckets", "min_window_length", "grace_period", "keep_window"];
        let options = Options::new(NAME, &known, options)?;
        let default = Config::default();
        Ok(Config {
            delta: options.number("delta", 1e-12..=1.0)?.unwrap_or(default.delta),
            clock: options.number("clock", 1..=1_000_000)?.unwrap_or(default.clock),
            max_buckets: options.number("max_buckets", 2..=100)?.unwrap_or(default.max_buckets),
            min_window_length: options
                .number("min_window_length", 1..=1_000_000)?
                .unwrap_or(default.min_window_length),
            grace_period: options.number("grace_period", 0..=1_000_000)?.unwrap_or(default.grace_period),
            keep_window: options.flag("keep_window")?.unwrap_or(default.keep_window),
        })
    }

    fn good(&self) -> bool {
        (1e-12..=1.0).contains(&self.delta)
            && (1..=1_000_000).contains(&self.clock)
            && (2..=100).contains(&self.max_buckets)
            && (1..=1_000_000).contains(&self.min_window_length)
            && self.grace_period <= 1_000_000
    }
}

/// The ADWIN detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adwin {
    config: Config,
    rows_learned: u64,
    detections: u64,
    /// Values until cuts are tried again.
    countdown: u32,
    /// The last value raised the alarm.
    detected: bool,
    width: u64,
    total: f64,
    /// Sum of squared deviations from the window's mean.
    deviations: f64,
    /// Buckets of each size, 1, 2, 4, ..., in use.
    counts: Vec<u32>,
    /// `max_buckets + 1` places for each size, the oldest bucket first.
    buckets: Vec<Bucket>,
}

/// Sum, and sum of squared deviations, of the values in a bucket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Bucket {
    total: f64,
    deviations: f64,
}

impl Default for Adwin {
    fn default() -> Self {
        Adwin::new(Config::default())
    }
}

impl Adwin {
    /// A detector that has seen nothing yet.
    ///
    /// # Panics
    ///
    /// If a setting is outside the range that its option has.
    #[must_use]
    pub fn new(config: Config) -> Self {
        assert!(config.good(), "settings of ADWIN out of range: {config:?}");
        Adwin {
            config,
            rows_learned: 0,
            detections: 0,
            countdown: config.clock,
            detected: false,
            width: 0,
            total: 0.0,
            deviations: 0.0,
            counts: vec![0],
            buckets: vec![Bucket::default(); config.max_buckets as usize + 1],
        }
    }

    /// Takes the next value, which is finite and no larger than [`VALUE_MAX`](crate::row::VALUE_MAX), and says
    /// whether the window was cut.
    pub(crate) fn add(&mut self, value: f64) -> bool {
        if self.detected && !self.config.keep_window {
            self.forget();
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.insert(value);
        self.countdown -= 1;
        self.detected = false;
        if self.countdown == 0 {
            self.countdown = self.config.clock;
            if self.width > u64::from(self.config.grace_period) {
                while self.cut_is_due() {
                    self.drop_oldest();
                    self.detected = true;
                }
                self.detections += u64::from(self.detected);
            }
        }
        self.detected
    }

    /// Empties the window.
    pub(crate) fn forget(&mut self) {
        self.countdown = self.config.clock;
        self.detected = false;
        (self.width, self.total, self.deviations) = (0, 0.0, 0.0);
        self.counts.truncate(1);
        self.counts[0] = 0;
        self.buckets.truncate(self.stride());
    }

    /// How many values the window holds.
    #[must_use]
    pub fn width(&self) -> u64 {
        self.width
    }

    /// The mean of the window; 0 while it is empty.
    #[must_use]
    pub fn estimation(&self) -> f64 {
        if self.width == 0 { 0.0 } else { self.total / self.width as f64 }
    }

    /// The variance of the window; 0 while it is empty.
    #[must_use]
    pub fn variance(&self) -> f64 {
        if self.width == 0 { 0.0 } else { self.deviations.max(0.0) / self.width as f64 }
    }

    /// How often the window was cut.
    #[must_use]
    pub fn detections(&self) -> u64 {
        self.detections
    }

    /// Whether the last value raised the alarm.
    #[must_use]
    pub fn detected(&self) -> bool {
        self.detected
    }

    /// Numbers that it keeps, or so.
    pub(crate) fn size(&self) -> u64 {
        (2 * self.buckets.len() + 12) as u64
    }

    fn stride(&self) -> usize {
        self.config.max_buckets as usize + 1
    }

    fn insert(&mut self, value: f64) {
        if self.width > 0 {
            let width = self.width as f64;
            let difference = value - self.total / width;
            self.deviations += width * difference * difference / (width + 1.0);
        }
        self.width += 1;
        self.total += value;
        self.buckets[self.counts[0] as usize] = Bucket { total: value, deviations: 0.0 };
        self.counts[0] += 1;
        self.compress();
    }

    /// Where there is a bucket too many of a size, makes the two oldest one of the next size.
    fn compress(&mut self) {
        let stride = self.stride();
        let mut size = 0;
        while self.counts[size] as usize == stride {
            if size + 1 == self.counts.len() {
                self.counts.push(0);
                self.buckets.resize(self.buckets.len() + stride, Bucket::default());
            }
            let start = size * stride;
            let merged = merge(self.buckets[start], self.buckets[start + 1], size_of_bucket(size));
            self.buckets.copy_within(start + 2..start + stride, start);
            self.counts[size] -= 2;
            size += 1;
            self.buckets[size * stride + self.counts[size] as usize] = merged;
            self.counts[size] += 1;
        }
    }

    /// Whether some cut of the window tells its parts apart.
    fn cut_is_due(&self) -> bool {
        let least = u64::from(self.config.min_window_length);
        if self.width < 2 * least {
            return false;
        }
        let width = self.width as f64;
        let surprise = libm::log(2.0 * libm::log(width) / self.config.delta);
        let variance = self.deviations.max(0.0) / width;
        let (mut older, mut older_total) = (0, 0.0);
        for size in (0..self.counts.len()).rev() {
            let start = size * self.stride();
            let tried = self.counts[size] as usize;
            for bucket in &self.buckets[start..start + tried] {
                older += 1_u64 << size;
                older_total += bucket.total;
                let newer = self.width - older;
                if newer < least {
                    return false;
                }
                if older < least {
                    continue;
                }
                let difference = older_total / older as f64 - (self.total - older_total) / newer as f64;
                let m = 1.0 / (older - least + 1) as f64 + 1.0 / (newer - least + 1) as f64;
                let bound = (2.0 * m * variance * surprise).sqrt() + 2.0 / 3.0 * surprise * m;
                if difference.abs() > bound {
                    return true;
                }
            }
        }
        false
    }

    /// Drops the oldest bucket, one of the largest size.
    fn drop_oldest(&mut self) {
        let stride = self.stride();
        let last = self.counts.len() - 1;
        let start = last * stride;
        let bucket = self.buckets[start];
        let count = size_of_bucket(last);
        self.width -= 1 << last;
        self.total -= bucket.total;
        let left = self.width as f64;
        let difference = bucket.total / count - self.total / left;
        self.deviations -= bucket.deviations + count * left * difference * difference / (count + left);
        self.buckets.copy_within(start + 1..start + stride, start);
        self.counts[last] -= 1;
        if self.counts[last] == 0 && last > 0 {
            self.counts.pop();
            self.buckets.truncate(start);
        }
    }

    fn describe(&self) -> Value {
        json!({
            "width": self.width,
            "estimation": self.estimation(),
            "variance": self.variance(),
            "detections": self.detections,
        })
    }

    fn step(&mut self, value: f64) -> Drift {
        if self.add(value) { Drift::Detected } else { Drift::None }
    }
}

fn size_of_bucket(size: usize) -> f64 {
    (1_u64 << size) as f64
}

/// Two buckets of `count` values each as one.
fn merge(one: Bucket, other: Bucket, count: f64) -> Bucket {
    let difference = one.total / count - other.total / count;
    Bucket {
        total: one.total + other.total,
        deviations: one.deviations + other.deviations + difference * difference * count / 2.0,
    }
}

detector!(Adwin, NAME);

impl State for Adwin {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.good() || self.countdown == 0 || self.countdown > self.config.clock {
            return Err("its settings");
        }
        let sizes = self.counts.len();
        let whole = (1..=SIZES_MAX).contains(&sizes)
            && self.buckets.len() == sizes * self.stride()
            && self.counts.iter().all(|&count| count <= self.config.max_buckets)
            && (sizes == 1 || self.counts[sizes - 1] > 0);
        let held = || (0..sizes).map(|size| u64::from(self.counts[size]) << size).sum::<u64>();
        let numbers = self.total.is_finite() && self.deviations.is_finite();
        if whole && numbers && held() == self.width { Ok(()) } else { Err("its window") }
    }
}

#[cfg(test)]
mod tests;
