//! Few clusters out of many weighted points: k-means over what micro-clusters stand for.

use serde::{Deserialize, Serialize};

use super::centers::{nearest, squared_distance};
use crate::random::Random;
use crate::row::VALUE_MAX;

const STARTS: usize = 3;
const ITERATIONS: usize = 15;

/// The middles of clusters and their weights.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct MacroClusters {
    /// Row-major.
    pub(super) centers: Vec<f64>,
    pub(super) weights: Vec<f64>,
}

impl MacroClusters {
    /// At most `k` clusters of points `dim` wide. `before` is tried as a start too, and clusters keep the
    /// numbers they had.
    pub(super) fn of(points: &[f64], weights: &[f64], k: usize, before: &Self, random: &mut Random) -> Self {
        let dim = points.len() / weights.len();
        let k = k.min(weights.len());
        let mut best: Option<(f64, Self)> = None;
        for start in 0..=STARTS {
            let centers = match start {
                0 if before.weights.len() == k => before.centers.clone(),
                _ => draw(points, weights, dim, k, random),
            };
            let mut clusters = MacroClusters { centers, weights: vec![0.0; k] };
            let spread = (0..ITERATIONS).fold(0.0, |_, _| clusters.improve(points, weights, dim));
            // A new start must be better by more than rounding.
            if best.as_ref().is_none_or(|(least, _)| spread < least * (1.0 - 1e-9)) {
                best = Some((spread, clusters));
            }
        }
        let found = best.map_or_else(Self::default, |(_, clusters)| clusters);
        found.numbered_as(before, dim)
    }

    /// The same clusters in another order: each has the number of the one before that it is nearest to, as far as
    /// that is free, nearest pairs first.
    fn numbered_as(self, before: &Self, dim: usize) -> Self {
        let mut pairs = Vec::new();
        for (new, center) in self.centers.chunks_exact(dim).enumerate() {
            for (old, place) in before.centers.chunks_exact(dim).enumerate().take(self.weights.len()) {
                pairs.push((squared_distance(center, place), old, new));
            }
        }
        pairs.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut order: Vec<Option<usize>> = vec![None; self.weights.len()];
        let mut taken = vec![false; self.weights.len()];
        for (_, old, new) in pairs {
            if order[old].is_none() && !taken[new] {
                (order[old], taken[new]) = (Some(new), true);
            }
        }
        let mut rest = (0..taken.len()).filter(|&new| !taken[new]);
        let order: Vec<usize> = order.into_iter().filter_map(|new| new.or_else(|| rest.next())).collect();
        MacroClusters {
            centers: order
                .iter()
                .flat_map(|&new| &self.centers[new * dim..(new + 1) * dim])
                .copied()
                .collect(),
            weights: order.iter().map(|&new| self.weights[new]).collect(),
        }
    }

    /// One of Lloyd's iterations; the weighted sum of squared distances before it.
    fn improve(&mut self, points: &[f64], weights: &[f64], dim: usize) -> f64 {
        let mut sums = vec![0.0; self.centers.len()];
        self.weights.fill(0.0);
        let mut spread = 0.0;
        for (point, &weight) in points.chunks_exact(dim).zip(weights) {
            let (cluster, distance) = nearest(&self.centers, point);
            spread += weight * distance;
            self.weights[cluster] += weight;
            for (sum, value) in sums[cluster * dim..(cluster + 1) * dim].iter_mut().zip(point) {
                *sum += weight * value;
            }
        }
        let moved = self.centers.chunks_exact_mut(dim).zip(sums.chunks_exact(dim)).zip(&self.weights);
        for ((center, sum), &weight) in moved.filter(|(_, weight)| **weight > 0.0) {
            for (value, sum) in center.iter_mut().zip(sum) {
                *value = sum / weight;
            }
        }
        spread
    }

    /// The cluster that is nearest; `None` if there are none.
    pub(super) fn nearest(&self, point: &[f64]) -> Option<u32> {
        if self.weights.is_empty() { None } else { u32::try_from(nearest(&self.centers, point).0).ok() }
    }

    /// Whether it could be of rows `dim` wide.
    pub(super) fn is_sound(&self, dim: usize) -> bool {
        self.centers.len() == self.weights.len().saturating_mul(dim)
            && self.centers.iter().all(|value| value.abs() <= 2.0 * VALUE_MAX)
            && self.weights.iter().all(|weight| *weight >= 0.0 && weight.is_finite())
    }
}

/// k-means++: far and heavy points more readily.
fn draw(points: &[f64], weights: &[f64], dim: usize, k: usize, random: &mut Random) -> Vec<f64> {
    let row = |index: usize| &points[index * dim..(index + 1) * dim];
    let mut chances = weights.to_vec();
    let mut distances = vec![f64::INFINITY; weights.len()];
    let mut centers = Vec::with_capacity(k * dim);
    while centers.len() < k * dim {
        let chosen = row(pick(&chances, random));
        centers.extend_from_slice(chosen);
        for ((chance, distance), (point, weight)) in
            chances.iter_mut().zip(&mut distances).zip(points.chunks_exact(dim).zip(weights))
        {
            *distance = distance.min(squared_distance(point, chosen));
            *chance = *distance * weight;
        }
    }
    centers
}

/// A place with a chance in proportion to its number; any, if all are 0.
fn pick(chances: &[f64], random: &mut Random) -> usize {
    let mut left = random.uniform() * chances.iter().sum::<f64>();
    let mut last = 0;
    for (place, &chance) in chances.iter().enumerate().filter(|(_, chance)| **chance > 0.0) {
        last = place;
        if left < chance {
            break;
        }
        left -= chance;
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_draw_the_middles() {
        let points = [0.0, 1.0, 10.0, 11.0, 50.0];
        let weights = [3.0, 1.0, 1.0, 1.0, 2.0];
        let mut random = Random::new(1);
        let none = MacroClusters::default();
        let mut found = MacroClusters::of(&points, &weights, 3, &none, &mut random);
        let again = MacroClusters::of(&points, &weights, 3, &found, &mut random);
        assert_eq!(found, again);
        let turned = MacroClusters { centers: vec![49.0, 12.0, 1.0], weights: vec![1.0; 3] };
        let renamed = MacroClusters::of(&points, &weights, 3, &turned, &mut random);
        assert_eq!(renamed.centers, [50.0, 10.5, 0.25]);
        assert_eq!(renamed.weights, [2.0, 2.0, 4.0]);
        found.centers.sort_by(f64::total_cmp);
        assert_eq!(found.centers, [0.25, 10.5, 50.0]);
        assert_eq!(again.nearest(&[40.0]), again.nearest(&[50.0]));
        let all = MacroClusters::of(&points[..2], &weights[..2], 3, &none, &mut random);
        assert_eq!(all.weights.iter().sum::<f64>(), 4.0);
    }
}
