//! One tree: cuts of boxes, down to the rows.

use serde::{Deserialize, Serialize};

use crate::random::Random;

/// A tree; its nodes lie flat and refer to each other by place.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tree {
    pub(super) root: Option<u32>,
    pub(super) nodes: Vec<Node>,
    /// Nodes that are not in use.
    pub(super) free: Vec<u32>,
    /// The leaf of each slot.
    pub(super) leaves: Vec<u32>,
    /// For each branch the low ends of its box, then the high ends; 0 for leaves.
    pub(super) boxes: Vec<f64>,
}

/// A leaf or a branch.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Node {
    pub(super) parent: Option<u32>,
    /// Rows below it.
    pub(super) count: u32,
    pub(super) kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Equal rows, of which that in this slot is one.
    Leaf { slot: u32 },
    /// Rows up to the cut are left of it.
    Branch { left: u32, right: u32, column: u32, cut: f64 },
}

/// Where a row parts from a node.
struct Parting {
    column: usize,
    cut: f64,
    /// The row is on the left.
    left: bool,
}

impl Tree {
    /// Takes in the row of a slot.
    pub(super) fn insert(&mut self, slot: usize, points: &[f64], dim: usize, random: &mut Random) {
        let values = &points[slot * dim..(slot + 1) * dim];
        let leaf = Kind::Leaf { slot: index(slot) };
        let Some(mut node) = self.root else {
            let root = self.add(leaf, None, dim);
            self.root = Some(root);
            self.settle(slot, root);
            return;
        };
        loop {
            if self.is_row(node, values, points) {
                self.nodes[node as usize].count += 1;
                self.settle(slot, node);
                return;
            }
            if let Some(parting) = self.part(node, values, points, random) {
                let new = self.add(leaf, None, dim);
                self.join(node, new, &parting, values, points);
                self.settle(slot, new);
                return;
            }
            let Kind::Branch { left, right, column, cut } = self.nodes[node as usize].kind else {
                unreachable!("a row parts from a leaf or equals it")
            };
            self.nodes[node as usize].count += 1;
            let (low, high) = self.boxes[node as usize * 2 * dim..][..2 * dim].split_at_mut(dim);
            for ((low, high), &value) in low.iter_mut().zip(high).zip(values) {
                *low = low.min(value);
                *high = high.max(value);
            }
            node = if values[column as usize] <= cut { left } else { right };
        }
    }

    /// Lets the row of a slot go.
    pub(super) fn remove(&mut self, slot: usize, points: &[f64], dim: usize) {
        let leaf = self.leaves[slot];
        if self.nodes[leaf as usize].count > 1 {
            // Another of the equal rows stands for them all.
            self.leaves[slot] = u32::MAX;
            if let Some(other) = self.leaves.iter().position(|&of| of == leaf) {
                self.nodes[leaf as usize].kind = Kind::Leaf { slot: index(other) };
            }
            let mut at = Some(leaf);
            while let Some(node) = at {
                self.nodes[node as usize].count -= 1;
                at = self.nodes[node as usize].parent;
            }
            return;
        }
        let parent = self.nodes[leaf as usize].parent;
        self.release(leaf, dim);
        let Some(parent) = parent else {
            self.root = None;
            return;
        };
        let Kind::Branch { left, right, .. } = self.nodes[parent as usize].kind else {
            unreachable!("a parent is a branch")
        };
        let other = if left == leaf { right } else { left };
        let above = self.nodes[parent as usize].parent;
        self.release(parent, dim);
        self.replace(above, parent, other);
        let mut at = above;
        while let Some(node) = at {
            self.nodes[node as usize].count -= 1;
            self.measure(node, points, dim);
            at = self.nodes[node as usize].parent;
        }
    }

    /// The displacement that a row would cause if it were taken in.
    pub(super) fn score(&self, values: &[f64], points: &[f64], random: &mut Random) -> f64 {
        let Some(mut node) = self.root else { return 0.0 };
        let mut most = 0.0_f64;
        loop {
            if self.is_row(node, values, points) {
                return most;
            }
            if self.part(node, values, points, random).is_some() {
                return most.max(self.count(node));
            }
            let Kind::Branch { left, right, column, cut } = self.nodes[node as usize].kind else {
                return most;
            };
            let on_the_left = values[column as usize] <= cut;
            let (own, other) = if on_the_left { (left, right) } else { (right, left) };
            most = most.max(self.count(other) / (self.count(own) + 1.0));
            node = own;
        }
    }

    fn count(&self, node: u32) -> f64 {
        f64::from(self.nodes[node as usize].count)
    }

    fn settle(&mut self, slot: usize, leaf: u32) {
        if slot == self.leaves.len() {
            self.leaves.push(leaf);
        } else {
            self.leaves[slot] = leaf;
        }
    }

    fn is_row(&self, node: u32, values: &[f64], points: &[f64]) -> bool {
        let (low, high) = self.bounds(node, points, values.len());
        low == values && high == values
    }

    /// The ends of a node's box.
    fn bounds<'a>(&'a self, node: u32, points: &'a [f64], dim: usize) -> (&'a [f64], &'a [f64]) {
        match self.nodes[node as usize].kind {
            Kind::Leaf { slot } => {
                let point = &points[slot as usize * dim..][..dim];
                (point, point)
            }
            Kind::Branch { .. } => self.boxes[node as usize * 2 * dim..][..2 * dim].split_at(dim),
        }
    }

    /// Cuts the box of a node and a row; `None` if the cut goes through the node.
    fn part(&self, node: u32, values: &[f64], points: &[f64], random: &mut Random) -> Option<Parting> {
        let (low, high) = self.bounds(node, points, values.len());
        let side = |column: usize| high[column].max(values[column]) - low[column].min(values[column]);
        let mut left = random.uniform() * (0..values.len()).map(side).sum::<f64>();
        for (column, &value) in values.iter().enumerate() {
            let length = side(column);
            if left >= length {
                left -= length;
                continue;
            }
            let cut = low[column].min(value) + left;
            if value <= cut && cut < low[column] {
                return Some(Parting { column, cut, left: true });
            }
            if high[column] <= cut && cut < value {
                return Some(Parting { column, cut, left: false });
            }
            break;
        }
        if matches!(self.nodes[node as usize].kind, Kind::Branch { .. }) {
            return None;
        }
        // Rounding can lead a cut past both; a leaf has to be parted from somewhere.
        let apart = |(column, &value): (usize, &f64)| {
            let (low, high) = (low[column], high[column]);
            (value != low).then(|| Parting { column, cut: value.min(high), left: value < low })
        };
        values.iter().enumerate().find_map(apart)
    }

    /// Puts a new leaf beside a node, and one more row on all nodes above: they were told on the way down.
    fn join(&mut self, node: u32, leaf: u32, parting: &Parting, values: &[f64], points: &[f64]) {
        let dim = values.len();
        let (left, right) = if parting.left { (leaf, node) } else { (node, leaf) };
        let column = index(parting.column);
        let above = self.nodes[node as usize].parent;
        let branch = self.add(Kind::Branch { left, right, column, cut: parting.cut }, above, dim);
        self.nodes[branch as usize].count = self.nodes[node as usize].count + 1;
        self.replace(above, node, branch);
        self.nodes[node as usize].parent = Some(branch);
        self.nodes[leaf as usize].parent = Some(branch);
        self.measure(branch, points, dim);
    }

    /// Makes `new` the child of `above`, or the root, where `old` was.
    fn replace(&mut self, above: Option<u32>, old: u32, new: u32) {
        self.nodes[new as usize].parent = above;
        let Some(above) = above else {
            self.root = Some(new);
            return;
        };
        if let Kind::Branch { left, right, .. } = &mut self.nodes[above as usize].kind {
            if *left == old {
                *left = new;
            } else {
                *right = new;
            }
        }
    }

    /// Draws the box of a branch around those of its children.
    pub(super) fn measure(&mut self, node: u32, points: &[f64], dim: usize) {
        let Kind::Branch { left, right, .. } = self.nodes[node as usize].kind else { return };
        for column in 0..dim {
            let (left, right) = (self.bounds(left, points, dim), self.bounds(right, points, dim));
            let (low, high) = (left.0[column].min(right.0[column]), left.1[column].max(right.1[column]));
            let start = node as usize * 2 * dim;
            (self.boxes[start + column], self.boxes[start + dim + column]) = (low, high);
        }
    }

    fn add(&mut self, kind: Kind, parent: Option<u32>, dim: usize) -> u32 {
        let node = Node { parent, count: 1, kind };
        if let Some(place) = self.free.pop() {
            self.nodes[place as usize] = node;
            return place;
        }
        self.nodes.push(node);
        self.boxes.resize(self.nodes.len() * 2 * dim, 0.0);
        index(self.nodes.len() - 1)
    }

    fn release(&mut self, node: u32, dim: usize) {
        self.boxes[node as usize * 2 * dim..][..2 * dim].fill(0.0);
        self.nodes[node as usize] = Node { parent: None, count: 0, kind: Kind::Leaf { slot: 0 } };
        self.free.push(node);
    }
}

fn index(place: usize) -> u32 {
    u32::try_from(place).expect("a tree has fewer than 2^32 nodes")
}
