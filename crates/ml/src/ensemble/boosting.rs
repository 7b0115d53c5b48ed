//! Online boosting (Oza and Russell, *Online bagging and boosting*, 2001): each tree learns best what those before it
//! got wrong.
//!
//! A row comes to the first tree with `l = 1`. A tree learns it Poisson(`l`) times, each time as if it were new (MOA's
//! learns it once, with that weight); if it was right then, it adds `l` to its `right`, else to its `wrong`, and the next
//! tree gets `l * n / (2 right)`, or `l * n / (2 wrong)`, after `n` rows: so the rows a tree has right and those it has
//! wrong weigh the same for the next one. A tree's vote weighs `ln((1 - e) / e)` with `e = wrong / (right + wrong)`, and
//! nothing from `e = 1/2` on.
//!
//! Options: `n_models` (10), `seed` (42), and those of the [Hoeffding tree](crate::tree::hoeffding). `l` is at most 100.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::member::{MODELS_MAX, Member};
use crate::options::{OptionError, Options};
use crate::tree::{Example, Growth, Labelled, Method, Scratch, TREE_OPTIONS, Voter};

/// The name for `create`.
pub const NAME: &str = "online_boosting";

/// The largest mean number of times that a tree learns a row.
pub(super) const LAMBDA_MAX: f64 = 100.0;

/// No tree is surer than this.
pub(super) const ERROR_MIN: f64 = 1e-9;

/// Online boosting of Hoeffding trees.
pub type OnlineBoosting = Labelled<Boosting>;

/// How an [`OnlineBoosting`] learns.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Boosting {
    growth: Growth,
    members: Vec<Member>,
    /// By tree: the weight it had right, and wrong.
    records: Vec<(f64, f64)>,
    weight: f64,
    #[serde(skip)]
    scratch: Scratch,
}

/// How much a tree's vote weighs by what it got right and wrong; nothing where chance would do as well.
fn say((right, wrong): (f64, f64)) -> Option<f64> {
    let error = (wrong / (right + wrong)).max(ERROR_MIN);
    (error < 0.5).then(|| libm::log((1.0 - error) / error))
}

impl Method for Boosting {
    const NAME: &'static str = NAME;

    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError> {
        let known = [&["n_models", "seed"][..], &TREE_OPTIONS].concat();
        let options = Options::new(NAME, &known, options)?;
        let count = options.number("n_models", 1..=MODELS_MAX)?.unwrap_or(10);
        let seed = options.number("seed", 0..=u64::MAX)?.unwrap_or(42);
        Ok(Boosting {
            growth: Growth::default().with(&options)?,
            members: Member::all(count, seed),
            records: vec![(0.0, 0.0); count as usize],
            weight: 0.0,
            scratch: Scratch::default(),
        })
    }

    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64) {
        let Boosting { growth, members, records, weight: all, scratch } = self;
        *all += weight;
        let mut lambda = 1.0_f64;
        for (member, (right, wrong)) in members.iter_mut().zip(records) {
            for _ in 0..member.random.poisson(lambda) {
                member.tree.learn(row, class, weight, growth, &mut member.random, &mut scratch.0);
            }
            let part = if member.is_right(row, class, growth, &mut scratch.0) { right } else { wrong };
            *part += lambda * weight;
            lambda = (lambda * *all / (2.0 * *part)).min(LAMBDA_MAX);
        }
    }

    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>)) {
        for (member, record) in self.members.iter().zip(&self.records) {
            if let Some(say) = say(*record) {
                ask(Voter::new(&member.tree, &self.growth, say));
            }
        }
    }

    fn describe(&self) -> Value {
        let nodes: usize = self.members.iter().map(|member| member.tree.shape().0).sum();
        json!({ "trees": self.members.len(), "nodes": nodes })
    }

    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str> {
        self.growth.validate()?;
        let good = |weight: &f64| (0.0..=f64::MAX).contains(weight);
        let records = self.records.iter().all(|(right, wrong)| good(right) && good(wrong));
        if self.members.is_empty()
            || self.records.len() != self.members.len()
            || !records
            || !good(&self.weight)
        {
            return Err("its members");
        }
        self.members.iter().try_for_each(|member| member.tree.validate(dim, classes))
    }
}
