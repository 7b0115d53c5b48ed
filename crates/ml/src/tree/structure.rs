//! A tree, flat in a vector: how it finds a row's leaf, learns and splits.

use serde::{Deserialize, Serialize};

use super::growth::Growth;
use super::leaf::Leaf;
use super::split::{Candidate, Question};
use super::stats::{Stats, Verdict};
use super::view::{Spot, View};
use crate::random::Random;

/// A row, and which of its columns hold codes of categories (in rising order).
#[derive(Clone, Copy, Debug)]
pub struct Example<'a> {
    pub(crate) values: &'a [f64],
    pub(crate) nominal: &'a [u32],
    /// The values at one scale, where rows are labelled with numbers; missing ones and categories are 0.
    pub(crate) scaled: &'a [f64],
    pub(crate) scale: Scale,
}

/// The targets so far, where they are numbers.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scale {
    pub(crate) mean: f64,
    pub(crate) deviation: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

/// A leaf, or a place where the tree forks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) enum Node<L: Stats = Leaf> {
    Leaf(Box<L>),
    Fork(Fork),
}

/// A place where the tree forks.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
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
    /// What a split says of a leaf with `width` numbers per branch, if its branches are at `first`.
    pub(crate) fn of<L: Stats>(split: &Candidate, width: usize, first: usize) -> Self {
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
        let weights: Vec<f64> = split.branches.chunks_exact(width).map(L::weight_of).collect();
        Fork {
            column: split.column,
            question: split.question,
            first: number(first),
            branches: number(weights.len()),
            heaviest: number(super::leaf::largest(&weights)),
        }
    }

    /// The node that a row goes to next.
    pub(crate) fn next(&self, row: Example<'_>) -> usize {
        (self.first + self.branch(row)) as usize
    }

    /// Says what is impossible about one that was read, at a place among so many nodes.
    pub(crate) fn validate(&self, at: usize, nodes: usize, dim: usize) -> Result<(), &'static str> {
        let (first, branches) = (self.first as usize, self.branches as usize);
        // Branches that come later make every walk end.
        let inside = first > at && branches <= nodes && first + branches <= nodes;
        let answers = self.heaviest < self.branches
            && match self.question {
                Question::AtMost(threshold) => threshold.is_finite() && branches == 2,
                Question::Is(_) => branches == 2,
                Question::Which => branches > 0,
            };
        if inside && answers && (self.column as usize) < dim { Ok(()) } else { Err("a fork of a tree") }
    }

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
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Tree<L: Stats = Leaf> {
    /// The root is the first. A fork's branches come after it. Empty until the first row.
    nodes: Vec<Node<L>>,
    /// Numbers kept, or so.
    size: u64,
    /// The columns that all leaves look at, where they were chosen for the whole tree.
    patch: Vec<u32>,
}

impl<L: Stats> Default for Tree<L> {
    fn default() -> Self {
        Tree { nodes: Vec::new(), size: 0, patch: Vec::new() }
    }
}

impl<L: Stats> Tree<L> {
    fn find(&self, row: Example<'_>) -> usize {
        let mut at = 0;
        while let Node::Fork(fork) = &self.nodes[at] {
            at = fork.next(row);
        }
        at
    }

    /// Learns a row.
    pub(crate) fn learn(
        &mut self,
        row: Example<'_>,
        target: L::Target,
        weight: f64,
        growth: &Growth,
        random: &mut Random,
        scratch: &mut Vec<f64>,
    ) {
        if self.nodes.is_empty() {
            let columns = columns(row.values.len(), growth, random);
            if growth.per_tree {
                self.patch.clone_from(&columns);
            }
            self.push(L::new(&[], columns, 0, None));
        }
        let at = self.find(row);
        let Node::Leaf(leaf) = &mut self.nodes[at] else { return };
        let before = leaf.size();
        if leaf.learn(row, target, weight, growth, scratch) {
            self.size = (self.size + leaf.size()).saturating_sub(before);
            self.slim(growth);
        }
        self.try_split(at, row, growth, random);
    }

    fn push(&mut self, leaf: L) {
        self.size += leaf.size();
        self.nodes.push(Node::Leaf(Box::new(leaf)));
    }

    fn try_split(&mut self, at: usize, row: Example<'_>, growth: &Growth, random: &mut Random) {
        let Node::Leaf(leaf) = &mut self.nodes[at] else { return };
        match leaf.judge(row, growth) {
            Verdict::Wait => {}
            Verdict::Never => {
                leaf.deactivate();
                self.resize();
            }
            Verdict::Split(split) => {
                self.fork(at, &split, row.values.len(), growth, random);
                self.slim(growth);
            }
        }
    }

    fn fork(&mut self, at: usize, split: &Candidate, dim: usize, growth: &Growth, random: &mut Random) {
        let Node::Leaf(leaf) = &self.nodes[at] else { return };
        let width = leaf.width();
        let fork = Fork::of::<L>(split, width, self.nodes.len());
        let Node::Leaf(leaf) = std::mem::replace(&mut self.nodes[at], Node::Fork(fork)) else { return };
        self.size = self.size.saturating_sub(leaf.size()) + 5;
        for branch in split.branches.chunks_exact(width) {
            let columns = if growth.per_tree { self.patch.clone() } else { columns(dim, growth, random) };
            self.push(L::new(branch, columns, leaf.depth() + 1, Some(&leaf)));
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
                Node::Leaf(leaf) if leaf.active() => Some(leaf),
                _ => None,
            });
            let Some(leaf) = active.min_by(|one, other| one.promise().total_cmp(&other.promise())) else {
                return;
            };
            let before = leaf.size();
            leaf.deactivate();
            self.size = (self.size + leaf.size()).saturating_sub(before);
        }
    }

    /// Nodes, leaves, active leaves, and the depth.
    pub(crate) fn shape(&self) -> (usize, usize, usize, u32) {
        let leaves = || {
            self.nodes.iter().filter_map(|node| if let Node::Leaf(leaf) = node { Some(leaf) } else { None })
        };
        let depth = leaves().map(|leaf| leaf.depth()).max().unwrap_or(0);
        (self.nodes.len(), leaves().count(), leaves().filter(|leaf| leaf.active()).count(), depth)
    }

    /// Says what is impossible about a tree that was read.
    pub(crate) fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        for (at, node) in self.nodes.iter().enumerate() {
            match node {
                Node::Leaf(leaf) => leaf.validate(dim, classes)?,
                Node::Fork(fork) => fork.validate(at, self.nodes.len(), dim)?,
            }
        }
        Ok(())
    }
}

impl<L: Stats> View<L> for Tree<L> {
    fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn spot(&self, at: usize) -> Spot<'_, L> {
        match &self.nodes[at] {
            Node::Leaf(leaf) => Spot::Leaf(leaf),
            Node::Fork(fork) => Spot::Fork(fork),
        }
    }

    fn leaf(&self, row: Example<'_>) -> Option<&L> {
        if self.nodes.is_empty() {
            return None;
        }
        match &self.nodes[self.find(row)] {
            Node::Leaf(leaf) => Some(leaf),
            Node::Fork(_) => None,
        }
    }
}

impl Tree {
    /// One vote per class that the row's leaf knows; none before the first row.
    pub(crate) fn votes(&self, row: Example<'_>, growth: &Growth, votes: &mut Vec<f64>) {
        match self.leaf(row) {
            Some(leaf) => leaf.votes(row, growth, votes),
            None => votes.clear(),
        }
    }
}

/// The columns a leaf looks at: all, or some at random.
pub(crate) fn columns(dim: usize, growth: &Growth, random: &mut Random) -> Vec<u32> {
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
