//! A leaf of a tree for numbers: the mean of its targets, a line through them, and how columns split them.

use serde::{Deserialize, Serialize};

use super::bins::Bins;
use super::growth::{Growth, LeafPrediction};
use super::moments::Moments;
use super::split::{Candidate, Question, Ranking};
use super::stats::{Stats, Verdict};
use super::structure::{Example, Scale};
use crate::scratch::Lent;

/// No split has a branch with less weight.
const BRANCH_WEIGHT_MIN: f64 = 5.0;

/// Categories of a column that are kept apart.
const CATEGORIES_MAX: usize = 256;

/// How far a line follows one row, at most.
const STEP: f64 = 0.02;

/// What is left of an error in the comparison of mean and line when the next row comes.
const FADING: f64 = 0.95;

/// No error counts more in that comparison, so that one row out of place does not decide for a thousand others.
const ERROR_MAX: f64 = 20.0;

/// What a leaf remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NumberLeaf {
    targets: Moments,
    /// The columns it looks at, rising.
    columns: Vec<u32>,
    /// By column looked at.
    bins: Vec<Bins>,
    active: bool,
    depth: u32,
    weight_at_last_try: f64,
    /// A weight for each column at one scale, then what is added; empty before the first row.
    line: Vec<f64>,
    mean_error: f64,
    line_error: f64,
}

impl NumberLeaf {
    /// The answer to a row.
    pub(crate) fn estimate(&self, row: Example<'_>, growth: &Growth) -> f64 {
        let scale = row.scale;
        if self.answers_by_line(growth) {
            scale.back(self.line_at(row))
        } else {
            self.targets.mean.clamp(scale.min, scale.max)
        }
    }

    /// The weight of its targets, and their mean.
    pub(crate) fn mean(&self) -> (f64, f64) {
        (self.targets.weight, self.targets.mean)
    }

    /// How many columns its line has; 0 before it has one.
    pub(crate) fn dim(&self) -> usize {
        self.line.len().saturating_sub(1)
    }

    /// The answer to a row as a sum: of one number, and of one per column times its scaled value.
    pub(crate) fn line(&self, growth: &Growth, scale: Scale, dim: usize) -> (f64, Vec<f64>) {
        if !self.answers_by_line(growth) {
            return (self.targets.mean, vec![0.0; dim]);
        }
        let Some((intercept, weights)) = self.line.split_last() else { return (scale.mean, vec![0.0; dim]) };
        let sloped = weights.iter().map(|weight| scale.deviation * weight).collect();
        (scale.mean + scale.deviation * intercept, sloped)
    }

    fn answers_by_line(&self, growth: &Growth) -> bool {
        match growth.leaf {
            LeafPrediction::Majority => false,
            LeafPrediction::NaiveBayes => true,
            LeafPrediction::Adaptive => self.line_error <= self.mean_error,
        }
    }

    /// The height of the line, at the scale of the targets.
    fn line_at(&self, row: Example<'_>) -> f64 {
        let Some((intercept, weights)) = self.line.split_last() else { return 0.0 };
        weights.iter().zip(row.scaled).map(|(weight, value)| weight * value).sum::<f64>() + intercept
    }

    /// Follows a row with the line, and remembers how wrong mean and line were.
    fn fit(&mut self, row: Example<'_>, target: f64, weight: f64) {
        self.line.resize(row.scaled.len() + 1, 0.0);
        let truth = row.scale.to(target);
        let square = |error: f64| error.clamp(-ERROR_MAX, ERROR_MAX).powi(2);
        let wrong = truth - self.line_at(row);
        self.mean_error = FADING * self.mean_error + square(truth - row.scale.to(self.targets.mean));
        self.line_error = FADING * self.line_error + square(wrong);
        let length: f64 = 1.0 + row.scaled.iter().map(|value| value * value).sum::<f64>();
        // No step leads beyond the row.
        let step = (STEP * weight).min(1.0 / length) * wrong;
        let Some((intercept, weights)) = self.line.split_last_mut() else { return };
        weights.iter_mut().zip(row.scaled).for_each(|(weight, value)| *weight += step * value);
        *intercept += step;
    }

    /// The best split of all columns, and how good the second best column's is.
    fn splits(&self, nominal: &[u32], growth: &Growth) -> Ranking {
        let mut ranking = Ranking::default();
        for (&column, bins) in self.columns.iter().zip(&self.bins) {
            let split = if nominal.binary_search(&column).is_ok() {
                categories(column, bins, growth.binary_split)
            } else {
                thresholds(column, bins)
            };
            split.into_iter().for_each(|candidate| ranking.enter(candidate));
        }
        ranking
    }
}

/// How much less the targets vary within the branches; `None` if one is too small.
fn merit(whole: &Moments, branches: impl Iterator<Item = Moments>) -> Option<f64> {
    let mut rest = 0.0;
    for branch in branches {
        if branch.weight < BRANCH_WEIGHT_MIN {
            return None;
        }
        rest += branch.weight / whole.weight * branch.variance();
    }
    Some(whole.variance() - rest)
}

fn whole(bins: &Bins) -> Moments {
    bins.0.iter().fold(Moments::default(), |all, bin| all.with(&bin.targets))
}

fn candidate(
    column: u32,
    whole: &Moments,
    question: Question,
    branches: impl Iterator<Item = Moments> + Clone,
) -> Option<Candidate> {
    let merit = merit(whole, branches.clone())?;
    let branches = Lent::of(branches.flat_map(|branch| branch.numbers()));
    Some(Candidate { merit, column, question, branches })
}

/// Tries a threshold in the middle between each two bins.
fn thresholds(column: u32, bins: &Bins) -> Option<Candidate> {
    let whole = whole(bins);
    // For each bin but the first, from the last one back: all from there on.
    let mut after = Lent::new();
    bins.0.iter().skip(1).rev().fold(Moments::default(), |all, bin| {
        let all = all.with(&bin.targets);
        after.extend(all.numbers());
        all
    });
    let (mut best, mut below): (Option<(f64, f64, [Moments; 2])>, _) = (None, Moments::default());
    for (pair, after) in bins.0.windows(2).zip(after.rchunks_exact(3)) {
        below = below.with(&pair[0].targets);
        let branches = [below, Moments::from_numbers(after)];
        let Some(merit) = merit(&whole, branches.into_iter()) else { continue };
        if best.as_ref().is_none_or(|(most, ..)| merit > *most) {
            let threshold = pair[0].value + (pair[1].value - pair[0].value) / 2.0;
            best = Some((merit, threshold, branches));
        }
    }
    let (_, threshold, branches) = best?;
    candidate(column, &whole, Question::AtMost(threshold), branches.into_iter())
}

/// Tries each category against the rest, and all at once.
fn categories(column: u32, bins: &Bins, binary: bool) -> Option<Candidate> {
    let whole = whole(bins);
    let mut best: Option<Candidate> = None;
    let mut consider = |found: Option<Candidate>| {
        if found.as_ref().is_some_and(|new| best.as_ref().is_none_or(|best| new.merit > best.merit)) {
            best = found;
        }
    };
    let codes = bins.0.last().map_or(0, |bin| bin.value as usize + 1);
    if !binary && codes == bins.0.len() && codes > 1 {
        consider(candidate(column, &whole, Question::Which, bins.0.iter().map(|bin| bin.targets)));
    }
    for (place, bin) in bins.0.iter().enumerate() {
        let others = bins.0.iter().enumerate().filter(|(other, _)| *other != place);
        let rest = others.fold(Moments::default(), |all, (_, bin)| all.with(&bin.targets));
        let question = Question::Is(bin.value as u32);
        consider(candidate(column, &whole, question, [bin.targets, rest].into_iter()));
    }
    best
}

impl Stats for NumberLeaf {
    type Target = f64;

    fn new(start: &[f64], columns: Vec<u32>, depth: u32, parent: Option<&Self>) -> Self {
        let targets = Moments::from_numbers(start);
        NumberLeaf {
            targets,
            bins: vec![Bins::default(); columns.len()],
            columns,
            active: true,
            depth,
            weight_at_last_try: targets.weight,
            line: parent.map(|parent| parent.line.clone()).unwrap_or_default(),
            mean_error: parent.map_or(0.0, |parent| parent.mean_error),
            line_error: parent.map_or(0.0, |parent| parent.line_error),
        }
    }

    fn learn(
        &mut self,
        row: Example<'_>,
        target: f64,
        weight: f64,
        growth: &Growth,
        _: &mut Vec<f64>,
    ) -> bool {
        let first = self.line.is_empty();
        if growth.leaf != LeafPrediction::Majority {
            self.fit(row, target, weight);
        }
        self.targets.add(target, weight);
        for (&column, bins) in self.columns.iter().zip(&mut self.bins) {
            let value = row.values[column as usize];
            if value.is_nan() {
                continue;
            }
            if !row.nominal.is_empty() && row.nominal.binary_search(&column).is_ok() {
                bins.add_exactly(value, target, weight, CATEGORIES_MAX);
            } else {
                bins.add(value, target, weight, growth.n_splits as usize + 1);
            }
        }
        first
    }

    fn error(&self, row: Example<'_>, target: f64, growth: &Growth, _: &mut Vec<f64>) -> f64 {
        let wrong = (self.estimate(row, growth) - target).abs();
        if row.scale.deviation > 0.0 { (wrong / (3.0 * row.scale.deviation)).min(1.0) } else { 0.0 }
    }

    fn judge(&mut self, row: Example<'_>, growth: &Growth) -> Verdict {
        if !self.active || self.depth >= growth.max_depth {
            return Verdict::Wait;
        }
        let weight = self.targets.weight;
        if weight - self.weight_at_last_try < f64::from(growth.grace_period) {
            return Verdict::Wait;
        }
        self.weight_at_last_try = weight;
        let Ranking { best, second, .. } = self.splits(row.nominal, growth);
        let Some(best) = best.filter(|best| best.merit > 0.0) else { return Verdict::Wait };
        let bound = growth.bound(1.0, weight);
        let sure = second.is_none_or(|second| second / best.merit < 1.0 - bound);
        if sure || bound < growth.tau { Verdict::Split(best) } else { Verdict::Wait }
    }

    fn depth(&self) -> u32 {
        self.depth
    }

    fn active(&self) -> bool {
        self.active
    }

    fn deactivate(&mut self) {
        self.active = false;
        self.columns = Vec::new();
        self.bins = Vec::new();
    }

    fn promise(&self) -> f64 {
        self.targets.deviations
    }

    fn size(&self) -> u64 {
        // Bins soon are as many as they may be, so they count as if they were.
        (self.columns.len() * 4 * 33 + self.line.len() + 16) as u64
    }

    fn width(&self) -> usize {
        3
    }

    fn weight_of(branch: &[f64]) -> f64 {
        branch.first().copied().unwrap_or(0.0)
    }

    fn validate(&self, dim: usize, _: usize) -> Result<(), &'static str> {
        let sizes = self.bins.len() == self.columns.len()
            && self.columns.windows(2).all(|pair| pair[0] < pair[1])
            && self.columns.last().is_none_or(|&last| (last as usize) < dim)
            && (self.line.is_empty() || self.line.len() == dim + 1);
        if !sizes {
            return Err("the sizes of a leaf");
        }
        let mut numbers =
            self.line.iter().chain([&self.weight_at_last_try, &self.mean_error, &self.line_error]);
        let finite = numbers.all(|number| number.is_finite())
            && self.targets.is_sound()
            && self.bins.iter().all(Bins::is_sound);
        if finite { Ok(()) } else { Err("the numbers of a leaf") }
    }
}

impl Scale {
    /// A target at the scale of all of them.
    fn to(self, target: f64) -> f64 {
        if self.deviation > 0.0 {
            ((target - self.mean) / self.deviation).clamp(-ERROR_MAX, ERROR_MAX)
        } else {
            0.0
        }
    }

    /// The target that is so high at their scale, but none beyond those that came.
    fn back(self, height: f64) -> f64 {
        (self.mean + self.deviation * height).clamp(self.min, self.max)
    }
}
