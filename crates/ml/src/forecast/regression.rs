//! The regression inside [`snarimax`](super::snarimax): columns brought to mean 0 and variance 1, then one step of
//! gradient descent per row. It is what River's `StandardScaler() | LinearRegression()` does by default.

use serde::{Deserialize, Serialize};

use super::snarimax::Regressors;

/// The largest slope of the loss that is followed, as in River.
const GRADIENT_MAX: f64 = 1e12;

/// A column with its weight.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Column {
    count: u64,
    mean: f64,
    variance: f64,
    weight: f64,
}

impl Column {
    fn learn(&mut self, value: f64) {
        self.count += 1;
        let count = self.count as f64;
        let before = self.mean;
        self.mean += (value - before) / count;
        self.variance += ((value - before) * (value - self.mean) - self.variance) / count;
    }

    fn scaled(&self, value: f64) -> f64 {
        if self.variance > 0.0 { (value - self.mean) / self.variance.sqrt() } else { 0.0 }
    }
}

/// A linear regression over columns of which some may be missing from a row.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Regression {
    columns: Vec<Column>,
    intercept: f64,
}

impl Regression {
    /// The estimate for a row.
    pub(super) fn predict(&self, row: &Regressors<'_>) -> f64 {
        let mut sum = 0.0;
        row.each(|column, value| {
            sum += self.columns.get(column).map_or(0.0, |column| column.scaled(value) * column.weight);
        });
        super::bounded(self.intercept + sum)
    }

    /// Learns that a row goes with `target`.
    pub(super) fn learn(&mut self, row: &Regressors<'_>, target: f64, rate: f64, intercept_rate: f64) {
        row.each(|column, value| {
            if column >= self.columns.len() {
                self.columns.resize(column + 1, Column::default());
            }
            self.columns[column].learn(value);
        });
        let slope = (2.0 * (self.predict(row) - target)).clamp(-GRADIENT_MAX, GRADIENT_MAX);
        row.each(|column, value| {
            let column = &mut self.columns[column];
            column.weight = super::bounded(column.weight - rate * slope * column.scaled(value));
        });
        self.intercept = super::bounded(self.intercept - intercept_rate * slope);
    }

    pub(super) fn weights(&self) -> Vec<f64> {
        self.columns.iter().map(|column| column.weight).collect()
    }

    pub(super) fn intercept(&self) -> f64 {
        self.intercept
    }

    pub(super) fn good(&self, columns_max: usize) -> bool {
        let finite = |column: &Column| {
            column.mean.is_finite() && column.variance.is_finite() && column.weight.is_finite()
        };
        self.columns.len() <= columns_max && self.columns.iter().all(finite) && self.intercept.is_finite()
    }
}
