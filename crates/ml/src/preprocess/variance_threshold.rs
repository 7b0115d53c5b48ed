//! Silences columns that hardly vary, as River's `VarianceThreshold` leaves them out: their values become 0.
//!
//! A column speaks when its variance so far (that of a sample) is above `threshold` (0); until it has had `min_samples`
//! (1) values, it speaks whatever its variance. Rows stay as wide as they were, since a learner's width is settled. A
//! missing value stays one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_column::{ByColumn, Column};
use crate::options::{OptionError, Options};
use crate::tree::Moments;

/// Silences columns that hardly vary.
pub type VarianceThreshold = ByColumn<Varied>;

/// How much a column varies.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Varied(Moments);

/// When [`Varied`] speaks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Settings {
    threshold: f64,
    min_samples: u32,
}

impl Varied {
    fn varies(&self, settings: &Settings) -> bool {
        self.0.weight < f64::from(settings.min_samples) || self.0.variance() > settings.threshold
    }
}

impl Column for Varied {
    const NAME: &'static str = "variance_threshold";
    const ARGUMENTS: &'static [&'static str] = &["threshold", "min_samples"];
    type Settings = Settings;

    fn settings(arguments: &BTreeMap<String, String>) -> Result<Settings, OptionError> {
        let options = Options::new(Self::NAME, Self::ARGUMENTS, arguments)?;
        Ok(Settings {
            threshold: options.number("threshold", 0.0..=1e100)?.unwrap_or(0.0),
            min_samples: options.number("min_samples", 1..=1_000_000_000)?.unwrap_or(1),
        })
    }

    fn new(_: &Settings) -> Self {
        Varied(Moments::default())
    }

    fn add(&mut self, value: f64) {
        self.0.add(value, 1.0);
    }

    fn scale(&self, value: f64, settings: &Settings) -> f64 {
        if self.varies(settings) || value.is_nan() { value } else { 0.0 }
    }

    fn line(&self, settings: &Settings) -> (f64, f64) {
        (0.0, if self.varies(settings) { 1.0 } else { f64::INFINITY })
    }

    fn describe(&self) -> Value {
        json!(self.0.variance())
    }

    fn is_sound(&self) -> bool {
        self.0.is_sound()
    }

    fn good(settings: &Settings) -> bool {
        settings.threshold >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::super::by_column::scaled;
    use super::*;

    #[test]
    fn a_column_speaks_once_it_varies() {
        let rows = [5.0, 5.0, 5.0, 6.0, 5.0];
        assert_eq!(scaled::<Varied>(&[], &rows), [0.0, 0.0, 0.0, 6.0, 5.0]);
        assert_eq!(scaled::<Varied>(&[("min_samples", "3")], &rows), [5.0, 5.0, 0.0, 6.0, 5.0]);
        assert_eq!(scaled::<Varied>(&[("threshold", "1")], &rows), [0.0; 5]);
    }
}
