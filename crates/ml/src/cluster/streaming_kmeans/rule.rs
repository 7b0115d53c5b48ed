//! MLlib's update rule, in the order of its operations.

use serde::{Deserialize, Serialize};

use crate::cluster::centers;
use crate::scratch::Lent;

/// Below this share of the heaviest cluster's weight a cluster is dead.
const DYING_SHARE: f64 = 1e-8;
/// How far the two halves of a split cluster stand apart, relative to each coordinate.
const SPLIT_STEP: f64 = 1e-14;
/// Keeps the division defined when all weight has decayed away.
const WEIGHT_MIN: f64 = 1e-16;

/// Centres and their weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Clusters {
    centers: Vec<f64>,
    weights: Vec<f64>,
}

impl Clusters {
    /// Centres, row-major, with one weight each.
    ///
    /// # Panics
    ///
    /// If there are no weights, or the centres are not that many whole rows.
    pub(super) fn new(centers: Vec<f64>, weights: Vec<f64>) -> Self {
        assert!(!weights.is_empty() && !centers.is_empty(), "there is at least one cluster");
        assert!(centers.len().is_multiple_of(weights.len()), "each centre has one weight");
        Clusters { centers, weights }
    }

    pub(super) fn dim(&self) -> usize {
        self.centers.len() / self.weights.len()
    }

    pub(super) fn centers(&self) -> &[f64] {
        &self.centers
    }

    pub(super) fn weights(&self) -> &[f64] {
        &self.weights
    }

    pub(super) fn nearest(&self, point: &[f64]) -> (usize, f64) {
        centers::nearest(&self.centers, point)
    }

    /// Learns a batch of at least one row, after ageing what is known by `discount`.
    pub(super) fn learn(&mut self, batch: &[f64], discount: f64) {
        let (sums, counts) = self.sums_by_nearest(batch);
        for weight in &mut self.weights {
            *weight *= discount;
        }
        let dim = self.dim();
        for (cluster, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0.0) {
            self.weights[cluster] += count;
            let share = count / self.weights[cluster].max(WEIGHT_MIN);
            let columns = cluster * dim..(cluster + 1) * dim;
            for (value, sum) in self.centers[columns.clone()].iter_mut().zip(&sums[columns]) {
                *value = (1.0 - share) * *value + (share / count) * sum;
            }
        }
        self.revive_the_dying();
    }

    /// Sum and number of the rows nearest to each centre, the centres standing still.
    fn sums_by_nearest(&self, batch: &[f64]) -> (Lent, Lent) {
        let dim = self.dim();
        let (mut sums, mut counts) = (Lent::zeros(self.centers.len()), Lent::zeros(self.weights.len()));
        for point in batch.chunks_exact(dim) {
            let (cluster, _) = self.nearest(point);
            counts[cluster] += 1.0;
            for (sum, value) in sums[cluster * dim..(cluster + 1) * dim].iter_mut().zip(point) {
                *sum += value;
            }
        }
        (sums, counts)
    }

    /// Splits the heaviest cluster in favour of the lightest, if that one is dead. One per batch.
    fn revive_the_dying(&mut self) {
        let (mut smallest, mut largest) = (0, 0);
        for (cluster, &weight) in self.weights.iter().enumerate() {
            if weight < self.weights[smallest] {
                smallest = cluster;
            }
            if weight > self.weights[largest] {
                largest = cluster;
            }
        }
        let (least, most) = (self.weights[smallest], self.weights[largest]);
        if least >= DYING_SHARE * most {
            return;
        }
        self.weights[smallest] = (most + least) / 2.0;
        self.weights[largest] = (most + least) / 2.0;
        let dim = self.dim();
        for column in 0..dim {
            let middle = self.centers[largest * dim + column];
            let step = SPLIT_STEP * middle.abs().max(1.0);
            self.centers[largest * dim + column] = middle + step;
            self.centers[smallest * dim + column] = middle - step;
        }
    }
}
