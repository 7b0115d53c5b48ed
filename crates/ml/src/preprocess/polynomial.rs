//! Adds the products of columns, as River's `PolynomialExtender`: what a linear model makes of them is a polynomial.
//!
//! Of `n` columns come those and all products of up to `degree` (2) of them, with repetition unless `interaction_only`:
//! `a, b, a*a, a*b, b*b`. `include_bias` puts a 1 first. A product with a missing value is missing, and none is beyond
//! 1e100. Rows may not become wider than 65,536, and categories want `one_hot` before.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{DIM_MAX, Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Column, Kind, Schema};
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "polynomial";

/// Adds products of columns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Polynomial {
    degree: u32,
    interaction_only: bool,
    include_bias: bool,
    dim: Option<usize>,
    rows_learned: u64,
}

impl Polynomial {
    /// The step from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range, there are categories, or rows became too wide.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        let options = Options::new(NAME, &["degree", "interaction_only", "include_bias"], arguments)?;
        if !nominal(schema).is_empty() {
            let needs = "needs numbers; the step one_hot makes them of categories";
            return Err(OptionError::Schema { algorithm: NAME, needs });
        }
        let step = Polynomial {
            degree: options.number("degree", 1..=5)?.unwrap_or(2),
            interaction_only: options.flag("interaction_only")?.unwrap_or(false),
            include_bias: options.flag("include_bias")?.unwrap_or(false),
            dim: schema.dim(),
            rows_learned: 0,
        };
        if step.width(schema.columns.len()).is_none() {
            return Err(OptionError::Schema { algorithm: NAME, needs: "would make rows wider than 65536" });
        }
        let mut columns = Vec::new();
        if !schema.columns.is_empty() {
            let name = |name: String| Column { name, kind: Kind::Number };
            columns.extend(step.include_bias.then(|| name("1".to_owned())));
            step.products(schema.columns.len(), |places| {
                let names = places.iter().map(|&place| schema.columns[place].name.as_str());
                columns.push(name(names.collect::<Vec<_>>().join("*")));
            });
        }
        Ok((step, Schema { columns, label: schema.label }))
    }

    /// How wide rows become; `None` if that is too wide.
    fn width(&self, dim: usize) -> Option<usize> {
        let (mut all, mut of_this_degree) = (usize::from(self.include_bias), 1_usize);
        for degree in 1..=self.degree as usize {
            let choices =
                if self.interaction_only { (dim + 1).saturating_sub(degree) } else { dim + degree - 1 };
            of_this_degree = of_this_degree.checked_mul(choices)? / degree;
            all += of_this_degree;
            if all > DIM_MAX {
                return None;
            }
        }
        Some(all)
    }

    /// Calls `visit` with the places of each product's columns, the short products first.
    fn products(&self, dim: usize, mut visit: impl FnMut(&[usize])) {
        for degree in 1..=self.degree as usize {
            let step = usize::from(self.interaction_only);
            let mut places: Vec<usize> = (0..degree).map(|at| at * step).collect();
            if places.last().is_none_or(|&last| last >= dim) {
                return;
            }
            loop {
                visit(&places);
                // The last place that can still move on takes those behind it along.
                let room = |&at: &usize| places[at] + 1 + (degree - 1 - at) * step < dim;
                let Some(moving) = (0..degree).rev().find(room) else { break };
                let next = places[moving] + 1;
                places.iter_mut().skip(moving).enumerate().for_each(|(at, place)| *place = next + at * step);
            }
        }
    }

    fn summary(&self) -> Value {
        json!({ "degree": self.degree, "interaction_only": self.interaction_only })
    }
}

impl Transformer for Polynomial {
    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.width(row.dim()).is_none() {
            return Err(Rejection::TooWide { limit: DIM_MAX, found: row.dim() });
        }
        self.dim = Some(row.dim());
        self.rows_learned = self.rows_learned.saturating_add(1);
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.width(row.dim()).is_none() {
            return Err(Rejection::TooWide { limit: DIM_MAX, found: row.dim() });
        }
        let mut scratch = Vec::new();
        let values = row.dense(&mut scratch);
        let extended = out.dense();
        extended.extend(self.include_bias.then_some(1.0));
        self.products(values.len(), |places| {
            // Each step is held within bounds, so that no product of infinities and zeros is undefined.
            let product = |all: f64, &place: &usize| (all * values[place]).clamp(-VALUE_MAX, VALUE_MAX);
            extended.push(places.iter().fold(1.0, product));
        });
        Ok(())
    }
}

learner_of_state!(Polynomial, Missing::Skipped);

impl State for Polynomial {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let width = (1..=5).contains(&self.degree) && self.width(self.dim.unwrap_or(0)).is_some();
        if width { Ok(()) } else { Err("its degree") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extended(arguments: &[(&str, &str)], row: &[f64]) -> Vec<f64> {
        let arguments =
            arguments.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        let (step, _) = Polynomial::from_arguments(&arguments, &Schema::vector(None)).unwrap();
        let mut out = RowBuffer::default();
        step.transform_one(Row::from(row), &mut out).unwrap();
        let extended = out.row().dense(&mut Vec::new()).to_vec();
        assert_eq!(step.width(row.len()), Some(extended.len()));
        extended
    }

    #[test]
    fn products_come_after_the_columns() {
        // River 0.26.1: PolynomialExtender(...).transform_one(x).
        assert_eq!(extended(&[], &[2.0, 3.0]), [2.0, 3.0, 4.0, 6.0, 9.0]);
        let crossed = [("interaction_only", "true"), ("degree", "3"), ("include_bias", "true")];
        assert_eq!(extended(&crossed, &[2.0, 3.0, 5.0]), [1.0, 2.0, 3.0, 5.0, 6.0, 10.0, 15.0, 30.0]);
        assert_eq!(extended(&[("degree", "3")], &[2.0]), [2.0, 4.0, 8.0]);
        assert_eq!(extended(&[("degree", "5")], &[1e100])[4], 1e100);
        assert!(extended(&[], &[f64::NAN, 0.0])[2].is_nan());
    }
}
