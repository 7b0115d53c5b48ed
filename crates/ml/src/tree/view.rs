//! Trees as those see them who only ask: the answer of many that vote together, to one row or to many at once, and what
//! each column had to do with it.

use super::drawing;
use super::growth::Growth;
use super::leaf::{Leaf, Ready};
use super::number_leaf::NumberLeaf;
use super::structure::{Example, Fork, Scale};
use crate::onnx::Graph;
use crate::scratch::Lent;

/// One node of a tree.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Spot<'a, L> {
    Fork(&'a Fork),
    Leaf(&'a L),
}

/// A tree that can be asked. Its root is node 0, and what a fork leads to comes after it.
pub(crate) trait View<L> {
    /// How many nodes there are; none before the first row.
    fn nodes(&self) -> usize;

    /// One of the nodes.
    fn spot(&self, at: usize) -> Spot<'_, L>;

    /// The leaf of a row; none before the first row.
    fn leaf(&self, row: Example<'_>) -> Option<&L>;
}

/// A tree for classes, and how much its vote weighs.
pub struct Voter<'a> {
    tree: &'a dyn View<Leaf>,
    growth: &'a Growth,
    weight: f64,
}

/// A tree for numbers.
pub struct Estimator<'a> {
    tree: &'a dyn View<NumberLeaf>,
    growth: &'a Growth,
}

impl<'a> Voter<'a> {
    pub(crate) fn new(tree: &'a dyn View<Leaf>, growth: &'a Growth, weight: f64) -> Self {
        Voter { tree, growth, weight }
    }

    /// Adds its votes for a row to those of the others, of which there are as many as classes; `own` is room for them.
    pub(crate) fn vote(&self, row: Example<'_>, votes: &mut [f64], own: &mut Vec<f64>) {
        if let Some(leaf) = self.tree.leaf(row) {
            self.add(leaf, &[], row, votes, own);
        }
    }

    /// The same for many rows, whose votes follow each other. Those of one leaf are answered together, so that its
    /// curves are made ready once.
    pub(crate) fn vote_many(&self, rows: &[Example<'_>], votes: &mut [f64]) {
        let (classes, mut own) = (votes.len() / rows.len().max(1), Lent::new());
        let mut leaves: Vec<(&Leaf, usize)> = Vec::with_capacity(rows.len());
        leaves.extend(rows.iter().enumerate().filter_map(|(at, row)| Some((self.tree.leaf(*row)?, at))));
        leaves.sort_unstable_by_key(|(leaf, _)| std::ptr::from_ref(*leaf) as usize);
        let mut curves = Vec::new();
        for together in leaves.chunk_by(|(one, _), (other, _)| std::ptr::eq(*one, *other)) {
            if let [(leaf, _), _, ..] = together {
                leaf.ready(self.growth, &mut curves);
            } else {
                curves.clear();
            }
            for &(leaf, at) in together {
                let votes = &mut votes[at * classes..(at + 1) * classes];
                self.add(leaf, &curves, rows[at], votes, &mut own);
            }
        }
    }

    /// Adds a leaf's votes.
    fn add(&self, leaf: &Leaf, ready: &[Ready], row: Example<'_>, votes: &mut [f64], own: &mut Vec<f64>) {
        leaf.votes_by(ready, row, self.growth, own);
        votes.iter_mut().zip(own).for_each(|(all, vote)| *all += *vote * self.weight);
    }

    /// Adds the share of each class, times its weight, to what others have drawn.
    pub(crate) fn draw(
        &self,
        graph: &mut Graph,
        rows: &str,
        classes: usize,
        others: Option<String>,
    ) -> Option<String> {
        let walked = drawing::walk(self.tree)?;
        let mut shares = drawing::shares(walked, graph, rows, self.growth, classes);
        if self.weight.to_bits() != 1.0_f64.to_bits() {
            let weight = graph.row(&[self.weight]);
            shares = graph.op("Mul", &[&shares, &weight]);
        }
        Some(match others {
            Some(others) => graph.op("Add", &[&others, &shares]),
            None => shares,
        })
    }

    pub(crate) fn has_grown(&self) -> bool {
        self.tree.nodes() > 0
    }

    /// By how much each column changed the share of a class, from the root to the leaf and in the leaf, times the weight
    /// of its vote, which is the answer.
    pub(crate) fn explain(&self, row: Example<'_>, class: usize, parts: &mut [f64]) -> f64 {
        let of_class = |leaf: &Leaf| {
            let (whole, part) = (leaf.weight(), leaf.counts.get(class).copied().unwrap_or(0.0));
            (whole, if whole > 0.0 { part / whole } else { 0.0 })
        };
        let mut note = |column: u32, part: f64| parts[column as usize] += self.weight * part;
        if let Some(leaf) = descend(self.tree, row, &of_class, &mut note) {
            leaf.explain(row, self.growth, class, &mut note);
        }
        self.weight
    }
}

impl<'a> Estimator<'a> {
    pub(crate) fn new(tree: &'a dyn View<NumberLeaf>, growth: &'a Growth) -> Self {
        Estimator { tree, growth }
    }

    /// The answer to a row; none before the first one.
    pub(crate) fn estimate(&self, row: Example<'_>) -> Option<f64> {
        Some(self.tree.leaf(row)?.estimate(row, self.growth))
    }

    /// Adds the answers to a graph.
    pub(crate) fn draw(&self, graph: &mut Graph, rows: &str, scaled: &str, scale: Scale) -> Option<String> {
        Some(drawing::estimates(drawing::walk(self.tree)?, graph, rows, scaled, scale, self.growth))
    }

    pub(crate) fn has_grown(&self) -> bool {
        self.tree.nodes() > 0
    }

    /// By how much each column changed the estimate, from the root to the leaf and by the leaf's line.
    pub(crate) fn explain(&self, row: Example<'_>, parts: &mut [f64]) {
        let mut note = |column: u32, part: f64| parts[column as usize] += part;
        if let Some(leaf) = descend(self.tree, row, &NumberLeaf::mean, &mut note) {
            let (_, slopes) = leaf.line(self.growth, row.scale, row.scaled.len());
            let sloped = (0_u32..).zip(slopes.iter().zip(row.scaled));
            sloped.for_each(|(column, (slope, value))| note(column, slope * value));
        }
    }
}

/// Goes with a row to its leaf, and tells at each fork by how much the value below differs from that above. A leaf's
/// value comes with its weight; that of a fork is the mean of those below (Saabas, *Interpreting random forests*, 2014).
fn descend<'a, L>(
    tree: &'a dyn View<L>,
    row: Example<'_>,
    value: &dyn Fn(&L) -> (f64, f64),
    note: &mut dyn FnMut(u32, f64),
) -> Option<&'a L> {
    let mut values: Vec<(f64, f64)> = vec![(0.0, 0.0); tree.nodes()];
    for at in (0..tree.nodes()).rev() {
        values[at] = match tree.spot(at) {
            Spot::Leaf(leaf) => value(leaf),
            Spot::Fork(fork) => {
                let below = &values[fork.first as usize..(fork.first + fork.branches) as usize];
                let weight: f64 = below.iter().map(|(weight, _)| weight).sum();
                let sum: f64 = below.iter().map(|(weight, value)| weight * value).sum();
                (weight, if weight > 0.0 { sum / weight } else { 0.0 })
            }
        };
    }
    let mut at = 0;
    while at < values.len() {
        match tree.spot(at) {
            Spot::Leaf(leaf) => return Some(leaf),
            Spot::Fork(fork) => {
                let next = fork.next(row);
                note(fork.column, values[next].1 - values[at].1);
                at = next;
            }
        }
    }
    None
}
