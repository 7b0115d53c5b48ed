//! Mean and variance in which a number counts less the longer it is ago, as River's `EWMean` and `EWVar`.

use serde::{Deserialize, Serialize};

/// The exponentially weighted mean: `m' = m + f (x - m)`, and at first `x`.
///
/// ```
/// let mut mean = ml::stats::FadingMean::new(0.5);
/// [1.0, 3.0, 5.0].into_iter().for_each(|number| mean.add(number));
/// assert_eq!(mean.get(), Some(3.5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FadingMean {
    fading: f64,
    mean: Option<f64>,
}

impl FadingMean {
    /// Of no numbers yet; `fading` is what the newest one counts.
    ///
    /// # Panics
    ///
    /// If `fading` is not above 0 and at most 1.
    #[must_use]
    pub fn new(fading: f64) -> Self {
        assert!(fading > 0.0 && fading <= 1.0, "a share above 0");
        FadingMean { fading, mean: None }
    }

    /// One in which a number counts half as much after so many others.
    #[must_use]
    pub fn with_half_life(numbers: f64) -> Self {
        Self::new(1.0 - libm::exp2(-1.0 / numbers.max(1e-9)))
    }

    /// Takes in a number, which is finite.
    pub fn add(&mut self, number: f64) {
        let mean = self.mean.unwrap_or(number);
        self.mean = Some(self.fading * number + (1.0 - self.fading) * mean);
    }

    /// The mean.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        self.mean
    }
}

/// The exponentially weighted variance: the mean of squares less the square of the mean.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct FadingVariance {
    mean: FadingMean,
    squares: FadingMean,
}

impl FadingVariance {
    /// Of no numbers yet, as [`FadingMean::new`].
    ///
    /// # Panics
    ///
    /// If `fading` is not above 0 and at most 1.
    #[must_use]
    pub fn new(fading: f64) -> Self {
        FadingVariance { mean: FadingMean::new(fading), squares: FadingMean::new(fading) }
    }

    /// Takes in a number, which is finite.
    pub fn add(&mut self, number: f64) {
        self.mean.add(number);
        self.squares.add(number * number);
    }

    /// The variance.
    #[must_use]
    pub fn get(&self) -> Option<f64> {
        Some((self.squares.get()? - self.mean.get()? * self.mean.get()?).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_variance_is_rivers() {
        let mut variance = FadingVariance::new(0.5);
        // River 0.26.1: stats.EWVar(0.5) over the same numbers.
        for (number, expected) in [(1.0, 0.0), (3.0, 1.0), (5.0, 2.75), (4.0, 1.4375), (6.0, 1.984_375)] {
            variance.add(number);
            assert_eq!(variance.get(), Some(expected));
        }
        let mut mean = FadingMean::with_half_life(1.0);
        mean.add(0.0);
        mean.add(8.0);
        assert_eq!(mean.get(), Some(4.0));
    }
}
