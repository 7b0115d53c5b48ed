//! What a statement answers: plain columns and JSON values, no Arrow type.

use serde::Serialize;

/// The answer to one statement.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Answer {
    /// The columns of `rows`; empty for statements that only do something.
    pub columns: Vec<Column>,
    /// One entry per row, in the order of `columns`.
    pub rows: Vec<Vec<serde_json::Value>>,
    /// One line for the person who asked.
    pub message: Option<String>,
}

/// A column of an [`Answer`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in Spark's words, such as `ARRAY<FLOAT>`.
    pub type_name: String,
}

impl Answer {
    /// An answer without rows.
    #[must_use]
    pub fn message(text: impl Into<String>) -> Self {
        Answer { message: Some(text.into()), ..Answer::default() }
    }

    /// A table of strings, for `SHOW` and `DESCRIBE`.
    pub(crate) fn strings(names: &[&str], rows: Vec<Vec<String>>) -> Self {
        let columns = names
            .iter()
            .map(|name| Column { name: (*name).to_owned(), type_name: "STRING".to_owned() })
            .collect();
        let rows =
            rows.into_iter().map(|row| row.into_iter().map(serde_json::Value::from).collect()).collect();
        Answer { columns, rows, message: None }
    }
}
