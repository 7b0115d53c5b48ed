//! One tree of an ensemble, and what ensembles share.

use serde::{Deserialize, Serialize};

use crate::learner::argmax;
use crate::onnx::Graph;
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

    /// Learns the row as often as chance says: `mean` times on average.
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

/// Adds a tree's votes, times `weight`, to those of the others.
pub(crate) fn add_votes(all: &mut Vec<f64>, votes: &[f64], weight: f64) {
    if all.len() < votes.len() {
        all.resize(votes.len(), 0.0);
    }
    all.iter_mut().zip(votes).for_each(|(all, vote)| *all += vote * weight);
}

/// Adds to a graph the shares of classes that trees vote for, each with its weight.
pub(crate) fn draw<'a>(
    trees: impl Iterator<Item = (&'a Tree, f64)>,
    growth: &Growth,
    graph: &mut Graph,
    rows: &str,
    classes: usize,
) -> Option<String> {
    let mut all: Option<String> = None;
    for (tree, weight) in trees.filter(|(tree, _)| tree.shape().0 > 0) {
        let mut shares = tree.draw(graph, rows, growth, classes)?;
        if weight.to_bits() != 1.0_f64.to_bits() {
            let weight = graph.row(&[weight]);
            shares = graph.op("Mul", &[&shares, &weight]);
        }
        all = Some(all.map_or(shares.clone(), |all| graph.op("Add", &[&all, &shares])));
    }
    Some(graph.parts(&all?, classes))
}
