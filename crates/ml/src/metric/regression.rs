//! How well numbers are estimated.

use serde::{Deserialize, Serialize};

/// Errors of estimates, and how the true values are spread (Welford, 1962).
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ErrorSums {
    rows: u64,
    absolute: f64,
    squared: f64,
    mean: f64,
    deviations: f64,
}

/// Figures of merit; in the unit of the target, except for `r2`. `None` where there is nothing to divide by.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ErrorFigures {
    /// Rows judged; one without an estimate is not.
    pub rows: u64,
    /// The mean absolute error.
    pub mae: Option<f64>,
    /// The root of the mean squared error.
    pub rmse: Option<f64>,
    /// The share of the variance that is explained: 1 less the squared errors by the squared deviations from the mean.
    pub r2: Option<f64>,
}

impl ErrorSums {
    /// Counts a row.
    pub fn add(&mut self, actual: f64, estimate: f64) {
        let error = actual - estimate;
        self.rows += 1;
        self.absolute += error.abs();
        self.squared += error * error;
        let difference = actual - self.mean;
        self.mean += difference / self.rows as f64;
        self.deviations += difference * (actual - self.mean);
    }

    /// Adds what another counted (Chan, Golub and LeVeque, 1979).
    pub fn merge(&mut self, other: &Self) {
        let rows = self.rows + other.rows;
        if rows == 0 {
            return;
        }
        let difference = other.mean - self.mean;
        let share = other.rows as f64 / rows as f64;
        self.deviations += other.deviations + difference * difference * self.rows as f64 * share;
        self.mean += difference * share;
        self.rows = rows;
        self.absolute += other.absolute;
        self.squared += other.squared;
    }

    /// Rows counted.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.rows
    }

    /// What the sums amount to.
    #[must_use]
    pub fn figures(&self) -> ErrorFigures {
        let mean = |sum: f64| (self.rows > 0).then(|| sum / self.rows as f64);
        ErrorFigures {
            rows: self.rows,
            mae: mean(self.absolute),
            rmse: mean(self.squared).map(f64::sqrt),
            r2: (self.deviations > 0.0).then(|| 1.0 - self.squared / self.deviations),
        }
    }

    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        let sums = [self.absolute, self.squared, self.deviations];
        let sound = self.mean.is_finite() && sums.iter().all(|sum| sum.is_finite() && *sum >= 0.0);
        if sound { Ok(()) } else { Err("its evaluation") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_those_of_their_formulas() {
        let mut sums = ErrorSums::default();
        assert_eq!(sums.figures(), ErrorFigures::default());
        for (actual, estimate) in [(3.0, 2.5), (-0.5, 0.0), (2.0, 2.0), (7.0, 8.0)] {
            sums.add(actual, estimate);
        }
        let figures = sums.figures();
        assert_eq!((figures.rows, figures.mae), (4, Some(0.5)));
        assert!((figures.rmse.unwrap() - 0.375_f64.sqrt()).abs() < 1e-15);
        assert!((figures.r2.unwrap() - 0.948_608_137_044_967_9).abs() < 1e-12, "as scikit-learn's r2_score");
    }
}
