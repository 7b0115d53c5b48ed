//! Robust random cut forest: how much simpler the picture of the last rows would be without a row (Guha, Mishra, Roy
//! and Schrijvers, 2016).
//!
//! Each of `n_trees` trees holds the last `tree_size` rows. A tree cuts the box around its rows in two, at a column
//! chosen with a chance that is its share of the sum of the box's sides and a place uniform along it, and so on down to
//! single rows. A new row meets, on its way down, at each node the cut that the box with it in would have got; if that
//! falls between row and box, the row becomes the node's neighbour. The oldest row leaves for it, and its neighbour
//! takes the place of their common node. Both keep the trees as if they had been drawn from the rows they hold.
//!
//! The score is the paper's collusive displacement: for each node above the row, the rows on the other side by the rows
//! on its own, the largest of these, and the mean over the trees. A row is scored as if it were learned now; asking
//! changes nothing, and the same question draws the same cuts. Rows that lie apart score high, up to `tree_size`;
//! ordinary ones a few times 1. Defaults are those of the `rrcf` package: 40 trees of 256 rows. Columns of larger
//! numbers are cut more often: scale rows before.

mod forest;
mod tree;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::forest::Saved;
use self::tree::Tree;
use super::{CELLS_MAX, anomaly_detector};
use crate::learner::AnomalyDetector;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "random_cut_forest";

const TREES_MAX: u32 = 1_000;
const SIZE_MAX: u32 = 65_536;

/// How large the forest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Trees.
    pub n_trees: u32,
    /// Rows that each holds.
    pub tree_size: u32,
    /// Chooses the cuts.
    pub seed: u64,
}

impl Config {
    /// Reads the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &["n_trees", "tree_size", "seed"], options)?;
        let config = Config {
            n_trees: options.number("n_trees", 1..=TREES_MAX)?.unwrap_or(40),
            tree_size: options.number("tree_size", 2..=SIZE_MAX)?.unwrap_or(256),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(42),
        };
        if config.widest() == 0 {
            return Err(options.invalid("n_trees", "fewer trees, or smaller ones: 4194304 rows in all"));
        }
        Ok(config)
    }

    /// The widest row for which the boxes of all nodes fit in the memory that is allowed.
    fn widest(&self) -> usize {
        CELLS_MAX / (self.n_trees as usize * self.tree_size as usize)
    }

    fn describe(&self) -> Value {
        json!(self)
    }
}

/// The detector.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Saved", into = "Saved")]
pub struct RandomCutForest {
    config: Config,
    rows_learned: u64,
    dim: Option<usize>,
    random: Random,
    /// The rows that the trees hold, slot by slot.
    points: Vec<f64>,
    trees: Vec<Tree>,
}

impl RandomCutForest {
    /// A detector that knows nothing yet.
    ///
    /// # Errors
    ///
    /// If an option cannot be used.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        let config = Config::from_options(options)?;
        Ok(RandomCutForest {
            config,
            rows_learned: 0,
            dim: schema.dim(),
            random: Random::new(config.seed),
            points: Vec::new(),
            trees: vec![Tree::default(); config.n_trees as usize],
        })
    }

    fn describe(&self) -> Value {
        json!({ "rows_held": self.rows_learned.min(u64::from(self.config.tree_size)) })
    }
}

impl AnomalyDetector for RandomCutForest {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        if row.dim() > self.config.widest() {
            return Err(Rejection::TooWide { limit: self.config.widest(), found: row.dim() });
        }
        let dim = *self.dim.get_or_insert(row.dim());
        let mut scratch = Lent::new();
        let values = row.dense(&mut scratch);
        let size = u64::from(self.config.tree_size);
        // Slots are taken in turn, so the one that is due holds the oldest row.
        let slot = (self.rows_learned % size) as usize;
        if self.rows_learned >= size {
            self.trees.iter_mut().for_each(|tree| tree.remove(slot, &self.points, dim));
            self.points[slot * dim..(slot + 1) * dim].copy_from_slice(values);
        } else {
            self.points.extend_from_slice(values);
        }
        for tree in &mut self.trees {
            tree.insert(slot, &self.points, dim, &mut self.random);
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        Ok(())
    }

    fn score_one(&self, row: Row<'_>) -> Option<f64> {
        if self.points.is_empty() || row.check(self.dim, Missing::Refused).is_err() {
            return None;
        }
        let mut scratch = Lent::new();
        let values = row.dense(&mut scratch);
        let mut random = self.random.clone();
        let scores = self.trees.iter().map(|tree| tree.score(values, &self.points, &mut random));
        Some(scores.sum::<f64>() / self.trees.len() as f64)
    }
}

anomaly_detector!(RandomCutForest, NAME, Refused);

impl State for RandomCutForest {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        // It could not have been put together from a bad state.
        Ok(())
    }
}

#[cfg(test)]
mod tests;
