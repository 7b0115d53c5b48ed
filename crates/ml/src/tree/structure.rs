//! A tree, flat in a vector: how it finds a row's leaf, learns and splits.

use serde::{Deserialize, Serialize};

use super::growth::Growth;
use super::leaf::Leaf;
use super::split::{self, Candidate, Question, Ranking};
use crate::random::Random;

/// A row, and which of its columns hold codes of categories (in rising order).
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) nominal: &'a [u32],
}

/// A leaf, or a place where the tree forks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Node {
    Leaf(Box<Leaf>),
    Fork(Fork),
}

/// A place where the tree forks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Fork {
    pub(crate) column: u32,
    pub(crate) question: Question,
    /// The node of the first branch; the others follow it.
    pub(crate) first: u32,
    pub(crate) branches: u32,
    /// The branch that had the most weight: rows without an answer to the question go there.
    pub(crate) heaviest: u32,
}

impl Fork {
    fn branch(&self, row: Example<'_>) -> u32 {
        let value = row.values[self.column as usize];
        if value.is_nan() {
            return self.heaviest;
        }
        match self.question {
            Question::AtMost(threshold) => u32::from(value > threshold),
            Question::Is(code) => u32::from(value != f64::from(code)),
            Question::Which if value < f64::from(self.branches) => value as u32,
            Question::Which => self.heaviest,
        }
    }
}

/// A tree that grows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Tree {
    /// The root is the first. A fork's branches come after it. Empty until the first row.
    nodes: Vec<Node>,
    /// Numbers kept, or so.
    size: u64,
    /// The columns that all leaves look at, where they were chosen for the whole tree.
    patch: Vec<u32>,
}

impl Tree {
    fn find(&self, row: Example<'_>) -> usize {
        let mut at = 0;
        while let Node::Fork(fork) = &self.nodes[at] {
            at = (fork.first + fork.branch(row)) as usize;
        }
        at
    }

    /// Learns a row.
    pub(crate) fn learn(
        &mut self,
        row: Example<'_>,
        class: usize,
        weight: f64,
        growth: &Growth,
        random: &mut Random,
        votes: &mut Vec<f64>,
    ) {
        if self.nodes.is_empty() {
            let columns = columns(row.values.len(), growth, random);
            if growth.per_tree {
                self.patch.clone_from(&columns);
            }
            self.push(Leaf::new(Vec::new(), columns, 0));
        }
        let at = self.find(row);
        let Node::Leaf(leaf) = &mut self.nodes[at] else { return };
        if leaf.learn(row, class, weight, growth, votes) {
            self.resize();
            self.slim(growth);
        }
        self.try_split(at, row, growth, random);
    }

    /// One vote per class that the row's leaf knows; none before the first row.
    pub(crate) fn votes(&self, row: Example<'_>, growth: &Growth, votes: &mut Vec<f64>) {
        votes.clear();
        if self.nodes.is_empty() {
            return;
        }
        if let Node::Leaf(leaf) = &self.nodes[self.find(row)] {
            leaf.votes(row, growth, votes);
        }
    }

    fn push(&mut self, leaf: Leaf) {
        self.size += leaf.size();
        self.nodes.push(Node::Leaf(Box::new(leaf)));
    }

    fn try_split(&mut self, at: usize, row: Example<'_>, growth: &Growth, random: &mut Random) {
        let Node::Leaf(leaf) = &mut self.nodes[at] else { return };
        if !leaf.active || leaf.depth >= growth.max_depth {
            return;
        }
        let weight = leaf.weight();
        if weight - leaf.weight_at_last_try < f64::from(growth.grace_period) {
            return;
        }
        leaf.weight_at_last_try = weight;
        let most = leaf.counts.iter().copied().fold(0.0, f64::max);
        if most >= weight || most > growth.max_share_to_split * weight {
            return;
        }
        let Ranking { best: Some(best), second } = Ranking::of(leaf, row.nominal, growth) else { return };
        let bound = growth.bound(split::range(growth.criterion, &leaf.counts), weight);
        // Not to split at all has a merit of 0.
        let idle = growth.merit_preprune.then_some(0.0);
        let rival = if best.merit <= 0.0 && idle.is_some() {
            Some(best.merit)
        } else {
            second.into_iter().chain(idle).reduce(f64::max)
        };
        let merit = if idle.is_some() { best.merit.max(0.0) } else { best.merit };
        let sure = rival.is_none_or(|rival| merit - rival > bound) || bound < growth.tau;
        if !sure {
            return;
        }
        if best.merit <= 0.0 && idle.is_some() {
            leaf.deactivate();
            self.resize();
        } else {
            self.fork(at, &best, row.values.len(), growth, random);
            self.slim(growth);
        }
    }

    fn fork(&mut self, at: usize, split: &Candidate, dim: usize, growth: &Growth, random: &mut Random) {
        let Node::Leaf(leaf) = &self.nodes[at] else { return };
        let (classes, depth, size) = (leaf.counts.len(), leaf.depth + 1, leaf.size());
        let first = self.nodes.len();
        let sizes: Vec<f64> =
            split.branches.chunks_exact(classes).map(|branch| branch.iter().sum()).collect();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let fork = Fork {
            column: split.column,
            question: split.question,
            first: number(first),
            branches: number(sizes.len()),
            heaviest: number(super::leaf::largest(&sizes)),
        };
        self.nodes[at] = Node::Fork(fork);
        self.size = self.size.saturating_sub(size) + 5;
        for branch in split.branches.chunks_exact(classes) {
            let columns = if growth.per_tree { self.patch.clone() } else { columns(dim, growth, random) };
            self.push(Leaf::new(branch.to_vec(), columns, depth));
        }
    }

    /// Counts anew what it keeps.
    fn resize(&mut self) {
        self.size =
            self.nodes.iter().map(|node| if let Node::Leaf(leaf) = node { leaf.size() } else { 5 }).sum();
    }

    /// Lets the leaves with the least to gain forget their columns until the tree is as small as it must be.
    fn slim(&mut self, growth: &Growth) {
        while self.size > growth.cells_max {
            let active = self.nodes.iter_mut().filter_map(|node| match node {
                Node::Leaf(leaf) if leaf.active => Some(leaf),
                _ => None,
            });
            let Some(leaf) = active.min_by(|one, other| one.promise().total_cmp(&other.promise())) else {
                return;
            };
            leaf.deactivate();
            self.resize();
        }
    }

    /// Nodes, leaves, active leaves, and the depth.
    pub(crate) fn shape(&self) -> (usize, usize, usize, u32) {
        let leaves = || {
            self.nodes.iter().filter_map(|node| if let Node::Leaf(leaf) = node { Some(leaf) } else { None })
        };
        let depth = leaves().map(|leaf| leaf.depth).max().unwrap_or(0);
        (self.nodes.len(), leaves().count(), leaves().filter(|leaf| leaf.active).count(), depth)
    }

    /// Says what is impossible about a tree that was read.
    pub(crate) fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        for (at, node) in self.nodes.iter().enumerate() {
            match node {
                Node::Leaf(leaf) => leaf.validate(dim, classes)?,
                Node::Fork(fork) => {
                    let (first, branches) = (fork.first as usize, fork.branches as usize);
                    // Branches that come later make every walk end.
                    let inside =
                        first > at && branches <= self.nodes.len() && first + branches <= self.nodes.len();
                    let answers = fork.heaviest < fork.branches
                        && match fork.question {
                            Question::AtMost(threshold) => threshold.is_finite() && branches == 2,
                            Question::Is(_) => branches == 2,
                            Question::Which => branches > 0,
                        };
                    if !inside || !answers || fork.column as usize >= dim {
                        return Err("a fork of a tree");
                    }
                }
            }
        }
        Ok(())
    }
}

/// The columns a leaf looks at: all, or some at random.
fn columns(dim: usize, growth: &Growth, random: &mut Random) -> Vec<u32> {
    let all: Vec<u32> = (0..dim).map(|column| u32::try_from(column).unwrap_or(u32::MAX)).collect();
    let Some(count) = growth.subspace.map(|count| count as usize).filter(|&count| count < dim) else {
        return all;
    };
    let mut all = all;
    for place in 0..count {
        let other = place + random.index(dim - place);
        all.swap(place, other);
    }
    all.truncate(count);
    all.sort_unstable();
    all
}
