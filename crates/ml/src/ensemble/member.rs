//! One tree of an ensemble, and what ensembles share.

use serde::{Deserialize, Serialize};

use crate::learner::argmax;
use crate::random::Random;
use crate::tree::{Example, Growth, Tree};

/// Trees in an ensemble.
pub(crate) const MODELS_MAX: u32 = 1_000;

/// A tree with its own luck.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) tree: Tree,
    pub(crate) random: Random,
}

impl Member {
    pub(crate) fn all(count: u32, seed: u64) -> Vec<Member> {
        let fresh = |member| Member { tree: Tree::default(), random: Random::stream(seed, member) };
        (0..u64::from(count)).map(fresh).collect()
    }

    /// Whether the tree would have named the class.
    pub(crate) fn is_right(
        &self,
        row: Example<'_>,
        class: usize,
        growth: &Growth,
        votes: &mut Vec<f64>,
    ) -> bool {
        self.tree.votes(row, growth, votes);
        argmax(votes).map_or(0, |best| best as usize) == class
    }

    /// Learns the row once, with the weight of as many as chance says: `mean` on average.
    pub(crate) fn learn(
        &mut self,
        row: Example<'_>,
        class: usize,
        weight: f64,
        mean: f64,
        growth: &Growth,
        votes: &mut Vec<f64>,
    ) -> u32 {
        let times = self.random.poisson(mean);
        if times > 0 {
            let weight = weight * f64::from(times);
            self.tree.learn(row, class, weight, growth, &mut self.random, votes);
        }
        times
    }
}

/// An error as a number.
pub(crate) fn error_if(wrong: bool) -> f64 {
    if wrong { 1.0 } else { 0.0 }
}
