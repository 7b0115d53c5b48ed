//! What a leaf remembers: how often it saw each class, and how each column looked for each class.

use serde::{Deserialize, Serialize};

use super::drawing::Tables;
use super::growth::{Growth, LeafPrediction};
use super::split::{self, Ranking};
use super::stats::{Stats, Verdict};
use super::structure::Example;

/// Below this the logarithm of a curve's height counts as this: about where a product of doubles becomes 0.
pub(crate) const LOG_HEIGHT_MIN: f64 = -700.0;

/// Products of shares from here on become logarithms; no share of a row leads from here to 0.
const PRODUCT_MIN: f64 = 1e-200;

/// Half the logarithm of the whole circle, 2 pi.
const LOG_ROOT_TAU: f64 = 0.918_938_533_204_672_7;

/// Categories beyond this many in a column are as if missing.
const CATEGORIES_MAX: usize = 1 << 16;

/// A bell curve through what a class showed in a column (Welford, 1962; West, 1979), and its ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Curve {
    pub(crate) weight: f64,
    pub(crate) mean: f64,
    deviations: f64,
    pub(crate) min: f64,
    pub(crate) max: f64,
}

impl Curve {
    pub(crate) fn add(&mut self, value: f64, weight: f64) {
        if self.weight == 0.0 {
            *self = Curve { weight, mean: value, deviations: 0.0, min: value, max: value };
            return;
        }
        self.weight += weight;
        let difference = value - self.mean;
        self.mean += difference * weight / self.weight;
        self.deviations += weight * difference * (value - self.mean);
        self.min = self.min.min(value);
        self.max = self.max.max(value);
    }

    pub(crate) fn variance(&self) -> f64 {
        if self.weight > 1.0 { (self.deviations / (self.weight - 1.0)).max(0.0) } else { 0.0 }
    }

    /// The curve made ready to be asked how high it is at several places.
    fn ready(&self) -> Ready {
        let variance = self.variance();
        if self.weight > 0.0 && variance > 0.0 {
            Ready { mean: self.mean, double: 2.0 * variance, half_log: 0.5 * libm::log(variance) }
        } else {
            // No value is at a NaN.
            let mean = if self.weight > 0.0 { self.mean } else { f64::NAN };
            Ready { mean, double: 0.0, half_log: 0.0 }
        }
    }

    /// The same as a mean, a factor of the squared distance, what is added to that, and what is added at the mean.
    fn drawn(&self) -> [f64; 4] {
        let variance = self.variance();
        if self.weight > 0.0 && variance > 0.0 {
            [self.mean, -0.5 / variance, -0.5 * libm::log(variance) - LOG_ROOT_TAU, 0.0]
        } else if self.weight > 0.0 {
            [self.mean, 0.0, LOG_HEIGHT_MIN, -LOG_HEIGHT_MIN]
        } else {
            [self.mean, 0.0, LOG_HEIGHT_MIN, 0.0]
        }
    }

    /// How much of its weight lies at `threshold` or below.
    pub(crate) fn below(&self, threshold: f64) -> f64 {
        if threshold < self.min {
            return 0.0;
        }
        if threshold >= self.max {
            return self.weight;
        }
        let deviation = self.variance().sqrt();
        if deviation == 0.0 {
            return if self.mean <= threshold { self.weight } else { 0.0 };
        }
        let distance = (threshold - self.mean) / deviation;
        self.weight * 0.5 * libm::erfc(-distance * std::f64::consts::FRAC_1_SQRT_2)
    }

    fn is_finite(&self) -> bool {
        let Curve { weight, mean, deviations, min, max } = *self;
        weight >= 0.0 && [weight, mean, deviations, min, max].iter().all(|number| number.is_finite())
    }
}

/// A curve with what its height takes besides the place: twice the variance, and half its logarithm.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ready {
    mean: f64,
    double: f64,
    half_log: f64,
}

impl Ready {
    /// The logarithm of the curve's height at `value`; a curve without width has height 1 there and none elsewhere.
    fn log_height(&self, value: f64) -> f64 {
        let difference = value - self.mean;
        if self.double > 0.0 {
            let exponent = difference * difference / self.double;
            (-exponent - self.half_log - LOG_ROOT_TAU).max(LOG_HEIGHT_MIN)
        } else if difference == 0.0 {
            0.0
        } else {
            LOG_HEIGHT_MIN
        }
    }
}

/// What a leaf remembers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Leaf {
    /// By class.
    pub(crate) counts: Vec<f64>,
    /// The columns it looks at, rising.
    pub(crate) columns: Vec<u32>,
    /// By class, then column looked at.
    pub(crate) curves: Vec<Curve>,
    /// In the same places the weight of each category; empty if all columns are numbers.
    pub(crate) categories: Vec<Vec<f64>>,
    /// One that is not active only counts classes.
    pub(crate) active: bool,
    pub(crate) depth: u32,
    pub(crate) weight_at_last_try: f64,
    majority_right: f64,
    bayes_right: f64,
}

impl Leaf {
    pub(crate) fn weight(&self) -> f64 {
        self.counts.iter().sum()
    }

    /// The answer: one vote for each class it knows.
    pub(crate) fn votes(&self, row: Example<'_>, growth: &Growth, votes: &mut Vec<f64>) {
        self.votes_by(&[], row, growth, votes);
    }

    /// The curves for [`Leaf::votes_by`] of many rows; none if it does not look at them.
    pub(crate) fn ready(&self, growth: &Growth, curves: &mut Vec<Ready>) {
        curves.clear();
        if self.answers_by_bayes(growth) {
            curves.extend(self.curves.iter().map(Curve::ready));
        }
    }

    /// The same with curves that are ready, or none.
    pub(crate) fn votes_by(&self, ready: &[Ready], row: Example<'_>, growth: &Growth, votes: &mut Vec<f64>) {
        votes.clear();
        if self.answers_by_bayes(growth) {
            self.bayes(ready, row, votes);
        } else {
            votes.extend_from_slice(&self.counts);
        }
        let sum: f64 = votes.iter().sum();
        if sum > 0.0 {
            votes.iter_mut().for_each(|vote| *vote /= sum);
        }
    }

    /// How the share of a class changes from column to column of naive Bayes, where that answers.
    pub(crate) fn explain(
        &self,
        row: Example<'_>,
        growth: &Growth,
        class: usize,
        part: &mut impl FnMut(u32, f64),
    ) {
        if !self.answers_by_bayes(growth) || class >= self.counts.len() || self.weight() == 0.0 {
            return;
        }
        let width = self.columns.len();
        let mut scores: Vec<f64> = self.counts.iter().map(|&count| libm::log(count)).collect();
        let mut before = share_of(&scores, class);
        for (place, &column) in self.columns.iter().enumerate() {
            for (at, score) in scores.iter_mut().enumerate() {
                *score += self.log_height(row, at * width + place, column);
            }
            let after = share_of(&scores, class);
            part(column, after - before);
            before = after;
        }
    }

    fn answers_by_bayes(&self, growth: &Growth) -> bool {
        let bayes = match growth.leaf {
            LeafPrediction::Majority => false,
            LeafPrediction::NaiveBayes => true,
            LeafPrediction::Adaptive => self.bayes_right >= self.majority_right,
        };
        self.active && bayes && (growth.nb_threshold == 0 || self.weight() >= f64::from(growth.nb_threshold))
    }

    /// The share of each of so many classes, if that is the same for all rows; 0 for all if there were no rows.
    pub(crate) fn shares(&self, growth: &Growth, classes: usize) -> Option<Vec<f64>> {
        if self.answers_by_bayes(growth) {
            return None;
        }
        let mut shares = self.counts.clone();
        shares.resize(classes, 0.0);
        let sum: f64 = shares.iter().sum();
        if sum > 0.0 {
            shares.iter_mut().for_each(|share| *share /= sum);
        }
        Some(shares)
    }

    /// Adds its numbers to those that classes are scored with over `columns`, among which are its own.
    pub(crate) fn likelihoods(&self, growth: &Growth, classes: usize, columns: &[u32], tables: &mut Tables) {
        let nothing = [0.0; 4];
        if let Some(shares) = self.shares(growth, classes) {
            tables.base.extend(shares.into_iter().map(libm::log));
            (0..classes * columns.len()).for_each(|_| tables.curve(nothing));
            return;
        }
        let width = self.columns.len();
        for class in 0..classes {
            tables.base.push(libm::log(self.counts.get(class).copied().unwrap_or(0.0)));
            for column in columns {
                let curve = match self.columns.binary_search(column) {
                    Ok(place) => self
                        .curves
                        .get(class * width + place)
                        .map_or([0.0, 0.0, LOG_HEIGHT_MIN, 0.0], Curve::drawn),
                    Err(_) => nothing,
                };
                tables.curve(curve);
            }
        }
    }

    /// Naive Bayes: `P(class)` times the height of each column's curve for the class, as a share of the largest.
    fn bayes(&self, ready: &[Ready], row: Example<'_>, votes: &mut Vec<f64>) {
        votes.clear();
        let width = self.columns.len();
        let mut most = f64::NEG_INFINITY;
        for (class, &count) in self.counts.iter().enumerate() {
            let mut score = f64::NEG_INFINITY;
            if count > 0.0 {
                // Logarithms are slow, so the shares of categories are multiplied first.
                let mut product = 1.0;
                score = libm::log(count);
                for (place, &column) in self.columns.iter().enumerate() {
                    match self.part(ready, row, class * width + place, column) {
                        Part::LogHeight(height) => score += height,
                        Part::Share(share) => product *= share,
                    }
                    if product < PRODUCT_MIN {
                        score += libm::log(product);
                        product = 1.0;
                    }
                }
                if product < 1.0 {
                    score += libm::log(product);
                }
                most = most.max(score);
            }
            votes.push(score);
        }
        // A leaf that saw nothing has no vote.
        let seen = most > f64::NEG_INFINITY;
        votes.iter_mut().for_each(|vote| *vote = if seen { libm::exp(*vote - most) } else { 0.0 });
    }

    fn log_height(&self, row: Example<'_>, at: usize, column: u32) -> f64 {
        match self.part(&[], row, at, column) {
            Part::LogHeight(height) => height,
            Part::Share(share) => libm::log(share),
        }
    }

    /// How likely a column's value is for a class.
    fn part(&self, ready: &[Ready], row: Example<'_>, at: usize, column: u32) -> Part {
        let value = row.values[column as usize];
        if value.is_nan() {
            return Part::Share(1.0);
        }
        if row.nominal.is_empty() || row.nominal.binary_search(&column).is_err() {
            let ready = ready.get(at).copied().or_else(|| self.curves.get(at).map(Curve::ready));
            return Part::LogHeight(ready.map_or(LOG_HEIGHT_MIN, |curve| curve.log_height(value)));
        }
        let Some(words) = self.categories.get(at).filter(|words| !words.is_empty()) else {
            return Part::LogHeight(LOG_HEIGHT_MIN);
        };
        let seen = words.get(value as usize).copied().unwrap_or(0.0);
        let whole = self.curves.get(at).map_or(0.0, |curve| curve.weight);
        Part::Share((seen + 1.0) / (whole + words.len() as f64))
    }
}

/// How likely a value is: the logarithm of a curve's height, or the share of a category.
enum Part {
    LogHeight(f64),
    Share(f64),
}

impl Stats for Leaf {
    type Target = usize;

    fn new(start: &[f64], columns: Vec<u32>, depth: u32, _: Option<&Self>) -> Self {
        Leaf {
            counts: start.to_vec(),
            columns,
            curves: Vec::new(),
            categories: Vec::new(),
            active: true,
            depth,
            weight_at_last_try: start.iter().sum(),
            majority_right: 0.0,
            bayes_right: 0.0,
        }
    }

    fn learn(
        &mut self,
        row: Example<'_>,
        class: usize,
        weight: f64,
        growth: &Growth,
        votes: &mut Vec<f64>,
    ) -> bool {
        if self.active && growth.leaf == LeafPrediction::Adaptive {
            if largest(&self.counts) == class {
                self.majority_right += weight;
            }
            self.bayes(&[], row, votes);
            if largest(votes) == class {
                self.bayes_right += weight;
            }
        }
        let mut grown = class >= self.counts.len();
        if grown {
            self.counts.resize(class + 1, 0.0);
        }
        self.counts[class] += weight;
        let width = self.columns.len();
        if self.active && (class + 1) * width > self.curves.len() {
            grown = true;
            self.curves.resize((class + 1) * width, Curve::default());
        }
        let (nominal, start) = (row.nominal, class * width);
        let curves = self.curves.get_mut(start..start + width).unwrap_or_default();
        for (place, (&column, curve)) in self.columns.iter().zip(curves).enumerate() {
            let value = row.values[column as usize];
            if value.is_nan() {
                continue;
            }
            if !nominal.is_empty() && nominal.binary_search(&column).is_ok() {
                if (value as usize) < CATEGORIES_MAX {
                    grown |= count(&mut self.categories, start + place, value, weight);
                    curve.weight += weight;
                }
            } else {
                curve.add(value, weight);
            }
        }
        grown
    }

    fn error(&self, row: Example<'_>, class: usize, growth: &Growth, votes: &mut Vec<f64>) -> f64 {
        self.votes(row, growth, votes);
        if largest(votes) == class { 0.0 } else { 1.0 }
    }

    fn judge(&mut self, row: Example<'_>, growth: &Growth) -> Verdict {
        if !self.active || self.depth >= growth.max_depth {
            return Verdict::Wait;
        }
        let weight = self.weight();
        if weight - self.weight_at_last_try < f64::from(growth.grace_period) {
            return Verdict::Wait;
        }
        self.weight_at_last_try = weight;
        let most = self.counts.iter().copied().fold(0.0, f64::max);
        if most >= weight || most > growth.max_share_to_split * weight {
            return Verdict::Wait;
        }
        let Ranking { best: Some(best), second, .. } = Ranking::of(self, row.nominal, growth, None) else {
            return Verdict::Wait;
        };
        let bound = growth.bound(split::range(growth.criterion, &self.counts), weight);
        // Not to split at all has a merit of 0.
        let idle = growth.merit_preprune.then_some(0.0);
        let rival = if best.merit <= 0.0 && idle.is_some() {
            Some(best.merit)
        } else {
            second.into_iter().chain(idle).reduce(f64::max)
        };
        let merit = if idle.is_some() { best.merit.max(0.0) } else { best.merit };
        let sure = rival.is_none_or(|rival| merit - rival > bound) || bound < growth.tau;
        if !sure {
            Verdict::Wait
        } else if best.merit <= 0.0 && idle.is_some() {
            Verdict::Never
        } else {
            Verdict::Split(best)
        }
    }

    fn depth(&self) -> u32 {
        self.depth
    }

    fn active(&self) -> bool {
        self.active
    }

    fn size(&self) -> u64 {
        let words: usize = self.categories.iter().map(|words| words.len() + 3).sum();
        (self.counts.len() + self.columns.len() / 2 + 5 * self.curves.len() + words + 16) as u64
    }

    fn promise(&self) -> f64 {
        self.weight() - self.counts.iter().copied().fold(0.0, f64::max)
    }

    fn deactivate(&mut self) {
        self.active = false;
        self.columns = Vec::new();
        self.curves = Vec::new();
        self.categories = Vec::new();
    }

    fn width(&self) -> usize {
        self.counts.len()
    }

    fn weight_of(branch: &[f64]) -> f64 {
        branch.iter().sum()
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        let width = self.columns.len();
        let sizes = self.counts.len() <= classes
            && self.curves.len() <= self.counts.len() * width
            && (width == 0 || self.curves.len().is_multiple_of(width))
            && self.categories.len() <= self.curves.len()
            && self.categories.iter().all(|words| words.len() <= CATEGORIES_MAX)
            && self.columns.windows(2).all(|pair| pair[0] < pair[1])
            && self.columns.last().is_none_or(|&last| (last as usize) < dim);
        if !sizes {
            return Err("the sizes of a leaf");
        }
        let weights = self.counts.iter().chain(self.categories.iter().flatten());
        let mut weights = weights.chain([&self.weight_at_last_try, &self.majority_right, &self.bayes_right]);
        let finite = weights.all(|weight| (0.0..=f64::MAX).contains(weight))
            && self.curves.iter().all(Curve::is_finite);
        if finite { Ok(()) } else { Err("the numbers of a leaf") }
    }
}

/// The share of a class by the logarithms of what speaks for each.
fn share_of(scores: &[f64], class: usize) -> f64 {
    let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let whole: f64 = scores.iter().map(|score| libm::exp(score - most)).sum();
    libm::exp(scores[class] - most) / whole
}

/// Counts a category; true if it needed room.
fn count(categories: &mut Vec<Vec<f64>>, at: usize, value: f64, weight: f64) -> bool {
    let code = value as usize;
    if at >= categories.len() {
        categories.resize(at + 1, Vec::new());
    }
    let grown = code >= categories[at].len();
    if grown {
        categories[at].resize(code + 1, 0.0);
    }
    categories[at][code] += weight;
    grown
}

/// The place of the largest number, the first among equals; 0 if there is none.
pub(crate) fn largest(numbers: &[f64]) -> usize {
    let mut best = 0;
    for (place, number) in numbers.iter().enumerate() {
        if *number > numbers[best] {
            best = place;
        }
    }
    best
}
