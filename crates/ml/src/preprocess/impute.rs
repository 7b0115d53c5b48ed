//! Fills missing numbers, as River's `StatImputer`: with the mean of their column so far, with the value before, or
//! with a constant.
//!
//! `strategy` is `mean` (the default), `previous` or `constant`, the last with `value` (0). A column that has had no
//! value yet is filled with 0. Missing categories are left missing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::onnx::Graph;
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{Missing, Rejection, Row, VALUE_MAX};
use crate::schema::{Kind, Schema};
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "impute";

/// What a missing number becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// The mean of the column so far.
    Mean,
    /// The column's last value.
    Previous,
    /// Always the same.
    Constant,
}

/// Fills missing numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Impute {
    strategy: Strategy,
    value: f64,
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
    /// By column: how many values there were, and what a missing one becomes.
    columns: Vec<(u64, f64)>,
}

impl Impute {
    /// An imputer from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        let options = Options::new(NAME, &["strategy", "value"], arguments)?;
        let strategy = match options.get("strategy").map(str::to_ascii_lowercase).as_deref() {
            None | Some("mean") => Strategy::Mean,
            Some("previous") => Strategy::Previous,
            Some("constant") => Strategy::Constant,
            Some(_) => return Err(options.invalid("strategy", "mean, previous or constant")),
        };
        let given = options.number("value", -VALUE_MAX..=VALUE_MAX)?;
        if given.is_some() && strategy != Strategy::Constant {
            return Err(OptionError::Unused { name: "value", with: "strategy=constant" });
        }
        let value = given.unwrap_or(0.0);
        let impute = Impute {
            strategy,
            value,
            nominal: nominal(schema),
            dim: schema.dim(),
            rows_learned: 0,
            columns: vec![(0, value); schema.dim().unwrap_or(0)],
        };
        Ok((impute, schema.clone()))
    }

    fn draw_fill(&self, graph: &mut Graph, rows: &str) -> Option<String> {
        let fill: Vec<f64> = self.columns.iter().map(|column| column.1).collect();
        Some(graph.filled(rows, &fill))
    }

    fn summary(&self) -> Value {
        let values: Vec<f64> = self.columns.iter().map(|column| column.1).collect();
        json!({ "strategy": format!("{:?}", self.strategy).to_lowercase(), "values": values })
    }
}

impl Transformer for Impute {
    fn fills(&self, kind: Kind) -> bool {
        kind == Kind::Number
    }

    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        if self.dim.is_none() {
            self.dim = Some(row.dim());
            self.columns.resize(row.dim(), (0, self.value));
        }
        self.rows_learned = self.rows_learned.saturating_add(1);
        let (columns, strategy) = (&mut self.columns, self.strategy);
        row.for_each(|column, value| {
            let (count, fill) = &mut columns[column];
            *count += 1;
            match strategy {
                Strategy::Mean => *fill += (value - *fill) / *count as f64,
                Strategy::Previous => *fill = value,
                Strategy::Constant => {}
            }
        });
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        out.map(row, |column, value| {
            let filled = value.is_nan() && self.nominal.binary_search(&column).is_err();
            if filled { self.columns.get(column).map_or(self.value, |column| column.1) } else { value }
        });
        Ok(())
    }
}

learner_of_state!(Impute, Missing::Skipped; draw_fill);

impl State for Impute {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let finite = self.value.is_finite() && self.columns.iter().all(|column| column.1.is_finite());
        let rising = self.nominal.windows(2).all(|pair| pair[0] < pair[1]);
        if finite && rising && self.columns.len() == self.dim.unwrap_or(0) {
            Ok(())
        } else {
            Err("its columns")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gap_is_filled_by_what_came_before() {
        let filled = |strategy: &str| {
            let arguments = BTreeMap::from([("strategy".to_owned(), strategy.to_owned())]);
            let (mut impute, _) = Impute::from_arguments(&arguments, &Schema::vector(None)).unwrap();
            let gap = [f64::NAN, 1.0];
            let ask = |impute: &Impute| {
                let mut out = RowBuffer::default();
                impute.transform_one(Row::from(&gap[..]), &mut out).unwrap();
                out.row().dense(&mut Vec::new())[0]
            };
            let before = ask(&impute);
            for row in [[1.0, 0.0], [f64::NAN, 0.0], [5.0, 0.0]] {
                impute.learn_one(Row::from(&row[..])).unwrap();
            }
            (before, ask(&impute))
        };
        assert_eq!(
            [filled("mean"), filled("previous"), filled("constant")],
            [(0.0, 3.0), (0.0, 5.0), (0.0, 0.0)]
        );
        let bad = BTreeMap::from([("value".to_owned(), "3".to_owned())]);
        assert!(Impute::from_arguments(&bad, &Schema::vector(None)).is_err());
    }
}
