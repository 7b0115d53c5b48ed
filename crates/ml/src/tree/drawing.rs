//! Trees as parts of an ONNX graph.

use super::growth::Growth;
use super::leaf::Leaf;
use super::number_leaf::NumberLeaf;
use super::split::Question;
use super::structure::Scale;
use super::view::{Spot, View};
use crate::onnx::{Branching, Graph};

/// The forks of a tree, and its leaves in their order.
pub(crate) type Walked<'a, L> = (Branching, Vec<&'a L>);

/// What can be reached from the root. `None` before the first row, or if a fork asks for categories.
pub(crate) fn walk<'a, L>(tree: &'a dyn View<L>) -> Option<Walked<'a, L>> {
    if tree.nodes() == 0 {
        return None;
    }
    let (mut branching, mut leaves) = (Branching::default(), Vec::new());
    let (mut order, mut at) = (vec![0_u32], 0);
    while let Some(&node) = order.get(at) {
        match tree.spot(node as usize) {
            Spot::Leaf(leaf) => {
                branching.leaf();
                leaves.push(leaf);
            }
            Spot::Fork(fork) => {
                let Question::AtMost(threshold) = fork.question else { return None };
                let yes = u32::try_from(order.len()).ok()?;
                branching.fork(fork.column, threshold, yes, fork.heaviest == 0);
                order.extend([fork.first, fork.first + 1]);
            }
        }
        at += 1;
    }
    Some((branching, leaves))
}

/// Adds the share of each class.
pub(crate) fn shares(
    (branching, leaves): Walked<'_, Leaf>,
    graph: &mut Graph,
    rows: &str,
    growth: &Growth,
    classes: usize,
) -> String {
    let place = branching.place(graph, rows);
    let settled: Option<Vec<Vec<f64>>> = leaves.iter().map(|leaf| leaf.shares(growth, classes)).collect();
    if let Some(shares) = settled {
        return graph.look_up(&place, &shares);
    }
    let mut columns: Vec<u32> = leaves.iter().flat_map(|leaf| &leaf.columns).copied().collect();
    columns.sort_unstable();
    columns.dedup();
    let mut tables = Tables::default();
    leaves.iter().for_each(|leaf| leaf.likelihoods(growth, classes, &columns, &mut tables));
    let shape = [leaves.len(), classes, columns.len()];
    let [means, steepness, heights, points] =
        [&tables.means, &tables.steepness, &tables.heights, &tables.points]
            .map(|table| graph.look_up_in(&place, &shape, table));
    let values = graph.columns(rows, &columns);
    let values = graph.before_classes(&values);
    let apart = graph.op("Sub", &[&values, &means]);
    let squares = graph.op("Mul", &[&apart, &apart]);
    let exponents = graph.op("Mul", &[&squares, &steepness]);
    let curves = graph.op("Add", &[&exponents, &heights]);
    let curves = graph.at_least(&curves, super::leaf::LOG_HEIGHT_MIN);
    let hits = graph.equal(&values, &means);
    let hits = graph.op("Mul", &[&hits, &points]);
    let curves = graph.op("Add", &[&curves, &hits]);
    let scores = graph.sum_where_known(&values, &curves);
    let base = graph.look_up_in(&place, &shape[..2], &tables.base);
    let scores = graph.op("Add", &[&scores, &base]);
    let shares = graph.softmax(&scores);
    // A leaf that saw nothing has no share to give.
    graph.filled(&shares, &[0.0])
}

/// Numbers for the scores of classes, leaf by leaf: the logarithm of each class, and per column of interest a bell
/// curve as a mean, what squares of the distance are multiplied by, and the logarithm of its height; where a class has
/// shown one value only, how much that value adds.
#[derive(Debug, Default)]
pub(crate) struct Tables {
    pub(crate) base: Vec<f64>,
    pub(crate) means: Vec<f64>,
    pub(crate) steepness: Vec<f64>,
    pub(crate) heights: Vec<f64>,
    pub(crate) points: Vec<f64>,
}

impl Tables {
    pub(crate) fn curve(&mut self, [mean, steepness, height, point]: [f64; 4]) {
        self.means.push(mean);
        self.steepness.push(steepness);
        self.heights.push(height);
        self.points.push(point);
    }
}

/// Adds the estimates of a tree.
pub(crate) fn estimates(
    (branching, leaves): Walked<'_, NumberLeaf>,
    graph: &mut Graph,
    rows: &str,
    scaled: &str,
    scale: Scale,
    growth: &Growth,
) -> String {
    let dim = leaves.iter().map(|leaf| leaf.dim()).max().unwrap_or(0);
    let lines = leaves.iter().map(|leaf| leaf.line(growth, scale, dim));
    let (bases, slopes): (Vec<Vec<f64>>, Vec<Vec<f64>>) =
        lines.map(|(base, slopes)| (vec![base], slopes)).unzip();
    let place = branching.place(graph, rows);
    let mut answer = graph.look_up(&place, &bases);
    if slopes.iter().flatten().any(|&slope| slope != 0.0) {
        let slopes = graph.look_up(&place, &slopes);
        let parts = graph.op("Mul", &[&slopes, scaled]);
        let parts = graph.total(&parts);
        answer = graph.op("Add", &[&answer, &parts]);
    }
    graph.clipped(&answer, scale.min, scale.max)
}
