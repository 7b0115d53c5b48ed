//! LODA: how rare a row is along many random lines (Pevný, 2016), as River's.
//!
//! Each of `n_random_cuts` lines adds up a few columns, the square root of how many there are, with weights from a bell
//! curve. A histogram of `n_bins` bins learns where rows fall on it. With `p` the density of a row's bin, its share of
//! the rows by its width, the score is the mean over all lines of `-ln(max(p, 1e-12))`. Defaults are River's: 10 bins
//! and 100 lines.
//!
//! The bins follow the rows: a place outside all of them begins a bin of its own, and when there is one too many, the
//! two whose right ends are nearest become one (Ben-Haim and Tom-Tov, 2010). So a lone outlier keeps its own bin, and
//! takes no width from the others. A bin of one place is as wide as the gap beside it, the smaller one. Missing values
//! are 0. Columns of larger numbers weigh more: scale rows before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, anomaly_detector};
use crate::learner::AnomalyDetector;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::{DIM_MAX, Missing, Rejection, Row};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "loda";

const BINS_MAX: u32 = 1_000;
const CUTS_MAX: u32 = 1_000;

/// The lowest density that is told apart from none, and the highest from more.
const DENSITY_MIN: f64 = 1e-12;
const DENSITY_MAX: f64 = 1e300;

/// How many lines, and how closely they are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Bins of each histogram.
    pub n_bins: u32,
    /// Lines.
    pub n_random_cuts: u32,
    /// Chooses the lines.
    pub seed: u64,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["n_bins", "n_random_cuts", "seed"], options)?;
        Ok(Config {
            n_bins: options.number("n_bins", 2..=BINS_MAX)?.unwrap_or(10),
            n_random_cuts: options.number("n_random_cuts", 1..=CUTS_MAX)?.unwrap_or(100),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(42),
        })
    }

    fn describe(&self) -> Value {
        json!(self)
    }
}

/// The detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Loda {
    config: Config,
    rows_learned: u64,
    dim: Option<usize>,
    lines: Vec<Line>,
}

/// A random line through the rows, and what was seen on it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Line {
    /// Columns with their weights.
    weights: Vec<(u32, f64)>,
    /// From left to right.
    bins: Vec<Bin>,
}

/// A stretch of a line, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
struct Bin {
    left: f64,
    right: f64,
    count: u64,
}

impl Line {
    fn place(&self, values: &[f64]) -> f64 {
        let part = |&(column, weight): &(u32, f64)| {
            let value = values[column as usize];
            if value.is_nan() { 0.0 } else { weight * value }
        };
        self.weights.iter().map(part).sum()
    }

    fn learn(&mut self, place: f64, bins_max: usize) {
        let at = self.bins.partition_point(|bin| bin.right < place);
        match self.bins.get_mut(at) {
            Some(bin) if place >= bin.left => bin.count += 1,
            _ => self.bins.insert(at, Bin { left: place, right: place, count: 1 }),
        }
        if self.bins.len() > bins_max {
            self.shrink();
        }
    }

    /// Makes one of the two bins whose right ends are nearest.
    fn shrink(&mut self) {
        let mut nearest: Option<(usize, f64)> = None;
        for (at, pair) in self.bins.windows(2).enumerate() {
            let gap = pair[1].right - pair[0].right;
            if nearest.is_none_or(|(_, least)| gap < least) {
                nearest = Some((at, gap));
            }
        }
        if let Some((at, _)) = nearest {
            let right = self.bins.remove(at + 1);
            self.bins[at].right = right.right;
            self.bins[at].count += right.count;
        }
    }

    /// The share of `total` rows in the bin at a place, by its width; 0 between bins.
    fn density(&self, place: f64, total: f64) -> f64 {
        let at = self.bins.partition_point(|bin| bin.right < place);
        let Some(bin) = self.bins.get(at).filter(|bin| place >= bin.left) else { return 0.0 };
        let share = bin.count as f64 / total;
        let width = bin.right - bin.left;
        if width > 0.0 {
            return share / width;
        }
        let before = at.checked_sub(1).map(|before| bin.left - self.bins[before].right);
        let after = self.bins.get(at + 1).map(|after| after.left - bin.right);
        match before.into_iter().chain(after).reduce(f64::min) {
            Some(gap) if gap > 0.0 => share / gap,
            _ => share,
        }
    }

    fn good(&self, dim: usize, bins_max: usize) -> bool {
        let ordered = self.bins.windows(2).all(|pair| pair[0].right < pair[1].left);
        let bins = self
            .bins
            .iter()
            .all(|bin| bin.left.is_finite() && bin.right.is_finite() && bin.left <= bin.right);
        let weights =
            self.weights.iter().all(|&(column, weight)| (column as usize) < dim && weight.is_finite());
        ordered && bins && weights && self.bins.len() <= bins_max && !self.weights.is_empty()
    }
}

impl Loda {
    /// A detector that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let config = Config::from_options(options)?;
        Ok(Loda { config, rows_learned: 0, dim: schema.dim(), lines: Vec::new() })
    }

    /// Draws the lines.
    fn draw(&mut self, dim: usize) {
        let mut random = Random::new(self.config.seed);
        let some = ((dim as f64).sqrt() as usize).max(1);
        let mut columns: Vec<u32> = (0..).take(dim).collect();
        for _ in 0..self.config.n_random_cuts {
            let mut weights = Vec::with_capacity(some);
            for chosen in 0..some {
                columns.swap(chosen, chosen + random.index(dim - chosen));
                weights.push((columns[chosen], random.normal()));
            }
            let bins = Vec::with_capacity(self.config.n_bins as usize + 1);
            self.lines.push(Line { weights, bins });
        }
    }

    fn describe(&self) -> Value {
        json!({ "lines": self.lines.len() })
    }
}

impl AnomalyDetector for Loda {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if row.dim() > DIM_MAX {
            return Err(Rejection::TooWide { limit: DIM_MAX, found: row.dim() });
        }
        let dim = *self.dim.get_or_insert(row.dim());
        if self.lines.is_empty() {
            self.draw(dim);
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let mut scratch = Lent::new();
        let values = row.dense(&mut scratch);
        for line in &mut self.lines {
            let place = line.place(values);
            line.learn(place, self.config.n_bins as usize);
        }
        Ok(())
    }

    fn score_one(&self, row: Row<'_>) -> Option<f64> {
        if self.lines.is_empty() || row.check(self.dim, Missing::Skipped).is_err() {
            return None;
        }
        let mut scratch = Lent::new();
        let values = row.dense(&mut scratch);
        let total = self.rows_learned as f64;
        let mut score = 0.0;
        for line in &self.lines {
            let density = line.density(line.place(values), total);
            score -= libm::log(density.clamp(DENSITY_MIN, DENSITY_MAX));
        }
        Some(score / self.lines.len() as f64)
    }
}

anomaly_detector!(Loda, NAME, Skipped);

impl State for Loda {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let Config { n_bins, n_random_cuts, .. } = self.config;
        let dim = self.dim.unwrap_or(0);
        if !(2..=BINS_MAX).contains(&n_bins) || !(1..=CUTS_MAX).contains(&n_random_cuts) || dim > DIM_MAX {
            return Err("its options");
        }
        let drawn = self.lines.is_empty() && self.rows_learned == 0
            || self.lines.len() == n_random_cuts as usize && self.rows_learned > 0;
        let good = self.lines.iter().all(|line| line.good(dim, n_bins as usize));
        let cells: usize = self.lines.iter().map(|line| line.weights.len()).sum();
        if drawn && good && cells <= CELLS_MAX { Ok(()) } else { Err("its lines") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detector(options: &[(&str, &str)]) -> Loda {
        let options = options.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Loda::from_options(&options, &Schema::default()).unwrap()
    }

    /// `LODA(n_bins=6, n_random_cuts=4, seed=42)` of River 0.26.1 after these rows, on the lines that it drew.
    #[test]
    fn histograms_and_scores_are_rivers() {
        let row = |turn: i32| {
            let [a, b, c] = [(turn * turn % 17, 17.0), (turn * 7 % 13, 13.0), (turn * 5 % 11, 3.0)]
                .map(|(number, unit)| f64::from(number) / unit);
            [a, b, c, f64::from(turn % 4)]
        };
        let mut detector = detector(&[("n_bins", "6"), ("n_random_cuts", "4")]);
        let weights = [
            [(0, -0.039773455257050304), (3, -0.7484695533206984)],
            [(1, 1.3138731944620898), (2, 0.9864216286494504)],
            [(0, -0.216958684145195), (2, 0.11588478670085507)],
            [(1, -0.2317928608380212), (0, -0.007802373045508363)],
        ];
        detector.lines = weights.map(|weights| Line { weights: weights.to_vec(), bins: Vec::new() }).to_vec();
        (0..200).for_each(|turn| detector.learn_one(Row::F64(&row(turn))).unwrap());
        let asked = [row(0), row(1), [3.0; 4], [0.5; 4]];
        let expected = [-0.5420756479709354, -0.7251575406538813, 27.631021115928547, 6.663695636108759];
        for (row, expected) in asked.iter().zip(expected) {
            let found = detector.score_one(Row::F64(row)).unwrap();
            assert!((found - expected).abs() < 1e-9, "{row:?}: {found} instead of {expected}");
        }
    }

    #[test]
    fn what_lies_apart_scores_higher_even_after_an_outlier() {
        let mut detector = detector(&[]);
        let mut random = Random::new(1);
        for turn in 0..500 {
            let row = if turn == 100 { [1e100; 3] } else { [(); 3].map(|()| random.normal()) };
            detector.learn_one(Row::F64(&row)).unwrap();
        }
        let score = |place: f64| detector.score_one(Row::F64(&[place, -place, place])).unwrap();
        assert!(score(0.1) + 1.0 < score(2.5) && score(2.5) < score(20.0), "{} {}", score(0.1), score(2.5));
    }
}
