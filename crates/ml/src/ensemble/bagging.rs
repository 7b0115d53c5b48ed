//! Online bagging: each tree learns each row as often as a Poisson number says.
//!
//! A bootstrap sample holds each row about Poisson(1) times, so a stream can be sampled as it flows (Oza and Russell,
//! *Online bagging and boosting*, 2001): `online_bagging`. `adwin_bagging` (Bifet et al., *New ensemble methods for
//! evolving data streams*, 2009) watches each tree's errors with ADWIN; when those of any rise, the tree that errs
//! most begins anew. `leveraging_bagging` (Bifet, Holmes and Pfahringer, 2010) does so too, and draws from Poisson(6),
//! which makes the trees both sharper and more different.
//!
//! The answer is the mean of the trees' shares. Options: `n_models` (10), `seed` (42), `lambda` (1, or 6), `adwin_delta`
//! (0.002), and those of the [Hoeffding tree](crate::tree::hoeffding). As in River, a tree is asked before it learns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::member::{MODELS_MAX, Member, error_if};
use crate::drift::Watch;
use crate::options::{OptionError, Options};
use crate::tree::{Example, Growth, Labelled, Method, Scratch, TREE_OPTIONS, Tree, Voter};

const ONLINE: u8 = 0;
const ADWIN: u8 = 1;
const LEVERAGING: u8 = 2;

/// Online bagging of Hoeffding trees.
pub type OnlineBagging = Labelled<Bag<ONLINE>>;
/// Online bagging that replaces trees whose errors rise.
pub type AdwinBagging = Labelled<Bag<ADWIN>>;
/// The same with more weight and more chance.
pub type LeveragingBagging = Labelled<Bag<LEVERAGING>>;

/// How bagging learns; `KIND` is one of the three.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bag<const KIND: u8> {
    growth: Growth,
    lambda: f64,
    members: Vec<Member>,
    /// One per member, or none.
    watches: Vec<Watch>,
    replaced: u64,
    #[serde(skip)]
    scratch: Scratch,
}

impl<const KIND: u8> Method for Bag<KIND> {
    const NAME: &'static str = match KIND {
        ONLINE => "online_bagging",
        ADWIN => "adwin_bagging",
        _ => "leveraging_bagging",
    };

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let mut known = vec!["n_models", "seed", "lambda"];
        if KIND != ONLINE {
            known.push("adwin_delta");
        }
        known.extend(TREE_OPTIONS);
        let options = Options::new(Self::NAME, &known, options)?;
        let count = options.number("n_models", 1..=MODELS_MAX)?.unwrap_or(10);
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(42);
        let delta = options.number("adwin_delta", 1e-12..=1.0)?.unwrap_or(0.002);
        let lambda = if KIND == LEVERAGING { 6.0 } else { 1.0 };
        let watched = if KIND == ONLINE { 0 } else { count as usize };
        Ok(Bag {
            growth: Growth::default().with(&options)?,
            lambda: options.number("lambda", 0.01..=100.0)?.unwrap_or(lambda),
            members: Member::all(count, seed),
            watches: vec![Watch::new(delta); watched],
            replaced: 0,
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let Bag { growth, lambda, members, watches, replaced, scratch } = self;
        let mut alarm = false;
        for (place, member) in members.iter_mut().enumerate() {
            if let Some(watch) = watches.get_mut(place) {
                alarm |= watch.add(error_if(!member.is_right(row, class, growth, &mut scratch.0)));
            }
            member.learn(row, class, weight, *lambda, growth, &mut scratch.0);
        }
        if alarm {
            let errors = watches.iter().map(Watch::error).enumerate();
            let worst = errors.max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0, |(place, _)| place);
            members[worst].tree = Tree::default();
            watches[worst].reset();
            *replaced += 1;
        }
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        self.members.iter().for_each(|member| ask(Voter::new(&member.tree, &self.growth, 1.0)));
    }

    fn describe(&self) -> Value {
        let nodes: usize = self.members.iter().map(|member| member.tree.shape().0).sum();
        json!({ "trees": self.members.len(), "nodes": nodes, "trees_replaced": self.replaced })
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        let watched = if KIND == ONLINE { 0 } else { self.members.len() };
        if self.members.is_empty() || self.watches.len() != watched || !(0.01..=100.0).contains(&self.lambda)
        {
            return Err("its members");
        }
        self.watches.iter().try_for_each(Watch::validate)?;
        self.members.iter().try_for_each(|member| member.tree.validate(dim, classes))
    }
}
