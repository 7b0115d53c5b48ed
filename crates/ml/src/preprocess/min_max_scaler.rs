//! Scales columns to the range from 0 to 1, as River's `MinMaxScaler`: `(x - min) / (max - min)`, and 0 while all values
//! of a column were the same.
//!
//! A value outside of what came so far lies outside of the range. Missing values are neither counted nor filled.
//! Columns of categories are left as they are, and a sparse row is scaled by the values it lists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::Schema;
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "min_max_scaler";

/// Scales columns to the range from 0 to 1.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct MinMaxScaler {
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
    /// Smallest and largest value by column; `None` before there was any.
    ranges: Vec<Option<(f64, f64)>>,
}

impl MinMaxScaler {
    /// A scaler from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If there is any argument: it has none.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        Options::new(NAME, &[], arguments)?;
        let (dim, nominal) = (schema.dim(), nominal(schema));
        let ranges = vec![None; dim.unwrap_or(0)];
        Ok((MinMaxScaler { nominal, dim, rows_learned: 0, ranges }, schema.clone()))
    }

    fn scale(&self, column: usize, value: f64) -> f64 {
        if !self.nominal.is_empty() && self.nominal.binary_search(&column).is_ok() {
            return value;
        }
        match self.ranges[column] {
            // A missing value stays one.
            Some((low, high)) if high > low => ((value - low) / (high - low)).clamp(-VALUE_MAX, VALUE_MAX),
            _ => value * 0.0,
        }
    }

    fn draw_ranges(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let line = |(column, range): (usize, &Option<(f64, f64)>)| match *range {
            _ if self.nominal.binary_search(&column).is_ok() => (0.0, 1.0),
            Some((low, high)) if high > low => (low, high - low),
            _ => (0.0, f64::INFINITY),
        };
        let (offsets, divisors): (Vec<f64>, Vec<f64>) = self.ranges.iter().enumerate().map(line).unzip();
        Some(graph.affine(rows, &offsets, &divisors))
    }

    fn summary(&self) -> Value {
        let known = self.ranges.iter().map(|range| range.unwrap_or_default());
        json!({ "ranges": known.collect::<Vec<_>>() })
    }
}

impl Transformer for MinMaxScaler {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.ranges.resize(row.dim(), None);
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let ranges = &mut self.ranges;
        row.for_each(|column, value| {
            let (low, high) = ranges[column].unwrap_or((value, value));
            ranges[column] = Some((low.min(value), high.max(value)));
        });
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            return Err(Rejection::Empty);
        }
        out.map(row, |column, value| self.scale(column, value));
        Ok(())
    }
}

learner_of_state!(MinMaxScaler, Missing::Skipped; draw_ranges);

impl State for MinMaxScaler {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let sound = |range: &(f64, f64)| range.0.is_finite() && range.1.is_finite() && range.0 <= range.1;
        let rising = self.nominal.windows(2).all(|pair| pair[0] < pair[1]);
        let whole = rising && self.ranges.len() == self.dim.unwrap_or(0);
        if whole && self.ranges.iter().flatten().all(sound) { Ok(()) } else { Err("its ranges") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_lie_between_the_smallest_and_the_largest_so_far() {
        let (mut scaler, _) = MinMaxScaler::from_arguments(&BTreeMap::new(), &Schema::vector(None)).unwrap();
        let mut out = RowBuffer::default();
        // River 0.26.1: MinMaxScaler().learn_one(x) and .transform_one(x), row by row.
        for (value, expected) in [(5.0, 0.0), (9.0, 1.0), (6.0, 0.25), (1.0, 0.0)] {
            let row = [value];
            scaler.learn_one(Row::from(&row[..])).unwrap();
            scaler.transform_one(Row::from(&row[..]), &mut out).unwrap();
            assert_eq!(out.row().dense(&mut Vec::new()), [expected]);
        }
        scaler.transform_one(Row::from(&[f64::NAN][..]), &mut out).unwrap();
        assert!(out.row().dense(&mut Vec::new())[0].is_nan());
    }
}
