//! What the rows of a model mean: numbers or categories, and what is to be learned.

use serde::{Deserialize, Serialize};

/// The columns of a model's rows, and its label.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The columns in order. Empty for rows that come as one vector of numbers, whose width the first row says.
    pub columns: Vec<Column>,
    /// What is to be learned, if anything is told.
    pub label: Option<Label>,
}

/// One column of the rows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Column {
    /// Its name, for people.
    pub name: String,
    /// What its values are.
    pub kind: Kind,
}

/// What the values of a column are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Kind {
    /// Quantities: they can be compared and averaged.
    Number,
    /// Names of which each is only equal or not equal to another. A learner sees their codes, 0, 1, 2, ..., in
    /// the order in which they first came.
    Category,
}

/// What a row is labelled with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Label {
    /// One of several names.
    Class,
    /// A quantity.
    Number,
}

impl Schema {
    /// Rows that come as one vector of numbers.
    #[must_use]
    pub fn vector(label: Option<Label>) -> Self {
        Schema { columns: Vec::new(), label }
    }

    /// How wide rows are, if that is settled before the first of them.
    #[must_use]
    pub fn dim(&self) -> Option<usize> {
        Some(self.columns.len()).filter(|&columns| columns > 0)
    }

    /// What column `index` holds. Vectors hold numbers.
    #[must_use]
    pub fn kind(&self, index: usize) -> Kind {
        self.columns.get(index).map_or(Kind::Number, |column| column.kind)
    }
}
