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
    ranges: Ranges,
}

/// The smallest and the largest value of each column, apart, so that several columns go at a time; before there was any,
/// infinity and minus infinity. Stored as pairs, if there was any.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<Option<(f64, f64)>>", into = "Vec<Option<(f64, f64)>>")]
struct Ranges {
    lows: Vec<f64>,
    highs: Vec<f64>,
}

impl From<Vec<Option<(f64, f64)>>> for Ranges {
    fn from(stored: Vec<Option<(f64, f64)>>) -> Self {
        let known = stored.into_iter().map(|range| range.unwrap_or((f64::INFINITY, f64::NEG_INFINITY)));
        let (lows, highs) = known.unzip();
        Ranges { lows, highs }
    }
}

impl From<Ranges> for Vec<Option<(f64, f64)>> {
    fn from(ranges: Ranges) -> Self {
        ranges.pairs().collect()
    }
}

impl Ranges {
    fn new(count: usize) -> Self {
        Ranges { lows: vec![f64::INFINITY; count], highs: vec![f64::NEG_INFINITY; count] }
    }

    fn pairs(&self) -> impl Iterator<Item = Option<(f64, f64)>> {
        let pairs = self.lows.iter().zip(&self.highs).map(|(&low, &high)| (low, high));
        pairs.map(|range| (range != (f64::INFINITY, f64::NEG_INFINITY)).then_some(range))
    }
}

/// Widens the ranges of all columns to take in a value of each.
fn widen_all(values: &[f64], lows: &mut [f64], highs: &mut [f64]) {
    for ((&value, low), high) in values.iter().zip(lows).zip(highs) {
        *low = low.min(value);
        *high = high.max(value);
    }
}

/// A missing value stays one.
#[inline(always)]
fn scaled(value: f64, low: f64, high: f64) -> f64 {
    let width = high - low;
    let share = ((value - low) / width).clamp(-VALUE_MAX, VALUE_MAX);
    if width > 0.0 { share } else { value * 0.0 }
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
        let ranges = Ranges::new(dim.unwrap_or(0));
        Ok((MinMaxScaler { nominal, dim, rows_learned: 0, ranges }, schema.clone()))
    }

    fn scale(&self, column: usize, value: f64) -> f64 {
        if !self.nominal.is_empty() && self.nominal.binary_search(&column).is_ok() {
            return value;
        }
        scaled(value, self.ranges.lows[column], self.ranges.highs[column])
    }

    fn draw_ranges(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let line = |(column, range): (usize, Option<(f64, f64)>)| match range {
            _ if self.nominal.binary_search(&column).is_ok() => (0.0, 1.0),
            Some((low, high)) if high > low => (low, high - low),
            _ => (0.0, f64::INFINITY),
        };
        let (offsets, divisors): (Vec<f64>, Vec<f64>) = self.ranges.pairs().enumerate().map(line).unzip();
        Some(graph.affine(rows, &offsets, &divisors))
    }

    fn summary(&self) -> Value {
        let known = self.ranges.pairs().map(Option::unwrap_or_default);
        json!({ "ranges": known.collect::<Vec<_>>() })
    }
    /// Learns from a row that was checked; `whole` if none of its values is missing.
    fn widen(&mut self, row: Row<'_>, whole: Option<&[f64]>) {
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.ranges = Ranges::new(row.dim());
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let Ranges { lows, highs } = &mut self.ranges;
        match whole {
            Some(values) => widen_all(values, lows, highs),
            None => row.for_each(|column, value| {
                lows[column] = lows[column].min(value);
                highs[column] = highs[column].max(value);
            }),
        }
    }

    /// Writes a row that was checked.
    fn write(&self, row: Row<'_>, out: &mut RowBuffer) {
        match row {
            Row::F64(values) if self.nominal.is_empty() => {
                let ranges = self.ranges.lows.iter().zip(&self.ranges.highs);
                let values = values.iter().zip(ranges);
                out.dense().extend(values.map(|(&value, (&low, &high))| scaled(value, low, high)));
            }
            _ => out.map(row, |column, value| self.scale(column, value)),
        }
    }
}

impl Transformer for MinMaxScaler {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.widen(row, whole);
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
        self.widen(row, whole);
        self.write(row, out);
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
        let whole = rising && self.ranges.lows.len() == self.dim.unwrap_or(0);
        if whole && self.ranges.pairs().flatten().all(|range| sound(&range)) {
            Ok(())
        } else {
            Err("its ranges")
        }
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
