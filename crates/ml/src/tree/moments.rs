//! Weight, mean and spread of numbers (Welford, 1962; Chan, Golub and LeVeque, 1979).

use serde::{Deserialize, Serialize};

/// Weight, mean, and sum of squared deviations from it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Moments {
    pub(crate) weight: f64,
    pub(crate) mean: f64,
    pub(crate) deviations: f64,
}

impl Moments {
    pub(crate) fn add(&mut self, value: f64, weight: f64) {
        self.weight += weight;
        let difference = value - self.mean;
        // The share is 1 for the first number, so that the mean is that number to the last bit.
        self.mean += difference * (weight / self.weight);
        self.deviations += (weight * difference * (value - self.mean)).max(0.0);
    }

    /// Those of both together.
    pub(crate) fn with(&self, other: &Self) -> Self {
        let weight = self.weight + other.weight;
        if other.weight == 0.0 || weight == 0.0 {
            return *self;
        }
        let difference = other.mean - self.mean;
        let share = other.weight / weight;
        Moments {
            weight,
            mean: self.mean + difference * share,
            deviations: self.deviations + other.deviations + difference * difference * self.weight * share,
        }
    }

    /// The variance of a sample; 0 of fewer than two.
    pub(crate) fn variance(&self) -> f64 {
        if self.weight > 1.0 { (self.deviations / (self.weight - 1.0)).max(0.0) } else { 0.0 }
    }

    pub(crate) fn is_sound(&self) -> bool {
        (0.0..=f64::MAX).contains(&self.weight)
            && self.mean.is_finite()
            && (0.0..=f64::MAX).contains(&self.deviations)
    }

    /// As they stand in a candidate's branch.
    pub(crate) fn numbers(&self) -> [f64; 3] {
        [self.weight, self.mean, self.deviations]
    }

    /// What [`Moments::numbers`] gave; nothing of nothing.
    pub(crate) fn from_numbers(numbers: &[f64]) -> Self {
        match numbers {
            &[weight, mean, deviations] => Moments { weight, mean, deviations },
            _ => Moments::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn together_they_are_as_if_added_one_by_one() {
        let numbers = [3.0, -1.0, 4.0, 1.5, -9.0, 2.6];
        let of = |numbers: &[f64]| {
            let mut moments = Moments::default();
            numbers.iter().for_each(|&number| moments.add(number, 1.0));
            moments
        };
        let (whole, parts) = (of(&numbers), of(&numbers[..2]).with(&of(&numbers[2..])));
        assert!((whole.mean - parts.mean).abs() < 1e-12);
        assert!((whole.variance() - parts.variance()).abs() < 1e-12);
        assert_eq!(Moments::from_numbers(&whole.numbers()), whole);
    }
}
