//! The extremely fast decision tree (Manapragada, Webb and Salehi, *Extremely fast decision tree*, 2018), as River's.
//!
//! A leaf splits as soon as its best split is surely better than none at all, which is long before it is surely better
//! than the second best (what a [Hoeffding tree](crate::tree::hoeffding) waits for). In return every fork goes on
//! counting the rows that come through, and looks again whenever it has taken in `min_samples_reevaluate` (20) more: if
//! another column has become surely better than its own, all below it goes and it forks anew; if no split is worth
//! anything any more, it becomes a leaf. Where the same column is best, but at another threshold, only the threshold
//! moves.
//!
//! Other options: those of the Hoeffding tree. When the tree is larger than `max_size`, forks stop counting first, those
//! with the least to gain before the others, then leaves.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::compact::{Link, Linked, compact};
use super::growth::{Growth, LeafPrediction, TREE_OPTIONS};
use super::labelled::{Labelled, Method, Scratch};
use super::leaf::Leaf;
use super::split::{self, Candidate, Question, Ranking};
use super::stats::Stats;
use super::structure::{Example, Fork, columns};
use super::view::{Spot, View, Voter};
use crate::options::{OptionError, Options};
use crate::random::Random;

/// The name for `create`.
pub const NAME: &str = "extremely_fast_decision_tree";

/// An extremely fast decision tree.
pub type ExtremelyFastDecisionTree = Labelled<ExtremelyFast>;

/// How an [`ExtremelyFastDecisionTree`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ExtremelyFast {
    growth: Growth,
    /// Weight a fork takes in between two looks.
    reevaluate: u32,
    /// The root is the first; branches come after their fork. Empty until the first row.
    nodes: Vec<Counting>,
    size: u64,
    revised: u64,
    pruned: u64,
    random: Random,
    #[serde(skip)]
    scratch: Scratch,
}

/// A node: what it counts, and where it forks, if it does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Counting {
    leaf: Box<Leaf>,
    fork: Option<Fork>,
}

impl Linked for Counting {
    fn links(&mut self) -> [Option<Link<'_>>; 2] {
        [self.fork.as_mut().map(|fork| (&mut fork.first, fork.branches)), None]
    }
}

impl ExtremelyFast {
    fn push(&mut self, start: &[f64], depth: u32, dim: usize) {
        let leaf = Leaf::new(start, columns(dim, &self.growth, &mut self.random), depth, None);
        self.size += leaf.size() + 5;
        self.nodes.push(Counting { leaf: Box::new(leaf), fork: None });
    }

    fn find(&self, row: Example<'_>) -> usize {
        let mut at = 0;
        while let Some(fork) = &self.nodes[at].fork {
            at = fork.next(row);
        }
        at
    }

    /// The splits of a node and their bound, if it has taken in `grace` of weight since they were last looked at.
    fn ranking(&mut self, at: usize, grace: u32, row: Example<'_>) -> Option<(Ranking, f64)> {
        let leaf = &mut self.nodes[at].leaf;
        let weight = leaf.weight();
        if !leaf.active || weight - leaf.weight_at_last_try < f64::from(grace) {
            return None;
        }
        leaf.weight_at_last_try = weight;
        let most = leaf.counts.iter().copied().fold(0.0, f64::max);
        if most >= weight || most > self.growth.max_share_to_split * weight {
            return None;
        }
        let bound = self.growth.bound(split::range(self.growth.criterion, &leaf.counts), weight);
        let asked = self.nodes[at].fork.map(|fork| fork.column);
        Some((Ranking::of(&self.nodes[at].leaf, row.nominal, &self.growth, asked), bound))
    }

    /// Splits a leaf if any split is surely better than none.
    fn try_split(&mut self, at: usize, row: Example<'_>) {
        if self.nodes[at].leaf.depth >= self.growth.max_depth {
            return;
        }
        let Some((ranking, bound)) = self.ranking(at, self.growth.grace_period, row) else { return };
        if let Some(best) = ranking.best
            && best.merit > 0.0
            && (best.merit > bound || bound < self.growth.tau)
        {
            self.fork(at, &best, row.values.len());
        }
    }

    fn fork(&mut self, at: usize, split: &Candidate, dim: usize) {
        let (width, depth) = (self.nodes[at].leaf.width(), self.nodes[at].leaf.depth);
        self.nodes[at].fork = Some(Fork::of::<Leaf>(split, width, self.nodes.len()));
        for branch in split.branches.chunks_exact(width) {
            self.push(branch, depth + 1, dim);
        }
    }

    /// Looks again at a fork; true if what is below it changed.
    fn reevaluate(&mut self, at: usize, row: Example<'_>) -> bool {
        let Some((ranking, bound)) = self.ranking(at, self.reevaluate, row) else { return false };
        let (Some(best), Some(fork)) = (ranking.best, &mut self.nodes[at].fork) else { return false };
        if best.merit <= 0.0 {
            self.nodes[at].fork = None;
            self.pruned += 1;
        } else if best.column == fork.column {
            if let (Question::AtMost(_), Question::AtMost(_)) = (best.question, fork.question) {
                fork.question = best.question;
            }
            return false;
        } else {
            let lead = best.merit - ranking.current.unwrap_or(0.0);
            let close = bound < self.growth.tau && lead > self.growth.tau / 2.0;
            if lead <= bound && !close {
                return false;
            }
            self.fork(at, &best, row.values.len());
            self.revised += 1;
        }
        compact(&mut self.nodes);
        self.resize();
        true
    }

    fn resize(&mut self) {
        self.size = self.nodes.iter().map(|node| node.leaf.size() + 5).sum();
    }

    fn slim(&mut self) {
        while self.size > self.growth.cells_max {
            let active = self.nodes.iter_mut().filter(|node| node.leaf.active);
            let order = |one: &&mut Counting, other: &&mut Counting| {
                let promise = |node: &&mut Counting| (node.fork.is_none(), node.leaf.promise());
                let (one, other) = (promise(one), promise(other));
                one.0.cmp(&other.0).then(one.1.total_cmp(&other.1))
            };
            let Some(node) = active.min_by(order) else { return };
            node.leaf.deactivate();
            self.resize();
        }
    }
}

impl View<Leaf> for ExtremelyFast {
    fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn spot(&self, at: usize) -> Spot<'_, Leaf> {
        match &self.nodes[at] {
            Counting { fork: Some(fork), .. } => Spot::Fork(fork),
            Counting { leaf, .. } => Spot::Leaf(leaf),
        }
    }

    fn leaf(&self, row: Example<'_>) -> Option<&Leaf> {
        (!self.nodes.is_empty()).then(|| &*self.nodes[self.find(row)].leaf)
    }
}

impl Method for ExtremelyFast {
    const NAME: &'static str = NAME;

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = [&["min_samples_reevaluate"][..], &TREE_OPTIONS].concat();
        let options = Options::new(NAME, &known, options)?;
        Ok(ExtremelyFast {
            growth: Growth::default().with(&options)?,
            reevaluate: options.number("min_samples_reevaluate", 1..=1_000_000_000)?.unwrap_or(20),
            nodes: Vec::new(),
            size: 0,
            revised: 0,
            pruned: 0,
            random: Random::new(0),
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        if self.nodes.is_empty() {
            self.push(&[], 0, row.values.len());
        }
        // A fork never answers, so it need not know whether it would be right.
        let counting = Growth { leaf: LeafPrediction::Majority, ..self.growth };
        let (mut at, mut grown) = (0, false);
        while let Some(fork) = self.nodes[at].fork {
            grown |= self.nodes[at].leaf.learn(row, class, weight, &counting, &mut self.scratch.0);
            if self.reevaluate(at, row) {
                // What lies below is new, and made from counts that have this row.
                return self.slim();
            }
            at = fork.next(row);
        }
        grown |= self.nodes[at].leaf.learn(row, class, weight, &self.growth, &mut self.scratch.0);
        if grown {
            self.resize();
        }
        self.try_split(at, row);
        self.slim();
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        ask(Voter::new(self, &self.growth, 1.0));
    }

    fn describe(&self) -> Value {
        let leaves = || self.nodes.iter().filter(|node| node.fork.is_none());
        json!({
            "nodes": self.nodes.len(),
            "leaves": leaves().count(),
            "active_leaves": leaves().filter(|node| node.leaf.active).count(),
            "depth": leaves().map(|node| node.leaf.depth).max().unwrap_or(0),
            "forks_revised": self.revised,
            "forks_pruned": self.pruned,
        })
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        let mut expected = 1;
        for (at, node) in self.nodes.iter().enumerate() {
            node.leaf.validate(dim, classes)?;
            if let Some(fork) = &node.fork {
                fork.validate(at, self.nodes.len(), dim)?;
                expected += fork.branches as usize;
            }
        }
        // As many nodes as are led to: none twice.
        let whole = self.nodes.is_empty() || expected == self.nodes.len();
        if whole && self.reevaluate > 0 { Ok(()) } else { Err("its nodes") }
    }
}
