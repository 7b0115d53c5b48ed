//! What all learners of numbers by trees share: the checks of rows, snapshots and answers around a method, and the one
//! scale that lines in leaves see all columns at.

use std::collections::BTreeMap;
use std::fmt::Debug;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::labelled::{Scratch, WEIGHT_MAX};
use super::moments::Moments;
use super::structure::{Example, Scale};
use super::view::Estimator;
use crate::learner::{Contributions, Learner, Regressor, kept_as_state};
use crate::onnx::Graph;
use crate::options::OptionError;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Kind, Label, Schema};
use crate::scratch::Lent;
use crate::snapshot::State;

/// No value is farther out at the scale of its column.
const SCALED_MAX: f64 = 10.0;

/// Numbers that a prediction has room for without asking for memory.
const ROOM: usize = 64;

/// Calls `work` with room for so many numbers.
fn with_room<T>(count: usize, work: impl FnOnce(&mut [f64]) -> T) -> T {
    let mut few = [0.0; ROOM];
    match few.get_mut(..count) {
        Some(room) => work(room),
        None => work(&mut vec![0.0; count]),
    }
}

/// A way to learn numbers from checked rows.
pub trait Estimate: Clone + Debug + PartialEq + Send + Sync + Serialize + DeserializeOwned + 'static {
    /// The name for `create`.
    const NAME: &'static str;

    /// Makes it from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range.
    fn from_options(options: &BTreeMap<String, String>) -> Result<Self, OptionError>;

    /// Learns a row.
    fn learn(&mut self, row: Example<'_>, target: f64, weight: f64);

    /// Hands over the trees whose mean is its answer.
    fn estimators<'a>(&'a self, ask: &mut dyn FnMut(Estimator<'a>));

    /// Whether it is their median instead.
    fn by_median(&self) -> bool {
        false
    }

    /// What it is like, for people.
    fn describe(&self) -> Value;

    /// Says what is impossible about one that was read.
    ///
    /// # Errors
    ///
    /// What that is.
    fn validate(&self, dim: usize) -> Result<(), &'static str>;
}

/// A learner of numbers by a method of trees.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Numbered<M: Estimate> {
    dim: Option<usize>,
    /// The columns of categories, rising.
    nominal: Vec<u32>,
    rows_learned: u64,
    /// By column.
    columns: Vec<Moments>,
    targets: Moments,
    least: f64,
    most: f64,
    method: M,
    #[serde(skip)]
    scratch: Scratch,
}

impl<M: Estimate> Numbered<M> {
    /// A model that knows nothing yet, from the options of `CREATE MODEL`.
    ///
    /// # Errors
    ///
    /// If an option is not one of its own or out of range, or rows are not labelled with numbers.
    pub fn from_options(options: &BTreeMap<String, String>, schema: &Schema) -> Result<Self, OptionError> {
        if schema.label != Some(Label::Number) {
            return Err(OptionError::Schema { algorithm: M::NAME, needs: "needs a label of numbers" });
        }
        let nominal = (0_u32..).zip(&schema.columns).filter(|(_, column)| column.kind == Kind::Category);
        Ok(Numbered {
            dim: schema.dim(),
            nominal: nominal.map(|(place, _)| place).collect(),
            rows_learned: 0,
            columns: Vec::new(),
            targets: Moments::default(),
            least: 0.0,
            most: 0.0,
            method: M::from_options(options)?,
            scratch: Scratch::default(),
        })
    }

    /// Takes a row into the scales.
    fn measure(&mut self, values: &[f64], target: f64, weight: f64) {
        let first = self.targets.weight == 0.0;
        self.least = if first { target } else { self.least.min(target) };
        self.most = if first { target } else { self.most.max(target) };
        self.targets.add(target, weight);
        self.columns.resize(values.len(), Moments::default());
        for (column, &value) in self.columns.iter_mut().zip(values) {
            if !value.is_nan() {
                column.add(value, weight);
            }
        }
    }

    /// The mean of the trees' answers, or their median.
    fn estimate(&self, example: Example<'_>) -> f64 {
        let mut count = 0;
        self.method.estimators(&mut |tree| count += usize::from(tree.has_grown()));
        if count == 0 {
            // Every tree has just begun anew.
            return example.scale.mean;
        }
        with_room(count, |answers| {
            let mut free = answers.iter_mut();
            self.method.estimators(&mut |tree| {
                if let Some(answer) = tree.estimate(example)
                    && let Some(place) = free.next()
                {
                    *place = answer;
                }
            });
            if !self.method.by_median() {
                return answers.iter().map(|answer| answer / count as f64).sum();
            }
            answers.sort_by(f64::total_cmp);
            let (low, high) = (answers[(count - 1) / 2], answers[count / 2]);
            low + (high - low) / 2.0
        })
    }

    fn scale(&self) -> Scale {
        let deviation = self.targets.variance().sqrt();
        Scale { mean: self.targets.mean, deviation, min: self.least, max: self.most }
    }

    /// Writes the values at one scale.
    fn scaled(&self, values: &[f64], scaled: &mut [f64]) {
        for (scaled, (value, column)) in scaled.iter_mut().zip(values.iter().zip(&self.columns)) {
            let deviation = column.variance().sqrt();
            let far = (value - column.mean) / deviation;
            let known = deviation > 0.0 && !value.is_nan();
            *scaled = if known { far.clamp(-SCALED_MAX, SCALED_MAX) } else { 0.0 };
        }
        for &column in &self.nominal {
            if let Some(value) = scaled.get_mut(column as usize) {
                *value = 0.0;
            }
        }
    }
}

impl<M: Estimate> Regressor for Numbered<M> {
    fn learn_one(&mut self, row: Row<'_>, target: f64, weight: f64) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if !target.is_finite() || target.abs() > VALUE_MAX {
            return Err(Rejection::BadLabel);
        }
        if !(0.0..=WEIGHT_MAX).contains(&weight) {
            return Err(Rejection::BadWeight);
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        if weight == 0.0 {
            return Ok(());
        }
        self.dim = Some(row.dim());
        let mut spare = Lent::new();
        let values = row.dense(&mut spare);
        self.measure(values, target, weight);
        let mut scaled = std::mem::take(&mut self.scratch.0);
        scaled.resize(values.len(), 0.0);
        self.scaled(values, &mut scaled);
        let example = Example { values, nominal: &self.nominal, scaled: &scaled, scale: self.scale() };
        self.method.learn(example, target, weight);
        self.scratch.0 = scaled;
        Ok(())
    }

    fn predict_one(&self, row: Row<'_>) -> Option<f64> {
        row.check(Some(self.dim?), Missing::Skipped).ok()?;
        if self.targets.weight == 0.0 {
            return None;
        }
        let mut spare = Lent::new();
        let values = row.dense(&mut spare);
        with_room(values.len(), |scaled| {
            self.scaled(values, scaled);
            Some(self.estimate(Example { values, nominal: &self.nominal, scaled, scale: self.scale() }))
        })
    }

    /// By how much each column changed the estimate, on the way from the root to the leaf and by the line in the leaf;
    /// of several trees the mean.
    fn explain_one(&self, row: Row<'_>) -> Option<Contributions> {
        self.predict_one(row)?;
        let (mut spare, mut trees) = (Vec::new(), 0.0);
        let values = row.dense(&mut spare);
        let mut scaled = vec![0.0; values.len()];
        self.scaled(values, &mut scaled);
        let example = Example { values, nominal: &self.nominal, scaled: &scaled, scale: self.scale() };
        let mut parts = vec![0.0; values.len()];
        self.method.estimators(&mut |tree| {
            trees += f64::from(u8::from(tree.has_grown()));
            tree.explain(example, &mut parts);
        });
        Some(parts.into_iter().map(|part| if trees > 0.0 { part / trees } else { 0.0 }).enumerate().collect())
    }
}

impl<M: Estimate> Learner for Numbered<M> {
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
            "target_mean": self.targets.mean,
        });
        if let (Value::Object(all), Value::Object(more)) = (&mut description, self.method.describe()) {
            all.extend(more);
        }
        description
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let (offsets, divisors): (Vec<f64>, Vec<f64>) = (0_u32..)
            .zip(&self.columns)
            .map(|(at, column)| {
                let deviation = column.variance().sqrt();
                let scaled = deviation > 0.0 && self.nominal.binary_search(&at).is_err();
                (column.mean, if scaled { deviation } else { f64::INFINITY })
            })
            .unzip();
        let scaled = graph.affine(rows, &offsets, &divisors);
        let scaled = graph.filled(&scaled, &vec![0.0; offsets.len()]);
        let scaled = graph.clipped(&scaled, -SCALED_MAX, SCALED_MAX);
        let (mut answers, mut whole) = (Vec::new(), !self.method.by_median());
        self.method.estimators(&mut |tree| {
            if whole && tree.has_grown() {
                let drawn = tree.draw(graph, rows, &scaled, self.scale());
                whole = drawn.is_some();
                answers.extend(drawn);
            }
        });
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let part = 1.0 / answers.len() as f64;
        match answers[..] {
            _ if !whole => None,
            [] => None,
            [only] => Some(only.to_owned()),
            _ => {
                let together = graph.beside(&answers);
                Some(graph.sums(&together, &[vec![part; answers.len()]], &[0.0]))
            }
        }
    }
}

impl<M: Estimate> State for Numbered<M> {
    const NAME: &'static str = M::NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = self.dim.unwrap_or(0);
        let good = self.nominal.windows(2).all(|pair| pair[0] < pair[1])
            && self.nominal.last().is_none_or(|&last| (last as usize) < dim)
            && (self.columns.is_empty() || self.columns.len() == dim);
        let scales = self.columns.iter().all(Moments::is_sound)
            && self.targets.is_sound()
            && self.least.is_finite()
            && self.most.is_finite()
            && self.least <= self.most;
        if !good {
            Err("its sizes")
        } else if !scales {
            Err("its scales")
        } else {
            self.method.validate(dim)
        }
    }
}
