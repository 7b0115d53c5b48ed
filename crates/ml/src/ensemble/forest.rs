//! Forests that follow a stream that changes.
//!
//! `adaptive_random_forest` (Gomes et al., *Adaptive random forests for evolving data stream classification*, 2017):
//! each tree learns each row Poisson(6) times, and each leaf looks at `max_features` columns only, chosen at random. Two
//! ADWINs watch each tree's errors. When the sensitive one warns, a second tree begins to grow in the background; when
//! the other is sure, that tree takes the place of the first. `srp` (Gomes, Read and Bifet, *Streaming random patches*,
//! 2019) does the same, but chooses the columns once for a whole tree.
//!
//! The answer is the mean of the trees' shares, weighted by how often each was right since it was planted.
//!
//! Options: `n_models` (10), `seed` (42), `lambda` (6), `max_features` (`auto`: 60 % of the columns, as MOA's forest has it
//! unless told otherwise, or `sqrt` where that is more; `sqrt`: the root of their number, and one more, as in the paper;
//! or `log2`, `all`, a number of columns, or a share below 1; `srp`: 0.6), `drift_delta` (0.001), `warning_delta` (0.01),
//! `drift_detection` (`false`: no tree is ever replaced), and those of the [Hoeffding tree](crate::tree::hoeffding), of
//! which `grace_period` is 50 and `delta` 0.01 here, and `binary_split` true in the adaptive random forest: a leaf that
//! does not see the best column would otherwise fall into as many as another one has categories, for no good reason.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::member::{MODELS_MAX, Member, error_if};
use crate::drift::Watch;
use crate::options::{OptionError, Options};
use crate::random::Random;
use crate::tree::{Example, Growth, Labelled, Method, Scratch, TREE_OPTIONS, Tree, Voter};

const ADAPTIVE: u8 = 0;
const PATCHES: u8 = 1;

/// An adaptive random forest.
pub type AdaptiveRandomForest = Labelled<Forest<ADAPTIVE>>;
/// Streaming random patches.
pub type StreamingRandomPatches = Labelled<Forest<PATCHES>>;

/// How many columns are looked at.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) enum MaxFeatures {
    Sqrt,
    Log2,
    All,
    Columns(u32),
    Share(f64),
    Auto,
}

/// The share of the columns that a leaf of MOA's forest looks at.
const SHARE: f64 = 0.6;

impl MaxFeatures {
    pub(crate) fn from_options(options: &Options, default: Self) -> Result<Self, OptionError> {
        let name = "max_features";
        let expected = "auto, sqrt, log2, all, a number of columns, or a share between 0 and 1";
        let text = options.get(name).map(str::to_ascii_lowercase);
        match text.as_deref() {
            None => Ok(default),
            Some("auto") => Ok(MaxFeatures::Auto),
            Some("sqrt") => Ok(MaxFeatures::Sqrt),
            Some("log2") => Ok(MaxFeatures::Log2),
            Some("all") => Ok(MaxFeatures::All),
            Some(text) => match (text.parse::<u32>(), text.parse::<f64>()) {
                (Ok(columns), _) if columns > 0 => Ok(MaxFeatures::Columns(columns)),
                (_, Ok(share)) if share > 0.0 && share < 1.0 => Ok(MaxFeatures::Share(share)),
                _ => Err(options.invalid(name, expected)),
            },
        }
    }

    pub(crate) fn is_sound(self) -> bool {
        !matches!(self, MaxFeatures::Share(share) if !(0.0..=1.0).contains(&share))
    }

    pub(crate) fn of(self, dim: usize) -> u32 {
        let all = dim as f64;
        let columns = match self {
            MaxFeatures::Sqrt => all.sqrt().round() + 1.0,
            MaxFeatures::Log2 => libm::log2(all).round() + 1.0,
            MaxFeatures::All => all,
            MaxFeatures::Columns(columns) => f64::from(columns),
            MaxFeatures::Share(share) => (all * share).round(),
            MaxFeatures::Auto => (all * SHARE).round().max(all.sqrt().round() + 1.0),
        };
        columns.clamp(1.0, all) as u32
    }
}

/// What a forest knows of one of its trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Guard {
    drift: Watch,
    warning: Watch,
    background: Option<Tree>,
    right: f64,
    seen: f64,
}

impl Guard {
    /// How much its tree's vote weighs.
    fn say(&self) -> f64 {
        if self.right > 0.0 { self.right / self.seen } else { 1e-3 }
    }

    /// Takes in whether the tree was right; gives the tree that is to replace it, if it is time.
    fn note(&mut self, right: bool, fresh: impl Fn() -> Tree) -> Option<Tree> {
        if self.warning.add(error_if(!right)) {
            self.warning.reset();
            self.background = Some(fresh());
        }
        if !self.drift.add(error_if(!right)) {
            return None;
        }
        self.drift.reset();
        self.warning.reset();
        (self.right, self.seen) = (0.0, 0.0);
        Some(self.background.take().unwrap_or_else(fresh))
    }
}

/// How a forest learns; `KIND` is one of the two.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Forest<const KIND: u8> {
    growth: Growth,
    max_features: MaxFeatures,
    lambda: f64,
    drift_detection: bool,
    members: Vec<Member>,
    guards: Vec<Guard>,
    replaced: u64,
    #[serde(skip)]
    scratch: Scratch,
}

impl<const KIND: u8> Method for Forest<KIND> {
    const NAME: &'static str = if KIND == ADAPTIVE { "adaptive_random_forest" } else { "srp" };

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let own =
            ["n_models", "seed", "lambda", "max_features", "drift_delta", "warning_delta", "drift_detection"];
        let known = [&own[..], &TREE_OPTIONS].concat();
        let options = Options::new(Self::NAME, &known, options)?;
        let count = options.number("n_models", 1..=MODELS_MAX)?.unwrap_or(10);
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(42);
        let drift = options.number("drift_delta", 1e-12..=1.0)?.unwrap_or(0.001);
        let warning = options.number("warning_delta", 1e-12..=1.0)?.unwrap_or(0.01);
        let features = if KIND == ADAPTIVE { MaxFeatures::Auto } else { MaxFeatures::Share(SHARE) };
        let growth = Growth { grace_period: 50, delta: 0.01, ..Growth::default() };
        let growth = Growth { binary_split: KIND == ADAPTIVE, ..growth };
        let guard = Guard {
            drift: Watch::new(drift),
            warning: Watch::new(warning),
            background: None,
            right: 0.0,
            seen: 0.0,
        };
        Ok(Forest {
            growth: growth.with(&options)?,
            max_features: MaxFeatures::from_options(&options, features)?,
            lambda: options.number("lambda", 0.01..=100.0)?.unwrap_or(6.0),
            drift_detection: options.flag("drift_detection")?.unwrap_or(true),
            members: Member::all(count, seed),
            guards: vec![guard; count as usize],
            replaced: 0,
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let Forest { growth, lambda, members, guards, replaced, scratch, .. } = self;
        growth.subspace = Some(self.max_features.of(row.values.len()));
        growth.per_tree = KIND == PATCHES;
        let growth = &*growth;
        for (member, guard) in members.iter_mut().zip(guards) {
            let right = member.is_right(row, class, growth, &mut scratch.0);
            guard.seen += weight;
            guard.right += if right { weight } else { 0.0 };
            let times = member.learn(row, class, weight, *lambda, growth, &mut scratch.0);
            if let (Some(tree), true) = (&mut guard.background, times > 0) {
                let (weight, random): (_, &mut Random) = (weight * f64::from(times), &mut member.random);
                tree.learn(row, class, weight, growth, random, &mut scratch.0);
            }
            if !self.drift_detection {
                continue;
            }
            if let Some(tree) = guard.note(right, Tree::default) {
                member.tree = tree;
                *replaced += 1;
            }
        }
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        for (member, guard) in self.members.iter().zip(&self.guards) {
            ask(Voter::new(&member.tree, &self.growth, guard.say()));
        }
    }

    fn describe(&self) -> Value {
        let nodes: usize = self.members.iter().map(|member| member.tree.shape().0).sum();
        let background = self.guards.iter().filter(|guard| guard.background.is_some()).count();
        json!({
            "trees": self.members.len(),
            "nodes": nodes,
            "background_trees": background,
            "trees_replaced": self.replaced,
        })
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        let members = self.members.len();
        let share = self.max_features.is_sound();
        if members == 0 || self.guards.len() != members || !(0.01..=100.0).contains(&self.lambda) || !share {
            return Err("its members");
        }
        for (member, guard) in self.members.iter().zip(&self.guards) {
            member.tree.validate(dim, classes)?;
            guard.background.as_ref().map_or(Ok(()), |tree| tree.validate(dim, classes))?;
            guard.drift.validate()?;
            guard.warning.validate()?;
            if !(0.0..=f64::MAX).contains(&guard.seen) || !(0.0..=guard.seen).contains(&guard.right) {
                return Err("its votes");
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn narrow_rows_are_looked_at_by_their_root_and_wide_ones_by_their_share() {
        let columns = |features: MaxFeatures| [1, 3, 9, 30].map(|dim| features.of(dim));
        assert_eq!(columns(MaxFeatures::Auto), [1, 3, 5, 18]);
        assert_eq!(columns(MaxFeatures::Sqrt), [1, 3, 4, 6]);
        assert_eq!(columns(MaxFeatures::Share(0.6)), [1, 2, 5, 18]);
    }
}
