//! A tree that replaces those of its parts that no longer hold.
//!
//! Each node watches its errors with ADWIN. When those of a fork rise, a second tree begins to grow beside it, on the
//! rows that come there; when that one errs less, and surely so, it takes the fork's place, and when it errs more, it
//! goes. The trees beside do not themselves have others beside.

use serde::{Deserialize, Serialize};

use super::compact::{Link, Linked, compact};
use super::growth::Growth;
use super::split::Candidate;
use super::stats::{Stats, Verdict};
use super::structure::{Example, Fork, Node, columns};
use super::view::{Spot, View};
use crate::drift::Watch;
use crate::options::{OptionError, Options};
use crate::random::Random;

/// The options of a tree that replaces its parts.
pub(crate) const ADAPTIVE_OPTIONS: [&str; 5] =
    ["adwin_delta", "bootstrap_sampling", "drift_window_threshold", "switch_significance", "seed"];

/// When parts are replaced.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Adapting {
    /// ADWIN's.
    pub(crate) adwin_delta: f64,
    /// Whether a leaf learns a row as often as a Poisson number of mean 1 says, and at least once.
    pub(crate) bootstrap: bool,
    /// Errors that two trees must have behind them before they are compared.
    pub(crate) window: u64,
    /// The chance that the one which errs less in its window is not the better one.
    pub(crate) significance: f64,
}

impl Adapting {
    pub(crate) fn from_options(options: &Options) -> Result<Self, OptionError> {
        Ok(Adapting {
            adwin_delta: options.number("adwin_delta", 1e-12..=1.0)?.unwrap_or(0.002),
            bootstrap: options.flag("bootstrap_sampling")?.unwrap_or(true),
            window: options.number("drift_window_threshold", 1..=1_000_000_000)?.unwrap_or(300),
            significance: options.number("switch_significance", 1e-12..=1.0)?.unwrap_or(0.05),
        })
    }

    /// How far apart two means must be, of which `one` is the mean of `n` and the other of `m`.
    fn bound(&self, one: &Watch, other: &Watch) -> f64 {
        let weight = 1.0 / one.width() as f64 + 1.0 / other.width() as f64;
        (2.0 * one.variance() * weight * libm::log(2.0 / self.significance)).sqrt()
    }

    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        let chance = |chance: f64| (1e-12..=1.0).contains(&chance);
        if chance(self.adwin_delta) && chance(self.significance) && self.window > 0 {
            Ok(())
        } else {
            Err("its options")
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
struct Place<L: Stats> {
    node: Node<L>,
    watch: Watch,
    /// The root of the tree that grows beside this fork.
    beside: Option<u32>,
}

impl<L: Stats> Place<L> {
    fn size(&self) -> u64 {
        let node = if let Node::Leaf(leaf) = &self.node { leaf.size() } else { 5 };
        node + self.watch.size()
    }
}

impl<L: Stats> Linked for Place<L> {
    fn links(&mut self) -> [Option<Link<'_>>; 2] {
        let branches = match &mut self.node {
            Node::Fork(fork) => Some((&mut fork.first, fork.branches)),
            Node::Leaf(_) => None,
        };
        [branches, self.beside.as_mut().map(|root| (root, 1))]
    }
}

/// A tree that replaces its parts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub(crate) struct Adaptive<L: Stats> {
    /// The root is the first; what a node leads to comes after it. Empty until the first row.
    places: Vec<Place<L>>,
    size: u64,
    begun: u64,
    replaced: u64,
    dropped: u64,
}

impl<L: Stats> Default for Adaptive<L> {
    fn default() -> Self {
        Adaptive { places: Vec::new(), size: 0, begun: 0, replaced: 0, dropped: 0 }
    }
}

/// What learning a row needs besides the tree.
pub(crate) struct Lesson<'a, L: Stats> {
    pub(crate) row: Example<'a>,
    pub(crate) target: L::Target,
    pub(crate) weight: f64,
    pub(crate) growth: &'a Growth,
    pub(crate) adapting: &'a Adapting,
    pub(crate) random: &'a mut Random,
    pub(crate) scratch: &'a mut Vec<f64>,
}

/// As it answers: without what grows beside it.
impl<L: Stats> View<L> for Adaptive<L> {
    fn nodes(&self) -> usize {
        self.places.len()
    }

    fn spot(&self, at: usize) -> Spot<'_, L> {
        match &self.places[at].node {
            Node::Leaf(leaf) => Spot::Leaf(leaf),
            Node::Fork(fork) => Spot::Fork(fork),
        }
    }

    fn leaf(&self, row: Example<'_>) -> Option<&L> {
        if self.places.is_empty() {
            return None;
        }
        match &self.places[self.find(0, row)].node {
            Node::Leaf(leaf) => Some(leaf),
            Node::Fork(_) => None,
        }
    }
}

impl<L: Stats> Adaptive<L> {
    fn find(&self, from: usize, row: Example<'_>) -> usize {
        let mut at = from;
        while let Node::Fork(fork) = &self.places[at].node {
            at = fork.next(row);
        }
        at
    }

    /// Learns a row, in the tree and in those beside it.
    pub(crate) fn learn(&mut self, mut lesson: Lesson<'_, L>) {
        if self.places.is_empty() {
            self.push(0, &[], None, &mut lesson);
        }
        let error = self.error(0, &mut lesson);
        let mut at = 0;
        loop {
            let rising = self.places[at].watch.add(error);
            let Node::Fork(fork) = &self.places[at].node else { break };
            let next = fork.next(lesson.row);
            let beside = self.places[at].beside;
            match beside {
                None if rising => self.begin_beside(at, &mut lesson),
                // The path goes on in another tree then.
                Some(beside) if self.settle(at, beside as usize, lesson.adapting) => break,
                _ => {}
            }
            if let Some(beside) = self.places[at].beside {
                self.learn_beside(beside as usize, &mut lesson);
            }
            at = next;
        }
        let leaf = self.find(0, lesson.row);
        self.learn_leaf(leaf, &mut lesson);
        self.slim(lesson.growth);
    }

    fn error(&self, from: usize, lesson: &mut Lesson<'_, L>) -> f64 {
        match &self.places[self.find(from, lesson.row)].node {
            Node::Leaf(leaf) => leaf.error(lesson.row, lesson.target, lesson.growth, lesson.scratch),
            Node::Fork(_) => 1.0,
        }
    }

    /// The tree beside a fork learns the row too.
    fn learn_beside(&mut self, root: usize, lesson: &mut Lesson<'_, L>) {
        let error = self.error(root, lesson);
        let mut at = root;
        loop {
            self.places[at].watch.add(error);
            match &self.places[at].node {
                Node::Fork(fork) => at = fork.next(lesson.row),
                Node::Leaf(_) => return self.learn_leaf(at, lesson),
            }
        }
    }

    fn learn_leaf(&mut self, at: usize, lesson: &mut Lesson<'_, L>) {
        let times = if lesson.adapting.bootstrap { lesson.random.poisson(1.0).max(1) } else { 1 };
        let Node::Leaf(leaf) = &mut self.places[at].node else { return };
        let Lesson { row, target, weight, growth, .. } = *lesson;
        if leaf.learn(row, target, weight * f64::from(times), growth, lesson.scratch) {
            self.resize();
        }
        let Node::Leaf(leaf) = &mut self.places[at].node else { return };
        match leaf.judge(row, growth) {
            Verdict::Wait => {}
            Verdict::Never => {
                leaf.deactivate();
                self.resize();
            }
            Verdict::Split(split) => self.fork(at, &split, lesson),
        }
    }

    fn fork(&mut self, at: usize, split: &Candidate, lesson: &mut Lesson<'_, L>) {
        let Node::Leaf(leaf) = &self.places[at].node else { return };
        let width = leaf.width();
        let fork = Fork::of::<L>(split, width, self.places.len());
        let Node::Leaf(leaf) = std::mem::replace(&mut self.places[at].node, Node::Fork(fork)) else {
            return;
        };
        self.size = self.size.saturating_sub(leaf.size()) + 5;
        for branch in split.branches.chunks_exact(width) {
            self.push(leaf.depth() + 1, branch, Some(&leaf), lesson);
        }
    }

    fn push(&mut self, depth: u32, start: &[f64], parent: Option<&L>, lesson: &mut Lesson<'_, L>) {
        let columns = columns(lesson.row.values.len(), lesson.growth, lesson.random);
        let leaf = L::new(start, columns, depth, parent);
        let watch = Watch::new(lesson.adapting.adwin_delta);
        let place = Place { node: Node::Leaf(Box::new(leaf)), watch, beside: None };
        self.size += place.size();
        self.places.push(place);
    }

    /// A second tree begins beside a fork, if there is room.
    fn begin_beside(&mut self, at: usize, lesson: &mut Lesson<'_, L>) {
        if self.size >= lesson.growth.cells_max {
            return;
        }
        let root = self.places.len();
        let depth = self.depth_below(at).saturating_sub(1);
        self.push(depth, &[], None, lesson);
        self.places[at].beside = u32::try_from(root).ok();
        self.begun += 1;
    }

    /// The depth of the first branch of a fork.
    fn depth_below(&self, at: usize) -> u32 {
        let (mut at, mut forks) = (at, 0);
        loop {
            match &self.places[at].node {
                Node::Leaf(leaf) => return leaf.depth().saturating_sub(forks) + 1,
                Node::Fork(fork) => {
                    at = fork.first as usize;
                    forks += 1;
                }
            }
        }
    }

    /// Decides between a fork and the tree beside it, if that can be told yet; true if the fork was replaced.
    fn settle(&mut self, at: usize, beside: usize, adapting: &Adapting) -> bool {
        let (old, new) = (&self.places[at].watch, &self.places[beside].watch);
        if old.width() <= adapting.window || new.width() <= adapting.window {
            return false;
        }
        let bound = adapting.bound(old, new);
        let better = old.error() - new.error();
        if better > bound {
            self.places.swap(at, beside);
            self.replaced += 1;
        } else if -better > bound {
            self.places[at].beside = None;
            self.dropped += 1;
            return false;
        } else {
            return false;
        }
        compact(&mut self.places);
        self.resize();
        true
    }

    /// Counts anew what it keeps.
    fn resize(&mut self) {
        self.size = self.places.iter().map(Place::size).sum();
    }

    /// Makes the tree as small as it must be: what nothing leads to goes, then the trees beside, then the columns of
    /// the leaves with the least to gain.
    fn slim(&mut self, growth: &Growth) {
        if self.size <= growth.cells_max {
            return;
        }
        let beside = |place: &mut Place<L>| u64::from(place.beside.take().is_some());
        self.dropped += self.places.iter_mut().map(beside).sum::<u64>();
        compact(&mut self.places);
        self.resize();
        while self.size > growth.cells_max {
            let active = self.places.iter_mut().filter_map(|place| match &mut place.node {
                Node::Leaf(leaf) if leaf.active() => Some(leaf),
                _ => None,
            });
            let Some(leaf) = active.min_by(|one, other| one.promise().total_cmp(&other.promise())) else {
                return;
            };
            leaf.deactivate();
            self.resize();
        }
    }

    /// What it is like, for people.
    pub(crate) fn describe(&self) -> serde_json::Value {
        let leaves = || {
            self.places.iter().filter_map(|place| match &place.node {
                Node::Leaf(leaf) => Some(leaf),
                Node::Fork(_) => None,
            })
        };
        serde_json::json!({
            "nodes": self.places.len(),
            "leaves": leaves().count(),
            "active_leaves": leaves().filter(|leaf| leaf.active()).count(),
            "depth": leaves().map(|leaf| leaf.depth()).max().unwrap_or(0),
            "trees_beside": self.places.iter().filter(|place| place.beside.is_some()).count(),
            "trees_begun": self.begun,
            "trees_replaced": self.replaced,
            "trees_dropped": self.dropped,
        })
    }

    /// Says what is impossible about a tree that was read.
    pub(crate) fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        let nodes = self.places.len();
        let mut reached = vec![false; nodes];
        let mut reach = |place: usize| {
            let first = reached.get(place) == Some(&false);
            reached.get_mut(place).into_iter().for_each(|reached| *reached = true);
            first
        };
        for (at, place) in self.places.iter().enumerate() {
            place.watch.validate()?;
            match &place.node {
                Node::Leaf(leaf) => leaf.validate(dim, classes)?,
                Node::Fork(fork) => {
                    fork.validate(at, nodes, dim)?;
                    let first = fork.first as usize;
                    if !(first..first + fork.branches as usize).all(&mut reach) {
                        return Err("a fork of a tree");
                    }
                }
            }
            if place.beside.is_some_and(|root| root as usize <= at || !reach(root as usize)) {
                return Err("a tree beside another");
            }
        }
        Ok(())
    }
}
