//! How a series of numbers goes on.

pub mod holt_winters;
mod regression;
pub mod seasonal_naive;
pub mod snarimax;

pub use holt_winters::HoltWinters;
pub use seasonal_naive::SeasonalNaive;
pub use snarimax::Snarimax;

use serde::{Deserialize, Serialize};

use crate::registry::{Algorithm, algorithm};
use crate::row::{DIM_MAX, Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Label;

/// Those that tell the future of their label.
pub(crate) const ALGORITHMS: &[Algorithm] = &[
    algorithm!(holt_winters::NAME, Forecast, Some(Label::Number), HoltWinters),
    algorithm!(seasonal_naive::NAME, Forecast, Some(Label::Number), SeasonalNaive),
    algorithm!(snarimax::NAME, Forecast, Some(Label::Number), Snarimax),
];

/// The longest season, and the most values that are looked back to.
const SEASONALITY_MAX: u32 = 10_000;

/// How wide the rows beside a series are: as wide as the first, which may have no columns at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Width(Option<usize>);

impl Width {
    /// What is wrong with a row, if anything.
    fn check(self, row: Row<'_>) -> Result<(), Rejection> {
        match (row.dim(), self.0) {
            (0, None | Some(0)) => Ok(()),
            (_, expected) => row.check(expected, Missing::Skipped),
        }
    }

    /// What is wrong with a row and its value, if anything. Takes the width of the first good row.
    fn admit(&mut self, row: Row<'_>, value: f64) -> Result<(), Rejection> {
        self.check(row)?;
        if !value.is_finite() || value.abs() > VALUE_MAX {
            return Err(Rejection::BadLabel);
        }
        self.0.get_or_insert(row.dim());
        Ok(())
    }

    fn good(self) -> bool {
        self.0.is_none_or(|dim| dim <= DIM_MAX)
    }
}

/// A number no further from 0 than any value may be: what follows from it stays finite.
fn bounded(number: f64) -> f64 {
    if number.is_nan() { 0.0 } else { number.clamp(-VALUE_MAX, VALUE_MAX) }
}

/// Makes a type with `rows_learned`, a `width` and a `config` a [`Learner`](crate::Learner).
macro_rules! forecaster {
    ($forecaster:ty, $name:expr) => {
        impl $crate::learner::Learner for $forecaster {
            fn algorithm(&self) -> &'static str {
                $name
            }

            fn rows_learned(&self) -> u64 {
                self.rows_learned
            }

            fn dim(&self) -> Option<usize> {
                self.width.0
            }

            fn missing(&self) -> $crate::row::Missing {
                $crate::row::Missing::Skipped
            }

            fn snapshot(&self) -> Vec<u8> {
                $crate::snapshot::write(self)
            }

            fn export(&self) -> serde_json::Value {
                $crate::snapshot::export(self)
            }

            fn describe(&self) -> serde_json::Value {
                serde_json::json!({
                    "algorithm": $name,
                    "rows_learned": self.rows_learned,
                    "options": self.config.describe(),
                    "state": self.describe(),
                })
            }

            fn restore(snapshot: &[u8]) -> Result<Self, $crate::snapshot::SnapshotError> {
                $crate::snapshot::read(snapshot)
            }
        }
    };
}
use forecaster;

#[cfg(test)]
mod tests;
