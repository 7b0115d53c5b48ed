//! What a cluster feature keeps of the rows it stands for: their weight, mean, and spread.
//!
//! Zhang, Ramakrishnan and Livny (1996) keep count, sum and sum of squares. The squared deviations from the mean say the
//! same and do not lose their digits far from the origin (Lang and Schubert, *BETULA*, 2020); both can be added up.

use serde::{Deserialize, Serialize};

use super::centers::squared_distance;
use crate::row::VALUE_MAX;

/// Many rows as one.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Feature {
    pub(super) weight: f64,
    pub(super) mean: Vec<f64>,
    /// Of all columns together.
    pub(super) deviations: f64,
}

impl Feature {
    /// One row.
    pub(super) fn of(point: &[f64]) -> Self {
        Feature { weight: 1.0, mean: point.to_vec(), deviations: 0.0 }
    }

    /// Takes in a row.
    pub(super) fn add(&mut self, point: &[f64]) {
        self.merge(1.0, point, 0.0);
    }

    /// Takes in the rows of another one.
    pub(super) fn join(&mut self, other: &Feature) {
        self.merge(other.weight, &other.mean, other.deviations);
    }

    /// Takes in rows of such a weight, mean and spread.
    pub(super) fn merge(&mut self, weight: f64, mean: &[f64], deviations: f64) {
        let total = self.weight + weight;
        let share = weight / total;
        self.deviations += deviations + squared_distance(&self.mean, mean) * self.weight * share;
        for (value, other) in self.mean.iter_mut().zip(mean) {
            *value += (other - *value) * share;
        }
        self.weight = total;
    }

    /// What the squared radius would be with these rows too.
    pub(super) fn squared_radius_with(&self, weight: f64, mean: &[f64], deviations: f64) -> f64 {
        let total = self.weight + weight;
        let apart = squared_distance(&self.mean, mean) * self.weight * (weight / total);
        (self.deviations + deviations + apart) / total
    }

    /// How far the rows are from their mean: the root of their mean squared distance.
    pub(super) fn radius(&self) -> f64 {
        (self.deviations / self.weight).sqrt()
    }

    /// Lets the past count less.
    pub(super) fn fade(&mut self, factor: f64) {
        self.weight *= factor;
        self.deviations *= factor;
    }

    /// Whether it is one that rows `dim` wide could have made.
    pub(super) fn is_sound(&self, dim: usize) -> bool {
        self.mean.len() == dim
            && self.mean.iter().all(|value| value.abs() <= 2.0 * VALUE_MAX)
            && self.weight > 0.0
            && self.weight.is_finite()
            && self.deviations >= 0.0
            && self.deviations.is_finite()
    }
}

/// The nearest of these and its squared distance; among equals the first.
pub(super) fn nearest<'a>(
    features: impl Iterator<Item = &'a Feature>,
    point: &[f64],
) -> Option<(usize, f64)> {
    let mut best: Option<(usize, f64)> = None;
    for (place, feature) in features.enumerate() {
        let distance = squared_distance(&feature.mean, point);
        if best.is_none_or(|(_, least)| distance < least) {
            best = Some((place, distance));
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_rows_do_not_depend_on_how_they_were_put_together() {
        let rows = [[1e6, 2.0], [1e6 + 1.0, 3.0], [1e6 + 5.0, -1.0], [1e6 + 2.0, 0.0]];
        let mut all = Feature::of(&rows[0]);
        rows[1..].iter().for_each(|row| all.add(row));
        let (mut left, mut right) = (Feature::of(&rows[0]), Feature::of(&rows[2]));
        left.add(&rows[1]);
        right.add(&rows[3]);
        let expected = left.squared_radius_with(right.weight, &right.mean, right.deviations).sqrt();
        left.join(&right);
        assert!((all.mean[0] - (1e6 + 2.0)).abs() < 1e-9 && (all.mean[1] - 1.0).abs() < 1e-12);
        // Squared deviations 14 and 10 over 4 rows.
        assert!((all.radius() - 6_f64.sqrt()).abs() < 1e-12, "{}", all.radius());
        assert!((left.radius() - all.radius()).abs() < 1e-12 && left.radius() == expected);
        all.fade(0.25);
        assert!((all.weight - 1.0).abs() < 1e-15 && (all.radius() - 6_f64.sqrt()).abs() < 1e-12);
    }
}
