//! What all learners of classes by trees share: the checks of rows, snapshots and answers around a method.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::structure::{Example, Scale};
use super::view::Voter;
use crate::features::Features;
use crate::learner::{Classifier, Contributions, Learner, argmax, kept_as_state};
use crate::onnx::Graph;
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Kind, Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// Classes times columns that a learner keeps apart.
const CELLS_MAX: usize = 1 << 20;

/// Rows that are answered together.
const BLOCK: usize = 1_024;

/// No row weighs more, so that sums of weights stay finite.
pub(crate) const WEIGHT_MAX: f64 = 1e12;

/// A way to learn classes from checked rows.
pub trait Method: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name for `create`.
    const NAME: &'static str;

    /// Raised whenever the layout of its state changes.
    const VERSION: u16 = 1;

    /// Makes it from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range.
    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError>;

    /// Learns a row.
    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64);

    /// Hands over the trees whose votes, added up, are its answer.
    fn voters<'a>(&'a self, ask: &mut dyn FnMut(Voter<'a>));

    /// What it is like, for people.
    fn describe(&self) -> Value;

    /// Says what is impossible about one that was read.
    ///
    /// # Errors
    ///
    /// What that is.
    fn validate(&self, dim: usize, classes: usize) -> Result<(), &'static str>;
}

/// A learner of classes by a method of trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Labelled<M: Method> {
    dim: Option<usize>,
    /// The columns of categories, rising.
    nominal: Vec<u32>,
    rows_learned: u64,
    classes: usize,
    method: M,
}

impl<M: Method> Labelled<M> {
    /// A model that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not labelled with classes.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Class) {
            return Err(OptionError::Schema { algorithm: M::NAME, needs: "needs a label of classes" });
        }
        let nominal = (0_u32..).zip(&schema.columns).filter(|(_, column)| column.kind == Kind::Category);
        Ok(Labelled {
            dim: schema.dim(),
            nominal: nominal.map(|(place, _)| place).collect(),
            rows_learned: 0,
            classes: 0,
            method: M::from_options(options)?,
        })
    }
}

impl<M: Method> Labelled<M> {
    fn example<'a>(&'a self, values: &'a [f64]) -> Example<'a> {
        Example { values, nominal: &self.nominal, scaled: &[], scale: Scale::default() }
    }

    /// Whether there is an answer to a row.
    fn answers(&self, row: Row<'_>) -> bool {
        self.classes > 0 && row.check(self.dim, Missing::Skipped).is_ok()
    }

    /// Turns votes into shares of all classes.
    fn share(&self, votes: &mut [f64]) {
        let sum: f64 = votes.iter().sum();
        let even = 1.0 / self.classes as f64;
        votes.iter_mut().for_each(|share| *share = if sum > 0.0 { *share / sum } else { even });
    }
}

impl<M: Method> Classifier for Labelled<M> {
    fn learn_one(&mut self, row: Row<'_>, class: u32, weight: f64) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        let class = class as usize;
        let limit = CELLS_MAX / row.dim();
        if class >= limit.max(2) {
            return Err(Rejection::TooManyCategories { limit });
        }
        if !(0.0..=WEIGHT_MAX).contains(&weight) {
            return Err(Rejection::BadWeight);
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight == 0.0 {
            return Ok(());
        }
        self.dim = Some(row.dim());
        self.classes = self.classes.max(class + 1);
        let mut scratch = Lent::new();
        let example = Example {
            values: row.dense(&mut scratch),
            nominal: &self.nominal,
            scaled: &[],
            scale: Scale::default(),
        };
        self.method.learn(example, class, weight);
        Ok(())
    }

    fn predict_proba_one(&self, row: Row<'_>, shares: &mut Vec<f64>) -> bool {
        shares.clear();
        if !self.answers(row) {
            return false;
        }
        let mut scratch = Lent::new();
        let example = self.example(row.dense(&mut scratch));
        shares.resize(self.classes, 0.0);
        let mut own = Lent::new();
        self.method.voters(&mut |voter| voter.vote(example, shares, &mut own));
        self.share(shares);
        true
    }

    /// Tree by tree rather than row by row, so that a tree stays near while it is asked.
    fn predict_many(&self, rows: Features<'_>) -> Vec<Option<u32>> {
        let mut predicted = vec![None; rows.len()];
        for (block, answers) in predicted.chunks_mut(BLOCK).enumerate() {
            let rows = || (block * BLOCK..block * BLOCK + answers.len()).map(|at| rows.row(at));
            let asked: Vec<usize> =
                rows().enumerate().filter(|(_, row)| self.answers(*row)).map(|(at, _)| at).collect();
            let dim = self.dim.unwrap_or(0);
            let mut values = Vec::with_capacity(asked.len() * dim);
            rows().filter(|row| self.answers(*row)).for_each(|row| row.append_to(&mut values));
            let examples: Vec<Example<'_>> = values.chunks(dim.max(1)).map(|row| self.example(row)).collect();
            let mut votes = vec![0.0; self.classes * asked.len()];
            self.method.voters(&mut |voter| voter.vote_many(&examples, &mut votes));
            for (at, votes) in asked.into_iter().zip(votes.chunks_mut(self.classes.max(1))) {
                self.share(votes);
                answers[at] = argmax(votes);
            }
        }
        predicted
    }

    /// By how much each column changed the share of the class it predicts, on the way from the root to the leaf, and
    /// from column to column of naive Bayes in the leaf; of several trees the mean, by the weight of their votes.
    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        let class = self.predict_one(row)? as usize;
        let (mut scratch, mut parts, mut whole) = (Vec::new(), vec![0.0; row.dim()], 0.0);
        let example = self.example(row.dense(&mut scratch));
        self.method.voters(&mut |voter| whole += voter.explain(example, class, &mut parts));
        Some(parts.into_iter().map(|part| if whole > 0.0 { part / whole } else { 0.0 }).enumerate().collect())
    }
}

impl<M: Method> Learner for Labelled<M> {
    fn algorithm(&self) -> &'static str {
        M::NAME
    }

    kept_as_state!(dim);

    fn missing(&self) -> Missing {
        Missing::Skipped
    }

    fn describe(&self) -> Value {
        let mut description = json!({
            "algorithm": M::NAME,
            "dim": self.dim.unwrap_or(0),
            "rows_learned": self.rows_learned,
            "classes": self.classes,
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut description, self.method.describe()) {
            all.extend(more);
        }
        description
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let mut drawn: Option<Option<String>> = None;
        self.method.voters(&mut |voter| {
            if voter.has_grown() {
                drawn = Some(match drawn.take() {
                    Some(None) => None,
                    others => voter.draw(graph, rows, self.classes, others.flatten()),
                });
            }
        });
        Some(graph.parts(&drawn.flatten()?, self.classes))
    }
}

impl<M: Method> State for Labelled<M> {
    const NAME: &'static str = M::NAME;
    const VERSION: u16 = M::VERSION;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = self.dim.unwrap_or(0);
        let good = self.nominal.windows(2).all(|pair| pair[0] < pair[1])
            && self.nominal.last().is_none_or(|&last| (last as usize) < dim)
            && self.classes <= CELLS_MAX / dim.max(1) + 2;
        if good { self.method.validate(dim, self.classes) } else { Err("its sizes") }
    }
}

/// Room for votes that is used again and again; no part of what a learner is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scratch<T = f64>(pub(crate) Vec<T>);

impl<T> PartialEq for Scratch<T> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
