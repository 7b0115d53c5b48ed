//! The Hoeffding adaptive tree (Bifet and Gavalda, *Adaptive learning from evolving data streams*, 2009), as River's and
//! MOA's: a [Hoeffding tree](crate::tree::hoeffding) that replaces those of its parts that no longer hold.
//!
//! Every node watches with ADWIN how often the rows that come through it are named wrongly. When that rises at a fork, a
//! second tree begins there, which learns the same rows. Once both have more than `drift_window_threshold` (300) answers
//! behind them, the better one stays if the difference of their errors is beyond
//! `sqrt(2 v (1/n + 1/m) ln(2 / s))`, with `v` the variance of the old one's errors, `n` and `m` the answers and `s` the
//! `switch_significance` (0.05). A leaf learns a row as often as a Poisson number of mean 1 says, and at least once
//! (`bootstrap_sampling`, true), which makes the trees differ from each other.
//!
//! Other options: `adwin_delta` (0.002), `seed` (42), and those of the Hoeffding tree. When the tree is larger than
//! `max_size`, the second trees go first.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::adaptive::{ADAPTIVE_OPTIONS, Adapting, Adaptive, Lesson};
use super::growth::{Growth, TREE_OPTIONS};
use super::labelled::{Labelled, Method, Scratch};
use super::leaf::Leaf;
use super::structure::Example;
use super::view::Voter;
use crate::options::{OptionError, Options};
use crate::random::Random;

/// The name for `create`.
pub const NAME: &str = "hoeffding_adaptive_tree";

/// A Hoeffding adaptive tree.
pub type HoeffdingAdaptiveTree = Labelled<HoeffdingAdaptive>;

/// How a [`HoeffdingAdaptiveTree`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoeffdingAdaptive {
    growth: Growth,
    adapting: Adapting,
    tree: Adaptive<Leaf>,
    random: Random,
    #[serde(skip)]
    scratch: Scratch,
}

impl Method for HoeffdingAdaptive {
    const NAME: &'static str = NAME;

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = [&ADAPTIVE_OPTIONS[..], &TREE_OPTIONS].concat();
        let options = Options::new(NAME, &known, options)?;
        Ok(HoeffdingAdaptive {
            growth: Growth::default().with(&options)?,
            adapting: Adapting::from_options(&options)?,
            tree: Adaptive::default(),
            random: Random::new(options.number("seed", 0..=u64::MAX)?.unwrap_or(42)),
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let HoeffdingAdaptive { growth, adapting, tree, random, scratch } = self;
        let scratch = &mut scratch.0;
        tree.learn(Lesson { row, target: class, weight, growth, adapting, random, scratch });
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        ask(Voter::new(&self.tree, &self.growth, 1.0));
    }

    fn describe(&self) -> Value {
        self.tree.describe()
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        self.adapting.validate()?;
        self.tree.validate(dim, classes)
    }
}
