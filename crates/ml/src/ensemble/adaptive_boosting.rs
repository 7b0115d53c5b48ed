//! Boosting that notices changes: Oza's [online boosting](crate::ensemble::boosting) with ADWIN, and BOLE.
//!
//! `adwin_boosting` (Bifet et al., *New ensemble methods for evolving data streams*, 2009) watches each tree's errors;
//! when those of any rise, the tree that errs most begins anew, and what it had right and wrong is counted from there on,
//! as in River.
//!
//! `bole` (Barros, Santos and Gonçalves, *A boosting-like online learning ensemble*, 2016) changes the order: the tree
//! that is right least often comes first, and after one that was right the best of the others follows, after one that
//! was wrong the worst. If no tree is good enough to vote, all of them do. Each tree has a [DDM](crate::drift::ddm) of its
//! own, which sees each row once: while it warns, a second tree learns beside, which takes the first one's place when DDM
//! is sure.
//!
//! Options: `n_models` (10), `seed` (42), those of the [Hoeffding tree](crate::tree::hoeffding), and `adwin_delta` (0.002)
//! or for `bole` DDM's, with the defaults of MOA's: `warm_start` (7), `warning_threshold` (1.2) and
//! `drift_threshold` (1.95).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::boosting::{ERROR_MIN, LAMBDA_MAX};
use super::member::{MODELS_MAX, Member, error_if};
use crate::drift::{Ddm, Watch, ddm};
use crate::learner::Drift;
use crate::options::{OptionError, Options};
use crate::snapshot::State;
use crate::tree::{Example, Growth, Labelled, Method, Scratch, TREE_OPTIONS, Tree, Voter};

const ADWIN: u8 = 0;
const BOLE: u8 = 1;

/// Online boosting that replaces the worst tree when errors rise.
pub type AdwinBoosting = Labelled<AdaptiveBoosting<ADWIN>>;
/// Boosting in an order by how often trees are right.
pub type Bole = Labelled<AdaptiveBoosting<BOLE>>;

/// How boosting that notices changes learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AdaptiveBoosting<const KIND: u8> {
    growth: Growth,
    boosted: Vec<Boosted>,
    weight: f64,
    replaced: u64,
    #[serde(skip)]
    scratch: Scratch,
    #[serde(skip)]
    order: Scratch<usize>,
}

/// A tree, how it did, and what watches it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Boosted {
    member: Member,
    right: f64,
    wrong: f64,
    guard: Guard,
}

/// What watches a tree's errors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Guard {
    Adwin(Watch),
    /// With the tree that learns beside it.
    Ddm(Ddm, Box<Tree>),
}

impl Boosted {
    /// Learns a row as often as chance says, and goes on with what comes of it; true if it was right afterwards.
    fn learn(
        &mut self,
        (row, class, weight): (Example<'_>, usize, f64),
        growth: &Growth,
        votes: &mut Vec<f64>,
        boost: &mut Boost,
    ) -> bool {
        let Boosted { member, right, wrong, guard } = self;
        let times = member.random.poisson(boost.lambda);
        if let (Guard::Ddm(ddm, beside), true) = (guard, times > 0) {
            let error = error_if(!member.is_right(row, class, growth, votes));
            match ddm.step(error) {
                Drift::Warning => {
                    let weight = weight * f64::from(times);
                    beside.learn(row, class, weight, growth, &mut member.random, votes);
                }
                Drift::Detected => {
                    member.tree = std::mem::take(&mut **beside);
                    boost.replaced += 1;
                }
                Drift::None => {}
            }
        }
        for _ in 0..times {
            member.tree.learn(row, class, weight, growth, &mut member.random, votes);
        }
        let hit = member.is_right(row, class, growth, votes);
        let part = if hit { &mut *right } else { &mut *wrong };
        *part += boost.lambda * weight;
        let share = *part;
        let whole = boost.rows.unwrap_or(*right + *wrong);
        boost.lambda = (boost.lambda * whole / (2.0 * share)).min(LAMBDA_MAX);
        hit
    }

    /// Takes in whether it was right; true if its errors rise.
    fn watch(&mut self, hit: bool) -> bool {
        match &mut self.guard {
            Guard::Adwin(watch) => watch.add(error_if(!hit)),
            Guard::Ddm(..) => false,
        }
    }

    fn error(&self) -> f64 {
        match &self.guard {
            Guard::Adwin(watch) => watch.error(),
            Guard::Ddm(..) => 0.0,
        }
    }

    fn begin_anew(&mut self) {
        self.member.tree = Tree::default();
        if let Guard::Adwin(watch) = &mut self.guard {
            watch.reset();
        }
        (self.right, self.wrong) = (0.0, 0.0);
    }

    /// The share of the weight that it had right.
    fn rate(&self) -> f64 {
        let all = self.right + self.wrong;
        if all > 0.0 { self.right / all } else { 0.0 }
    }

    /// How much its vote weighs; nothing where chance would do as well.
    fn say(&self) -> f64 {
        let error = (self.wrong / (self.right + self.wrong)).max(ERROR_MIN);
        if error < 0.5 { libm::log((1.0 - error) / error) } else { 0.0 }
    }
}

/// What goes from tree to tree with a row.
struct Boost {
    lambda: f64,
    /// The weight of all rows so far, if that is what a tree's part is compared with, and not what the tree had.
    rows: Option<f64>,
    replaced: u64,
}

impl<const KIND: u8> AdaptiveBoosting<KIND> {
    fn learn_in_order(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let (mut boost, mut alarm) = (Boost { lambda: 1.0, rows: None, replaced: 0 }, false);
        for tree in &mut self.boosted {
            let hit = tree.learn((row, class, weight), &self.growth, &mut self.scratch.0, &mut boost);
            alarm |= tree.watch(hit);
        }
        if alarm {
            let errors = self.boosted.iter().map(Boosted::error).enumerate();
            let worst = errors.max_by(|one, other| one.1.total_cmp(&other.1)).map_or(0, |(place, _)| place);
            self.boosted[worst].begin_anew();
            self.replaced += 1;
        }
    }

    fn learn_by_rate(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let mut order = std::mem::take(&mut self.order.0);
        order.clear();
        order.extend(0..self.boosted.len());
        // The best first, and among equals the first.
        let rate = |place: usize| self.boosted[place].rate();
        order.sort_unstable_by(|&one, &other| rate(other).total_cmp(&rate(one)).then(one.cmp(&other)));
        self.weight += weight;
        let mut boost = Boost { lambda: 1.0, rows: Some(self.weight), replaced: 0 };
        let (mut was_right, mut left) = (false, order.as_slice());
        while let (Some((&best, worse)), Some((&worst, better))) = (left.split_first(), left.split_last()) {
            let place = if was_right { best } else { worst };
            left = if was_right { worse } else { better };
            let tree = &mut self.boosted[place];
            was_right = tree.learn((row, class, weight), &self.growth, &mut self.scratch.0, &mut boost);
        }
        self.replaced += boost.replaced;
        self.order.0 = order;
    }
}

impl<const KIND: u8> Method for AdaptiveBoosting<KIND> {
    const NAME: &'static str = if KIND == ADWIN { "adwin_boosting" } else { "bole" };
    const VERSION: u16 = 2;

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let of_ddm = ["warm_start", "warning_threshold", "drift_threshold"];
        let watching = if KIND == ADWIN { &["adwin_delta"][..] } else { &of_ddm };
        let known = [&["n_models", "seed"][..], watching, &TREE_OPTIONS].concat();
        let options = Options::new(Self::NAME, &known, options)?;
        let count = options.number("n_models", 1..=MODELS_MAX)?.unwrap_or(10);
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(42);
        let guard = if KIND == ADWIN {
            Guard::Adwin(Watch::new(options.number("adwin_delta", 1e-12..=1.0)?.unwrap_or(0.002)))
        } else {
            let mut config = ddm::Config { warm_start: 7, warning_threshold: 1.2, drift_threshold: 1.95 };
            options.set("warm_start", 0..=1_000_000, &mut config.warm_start)?;
            options.set("warning_threshold", 0.0..=1_000.0, &mut config.warning_threshold)?;
            options.set("drift_threshold", 0.0..=1_000.0, &mut config.drift_threshold)?;
            Guard::Ddm(Ddm::new(config), Box::default())
        };
        let fresh = |member| Boosted { member, right: 0.0, wrong: 0.0, guard: guard.clone() };
        Ok(AdaptiveBoosting {
            growth: Growth::default().with(&options)?,
            boosted: Member::all(count, seed).into_iter().map(fresh).collect(),
            weight: 0.0,
            replaced: 0,
            scratch: Scratch::default(),
            order: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        if KIND == ADWIN {
            self.learn_in_order(row, class, weight);
        } else {
            self.learn_by_rate(row, class, weight);
        }
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        let nobody = self.boosted.iter().all(|tree| tree.say() == 0.0);
        for tree in &self.boosted {
            let say = if nobody { 1.0 } else { tree.say() };
            if say > 0.0 {
                ask(Voter::new(&tree.member.tree, &self.growth, say));
            }
        }
    }

    fn describe(&self) -> Value {
        let nodes: usize = self.boosted.iter().map(|tree| tree.member.tree.shape().0).sum();
        json!({ "trees": self.boosted.len(), "nodes": nodes, "trees_replaced": self.replaced })
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        let good = |weight: f64| (0.0..=f64::MAX).contains(&weight);
        if self.boosted.is_empty() || !good(self.weight) {
            return Err("its members");
        }
        for tree in &self.boosted {
            match &tree.guard {
                Guard::Adwin(watch) if KIND == ADWIN => watch.validate()?,
                Guard::Ddm(ddm, beside) if KIND == BOLE => {
                    ddm.validate()?;
                    beside.validate(dim, classes)?;
                }
                _ => return Err("its guards"),
            }
            tree.member.tree.validate(dim, classes)?;
            if !good(tree.right) || !good(tree.wrong) {
                return Err("its members");
            }
        }
        Ok(())
    }
}
