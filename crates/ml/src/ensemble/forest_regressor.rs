//! The adaptive random forest for numbers (Gomes et al., *Adaptive random forests for data stream regression*, 2018).
//!
//! As the [forest for classes](crate::ensemble::forest): each tree learns each row Poisson(6) times, each leaf looks at
//! `max_features` columns only, and two ADWINs watch each tree, here its errors as shares of three standard deviations
//! of the targets. The answer is the mean of the trees' answers, or with `aggregation_method` `median` their median.
//!
//! Options: `n_models` (10), `seed` (42), `lambda` (6), `max_features` (`sqrt`), `drift_delta` (0.001),
//! `warning_delta` (0.01), `drift_detection` (true), `aggregation_method` (`mean`), and those of the
//! [tree for numbers](crate::tree::regressor), of which `grace_period` is 50, `delta` 0.01 and `max_size` 2 here: leaves
//! split as long as rows come, and what is beyond some thousand of them per tree hardly tells more.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::forest::MaxFeatures;
use super::member::MODELS_MAX;
use crate::drift::Watch;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::tree::{
    Estimate, Estimator, Example, Growth, NUMBER_OPTIONS, NumberLeaf, Numbered, Scratch, Stats, Tree, View,
};

/// An adaptive random forest for numbers.
pub type AdaptiveRandomForestRegressor = Numbered<NumberForest>;

/// How an [`AdaptiveRandomForestRegressor`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberForest {
    growth: Growth,
    max_features: MaxFeatures,
    lambda: f64,
    drift_detection: bool,
    median: bool,
    members: Vec<Grown>,
    replaced: u64,
    #[serde(skip)]
    scratch: Scratch,
}

/// A tree with its own luck, and what watches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Grown {
    tree: Tree<NumberLeaf>,
    random: Random,
    drift: Watch,
    warning: Watch,
    background: Option<Tree<NumberLeaf>>,
}

impl Grown {
    /// Takes in how wrong the tree was; true if another one took its place.
    fn note(&mut self, error: f64) -> bool {
        if self.warning.add(error) {
            self.warning.reset();
            self.background = Some(Tree::default());
        }
        if !self.drift.add(error) {
            return false;
        }
        self.drift.reset();
        self.warning.reset();
        self.tree = self.background.take().unwrap_or_default();
        true
    }
}

impl Estimate for NumberForest {
    const NAME: &'static str = "adaptive_random_forest_regressor";

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let own = [
            "n_models",
            "seed",
            "lambda",
            "max_features",
            "drift_delta",
            "warning_delta",
            "drift_detection",
            "aggregation_method",
        ];
        let options = Options::new(Self::NAME, &[&own[..], &NUMBER_OPTIONS].concat(), options)?;
        let count = options.number("n_models", 1..=MODELS_MAX)?.unwrap_or(10);
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(42);
        let drift = options.number("drift_delta", 1e-12..=1.0)?.unwrap_or(0.001);
        let warning = options.number("warning_delta", 1e-12..=1.0)?.unwrap_or(0.01);
        let grown = |member| Grown {
            tree: Tree::default(),
            random: Random::stream(seed, member),
            drift: Watch::new(drift),
            warning: Watch::new(warning),
            background: None,
        };
        let ways = [("mean", false), ("median", true)];
        Ok(NumberForest {
            growth: Growth { cells_max: Growth::mebibytes(2.0), ..Growth::default() }
                .of_numbers(&options, 50, 0.01)?,
            max_features: MaxFeatures::from_options(&options, MaxFeatures::Sqrt)?,
            lambda: options.number("lambda", 0.01..=100.0)?.unwrap_or(6.0),
            drift_detection: options.flag("drift_detection")?.unwrap_or(true),
            median: options.choice("aggregation_method", &ways)?.unwrap_or(false),
            members: (0..u64::from(count)).map(grown).collect(),
            replaced: 0,
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, target: f64, weight: f64) {
        let NumberForest { growth, members, scratch, .. } = self;
        growth.subspace = Some(self.max_features.of(row.values.len()));
        let scratch = &mut scratch.0;
        for member in members {
            let error = member.tree.leaf(row).map(|leaf| leaf.error(row, target, growth, scratch));
            let weight = weight * f64::from(member.random.poisson(self.lambda));
            if weight > 0.0 {
                member.tree.learn(row, target, weight, growth, &mut member.random, scratch);
                if let Some(tree) = &mut member.background {
                    tree.learn(row, target, weight, growth, &mut member.random, scratch);
                }
            }
            if let (Some(error), true) = (error, self.drift_detection) {
                self.replaced += u64::from(member.note(error));
            }
        }
    }

    fn estimators<'a>(&'a self, ask: &mut dyn FnMut(Estimator<'a>)) {
        self.members.iter().for_each(|member| ask(Estimator::new(&member.tree, &self.growth)));
    }

    fn by_median(&self) -> bool {
        self.median
    }

    fn describe(&self) -> Value {
        let nodes: usize = self.members.iter().map(|member| member.tree.shape().0).sum();
        let background = self.members.iter().filter(|member| member.background.is_some()).count();
        json!({
            "trees": self.members.len(),
            "nodes": nodes,
            "background_trees": background,
            "trees_replaced": self.replaced,
        })
    }

    fn validate(&self, dim: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        if self.members.is_empty() || !(0.01..=100.0).contains(&self.lambda) || !self.max_features.is_sound()
        {
            return Err("its members");
        }
        for member in &self.members {
            member.tree.validate(dim, 0)?;
            member.background.as_ref().map_or(Ok(()), |tree| tree.validate(dim, 0))?;
            member.drift.validate()?;
            member.warning.validate()?;
        }
        Ok(())
    }
}
