//! The tree of cluster features: balanced, each entry the sum of what hangs below it.

use serde::{Deserialize, Serialize};

use super::super::centers::squared_distance;
use super::super::feature::{Feature, nearest};

/// So that walking down by calls is safe; no tree of rows that differ comes near it.
const HEIGHT_MAX: usize = 64;

/// Sub-clusters and the way to them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Tree {
    threshold: f64,
    branching_factor: usize,
    nodes: Vec<Node>,
    root: usize,
    height: usize,
    /// How many sub-clusters there are.
    leaves: usize,
}

/// Either all entries have a node below, or all are sub-clusters.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Node {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    feature: Feature,
    below: Option<usize>,
}

impl Tree {
    pub(super) fn new(threshold: f64, branching_factor: usize) -> Self {
        Tree { threshold, branching_factor, nodes: vec![Node::default()], root: 0, height: 1, leaves: 0 }
    }

    pub(super) fn threshold(&self) -> f64 {
        self.threshold
    }

    /// The sub-clusters.
    pub(super) fn leaves(&self) -> impl Iterator<Item = &Feature> {
        let entries = self.nodes.iter().flat_map(|node| &node.entries);
        entries.filter(|entry| entry.below.is_none()).map(|entry| &entry.feature)
    }

    /// Whether there are no more sub-clusters than may be, and not many more nodes.
    pub(super) fn fits(&self, subclusters_max: usize) -> bool {
        self.height <= HEIGHT_MAX && self.nodes.len() <= 4 * subclusters_max && self.leaves <= subclusters_max
    }

    /// Takes in rows by what a feature says of them.
    pub(super) fn insert(&mut self, weight: f64, mean: &[f64], deviations: f64) {
        if !self.insert_below(self.root, (weight, mean, deviations)) {
            return;
        }
        let (one, other) = self.part(self.root);
        self.root = self.nodes.len();
        self.nodes.push(Node { entries: vec![one, other] });
        self.height += 1;
    }

    /// Says whether the node has become too large.
    fn insert_below(&mut self, place: usize, rows: (f64, &[f64], f64)) -> bool {
        let (weight, mean, deviations) = rows;
        let entry = || Entry { feature: Feature { weight, mean: mean.to_vec(), deviations }, below: None };
        let entries = &mut self.nodes[place].entries;
        let found = nearest(entries.iter().map(|entry| &entry.feature), mean);
        let Some((closest, _)) = found else {
            entries.push(entry());
            self.leaves += 1;
            return false;
        };
        let Entry { feature, below } = &mut entries[closest];
        match *below {
            None => {
                let squared = feature.squared_radius_with(weight, mean, deviations);
                if squared <= self.threshold * self.threshold {
                    feature.merge(weight, mean, deviations);
                } else {
                    entries.push(entry());
                    self.leaves += 1;
                }
            }
            Some(below) => {
                feature.merge(weight, mean, deviations);
                if self.insert_below(below, rows) {
                    let (one, other) = self.part(below);
                    let entries = &mut self.nodes[place].entries;
                    entries[closest] = one;
                    entries.push(other);
                }
            }
        }
        self.nodes[place].entries.len() > self.branching_factor
    }

    /// Parts a node in two around the two entries that are farthest from each other; what to call them in the node above.
    fn part(&mut self, place: usize) -> (Entry, Entry) {
        let entries = std::mem::take(&mut self.nodes[place].entries);
        let (first, second) = farthest(&entries);
        let ends = [first, second].map(|end| entries[end].feature.mean.clone());
        let (mut one, mut other) = (Node::default(), Node::default());
        for (at, entry) in entries.into_iter().enumerate() {
            let [near, far] = [0, 1].map(|end| squared_distance(&entry.feature.mean, &ends[end]));
            if at == first || at != second && near < far { &mut one } else { &mut other }.entries.push(entry);
        }
        let new = self.nodes.len();
        let called = |node: &Node, below| Entry { feature: sum(node), below: Some(below) };
        let parts = (called(&one, place), called(&other, new));
        self.nodes[place] = one;
        self.nodes.push(other);
        parts
    }

    /// Doubles the threshold, or makes it as large as it takes to join any two neighbours, and joins anew.
    pub(super) fn coarsen(&mut self) {
        let leaves: Vec<Feature> = self.leaves().cloned().collect();
        let mut least = f64::INFINITY;
        for node in &self.nodes {
            for (at, entry) in node.entries.iter().enumerate().filter(|(_, entry)| entry.below.is_none()) {
                for other in &node.entries[at + 1..] {
                    let Feature { weight, mean, deviations } = &other.feature;
                    least = least.min(entry.feature.squared_radius_with(*weight, mean, *deviations));
                }
            }
        }
        let enough = if least.is_finite() { least.sqrt() } else { 0.0 };
        let mut tree = Tree::new((2.0 * self.threshold).max(enough), self.branching_factor);
        leaves.iter().for_each(|leaf| tree.insert(leaf.weight, &leaf.mean, leaf.deviations));
        *self = tree;
    }

    /// Whether it is a tree, of rows `dim` wide, in which every walk ends.
    pub(super) fn is_sound(&self, dim: usize) -> bool {
        if !(self.threshold > 0.0 && self.threshold.is_finite() && self.branching_factor >= 2) {
            return false;
        }
        let mut seen = vec![false; self.nodes.len()];
        let mut open = vec![(self.root, 1)];
        while let Some((place, level)) = open.pop() {
            if place >= seen.len() || seen[place] || level > self.height || self.height > HEIGHT_MAX {
                return false;
            }
            seen[place] = true;
            let entries = &self.nodes[place].entries;
            let leaf = level == self.height;
            let filled = !entries.is_empty() || self.nodes.len() == 1;
            let alike = entries.iter().all(|entry| entry.below.is_none() == leaf);
            let sound = entries.iter().all(|entry| entry.feature.is_sound(dim));
            if !(filled && alike && sound && entries.len() <= self.branching_factor) {
                return false;
            }
            open.extend(entries.iter().filter_map(|entry| Some((entry.below?, level + 1))));
        }
        seen.iter().all(|seen| *seen) && self.leaves().count() == self.leaves
    }
}

/// The first two entries of the largest distance.
fn farthest(entries: &[Entry]) -> (usize, usize) {
    let mut best = (0, 1, -1.0);
    for (one, entry) in entries.iter().enumerate() {
        for (other, twin) in entries.iter().enumerate().skip(one + 1) {
            let distance = squared_distance(&entry.feature.mean, &twin.feature.mean);
            if distance > best.2 {
                best = (one, other, distance);
            }
        }
    }
    (best.0, best.1)
}

fn sum(node: &Node) -> Feature {
    let mut features = node.entries.iter().map(|entry| &entry.feature);
    let mut sum = features.next().expect("a part of a node has an end of its own").clone();
    features.for_each(|feature| sum.join(feature));
    sum
}
