//! Mini-batch k-means (Sculley, *Web-scale k-means clustering*, 2010), as scikit-learn's `MiniBatchKMeans.partial_fit`.
//!
//! ```text
//! each row of a batch belongs to the centre that was nearest before the batch
//! per centre with m rows of mean x:   c = (c n + x m) / (n + m)     n = n + m
//! ```
//!
//! So a centre is the mean of all rows that ever were its own, and moves ever less; for a stream that changes,
//! `streaming_kmeans` forgets. Every `10 k` rows, and as long as a centre has no rows at all, centres with fewer than
//! `reassignment_ratio` times the rows of the fullest start anew, each on a random row of the batch, with the count of
//! the least of the others; never more of them than half the rows of the batch.
//!
//! Options with scikit-learn's defaults: `k` (8), `reassignment_ratio` (0.01), `seed` (0), and where the first centres
//! stand: `initial_centers`, rows of numbers in JSON, or k-means++ over the first `init_rows` (10 for each centre and
//! at least 50), during which there are no predictions. scikit-learn takes them from the first batch instead, however
//! small it is, and its random rows are others.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::centers::nearest;
use super::seeding;
use crate::features::Features;
use crate::learner::{Clusterer, LearnReport, Learner, kept_as_state};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "mini_batch_kmeans";

const K_MAX: usize = 1024;
const INIT_ROWS_MAX: usize = 100_000;
/// Numbers a model may keep in its centres, and in the rows that wait: 32 MB.
const VALUES_MAX: usize = 4 << 20;

/// Mini-batch k-means.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MiniBatchKMeans {
    k: usize,
    reassignment_ratio: f64,
    init_rows: usize,
    seed: u64,
    dim: Option<usize>,
    rows_learned: u64,
    /// Rows since centres were last looked at for being too light.
    since_reassignment: u64,
    random: Random,
    /// The rows so far, while there are no centres.
    waiting: Vec<f64>,
    /// Row-major.
    centers: Vec<f64>,
    counts: Vec<f64>,
}

impl MiniBatchKMeans {
    /// A model from the options of `CREATE MODEL`, for rows of any schema without a label.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>, _: &Schema) -> Result<Self, OptionError> {
        let known = &["k", "reassignment_ratio", "init_rows", "initial_centers", "seed"];
        let options = Options::new(NAME, known, options)?;
        let given = initial_centers(&options)?;
        let k = match (&given, options.number("k", 1..=K_MAX)?) {
            (Some(_), Some(_)) => {
                return Err(OptionError::Conflict { one: "k", other: "initial_centers" });
            }
            (Some(centers), None) => centers.len(),
            (None, k) => k.unwrap_or(8),
        };
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(0);
        let init_rows = options.number("init_rows", 1..=INIT_ROWS_MAX)?;
        if given.is_some() && init_rows.is_some() {
            return Err(OptionError::Conflict { one: "init_rows", other: "initial_centers" });
        }
        Ok(MiniBatchKMeans {
            k,
            reassignment_ratio: options.number("reassignment_ratio", 0.0..=1.0)?.unwrap_or(0.01),
            init_rows: init_rows.unwrap_or((10 * k).max(50)).max(k),
            seed,
            dim: given.as_ref().map(|centers| centers[0].len()),
            rows_learned: 0,
            since_reassignment: 0,
            random: Random::stream(seed, 1),
            waiting: Vec::new(),
            counts: vec![0.0; given.as_ref().map_or(0, Vec::len)],
            centers: given.map_or(Vec::new(), |centers| centers.concat()),
        })
    }

    fn admit(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        if self.dim.is_none() {
            let limit = VALUES_MAX / self.init_rows;
            if row.dim() > limit {
                return Err(Rejection::TooWide { limit, found: row.dim() });
            }
            self.dim = Some(row.dim());
        }
        Ok(())
    }

    /// Takes in a batch of checked rows.
    fn absorb(&mut self, batch: &[f64]) {
        let Some(dim) = self.dim.filter(|_| !batch.is_empty()) else { return };
        self.rows_learned = self.rows_learned.saturating_add((batch.len() / dim) as u64);
        if !self.counts.is_empty() {
            self.step(batch, dim);
            return;
        }
        self.waiting.extend_from_slice(batch);
        let needed = self.init_rows * dim;
        if self.waiting.len() >= needed {
            let rows = std::mem::take(&mut self.waiting);
            self.centers = seeding::k_means_plus_plus(&rows[..needed], dim, self.k, self.seed);
            self.counts = vec![0.0; self.k];
            self.step(&rows, dim);
        }
    }

    fn step(&mut self, batch: &[f64], dim: usize) {
        let (mut sums, mut found) = (Lent::zeros(self.centers.len()), Lent::zeros(self.k));
        for point in batch.chunks_exact(dim) {
            let (center, _) = nearest(&self.centers, point);
            found[center] += 1.0;
            for (sum, value) in sums[center * dim..(center + 1) * dim].iter_mut().zip(point) {
                *sum += value;
            }
        }
        for (center, &more) in found.iter().enumerate().filter(|(_, more)| **more > 0.0) {
            let before = self.counts[center];
            self.counts[center] += more;
            let share = 1.0 / self.counts[center];
            let place = center * dim..(center + 1) * dim;
            for (value, sum) in self.centers[place.clone()].iter_mut().zip(&sums[place]) {
                *value = (*value * before + sum) * share;
            }
        }
        self.since_reassignment += (batch.len() / dim) as u64;
        let empty = self.counts.contains(&0.0);
        if empty || self.since_reassignment >= 10 * self.k as u64 {
            self.since_reassignment = 0;
            self.reassign(batch, dim);
        }
    }

    /// Lets the lightest centres start anew on rows of the batch.
    fn reassign(&mut self, batch: &[f64], dim: usize) {
        let fullest = self.counts.iter().copied().fold(0.0, f64::max);
        let limit = self.reassignment_ratio * fullest;
        let mut light: Vec<usize> = (0..self.k).filter(|&center| self.counts[center] < limit).collect();
        if light.is_empty() {
            return;
        }
        let rows = batch.len() / dim;
        light.sort_by(|&a, &b| self.counts[a].total_cmp(&self.counts[b]));
        light.truncate(rows / 2);
        let others = (0..self.k).filter(|center| !light.contains(center));
        let least = others.map(|center| self.counts[center]).fold(f64::INFINITY, f64::min);
        let mut free: Vec<usize> = (0..rows).collect();
        for center in light {
            let row = free.swap_remove(self.random.index(free.len()));
            self.centers[center * dim..(center + 1) * dim]
                .copy_from_slice(&batch[row * dim..(row + 1) * dim]);
            self.counts[center] = least;
        }
    }
}

fn initial_centers(options: &Options) -> Result<Option<Vec<Vec<f64>>>, OptionError> {
    let Some(text) = options.get("initial_centers") else { return Ok(None) };
    let centers: Vec<Vec<f64>> = serde_json::from_str(text).unwrap_or_default();
    let dim = centers.first().map_or(0, Vec::len);
    let even = dim > 0 && centers.iter().all(|center| center.len() == dim);
    let values = centers.iter().flatten().all(|value| value.abs() <= VALUE_MAX);
    if even && values && centers.len() <= K_MAX && centers.len() * dim <= VALUES_MAX {
        return Ok(Some(centers));
    }
    Err(options.invalid("initial_centers", "rows of equally many numbers, as '[[0, 0], [1, 1]]'"))
}

impl Clusterer for MiniBatchKMeans {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        self.admit(row)?;
        self.absorb(row.dense(&mut Lent::new()));
        Ok(())
    }

    fn learn_many(&mut self, rows: Features<'_>) -> LearnReport {
        let (mut report, mut batch) = (LearnReport::default(), Vec::new());
        for (index, row) in rows.iter().enumerate() {
            let admitted = self.admit(row);
            if admitted.is_ok() {
                row.append_to(&mut batch);
            }
            report.note(index, admitted);
        }
        self.absorb(&batch);
        report
    }

    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        if self.counts.is_empty() || row.check(self.dim, Missing::Refused).is_err() {
            return None;
        }
        let (center, _) = nearest(&self.centers, row.dense(&mut Lent::new()));
        u32::try_from(center).ok()
    }

    fn centers(&self) -> Option<Features<'_>> {
        if self.counts.is_empty() { None } else { Features::dense(&self.centers[..], self.dim?).ok() }
    }

    fn weights(&self) -> &[f64] {
        &self.counts
    }
}

impl Learner for MiniBatchKMeans {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        let centers: Vec<_> = self.centers.chunks_exact(self.dim.unwrap_or(1)).collect();
        json!({
            "algorithm": NAME,
            "k": self.k,
            "reassignment_ratio": self.reassignment_ratio,
            "init_rows": self.init_rows,
            "seed": self.seed,
            "dim": self.dim,
            "rows_learned": self.rows_learned,
            "centers": centers,
            "weights": self.counts,
        })
    }
}

impl State for MiniBatchKMeans {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = self.dim.unwrap_or(0);
        let options = (1..=K_MAX).contains(&self.k)
            && (0.0..=1.0).contains(&self.reassignment_ratio)
            && self.init_rows >= self.k
            && self.init_rows <= INIT_ROWS_MAX;
        let sizes = if self.counts.is_empty() {
            self.centers.is_empty()
                && (self.waiting.is_empty() || dim > 0 && self.waiting.len().is_multiple_of(dim))
        } else {
            let wide = self.centers.len() == self.k.saturating_mul(dim);
            dim > 0 && self.counts.len() == self.k && wide && self.waiting.is_empty()
        };
        if !options || !sizes {
            return Err("its sizes");
        }
        // A mean of largest values may be rounded up.
        let finite = |values: &[f64]| values.iter().all(|value| value.abs() <= 2.0 * VALUE_MAX);
        let counts = self.counts.iter().all(|count| *count >= 0.0 && count.is_finite());
        if counts && finite(&self.centers) && finite(&self.waiting) { Ok(()) } else { Err("its numbers") }
    }
}

#[cfg(test)]
mod tests;
