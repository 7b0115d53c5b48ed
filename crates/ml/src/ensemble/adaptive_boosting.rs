//! Boosting that notices changes: Oza's [online boosting](crate::ensemble::boosting) with ADWIN, and BOLE.
//!
//! `adwin_boosting` (Bifet et al., *New ensemble methods for evolving data streams*, 2009) watches each tree's errors;
//! when those of any rise, the tree that errs most begins anew. `bole` (Barros, Santos and Gonçalves, *A boosting-like
//! online learning ensemble*, 2016) changes the order as well: the tree that is right least often comes first, and after
//! one that was right the best of the others follows, after one that was wrong the worst. There each tree whose errors
//! rise begins anew by itself, and if no tree is good enough to vote, all of them do. What a tree had right and wrong is
//! counted since it began, as in River.
//!
//! Options: `n_models` (10), `seed` (42), `adwin_delta` (0.002), and those of the
//! [Hoeffding tree](crate::tree::hoeffding).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::boosting::{ERROR_MIN, LAMBDA_MAX};
use super::member::{MODELS_MAX, Member, error_if};
use crate::drift::Watch;
use crate::options::{OptionError, Options};
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
    watch: Watch,
}

impl Boosted {
    fn begin_anew(&mut self) {
        self.member.tree = Tree::default();
        self.watch.reset();
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

impl<const KIND: u8> AdaptiveBoosting<KIND> {
    /// One tree learns a row; true if it was right afterwards, and whether its errors rose.
    fn teach(
        &mut self,
        place: usize,
        row: Example<'_>,
        class: usize,
        weight: f64,
        lambda: &mut f64,
    ) -> (bool, bool) {
        let AdaptiveBoosting { growth, boosted, scratch, .. } = self;
        let Boosted { member, right, wrong, watch } = &mut boosted[place];
        member.learn(row, class, weight, *lambda, growth, &mut scratch.0);
        let hit = member.is_right(row, class, growth, &mut scratch.0);
        let part = if hit { &mut *right } else { &mut *wrong };
        *part += *lambda * weight;
        let share = *part;
        *lambda = (*lambda * (*right + *wrong) / (2.0 * share)).min(LAMBDA_MAX);
        (hit, watch.add(error_if(!hit)))
    }

    fn learn_in_order(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let (mut lambda, mut alarm) = (1.0, false);
        for place in 0..self.boosted.len() {
            alarm |= self.teach(place, row, class, weight, &mut lambda).1;
        }
        if alarm {
            let errors = self.boosted.iter().map(|tree| tree.watch.error()).enumerate();
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
        let (mut lambda, mut was_right, mut left) = (1.0, false, order.as_slice());
        while let (Some((&best, worse)), Some((&worst, better))) = (left.split_first(), left.split_last()) {
            let place = if was_right { best } else { worst };
            left = if was_right { worse } else { better };
            let (hit, alarm) = self.teach(place, row, class, weight, &mut lambda);
            was_right = hit;
            if alarm {
                self.boosted[place].begin_anew();
                self.replaced += 1;
            }
        }
        self.order.0 = order;
    }
}

impl<const KIND: u8> Method for AdaptiveBoosting<KIND> {
    const NAME: &'static str = if KIND == ADWIN { "adwin_boosting" } else { "bole" };

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = [&["n_models", "seed", "adwin_delta"][..], &TREE_OPTIONS].concat();
        let options = Options::new(Self::NAME, &known, options)?;
        let count = options.number("n_models", 1..=MODELS_MAX)?.unwrap_or(10);
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(42);
        let delta = options.number("adwin_delta", 1e-12..=1.0)?.unwrap_or(0.002);
        let fresh = |member| Boosted { member, right: 0.0, wrong: 0.0, watch: Watch::new(delta) };
        Ok(AdaptiveBoosting {
            growth: Growth::default().with(&options)?,
            boosted: Member::all(count, seed).into_iter().map(fresh).collect(),
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
        if self.boosted.is_empty() {
            return Err("its members");
        }
        for tree in &self.boosted {
            tree.watch.validate()?;
            tree.member.tree.validate(dim, classes)?;
            if !good(tree.right) || !good(tree.wrong) {
                return Err("its members");
            }
        }
        Ok(())
    }
}
