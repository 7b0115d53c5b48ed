//! Writes each category as a column of its own, as River's `OneHotEncoder`: 1 for the one that occurred, 0 for others.
//!
//! A row's width has to be known from the start, so each column of categories gets room for `max_categories` of them
//! (16), in the order in which they first came; later ones are none of them, and so is a missing one: all its columns
//! are 0. Columns of numbers come first, unchanged.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::learner::{RowBuffer, Transformer, learner_of_state};
use crate::options::{OptionError, Options};
use crate::preprocess::nominal;
use crate::row::{DIM_MAX, Missing, Rejection, Row};
use crate::schema::{Column, Kind, Schema};
use crate::snapshot::State;

/// The name of the step.
pub const NAME: &str = "one_hot";

/// Room for so many categories per column, unless the argument says otherwise.
const CATEGORIES: usize = 16;

/// Writes each category as a column of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OneHot {
    max_categories: usize,
    nominal: Vec<usize>,
    dim: Option<usize>,
    rows_learned: u64,
}

impl OneHot {
    /// An encoder from its arguments, and what it gives.
    ///
    /// # Errors
    ///
    /// If an argument is not one of its own or out of range, there are no categories, or rows became too wide.
    pub fn from_arguments(
        arguments: &BTreeMap<String, String>,
        schema: &Schema,
    ) -> Result<(Self, Schema), OptionError> {
        let options = Options::new(NAME, &["max_categories"], arguments)?;
        let max_categories = options.number("max_categories", 2..=1_000)?.unwrap_or(CATEGORIES);
        let nominal = nominal(schema);
        if nominal.is_empty() {
            return Err(OptionError::Schema { algorithm: NAME, needs: "needs a column of strings" });
        }
        let mut columns: Vec<Column> =
            schema.columns.iter().filter(|column| column.kind == Kind::Number).cloned().collect();
        for &column in &nominal {
            let name = &schema.columns[column].name;
            let place = |place| Column { name: format!("{name}[{place}]"), kind: Kind::Number };
            columns.extend((0..max_categories).map(place));
        }
        if columns.len() > DIM_MAX {
            return Err(OptionError::Schema { algorithm: NAME, needs: "would make rows wider than 65536" });
        }
        let encoder = OneHot { max_categories, nominal, dim: schema.dim(), rows_learned: 0 };
        Ok((encoder, Schema { columns, label: schema.label }))
    }

    fn summary(&self) -> Value {
        json!({ "max_categories": self.max_categories, "columns": self.nominal })
    }
}

impl Transformer for OneHot {
    fn fills(&self, kind: Kind) -> bool {
        kind == Kind::Category
    }

    fn learn_one(&mut self, row: Row<'_>) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        self.rows_learned = self.rows_learned.saturating_add(1);
        Ok(())
    }

    fn transform_one(&self, row: Row<'_>, out: &mut RowBuffer) -> Result<(), Rejection> {
        row.check(self.dim, Missing::Skipped)?;
        let mut scratch = Vec::new();
        let row = row.dense(&mut scratch);
        let encoded = out.dense();
        let mut nominal = self.nominal.iter().copied().peekable();
        for (column, &value) in row.iter().enumerate() {
            if nominal.next_if_eq(&column).is_none() {
                encoded.push(value);
            }
        }
        for &column in &self.nominal {
            let start = encoded.len();
            encoded.resize(start + self.max_categories, 0.0);
            // A missing code is below no limit.
            if row[column] < self.max_categories as f64 {
                encoded[start + row[column] as usize] = 1.0;
            }
        }
        Ok(())
    }
}

learner_of_state!(OneHot, Missing::Skipped);

impl State for OneHot {
    const NAME: &'static str = NAME;
    const VERSION: u16 = 1;

    fn validate(&self) -> Result<(), &'static str> {
        let dim = self.dim.unwrap_or(0);
        let rising = self.nominal.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = self.nominal.last().is_some_and(|&last| last < dim) && dim <= DIM_MAX;
        if rising && inside && (2..=1_000).contains(&self.max_categories) {
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
    fn each_category_has_its_column_and_what_is_unknown_has_none() {
        let column = |name: &str, kind| Column { name: name.to_owned(), kind };
        let columns = vec![column("colour", Kind::Category), column("size", Kind::Number)];
        let arguments = BTreeMap::from([("max_categories".to_owned(), "3".to_owned())]);
        let (encoder, given) = OneHot::from_arguments(&arguments, &Schema { columns, label: None }).unwrap();
        let names: Vec<&str> = given.columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names, ["size", "colour[0]", "colour[1]", "colour[2]"]);
        let encoded = |row: [f64; 2]| {
            let mut out = RowBuffer::default();
            encoder.transform_one(Row::from(&row[..]), &mut out).unwrap();
            out.row().dense(&mut Vec::new()).to_vec()
        };
        assert_eq!(encoded([1.0, 7.0]), [7.0, 0.0, 1.0, 0.0]);
        assert_eq!(encoded([3.0, 7.0]), [7.0, 0.0, 0.0, 0.0], "beyond its room");
        assert_eq!(encoded([f64::NAN, 7.0]), [7.0, 0.0, 0.0, 0.0], "missing");
        assert!(OneHot::from_arguments(&arguments, &Schema::vector(None)).is_err());
    }
}
