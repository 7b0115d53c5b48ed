//! Where the trees cut, chosen before they count anything.

use super::{Cut, HalfSpaceTrees, Mass};
use crate::random::Random;

/// A cut keeps this share of a range away from its ends.
const PADDING: f64 = 0.15;

/// Up to so many columns, those with more of their range left are likelier to be cut.
const WEIGHED_MAX: usize = 256;

/// What is left of a column's range on the way down a tree.
#[derive(Clone, Copy)]
struct Range {
    low: f64,
    high: f64,
    /// What it was at the root.
    whole: f64,
}

impl HalfSpaceTrees {
    /// Plants the trees, by the limits or by the rows that wait.
    pub(super) fn plant(&mut self, dim: usize) {
        let seen = match self.config.limits {
            Some(limits) => vec![limits; dim],
            None => spans(&self.waiting, dim),
        };
        let (cuts, trees) = (self.config.cuts(), self.config.n_trees as usize);
        self.cuts = vec![Cut::default(); trees * cuts];
        self.masses = vec![Mass::default(); trees * self.config.nodes()];
        for tree in 0..trees {
            let mut random = Random::stream(self.config.seed, tree as u64);
            let fixed = self.config.limits.is_some();
            let mut ranges: Vec<Range> = seen.iter().map(|&span| range(span, fixed, &mut random)).collect();
            grow(&mut self.cuts[tree * cuts..(tree + 1) * cuts], 0, &mut ranges, &mut random);
        }
    }
}

/// The smallest and largest value of each column, a little apart at least.
fn spans(rows: &[f64], dim: usize) -> Vec<(f64, f64)> {
    let mut spans: Vec<Option<(f64, f64)>> = vec![None; dim];
    for (place, &value) in rows.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
        let span = &mut spans[place % dim];
        *span = Some(span.map_or((value, value), |(low, high)| (low.min(value), high.max(value))));
    }
    let apart = |(low, high): (f64, f64)| {
        if low < high {
            (low, high)
        } else {
            (low - low.abs().max(1.0) / 2.0, high + high.abs().max(1.0) / 2.0)
        }
    };
    spans.into_iter().map(|span| span.map_or((0.0, 1.0), apart)).collect()
}

/// The range of a column in one tree.
fn range((low, high): (f64, f64), fixed: bool, random: &mut Random) -> Range {
    if fixed {
        return Range { low, high, whole: high - low };
    }
    let middle = random.uniform();
    let reach = 2.0 * middle.max(1.0 - middle);
    let at = |share: f64| low + share * (high - low);
    Range { low: at(middle - reach), high: at(middle + reach), whole: 2.0 * reach * (high - low) }
}

/// Cuts the node and all below it.
fn grow(cuts: &mut [Cut], node: usize, ranges: &mut [Range], random: &mut Random) {
    if node >= cuts.len() {
        return;
    }
    let column = choose(ranges, random);
    let range = ranges[column];
    let share = PADDING + (1.0 - 2.0 * PADDING) * random.uniform();
    let at = range.low + share * (range.high - range.low);
    cuts[node] = Cut { column: u32::try_from(column).expect("columns are below DIM_MAX"), at };
    ranges[column].high = at;
    grow(cuts, 2 * node + 1, ranges, random);
    ranges[column] = Range { low: at, ..range };
    grow(cuts, 2 * node + 2, ranges, random);
    ranges[column] = range;
}

fn choose(ranges: &[Range], random: &mut Random) -> usize {
    if ranges.len() > WEIGHED_MAX {
        return random.index(ranges.len());
    }
    let left = |range: &Range| (range.high - range.low) / range.whole;
    let mut chosen = random.uniform() * ranges.iter().map(left).sum::<f64>();
    for (column, range) in ranges.iter().enumerate() {
        chosen -= left(range);
        if chosen < 0.0 {
            return column;
        }
    }
    ranges.len() - 1
}
