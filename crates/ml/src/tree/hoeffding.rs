//! The Hoeffding tree (Domingos and Hulten, *Mining high-speed data streams*, 2000), as MOA and River grow it.
//!
//! Each leaf counts classes and, per class and column, keeps a bell curve (numbers) or counts (categories). Whenever a
//! leaf has taken in `grace_period` more, it asks how good the best split of each column would be: `G`, the
//! information gained. After `n` rows the true `G` is, with a chance of `1 - delta`, within
//! `e = sqrt(R^2 ln(1 / delta) / (2 n))` of what the leaf measured, where `R = log2(classes)`. So it splits if the
//! best column leads the second by more than `e`, or if `e < tau`, when the two are as good as equal. With
//! `merit_preprune`, not to split is a candidate with a gain of 0, and a leaf that is sure of it stops looking (an option
//! of MOA and River as well, where that candidate has no gain at all and so never wins: hence `false` here).
//!
//! A column of numbers is tried at `n_splits` thresholds at even distances; a column of categories with all of them at
//! once (unless `binary_split`) and each against the rest. A leaf answers with its majority (`mc`), with naive Bayes
//! (`nb`), or with whichever was right more often in it (`nba`; Gama, Fernandes and Rocha, 2006).
//!
//! Defaults are MOA's, which are River's but for these: `max_share_to_split` is 1 (River: 0.99) and `max_size`, in
//! MiB, is 32 (River: 100). When the tree is larger, the leaves with the least to gain forget their columns and keep
//! only counts. Other than in River, a class whose curve has no height at a value is next to impossible there (MOA),
//! instead of as likely as before. A category that was unknown when its column split, and a missing value, go the way
//! that most rows went.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::growth::{Growth, TREE_OPTIONS};
use super::labelled::{Labelled, Method, Scratch};
use super::structure::{Example, Tree};
use super::view::Voter;
use crate::options::{OptionError, Options};
use crate::random::Random;

/// The name for `create`.
pub const NAME: &str = "hoeffding_tree";

/// A Hoeffding tree.
pub type HoeffdingTree = Labelled<Hoeffding>;

/// How a [`HoeffdingTree`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hoeffding {
    growth: Growth,
    tree: Tree,
    random: Random,
    #[serde(skip)]
    scratch: Scratch,
}

impl Method for Hoeffding {
    const NAME: &'static str = NAME;

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let options = Options::new(NAME, &TREE_OPTIONS, options)?;
        let growth = Growth::default().with(&options)?;
        Ok(Hoeffding { growth, tree: Tree::default(), random: Random::new(0), scratch: Scratch::default() })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let Hoeffding { growth, tree, random, scratch } = self;
        tree.learn(row, class, weight, growth, random, &mut scratch.0);
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        ask(Voter::new(&self.tree, &self.growth, 1.0));
    }

    fn describe(&self) -> Value {
        let (nodes, leaves, active, depth) = self.tree.shape();
        json!({ "nodes": nodes, "leaves": leaves, "active_leaves": active, "depth": depth })
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        self.tree.validate(dim, classes)
    }
}
