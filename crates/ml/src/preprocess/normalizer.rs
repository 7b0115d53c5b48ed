//! Scales each row to length 1, as River's `Normalizer`: what counts are the proportions within a row.
//!
//! `order` is 2 (the root of the sum of squares; the default) or 1 (the sum of magnitudes). A row of zeros stays as it
//! is. Missing values and columns of categories have no part in it, and stay as they are.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{Missing, Rejection, Row};
use crate::schema::Schema;
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "normalizer";

/// Rows at least so long have squares that are neither 0 nor rounded away; those of the largest values stay finite.
const LENGTH_MIN: f64 = 1e-100;

/// Scales each row to length 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Normalizer {
    order: u32,
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
}

impl Normalizer {
    /// The step from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        let options = Options::new(NAME, &["order"], arguments)?;
        let order = options.number("order", 1..=2)?.unwrap_or(2);
        let step = Normalizer { order, nominal: nominal(schema), dim: schema.dim(), rows_learned: 0 };
        Ok((step, schema.clone()))
    }

    fn is_number(&self, column: usize) -> bool {
        self.nominal.is_empty() || self.nominal.binary_search(&column).is_err()
    }

    /// Calls `visited` with the numbers that are known.
    fn visit(&self, row: Row<'_>, mut visited: impl FnMut(f64)) {
        row.for_each(|column, value| {
            if self.is_number(column) {
                visited(value);
            }
        });
    }

    /// Writes a row that was checked; `whole` if none of its values is missing.
    fn write(&self, row: Row<'_>, whole: Option<&[f64]>, out: &mut RowBuffer) {
        if let (Some(values), true) = (whole, self.nominal.is_empty()) {
            let length = length(values, self.order);
            if length > LENGTH_MIN {
                return out.dense().extend(values.iter().map(|value| value / length));
            }
        }
        self.write_slowly(row, out);
    }

    fn write_slowly(&self, row: Row<'_>, out: &mut RowBuffer) {
        // Squares of shares of the largest magnitude do not vanish.
        let (mut most, mut sum) = (0.0_f64, 0.0);
        self.visit(row, |value| most = most.max(value.abs()));
        if most > 0.0 {
            self.visit(row, |value| {
                let share = value.abs() / most;
                sum += if self.order == 1 { share } else { share * share };
            });
        }
        let length = if self.order == 1 { sum } else { sum.sqrt() };
        out.map(
            row,
            |column, value| {
                if most > 0.0 && self.is_number(column) { value / most / length } else { value }
            },
        );
    }

    fn summary(&self) -> Value {
        json!({ "order": self.order })
    }
}

impl Transformer for Normalizer {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.write(row, whole, out);
        Ok(())
    }

    fn learn_and_transform_one(&mut self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        let whole = row.checked(self.dim, Missing::Skipped)?;
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        self.write(row, whole, out);
        Ok(())
    }
}

/// The length of a row, in four lanes that are added at the end: always in the same order.
fn length(values: &[f64], order: u32) -> f64 {
    if order == 1 { sum(values, f64::abs) } else { sum(values, |value| value * value).sqrt() }
}

#[inline(always)]
fn sum(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (chunks, rest) = values.as_chunks::<4>();
    let mut lanes = [0.0; 4];
    for values in chunks {
        for (lane, &value) in lanes.iter_mut().zip(values) {
            *lane += of(value);
        }
    }
    rest.iter().fold((lanes[0] + lanes[2]) + (lanes[1] + lanes[3]), |sum, &value| sum + of(value))
}

learner_of_state!(Normalizer, Missing::Skipped);

impl State for Normalizer {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let rising = self.nominal.windows(2).all(|pair| pair[0] < pair[1]);
        if rising && (1..=2).contains(&self.order) { Ok(()) } else { Err("its columns") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(order: &str, row: &[f64]) -> Vec<f64> {
        let arguments = BTreeMap::from([("order".to_owned(), order.to_owned())]);
        let (step, _) = Normalizer::from_arguments(&arguments, &Schema::vector(None)).unwrap();
        let mut out = RowBuffer::default();
        step.transform_one(Row::from(row), &mut out).unwrap();
        out.row().dense(&mut Vec::new()).to_vec()
    }

    #[test]
    fn rows_have_length_one() {
        assert_eq!(normal("2", &[3.0, -4.0]), [0.6, -0.8]);
        assert_eq!(normal("1", &[3.0, -1.0]), [0.75, -0.25]);
        assert_eq!(normal("2", &[0.0, 0.0]), [0.0, 0.0]);
        assert_eq!(normal("2", &[1e100, 0.0]), [1.0, 0.0]);
        assert!(normal("2", &[f64::NAN, 2.0])[0].is_nan());
        assert_eq!(normal("2", &[3e-200, -4e-200]), [0.6, -0.8]);
        let five = normal("2", &[1.0, 1.0, 1.0, 1.0, -2.0]);
        let expected = [1.0, 1.0, 1.0, 1.0, -2.0].map(|value| value / 8.0_f64.sqrt());
        assert_eq!(five, expected);
    }
}
