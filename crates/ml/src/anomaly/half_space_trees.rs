//! Half-space trees: random boxes, and how many rows of the last window fell into each (Tan, Ting and Liu, 2011), as
//! River's.
//!
//! Each of `n_trees` complete binary trees of `height` cuts the space in halves by columns and places chosen before
//! any row is learned. Rows are counted in each node that they pass; after `window_size` rows the counts become the
//! reference and counting begins anew. A row's score in a tree is the sum of the reference counts along its path, each
//! times 2 to its depth, up to a node with less than a tenth of a window; over all trees that is at most
//! `n_trees · window_size · (2^(height + 1) - 1)`, and the score is 1 less their quotient. There is none during the
//! first window, where River says 0.
//!
//! A node takes a column with a chance that is its share of what is left of the columns' ranges, and cuts it at random
//! within the middle 70 %. With `limits`, `'0, 1'` say, every column ranges between the two, as in River, whose
//! default that is: rows are then best scaled before. The default here, `auto`, waits for the first window, and gives
//! each column in each tree the paper's work range about the values seen: with `s` uniform between the smallest and the
//! largest, twice the longer of the two distances to them on either side of `s`. Defaults are otherwise River's: 10
//! trees, a height of 8, windows of 250. A missing value goes where more rows went. Of more than 256 columns, each is
//! as likely to be cut, however often it was before.

mod planting;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CELLS_MAX, anomaly_detector};
use crate::learner::AnomalyDetector;
use crate::options::{OptionError, Options};
use crate::row::{DIM_MAX, Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "half_space_trees";

const TREES_MAX: u32 = 1_000;
const HEIGHT_MAX: u32 = 15;
const WINDOW_MAX: u32 = 1_000_000;

/// How the trees are planted.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Config {
    /// Trees.
    pub n_trees: u32,
    /// Cuts from the root of a tree to a leaf.
    pub height: u32,
    /// Rows in a window.
    pub window_size: u32,
    /// Between which every column ranges; `None` is as the first window shows.
    pub limits: Option<(f64, f64)>,
    /// Chooses the cuts.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Config { n_trees: 10, height: 8, window_size: 250, limits: None, seed: 42 }
    }
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["n_trees", "height", "window_size", "limits", "seed"], options)?;
        let default = Config::default();
        let config = Config {
            n_trees: options.number("n_trees", 1..=TREES_MAX)?.unwrap_or(default.n_trees),
            height: options.number("height", 1..=HEIGHT_MAX)?.unwrap_or(default.height),
            window_size: options.number("window_size", 1..=WINDOW_MAX)?.unwrap_or(default.window_size),
            limits: limits(&options)?,
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(default.seed),
        };
        if config.n_trees as usize * config.nodes() > CELLS_MAX {
            return Err(options.invalid("n_trees", "fewer trees, or lower ones: 4194304 nodes in all"));
        }
        Ok(config)
    }

    /// Nodes of a tree with two branches.
    fn cuts(&self) -> usize {
        (1 << self.height) - 1
    }

    /// Nodes of a tree.
    fn nodes(&self) -> usize {
        (1 << (self.height + 1)) - 1
    }

    fn good(&self) -> bool {
        (1..=TREES_MAX).contains(&self.n_trees)
            && (1..=HEIGHT_MAX).contains(&self.height)
            && (1..=WINDOW_MAX).contains(&self.window_size)
            && self.limits.is_none_or(|(low, high)| low < high && -VALUE_MAX <= low && high <= VALUE_MAX)
            && self.n_trees as usize * self.nodes() <= CELLS_MAX
    }

    fn describe(&self) -> Value {
        json!({
            "n_trees": self.n_trees,
            "height": self.height,
            "window_size": self.window_size,
            "limits": self.limits.map_or(json!("auto"), |limits| json!(limits)),
            "seed": self.seed,
        })
    }
}

fn limits(options: &Options) -> Result<Option<(f64, f64)>, OptionError> {
    let Some(text) = options.get("limits").filter(|text| !text.eq_ignore_ascii_case("auto")) else {
        return Ok(None);
    };
    let pair = text
        .split_once(',')
        .and_then(|(low, high)| Some((low.trim().parse::<f64>().ok()?, high.trim().parse::<f64>().ok()?)));
    pair.filter(|(low, high)| low < high && -VALUE_MAX <= *low && *high <= VALUE_MAX)
        .map(Some)
        .ok_or_else(|| options.invalid("limits", "auto, or the lower and the upper end, as '0, 1'"))
}

/// The detector.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct HalfSpaceTrees {
    config: Config,
    rows_learned: u64,
    dim: Option<usize>,
    /// Rows of the current window.
    counted: u32,
    /// There is a reference.
    ready: bool,
    /// Rows that wait for the trees; a missing value is in `waiting_missing` and 0 here.
    waiting: Vec<f64>,
    waiting_missing: Vec<u32>,
    /// Tree by tree, each from its root, the two branches of node `i` at `2i + 1` and `2i + 2`.
    cuts: Vec<Cut>,
    /// The same with the leaves.
    masses: Vec<Mass>,
    #[serde(skip)]
    scratch: Vec<f64>,
}

/// Below `at` is the first branch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Cut {
    column: u32,
    at: f64,
}

/// Rows that passed a node, in the last whole window and in the one that is being counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Mass {
    reference: u32,
    latest: u32,
}

impl PartialEq for HalfSpaceTrees {
    fn eq(&self, other: &Self) -> bool {
        self.config == other.config
            && (self.rows_learned, self.dim) == (other.rows_learned, other.dim)
            && (self.counted, self.ready) == (other.counted, other.ready)
            && self.waiting == other.waiting
            && self.waiting_missing == other.waiting_missing
            && self.cuts == other.cuts
            && self.masses == other.masses
    }
}

impl HalfSpaceTrees {
    /// A detector that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        Ok(HalfSpaceTrees {
            config: Config::from_options(options)?,
            rows_learned: 0,
            dim: schema.dim(),
            counted: 0,
            ready: false,
            waiting: Vec::new(),
            waiting_missing: Vec::new(),
            cuts: Vec::new(),
            masses: Vec::new(),
            scratch: Vec::new(),
        })
    }

    fn learn(&mut self, values: &[f64]) {
        if self.cuts.is_empty() && self.config.limits.is_some() {
            self.plant(values.len());
        }
        if self.cuts.is_empty() {
            self.wait(values);
        } else {
            self.count(values);
        }
    }

    /// Keeps a row till the trees are planted; plants them when there are enough.
    fn wait(&mut self, values: &[f64]) {
        for &value in values {
            if value.is_nan() {
                self.waiting_missing.push(u32::try_from(self.waiting.len()).expect("below CELLS_MAX"));
            }
            self.waiting.push(if value.is_nan() { 0.0 } else { value });
        }
        let dim = values.len();
        let enough = (self.config.window_size as usize).min((CELLS_MAX / dim).max(1));
        if self.waiting.len() < enough * dim {
            return;
        }
        let mut rows = std::mem::take(&mut self.waiting);
        for missing in std::mem::take(&mut self.waiting_missing) {
            rows[missing as usize] = f64::NAN;
        }
        self.waiting = rows;
        self.plant(dim);
        let rows = std::mem::take(&mut self.waiting);
        rows.chunks_exact(dim).for_each(|row| self.count(row));
    }

    fn count(&mut self, values: &[f64]) {
        let Config { height, n_trees, window_size, .. } = self.config;
        let (cuts, nodes) = (self.config.cuts(), self.config.nodes());
        for tree in 0..n_trees as usize {
            let cuts = &self.cuts[tree * cuts..(tree + 1) * cuts];
            let masses = &mut self.masses[tree * nodes..(tree + 1) * nodes];
            let mut node = 0;
            for _ in 0..height {
                masses[node].latest += 1;
                let heavier = |masses: &[Mass]| masses[2 * node + 1].latest < masses[2 * node + 2].latest;
                node = below(cuts[node], values, node, || heavier(masses));
            }
            masses[node].latest += 1;
        }
        self.counted += 1;
        if self.counted == window_size {
            for mass in &mut self.masses {
                *mass = Mass { reference: mass.latest, latest: 0 };
            }
            (self.counted, self.ready) = (0, true);
        }
    }

    fn score(&self, values: &[f64]) -> f64 {
        let Config { height, n_trees, window_size, .. } = self.config;
        let (cuts, nodes) = (self.config.cuts(), self.config.nodes());
        let few = 0.1 * f64::from(window_size);
        let mut sum = 0.0;
        for tree in 0..n_trees as usize {
            let cuts = &self.cuts[tree * cuts..(tree + 1) * cuts];
            let masses = &self.masses[tree * nodes..(tree + 1) * nodes];
            let (mut node, mut factor) = (0, 1.0);
            for _ in 0..height {
                let mass = f64::from(masses[node].reference);
                if mass < few {
                    break;
                }
                sum += mass * factor;
                let heavier = || masses[2 * node + 1].reference < masses[2 * node + 2].reference;
                node = below(cuts[node], values, node, heavier);
                factor *= 2.0;
            }
            sum += f64::from(masses[node].reference) * factor;
        }
        1.0 - sum / (f64::from(n_trees) * f64::from(window_size) * nodes as f64)
    }

    fn describe(&self) -> Value {
        json!({ "ready": self.ready, "rows_of_this_window": self.counted })
    }
}

/// The branch of a node that a row goes to; `second` says which if the value is missing.
fn below(cut: Cut, values: &[f64], node: usize, second: impl Fn() -> bool) -> usize {
    let value = values[cut.column as usize];
    let right = if value.is_nan() { second() } else { value >= cut.at };
    2 * node + 1 + usize::from(right)
}

impl AnomalyDetector for HalfSpaceTrees {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if row.dim() > DIM_MAX {
            return Err(Rejection::TooWide { limit: DIM_MAX, found: row.dim() });
        }
        self.dim.get_or_insert(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        let mut scratch = std::mem::take(&mut self.scratch);
        self.learn(row.dense(&mut scratch));
        self.scratch = scratch;
        Ok(())
    }

    fn score_one(&self, row: Row<'_>) -> Option<f64> {
        if !self.ready || row.check(self.dim, Missing::Skipped).is_err() {
            return None;
        }
        Some(self.score(row.dense(&mut Lent::new())))
    }
}

anomaly_detector!(HalfSpaceTrees, NAME, Skipped);

impl State for HalfSpaceTrees {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if !self.config.good() || self.counted >= self.config.window_size {
            return Err("its options");
        }
        let dim = self.dim.unwrap_or(0);
        let trees = if self.cuts.is_empty() { 0 } else { self.config.n_trees as usize };
        let sizes = dim <= DIM_MAX
            && self.cuts.len() == trees * self.config.cuts()
            && self.masses.len() == trees * self.config.nodes()
            && (trees > 0 || !self.ready && self.counted == 0);
        let waiting = self.waiting.is_empty()
            || trees == 0
                && dim > 0
                && self.waiting.len().is_multiple_of(dim)
                && self.waiting.len() < (self.config.window_size as usize * dim).min(CELLS_MAX.max(dim));
        let places = self.waiting_missing.iter().all(|&place| (place as usize) < self.waiting.len());
        let numbers = self.waiting.iter().all(|value| value.abs() <= VALUE_MAX)
            && self.cuts.iter().all(|cut| (cut.column as usize) < dim && cut.at.is_finite())
            && self.masses.iter().all(|mass| mass.latest <= WINDOW_MAX && mass.reference <= WINDOW_MAX);
        if sizes && waiting && places && numbers { Ok(()) } else { Err("its trees") }
    }
}

#[cfg(test)]
mod tests;
