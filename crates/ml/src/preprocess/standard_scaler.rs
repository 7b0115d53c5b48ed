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
    columns: Columns,
}

/// What is known of the columns, number by number, so that several columns go at a time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Moments>", into = "Vec<Moments>")]
struct Columns {
    counts: Vec<f64>,
    means: Vec<f64>,
    variances: Vec<f64>,
    /// What is left of a value without the mean is divided by this: the root of the variance, and infinity while that
    /// is 0.
    divisors: Vec<f64>,
}

/// Count, mean and variance of a column, as they are stored.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl From<Vec<Moments>> for Columns {
    fn from(stored: Vec<Moments>) -> Self {
        let column = |number: fn(&Moments) -> f64| stored.iter().map(number).collect::<Vec<f64>>();
        Columns {
            counts: column(|moments| moments.count),
            means: column(|moments| moments.mean),
            variances: column(|moments| moments.variance),
            divisors: column(|moments| divisor(moments.variance)),
        }
    }
}

impl From<Columns> for Vec<Moments> {
    fn from(columns: Columns) -> Self {
        let numbers = columns.counts.iter().zip(&columns.means).zip(&columns.variances);
        numbers.map(|((&count, &mean), &variance)| Moments { count, mean, variance }).collect()
    }
}

impl Columns {
    fn new(count: usize) -> Self {
        let zeros = vec![0.0; count];
        Columns {
            counts: zeros.clone(),
            means: zeros.clone(),
            variances: zeros,
            divisors: vec![f64::INFINITY; count],
        }
    }

    fn add(&mut self, column: usize, value: f64) {
        let Columns { counts, means, variances, divisors } = self;
        take_in(
            value,
            &mut counts[column],
            &mut means[column],
            &mut variances[column],
            &mut divisors[column],
        );
    }
}

/// Takes in a value of each column.
fn take_in_all(
    values: &[f64],
    counts: &mut [f64],
    means: &mut [f64],
    variances: &mut [f64],
    divisors: &mut [f64],
) {
    let dim = values.len();
    let (counts, means) = (&mut counts[..dim], &mut means[..dim]);
    let (variances, divisors) = (&mut variances[..dim], &mut divisors[..dim]);
    for at in 0..dim {
        take_in(values[at], &mut counts[at], &mut means[at], &mut variances[at], &mut divisors[at]);
    }
}

#[inline(always)]
fn take_in(value: f64, count: &mut f64, mean: &mut f64, variance: &mut f64, divided_by: &mut f64) {
    *count += 1.0;
    let difference = value - *mean;
    *mean += difference / *count;
    *variance += (difference * (value - *mean) - *variance) / *count;
    *divided_by = divisor(*variance);
}

#[inline(always)]
fn divisor(variance: f64) -> f64 {
    if variance > 0.0 { variance.sqrt() } else { f64::INFINITY }
}

/// A missing value stays one.
#[inline(always)]
fn scaled(value: f64, mean: f64, divisor: f64) -> f64 {
    ((value - mean) / divisor).clamp(-VALUE_MAX, VALUE_MAX)
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
            columns: Columns::new(schema.dim().unwrap_or(0)),
        };
        Ok((scaler, schema.clone()))
    }

    fn scale(&self, value: f64, column: usize) -> f64 {
        if !self.nominal.is_empty() && self.nominal.binary_search(&column).is_ok() {
            return value;
        }
        let divisor = if self.with_std { self.columns.divisors[column] } else { 1.0 };
        scaled(value, self.columns.means[column], divisor)
    }

    /// Learns from a row that was checked; `whole` if none of its values is missing.
    fn take_in(&mut self, row: Row<'_>, whole: Option<&[f64]>) {
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.columns = Columns::new(row.dim());
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let columns = &mut self.columns;
        if let Some(values) = whole {
            let Columns { counts, means, variances, divisors } = columns;
            return take_in_all(values, counts, means, variances, divisors);
        }
        row.for_each(|column, value| columns.add(column, value));
    }

    /// Writes a row that was checked.
    fn write(&self, row: Row<'_>, out: &mut RowBuffer) {
        match row {
            Row::F64(values) if self.with_std && self.nominal.is_empty() => {
                let columns = self.columns.means.iter().zip(&self.columns.divisors);
                let values = values.iter().zip(columns);
                out.dense().extend(values.map(|(&value, (&mean, &divisor))| scaled(value, mean, divisor)));
            }
            _ => out.map(row, |column, value| self.scale(value, column)),
        }
    }
}

impl Transformer for StandardScaler {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.take_in(row, whole);
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            return Err(Rejection::Empty);
        }
        self.write(row, out);
        Ok(())
    }

    fn learn_and_transform_one(&mut self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.take_in(row, whole);
        self.write(row, out);
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
            "means": self.columns.means,
            "variances": self.columns.variances,
        })
    }

    fn draw(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let scaled = |column: &usize| self.nominal.binary_search(column).is_err();
        let offset = |(at, &mean): (usize, &f64)| if scaled(&at) { mean } else { 0.0 };
        let divisor = |(at, &divisor): (usize, &f64)| match scaled(&at) {
            true if self.with_std => divisor,
            _ => 1.0,
        };
        let offsets: Vec<f64> = self.columns.means.iter().enumerate().map(offset).collect();
        let divisors: Vec<f64> = self.columns.divisors.iter().enumerate().map(divisor).collect();
        Some(graph.affine(rows, &offsets, &divisors))
    }
}

impl State for StandardScaler {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let Columns { counts, means, variances, .. } = &self.columns;
        if counts.len() != self.dim.unwrap_or(0) {
            return Err("its sizes");
        }
        let good = [counts, means, variances].iter().all(|numbers| numbers.iter().all(|one| one.is_finite()));
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
