//! Scales columns to mean 0 and variance 1, as River's `StandardScaler`.
//!
//! Mean and variance (that of the rows themselves, not of a sample of more) are Welford's (1962), per column:
//! `m' = m + (x - m) / n`, `v' = v + ((x - m)(x - m') - v) / n`. A value becomes `(x - m) / sqrt(v)`, and 0 while all
//! values of its column were the same; without `with_std` it becomes `x - m`.
//!
//! Missing values are neither counted nor filled. Columns of categories are left as they are. A sparse row teaches and
//! is scaled by the values it lists alone, as are River's rows that lack a key: what is not listed stays 0. What would
//! be beyond 1e100, since the values so far hardly differed, becomes 1e100.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{Learner, RowBuffer, Transformer, kept_as_state};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Schema;
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "standard_scaler";

/// Scales columns to mean 0 and variance 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StandardScaler {
    with_std: bool,
    /// Columns that are left as they are, in order.
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
    columns: Vec<Moments>,
}

/// Count, mean and variance of a column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn add(&mut self, value: f64) {
        self.count += 1.0;
        let difference = value - self.mean;
        self.mean += difference / self.count;
        self.variance += (difference * (value - self.mean) - self.variance) / self.count;
    }

    fn scale(&self, value: f64, with_std: bool) -> f64 {
        let difference = value - self.mean;
        if !with_std {
            return difference.clamp(-VALUE_MAX, VALUE_MAX);
        }
        // A missing value stays one.
        if self.variance > 0.0 {
            (difference / self.variance.sqrt()).clamp(-VALUE_MAX, VALUE_MAX)
        } else {
            difference * 0.0
        }
    }
}

impl StandardScaler {
    /// A scaler from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        let options = Options::new(NAME, &["with_std"], arguments)?;
        let scaler = StandardScaler {
            with_std: options.flag("with_std")?.unwrap_or(true),
            nominal: nominal(schema),
            dim: schema.dim(),
            rows_learned: 0,
            columns: vec![Moments::default(); schema.dim().unwrap_or(0)],
        };
        Ok((scaler, schema.clone()))
    }

    fn scale(&self, value: f64, column: usize) -> f64 {
        if !self.nominal.is_empty() && self.nominal.binary_search(&column).is_ok() {
            return value;
        }
        self.columns[column].scale(value, self.with_std)
    }
}

impl Transformer for StandardScaler {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.columns.resize(row.dim(), Moments::default());
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let columns = &mut self.columns;
        row.for_each(|column, value| columns[column].add(value));
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            return Err(Rejection::Empty);
        }
        out.map(row, |column, value| self.scale(value, column));
        Ok(())
    }
}

impl Learner for StandardScaler {
    fn algorithm(&self) -> &'static str {
        NAME
    }

    kept_as_state!(dim);

    fn missing(&self) -> Missing {
        Missing::Skipped
    }

    fn describe(&self) -> Value {
        json!({
            "step": NAME,
            "with_std": self.with_std,
            "rows_learned": self.rows_learned,
            "means": self.columns.iter().map(|column| column.mean).collect::<Vec<_>>(),
            "variances": self.columns.iter().map(|column| column.variance).collect::<Vec<_>>(),
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let scaled = |column: &usize| self.nominal.binary_search(column).is_err();
        let offset = |(at, column): (usize, &Moments)| if scaled(&at) { column.mean } else { 0.0 };
        let divisor = |(at, column): (usize, &Moments)| match column.variance {
            variance if self.with_std && scaled(&at) && variance > 0.0 => variance.sqrt(),
            _ if self.with_std && scaled(&at) => f64::INFINITY,
            _ => 1.0,
        };
        let offsets: Vec<f64> = self.columns.iter().enumerate().map(offset).collect();
        let divisors: Vec<f64> = self.columns.iter().enumerate().map(divisor).collect();
        Some(graph.affine(rows, &offsets, &divisors))
    }
}

impl State for StandardScaler {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        if self.columns.len() != self.dim.unwrap_or(0) {
            return Err("its sizes");
        }
        let finite = |column: &Moments| column.count.is_finite() && column.mean.is_finite();
        let good = self.columns.iter().all(|column| finite(column) && column.variance.is_finite());
        if good { Ok(()) } else { Err("its numbers") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_scaled_by_what_came_so_far() {
        let (mut scaler, _) =
            StandardScaler::from_arguments(&BTreeMap::new(), &Schema::vector(None)).unwrap();
        let mut out = RowBuffer::default();
        // River 0.26.1: StandardScaler().learn_one(x) and .transform_one(x), row by row.
        let expected = [[0.0, 0.0], [1.0, 1.0], [1.224_744_871_391_589, 0.0]];
        for (row, expected) in [[1.0, 4.0], [2.0, 6.0], [3.0, 5.0]].iter().zip(expected) {
            scaler.learn_one(Row::from(&row[..])).unwrap();
            scaler.transform_one(Row::from(&row[..]), &mut out).unwrap();
            let Row::F64(scaled) = out.row() else { panic!("a dense row") };
            let close = scaled.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12);
            assert!(close, "{scaled:?}");
        }
        scaler.transform_one(Row::from(&[f64::NAN, 5.0][..]), &mut out).unwrap();
        assert!(matches!(out.row(), Row::F64([gap, _]) if gap.is_nan()));
    }
}
