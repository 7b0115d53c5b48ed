//! The Hoeffding tree for numbers (FIMT: Ikonomovska, Gama and Dzeroski, *Learning model trees from evolving data
//! streams*, 2011), as River's.
//!
//! A leaf keeps, per column, what targets went with which values, in at most `n_splits` + 1 bins that lie where the
//! values lie. The merit of a split is by how much less the targets vary within its branches, none of which may have
//! less than 5 rows. A leaf splits when the second best column's merit is surely less than the best one's: their ratio,
//! which is between 0 and 1, is below `1 - e` with Hoeffding's `e = sqrt(ln(1 / delta) / (2 n))`; or when `e < tau`.
//!
//! A leaf answers with the mean of its targets (`leaf_prediction` `mean`), with a line through them (`model`), or with
//! whichever was closer lately (`adaptive`). The line is fitted by gradient descent, on columns at one scale; it passes
//! from a leaf to its branches, with how close both were. No answer is beyond the targets that came.
//!
//! `hoeffding_adaptive_tree_regressor` replaces the parts whose errors rise, as the [tree for
//! classes](crate::tree::hoeffding_adaptive) does; an error is at most 1, which is three standard deviations of the
//! targets.
//!
//! Options: `grace_period` (200), `delta` (1e-7), `tau` (0.05), `leaf_prediction` (`adaptive`), `n_splits` (32),
//! `binary_split` (false), `max_depth`, `max_size` (32 MiB), and of the adaptive tree those of that page.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::adaptive::{ADAPTIVE_OPTIONS, Adapting, Adaptive, Lesson};
use super::growth::{Growth, LeafPrediction};
use super::labelled::Scratch;
use super::number_leaf::NumberLeaf;
use super::numbered::{Estimate, Numbered};
use super::structure::{Example, Tree};
use super::view::Estimator;
use crate::options::{OptionError, Options};
use crate::random::Random;

/// The options that every learner of numbers made of trees takes.
pub(crate) const NUMBER_OPTIONS: [&str; 8] =
    ["grace_period", "delta", "tau", "leaf_prediction", "n_splits", "binary_split", "max_depth", "max_size"];

/// A Hoeffding tree for numbers.
pub type HoeffdingTreeRegressor = Numbered<HoeffdingNumbers>;

/// A Hoeffding tree for numbers that replaces its parts.
pub type HoeffdingAdaptiveTreeRegressor = Numbered<AdaptiveNumbers>;

impl Growth {
    /// These as a tree for numbers begins with them, with what the options say otherwise.
    pub(crate) fn of_numbers(
        self,
        options: &Options,
        grace_period: u32,
        delta: f64,
    ) -> Result<Self, OptionError> {
        let words = [
            ("mean", LeafPrediction::Majority),
            ("model", LeafPrediction::NaiveBayes),
            ("adaptive", LeafPrediction::Adaptive),
        ];
        let leaf = options.choice("leaf_prediction", &words)?;
        let growth = Growth { grace_period, delta, n_splits: 32, ..self };
        let growth = growth.with(&options.without("leaf_prediction"))?;
        Ok(Growth { leaf: leaf.unwrap_or(LeafPrediction::Adaptive), ..growth })
    }
}

/// How a [`HoeffdingTreeRegressor`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoeffdingNumbers {
    growth: Growth,
    tree: Tree<NumberLeaf>,
    random: Random,
    #[serde(skip)]
    scratch: Scratch,
}

impl Estimate for HoeffdingNumbers {
    const NAME: &'static str = "hoeffding_tree_regressor";

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(Self::NAME, &NUMBER_OPTIONS, options)?;
        Ok(HoeffdingNumbers {
            growth: Growth::default().of_numbers(&options, 200, 1e-7)?,
            tree: Tree::default(),
            random: Random::new(0),
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, target: f64, weight: f64) {
        let HoeffdingNumbers { growth, tree, random, scratch } = self;
        tree.learn(row, target, weight, growth, random, &mut scratch.0);
    }

    fn estimators<'a>(&'a self, ask: &mut dyn FnMut(Estimator<'a>)) {
        ask(Estimator::new(&self.tree, &self.growth));
    }

    fn describe(&self) -> Value {
        let (nodes, leaves, active, depth) = self.tree.shape();
        json!({ "nodes": nodes, "leaves": leaves, "active_leaves": active, "depth": depth })
    }

    fn validate(&self, dim: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        self.tree.validate(dim, 0)
    }
}

/// How a [`HoeffdingAdaptiveTreeRegressor`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveNumbers {
    growth: Growth,
    adapting: Adapting,
    tree: Adaptive<NumberLeaf>,
    random: Random,
    #[serde(skip)]
    scratch: Scratch,
}

impl Estimate for AdaptiveNumbers {
    const NAME: &'static str = "hoeffding_adaptive_tree_regressor";

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = [&ADAPTIVE_OPTIONS[..], &NUMBER_OPTIONS].concat();
        let options = Options::new(Self::NAME, &known, options)?;
        Ok(AdaptiveNumbers {
            growth: Growth::default().of_numbers(&options, 200, 1e-7)?,
            adapting: Adapting::from_options(&options)?,
            tree: Adaptive::default(),
            random: Random::new(options.number("seed", 0..=u64::MAX)?.unwrap_or(42)),
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, target: f64, weight: f64) {
        let AdaptiveNumbers { growth, adapting, tree, random, scratch } = self;
        let scratch = &mut scratch.0;
        tree.learn(Lesson { row, target, weight, growth, adapting, random, scratch });
    }

    fn estimators<'a>(&'a self, ask: &mut dyn FnMut(Estimator<'a>)) {
        ask(Estimator::new(&self.tree, &self.growth));
    }

    fn describe(&self) -> Value {
        self.tree.describe()
    }

    fn validate(&self, dim: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        self.adapting.validate()?;
        self.tree.validate(dim, 0)
    }
}
