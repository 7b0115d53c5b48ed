//! What all learners of classes by trees share: the checks of rows, snapshots and answers around a method.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::structure::{Example, Scale};
use crate::learner::{Classifier, Learner};
use crate::onnx::Graph;
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row};
use crate::schema::{Kind, Label, Schema};
use crate::snapshot::{self, SnapshotError, State};

/// Classes times columns that a learner keeps apart.
const CELLS_MAX: usize = 1 << 20;

/// No row weighs more, so that sums of weights stay finite.
pub(crate) const WEIGHT_MAX: f64 = 1e12;

/// A way to learn classes from checked rows.
pub trait Method: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name for `create`.
    const NAME: &'static str;

    /// Makes it from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range.
    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError>;

    /// Learns a row.
    fn learn(&mut self, row: Example<'_>, class: usize, weight: f64);

    /// Writes a vote for each class it knows.
    fn votes(&self, row: Example<'_>, votes: &mut Vec<f64>);

    /// Adds the shares of so many classes to a graph, and gives their name; `None` if that cannot be.
    fn draw(&self, graph: &mut Graph, rows: &str, classes: usize) -> Option<String> {
        let _ = (graph, rows, classes);
        None
    }

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
        let mut scratch = Vec::new();
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
        if self.classes == 0 || row.check(self.dim, Missing::Skipped).is_err() {
            return false;
        }
        let mut scratch = Vec::new();
        let example = Example {
            values: row.dense(&mut scratch),
            nominal: &self.nominal,
            scaled: &[],
            scale: Scale::default(),
        };
        self.method.votes(example, shares);
        shares.resize(self.classes, 0.0);
        let sum: f64 = shares.iter().sum();
        let even = 1.0 / self.classes as f64;
        shares.iter_mut().for_each(|share| *share = if sum > 0.0 { *share / sum } else { even });
        true
    }
}

impl<M: Method> Learner for Labelled<M> {
    fn algorithm(&self) -> &'static str {
        M::NAME
    }

    fn rows_learned(&self) -> u64 {
        self.rows_learned
    }

    fn dim(&self) -> Option<usize> {
        self.dim
    }

    fn missing(&self) -> Missing {
        Missing::Skipped
    }

    fn snapshot(&self) -> Vec<u8> {
        snapshot::write(self)
    }

    fn export(&self) -> Value {
        snapshot::export(self)
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
        self.method.draw(graph, rows, self.classes)
    }

    fn restore(snapshot: &[u8]) -> Result<Self, SnapshotError> {
        snapshot::read(snapshot)
    }
}

impl<M: Method> State for Labelled<M> {
    const NAME: &'static str = M::NAME;
    const VERSION: u16 = 1;

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
pub(crate) struct Scratch(pub(crate) Vec<f64>);

impl PartialEq for Scratch {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}
