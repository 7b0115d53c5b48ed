//! Which column splits a leaf best, and how.

use serde::{Deserialize, Serialize};

use super::growth::{Criterion, Growth};
use super::leaf::Leaf;
use crate::scratch::Lent;

/// The question of a split.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum Question {
    /// Is it at most this? Yes is branch 0.
    AtMost(f64),
    /// Is it this category? Yes is branch 0.
    Is(u32),
    /// Which category is it? One branch each.
    Which,
}

/// A way to split a leaf.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) merit: f64,
    pub(crate) column: u32,
    pub(crate) question: Question,
    /// By branch, then class.
    pub(crate) branches: Lent,
}

/// The best split, and how good the best one of another column is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ranking {
    pub(crate) best: Option<Candidate>,
    pub(crate) second: Option<f64>,
    /// How good the best split of the column that was asked about is, if it has one.
    pub(crate) current: Option<f64>,
}

impl Ranking {
    /// Ranks the best split of each column, and says what that of one column is worth.
    pub(crate) fn of(leaf: &Leaf, nominal: &[u32], growth: &Growth, asked: Option<u32>) -> Self {
        let mut ranking = Ranking::default();
        let mut scratch = Lent::new();
        for (place, &column) in leaf.columns.iter().enumerate() {
            let search = Search { leaf, place, column, growth };
            let found = if nominal.binary_search(&column).is_ok() {
                search.categories(&mut scratch)
            } else {
                search.thresholds(&mut scratch)
            };
            if let Some(candidate) = found {
                if asked == Some(column) {
                    ranking.current = Some(candidate.merit);
                }
                ranking.enter(candidate);
            }
        }
        ranking
    }

    /// Takes a candidate in; of equal ones the first is the best.
    pub(crate) fn enter(&mut self, candidate: Candidate) {
        match &self.best {
            Some(best) if candidate.merit <= best.merit => {
                let second = self.second.unwrap_or(f64::NEG_INFINITY);
                self.second = Some(second.max(candidate.merit));
            }
            best => {
                self.second = best.as_ref().map(|best| best.merit).or(self.second);
                self.best = Some(candidate);
            }
        }
    }
}

/// The search for the best split of one column.
struct Search<'a> {
    leaf: &'a Leaf,
    place: usize,
    column: u32,
    growth: &'a Growth,
}

impl Search<'_> {
    fn classes(&self) -> usize {
        self.leaf.counts.len()
    }

    fn at(&self, class: usize) -> usize {
        class * self.leaf.columns.len() + self.place
    }

    /// Tries thresholds at even distances between the smallest value and the largest.
    fn thresholds(&self, branches: &mut Vec<f64>) -> Option<Candidate> {
        let curves = || (0..self.classes()).filter_map(|class| self.leaf.curves.get(self.at(class)));
        let seen = || curves().filter(|curve| curve.weight > 0.0);
        let min = seen().map(|curve| curve.min).reduce(f64::min)?;
        let max = seen().map(|curve| curve.max).reduce(f64::max)?;
        let step = (max - min) / f64::from(self.growth.n_splits + 1);
        let mut best: Option<(f64, f64)> = None;
        for number in 1..=self.growth.n_splits {
            let threshold = min + step * f64::from(number);
            if !(threshold > min && threshold < max) {
                continue;
            }
            self.halves(threshold, branches);
            let merit = self.merit(branches);
            if merit.is_some_and(|merit| best.is_none_or(|(most, _)| merit > most)) {
                best = merit.map(|merit| (merit, threshold));
            }
        }
        let (merit, threshold) = best?;
        self.halves(threshold, branches);
        let question = Question::AtMost(threshold);
        Some(Candidate { merit, column: self.column, question, branches: Lent::of(branches.iter().copied()) })
    }

    /// What of each class lies on each side of a threshold.
    fn halves(&self, threshold: f64, branches: &mut Vec<f64>) {
        let classes = self.classes();
        branches.clear();
        branches.resize(2 * classes, 0.0);
        for class in 0..classes {
            if let Some(curve) = self.leaf.curves.get(self.at(class)) {
                let below = curve.below(threshold);
                branches[class] = below;
                branches[classes + class] = (curve.weight - below).max(0.0);
            }
        }
    }

    fn words(&self, class: usize) -> &[f64] {
        self.leaf.categories.get(self.at(class)).map_or(&[], Vec::as_slice)
    }

    /// Tries each category against the rest, and all categories at once.
    fn categories(&self, branches: &mut Vec<f64>) -> Option<Candidate> {
        let classes = self.classes();
        let codes = (0..classes).map(|class| self.words(class).len()).max().unwrap_or(0);
        let mut best: Option<Candidate> = None;
        let mut consider = |question, branches: &[f64]| {
            let Some(merit) = self.merit(branches) else { return };
            if best.as_ref().is_none_or(|best| merit > best.merit) {
                let branches = Lent::of(branches.iter().copied());
                best = Some(Candidate { merit, column: self.column, question, branches });
            }
        };
        if !self.growth.binary_split {
            branches.clear();
            branches.resize(codes * classes, 0.0);
            for class in 0..classes {
                for (code, weight) in self.words(class).iter().enumerate() {
                    branches[code * classes + class] = *weight;
                }
            }
            consider(Question::Which, branches);
        }
        for code in 0..codes {
            branches.clear();
            branches.resize(2 * classes, 0.0);
            for class in 0..classes {
                let words = self.words(class);
                let yes = words.get(code).copied().unwrap_or(0.0);
                branches[class] = yes;
                branches[classes + class] = (words.iter().sum::<f64>() - yes).max(0.0);
            }
            consider(Question::Is(u32::try_from(code).unwrap_or(u32::MAX)), branches);
        }
        best
    }

    /// How good the branches are; `None` if fewer than two of them are large enough.
    fn merit(&self, branches: &[f64]) -> Option<f64> {
        let classes = self.classes();
        let total: f64 = branches.iter().sum();
        let sizes = || branches.chunks_exact(classes).map(|branch| branch.iter().sum::<f64>());
        let least = self.growth.min_branch_fraction * total;
        if sizes().filter(|&size| size > least).count() < 2 {
            return None;
        }
        let doubt = match self.growth.criterion {
            Criterion::InfoGain => entropy,
            Criterion::Gini => gini,
            Criterion::Hellinger => return Some(hellinger(branches, classes)),
        };
        let rest: f64 =
            branches.chunks_exact(classes).zip(sizes()).map(|(branch, size)| size * doubt(branch)).sum();
        Some(doubt(&self.leaf.counts) - rest / total)
    }
}

/// The range of a criterion's merit, for Hoeffding's bound.
pub(crate) fn range(criterion: Criterion, counts: &[f64]) -> f64 {
    let classes = counts.iter().filter(|&&count| count > 0.0).count().max(2);
    match criterion {
        Criterion::InfoGain => libm::log2(classes as f64),
        Criterion::Gini => 1.0,
        Criterion::Hellinger => std::f64::consts::SQRT_2,
    }
}

/// Bits of doubt about the class.
fn entropy(counts: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    let bits = |&count: &f64| if count > 0.0 { count * libm::log2(count / total) } else { 0.0 };
    if total > 0.0 { -counts.iter().map(bits).sum::<f64>() / total } else { 0.0 }
}

/// The chance that two rows differ in class.
fn gini(counts: &[f64]) -> f64 {
    let total: f64 = counts.iter().sum();
    if total <= 0.0 {
        return 0.0;
    }
    1.0 - counts.iter().map(|count| (count / total) * (count / total)).sum::<f64>()
}

/// The largest distance between how two classes spread over the branches.
fn hellinger(branches: &[f64], classes: usize) -> f64 {
    let total = |class: usize| branches.iter().skip(class).step_by(classes).sum::<f64>();
    let mut most = 0.0_f64;
    for one in 0..classes {
        for other in one + 1..classes {
            let (whole, rest) = (total(one), total(other));
            if whole <= 0.0 || rest <= 0.0 {
                continue;
            }
            let squares = branches.chunks_exact(classes).map(|branch| {
                let difference = (branch[one] / whole).sqrt() - (branch[other] / rest).sqrt();
                difference * difference
            });
            most = most.max(squares.sum::<f64>().sqrt());
        }
    }
    most
}
