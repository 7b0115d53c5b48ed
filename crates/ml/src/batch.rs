//! One micro-batch as it reaches a model: columns of numbers and names, or vectors, with or without labels.

use crate::evaluation::Given;
use crate::features::Features;
use crate::row::Row;

/// Rows, and what each is to be learned as.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
    /// The features.
    pub columns: Columns<'a>,
    /// One label per row, for learning with one.
    pub labels: Option<Labels<'a>>,
    /// How much each row counts in learning; 1 without them. For learners of classes and numbers that learn row by row;
    /// others take no notice.
    pub weights: Option<&'a [f64]>,
    /// What was answered to each row when it was a question: this is judged then. Without them the model is asked
    /// before it learns.
    pub answers: Option<&'a [Given]>,
}

/// The features of a micro-batch.
#[derive(Clone, Copy, Debug)]
pub enum Columns<'a> {
    /// Each row is a vector.
    Vectors(Features<'a>),
    /// One entry per column of the schema, each with one value per row.
    Table(&'a [ColumnValues<'a>]),
}

/// The values of one column.
#[derive(Clone, Copy, Debug)]
pub enum ColumnValues<'a> {
    /// Quantities; a NaN is a missing one.
    Numbers(&'a [f64]),
    /// Names.
    Words(&'a [Option<&'a str>]),
}

/// What rows are labelled with.
#[derive(Clone, Copy, Debug)]
pub enum Labels<'a> {
    /// Classes by name.
    Classes(&'a [Option<&'a str>]),
    /// Quantities; a NaN is a missing one.
    Numbers(&'a [f64]),
}

impl<'a> Batch<'a> {
    /// Rows that come as vectors, without labels.
    #[must_use]
    pub fn vectors(rows: Features<'a>) -> Self {
        Batch::new(Columns::Vectors(rows), None)
    }

    /// Rows with or without labels.
    #[must_use]
    pub fn new(columns: Columns<'a>, labels: Option<Labels<'a>>) -> Self {
        Batch { columns, labels, weights: None, answers: None }
    }

    /// The same with labels.
    #[must_use]
    pub fn with_labels(self, labels: Labels<'a>) -> Self {
        Batch { labels: Some(labels), ..self }
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match (self.columns, self.labels) {
            (Columns::Vectors(rows), _) => rows.len(),
            (Columns::Table([]), Some(labels)) => labels.len(),
            (Columns::Table(columns), _) => columns.first().map_or(0, ColumnValues::len),
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl ColumnValues<'_> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            ColumnValues::Numbers(values) => values.len(),
            ColumnValues::Words(words) => words.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Labels<'_> {
    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Labels::Classes(words) => words.len(),
            Labels::Numbers(values) => values.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Rows that were put together one by one: dense ones of any width, or sparse ones of one width.
#[derive(Debug, Default)]
pub(crate) struct RowStore {
    values: Vec<f64>,
    columns: Vec<u32>,
    /// The width of sparse rows.
    sparse: Option<usize>,
    offsets: Vec<i32>,
}

impl RowStore {
    pub(crate) fn new() -> Self {
        RowStore { offsets: vec![0], ..RowStore::default() }
    }

    /// Adds a row. All rows of a store are of one layout, since one chain of transformers made them.
    pub(crate) fn push(&mut self, row: Row<'_>) {
        match row {
            Row::Sparse(sparse) => {
                self.sparse = Some(row.dim());
                self.columns.extend_from_slice(sparse.columns());
                self.values.extend_from_slice(sparse.values());
            }
            dense => dense.append_to(&mut self.values),
        }
        self.offsets.push(i32::try_from(self.values.len()).expect("a batch holds fewer than 2^31 values"));
    }

    pub(crate) fn rows(&self) -> Features<'_> {
        let rows = match self.sparse {
            Some(dim) => Features::sparse(dim, &self.columns, &self.values, &self.offsets),
            None => Features::ragged(self.values.as_slice(), &self.offsets),
        };
        rows.expect("rows were put together in order")
    }
}
