//! Count, mean, variance and ends of all numbers so far.

use serde::{Deserialize, Serialize};

use crate::tree::Moments;

/// Count, mean, variance and ends (Welford, 1962).
///
/// ```
/// let mut prices = ml::stats::Summary::default();
/// [3.0, 5.0, 10.0].into_iter().for_each(|price| prices.add(price));
/// assert_eq!((prices.count(), prices.mean(), prices.variance()), (3, Some(6.0), Some(13.0)));
/// assert_eq!((prices.min(), prices.max()), (Some(3.0), Some(10.0)));
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    count: u64,
    moments: Moments,
    min: f64,
    max: f64,
}

impl Summary {
    /// Takes in a number, which is finite.
    pub fn add(&mut self, number: f64) {
        let first = self.count == 0;
        self.min = if first { number } else { self.min.min(number) };
        self.max = if first { number } else { self.max.max(number) };
        self.count += 1;
        self.moments.add(number, 1.0);
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.moments.mean)
    }

    /// The variance of a sample.
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        (self.count > 1).then(|| self.moments.variance())
    }

    /// The smallest.
    #[must_use]
    pub fn min(&self) -> Option<f64> {
        (self.count > 0).then_some(self.min)
    }

    /// The largest.
    #[must_use]
    pub fn max(&self) -> Option<f64> {
        (self.count > 0).then_some(self.max)
    }

    /// Both together, as if all numbers of the other one had come here too.
    #[must_use]
    pub fn with(&self, other: &Self) -> Self {
        if self.count == 0 || other.count == 0 {
            return if self.count == 0 { *other } else { *self };
        }
        Summary {
            count: self.count + other.count,
            moments: self.moments.with(&other.moments),
            min: self.min.min(other.min),
            max: self.max.max(other.max),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_make_the_whole() {
        let of = |numbers: &[f64]| {
            let mut summary = Summary::default();
            numbers.iter().for_each(|&number| summary.add(number));
            summary
        };
        let whole = of(&[4.0, -2.0, 7.0, 7.0, 1.5]);
        let parts = of(&[4.0, -2.0]).with(&of(&[])).with(&of(&[7.0, 7.0, 1.5]));
        assert_eq!((parts.count(), parts.min(), parts.max()), (5, Some(-2.0), Some(7.0)));
        let close = |one: Option<f64>, other: Option<f64>| (one.unwrap() - other.unwrap()).abs() < 1e-12;
        assert!(close(whole.mean(), parts.mean()) && close(whole.variance(), parts.variance()));
        assert_eq!(Summary::default().mean(), None);
        assert_eq!(of(&[3.0]).variance(), None);
    }
}
