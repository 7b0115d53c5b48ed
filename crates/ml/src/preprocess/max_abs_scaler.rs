//! Scales columns by the largest magnitude so far, as River's `MaxAbsScaler`: zeros stay zeros, so that sparse rows stay
//! sparse.
//!
//! A column whose values are all 0 stays as it is. Missing values are neither counted nor filled.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::by_column::{ByColumn, Column};
use crate::options::OptionError;

/// Scales columns by their largest magnitude.
pub type MaxAbsScaler = ByColumn<MaxAbs>;

/// The largest magnitude of a column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MaxAbs(f64);

impl Column for MaxAbs {
    const NAME: &'static str = "max_abs_scaler";
    const ARGUMENTS: &'static [&'static str] = &[];
    type Settings = ();

    fn settings(_: &BTreeMap<String, String>) -> Result<(), OptionError> {
        Ok(())
    }

    fn new((): &()) -> Self {
        MaxAbs(0.0)
    }

    fn add(&mut self, value: f64) {
        self.0 = self.0.max(value.abs());
    }

    fn scale(&self, value: f64, (): &()) -> f64 {
        value / self.line(&()).1
    }

    fn line(&self, (): &()) -> (f64, f64) {
        (0.0, if self.0 > 0.0 { self.0 } else { 1.0 })
    }

    fn describe(&self) -> Value {
        json!(self.0)
    }

    fn is_sound(&self) -> bool {
        (0.0..=f64::MAX).contains(&self.0)
    }

    fn good((): &()) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::super::by_column::scaled;
    use super::*;

    #[test]
    fn values_are_shares_of_the_largest_magnitude() {
        // River 0.26.1: MaxAbsScaler().learn_one(x) and .transform_one(x), row by row.
        assert_eq!(scaled::<MaxAbs>(&[], &[0.0, -2.0, 1.0, 4.0, -3.0]), [0.0, -1.0, 0.5, 1.0, -0.75]);
    }
}
