//! The options by which a tree grows.

use serde::{Deserialize, Serialize};

use crate::options::{OptionError, Options};

/// The options that every learner made of such trees takes.
pub(crate) const TREE_OPTIONS: [&str; 13] = [
    "grace_period",
    "delta",
    "tau",
    "leaf_prediction",
    "nb_threshold",
    "n_splits",
    "split_criterion",
    "binary_split",
    "min_branch_fraction",
    "max_share_to_split",
    "merit_preprune",
    "max_depth",
    "max_size",
];

/// What a leaf answers with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum LeafPrediction {
    /// The class it saw most.
    Majority,
    /// Naive Bayes over what it saw.
    NaiveBayes,
    /// Whichever of the two was right more often in this leaf.
    Adaptive,
}

/// How good a split is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Criterion {
    /// How many bits of doubt about the class it takes away.
    InfoGain,
    /// How much it lowers the chance that two rows of a branch differ in class.
    Gini,
    /// How far apart two classes are spread over the branches.
    Hellinger,
}

/// How a tree grows.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Growth {
    /// Weight a leaf takes in between two tries to split.
    pub(crate) grace_period: u32,
    /// The chance that a split is not the best one.
    pub(crate) delta: f64,
    /// A bound this small decides between equals.
    pub(crate) tau: f64,
    pub(crate) leaf: LeafPrediction,
    /// Weight below which a leaf does not answer with naive Bayes.
    pub(crate) nb_threshold: u32,
    /// Thresholds tried per column of numbers.
    pub(crate) n_splits: u32,
    pub(crate) criterion: Criterion,
    /// Whether columns of categories split one category from the rest only.
    pub(crate) binary_split: bool,
    /// At least two branches have more than this share of the leaf.
    pub(crate) min_branch_fraction: f64,
    /// A leaf with a larger share of one class does not split.
    pub(crate) max_share_to_split: f64,
    /// Whether not to split is one of the splits.
    pub(crate) merit_preprune: bool,
    pub(crate) max_depth: u32,
    /// Numbers the tree may keep.
    pub(crate) cells_max: u64,
    /// Columns that each leaf looks at, chosen at random; all if `None`.
    pub(crate) subspace: Option<u32>,
    /// Whether the columns are chosen once for the whole tree.
    pub(crate) per_tree: bool,
}

impl Default for Growth {
    fn default() -> Self {
        Growth {
            grace_period: 200,
            delta: 1e-7,
            tau: 0.05,
            leaf: LeafPrediction::Adaptive,
            nb_threshold: 0,
            n_splits: 10,
            criterion: Criterion::InfoGain,
            binary_split: false,
            min_branch_fraction: 0.01,
            max_share_to_split: 1.0,
            merit_preprune: false,
            max_depth: DEPTH_MAX,
            cells_max: Growth::mebibytes(32.0),
            subspace: None,
            per_tree: false,
        }
    }
}

/// No tree is deeper.
const DEPTH_MAX: u32 = 10_000;

impl Growth {
    /// How many numbers of eight bytes go into so many MiB.
    pub(crate) fn mebibytes(size: f64) -> u64 {
        (size * f64::from(1 << 17)) as u64
    }

    /// These, with what the options say otherwise.
    pub(crate) fn with(mut self, options: &Options) -> Result<Self, OptionError> {
        fn set<T>(place: &mut T, given: Option<T>) {
            if let Some(given) = given {
                *place = given;
            }
        }
        let words = [
            ("mc", LeafPrediction::Majority),
            ("nb", LeafPrediction::NaiveBayes),
            ("nba", LeafPrediction::Adaptive),
        ];
        let criteria = [
            ("info_gain", Criterion::InfoGain),
            ("gini", Criterion::Gini),
            ("hellinger", Criterion::Hellinger),
        ];
        set(&mut self.grace_period, options.number("grace_period", 1..=1_000_000_000)?);
        set(&mut self.delta, options.number("delta", 1e-300..=1.0)?);
        set(&mut self.tau, options.number("tau", 0.0..=10.0)?);
        set(&mut self.leaf, options.choice("leaf_prediction", &words)?);
        set(&mut self.nb_threshold, options.number("nb_threshold", 0..=1_000_000_000)?);
        set(&mut self.n_splits, options.number("n_splits", 1..=1_000)?);
        set(&mut self.criterion, options.choice("split_criterion", &criteria)?);
        set(&mut self.binary_split, options.flag("binary_split")?);
        set(&mut self.min_branch_fraction, options.number("min_branch_fraction", 0.0..=0.5)?);
        set(&mut self.max_share_to_split, options.number("max_share_to_split", 0.0..=1.0)?);
        set(&mut self.merit_preprune, options.flag("merit_preprune")?);
        set(&mut self.max_depth, options.number("max_depth", 0..=DEPTH_MAX)?);
        set(&mut self.cells_max, options.number("max_size", 0.001..=16_384.0)?.map(Growth::mebibytes));
        Ok(self)
    }

    /// Hoeffding's bound: how far the mean of `weight` numbers from a range can be from the truth, with a chance of
    /// `1 - delta`.
    pub(crate) fn bound(&self, range: f64, weight: f64) -> f64 {
        (range * range * libm::log(1.0 / self.delta) / (2.0 * weight)).sqrt()
    }

    /// Says what is impossible about options that were read.
    pub(crate) fn validate(&self) -> Result<(), &'static str> {
        let good = self.grace_period > 0
            && (1e-300..=1.0).contains(&self.delta)
            && self.tau >= 0.0
            && (1..=1_000).contains(&self.n_splits)
            && (0.0..=0.5).contains(&self.min_branch_fraction)
            && (0.0..=1.0).contains(&self.max_share_to_split)
            && self.max_depth <= DEPTH_MAX
            && self.subspace.is_none_or(|columns| columns > 0);
        if good { Ok(()) } else { Err("its options") }
    }
}
