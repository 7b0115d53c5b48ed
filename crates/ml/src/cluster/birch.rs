//! BIRCH (Zhang, Ramakrishnan and Livny, *BIRCH: an efficient data clustering method for very large databases*, 1996).
//!
//! Rows are gathered in sub-clusters, which hang in a tree: a row goes down to the nearest sub-cluster, and
//! joins it if the radius (the root of the mean squared distance from the middle) stays within `threshold`; otherwise
//! it founds one, and nodes of more than `branching_factor` entries part in two. Every `time_gap` rows the clusters that
//! are asked for come from k-means over the sub-clusters by weight; a row is answered with the nearest of these. Where there would
//! be more than `max_subclusters`, the threshold is doubled until the sub-clusters, joined anew, are few enough.
//!
//! Options by scikit-learn's names and with its defaults: `threshold` (0.5), `branching_factor` (50), `n_clusters` (3);
//! and `max_subclusters` (1000), `time_gap` (100), `seed` (0). Nothing is forgotten: every row counts for ever. The tree
//! is scikit-learn's up to rounding; it groups the sub-clusters by a hierarchy instead of k-means, and has no limit.

mod tree;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use self::tree::Tree;
use super::macro_clusters::MacroClusters;
use crate::features::Features;
use crate::learner::{Clusterer, Learner, kept_as_state};
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::scratch::Lent;
use crate::snapshot::State;

/// The name for `create`.
pub const NAME: &str = "birch";

const SUBCLUSTERS_MAX: usize = 10_000;
/// Numbers a model may keep.
const VALUES_MAX: usize = 4 << 20;

/// The choices.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Config {
    threshold: f64,
    branching_factor: usize,
    n_clusters: usize,
    max_subclusters: usize,
    time_gap: u64,
    seed: u64,
}

/// BIRCH.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Birch {
    config: Config,
    dim: Option<usize>,
    rows_learned: u64,
    tree: Tree,
    clusters: MacroClusters,
    random: Random,
}

impl Birch {
    /// A model from the options of `CREATE MODEL`, for rows of any schema without a label.
    ///
    /// # Errors
    ///
    /// If an option is unknown, malformed or out of range.
    pub fn from_options(options: &BTreeMap<String, String>, _: &Schema) -> Result<Self, OptionError> {
        let known = &["threshold", "branching_factor", "n_clusters", "max_subclusters", "time_gap", "seed"];
        let options = Options::new(NAME, known, options)?;
        let config = Config {
            threshold: options.number("threshold", 1e-100..=1e100)?.unwrap_or(0.5),
            branching_factor: options.number("branching_factor", 2..=1_000)?.unwrap_or(50),
            n_clusters: options.number("n_clusters", 1..=1_000)?.unwrap_or(3),
            max_subclusters: options.number("max_subclusters", 1..=SUBCLUSTERS_MAX)?.unwrap_or(1_000),
            time_gap: options.number("time_gap", 1..=1_000_000_000)?.unwrap_or(100),
            seed: options.number("seed", 0..=u64::MAX)?.unwrap_or(0),
        };
        Ok(Birch {
            tree: Tree::new(config.threshold, config.branching_factor),
            random: Random::new(config.seed),
            config,
            dim: None,
            rows_learned: 0,
            clusters: MacroClusters::default(),
        })
    }

    /// How many sub-clusters there are, and within which radius they were held.
    #[must_use]
    pub fn subclusters(&self) -> (usize, f64) {
        (self.tree.leaves().count(), self.tree.threshold())
    }

    fn absorb(&mut self, point: &[f64]) {
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.tree.insert(1.0, point, 0.0);
        while !self.tree.fits(self.config.max_subclusters) {
            self.tree.coarsen();
        }
        if self.rows_learned.is_multiple_of(self.config.time_gap) {
            self.group();
        }
    }

    /// Forms the clusters that are asked for.
    fn group(&mut self) {
        let points: Vec<f64> = self.tree.leaves().flat_map(|leaf| leaf.mean.iter().copied()).collect();
        let weights: Vec<f64> = self.tree.leaves().map(|leaf| leaf.weight).collect();
        let k = self.config.n_clusters;
        self.clusters = MacroClusters::of(&points, &weights, k, &self.clusters, &mut self.random);
    }
}

impl Clusterer for Birch {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Refused)?;
        // Inner nodes keep middles too, and there may be four nodes for a sub-cluster.
        let limit = VALUES_MAX / (5 * self.config.max_subclusters);
        if row.dim() > limit {
            return Err(Rejection::TooWide { limit, found: row.dim() });
        }
        self.dim = Some(row.dim());
        self.absorb(row.dense(&mut Lent::new()));
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<u32> {
        row.check(self.dim, Missing::Refused).ok()?;
        self.clusters.nearest(row.dense(&mut Lent::new()))
    }

    fn centers(&self) -> Option<Features<'_>> {
        let centers = &self.clusters.centers;
        if centers.is_empty() { None } else { Features::dense(&centers[..], self.dim?).ok() }
    }

    fn weights(&self) -> &[f64] {
        &self.clusters.weights
    }
}

impl Learner for Birch {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn describe(&self) -> Value {
        let dim = self.dim.unwrap_or(1);
        json!({
            "algorithm": NAME,
            "options": self.config,
            "dim": self.dim,
            "rows_learned": self.rows_learned,
            "subclusters": self.tree.leaves().count(),
            "threshold": self.tree.threshold(),
            "centers": self.clusters.centers.chunks_exact(dim).collect::<Vec<_>>(),
            "weights": self.clusters.weights,
        })
    }
}

impl State for Birch {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let config = &self.config;
        let options = config.time_gap > 0
            && (1..=1_000).contains(&config.n_clusters)
            && (1..=SUBCLUSTERS_MAX).contains(&config.max_subclusters);
        if !options {
            return Err("its options");
        }
        let dim = self.dim.unwrap_or(0);
        let none = self.tree.leaves().next().is_none() && self.clusters.weights.is_empty();
        let whole = self.tree.is_sound(dim)
            && self.tree.fits(config.max_subclusters)
            && (dim > 0 || none)
            && self.clusters.is_sound(dim);
        if whole { Ok(()) } else { Err("its tree") }
    }
}

#[cfg(test)]
mod tests;
