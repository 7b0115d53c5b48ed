//! Rows of Arrow columns as a model takes them.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type};
use datafusion::common::{Result, plan_err};
use ml::{Batch, ColumnValues, Columns, Kind, Label, Labels};

use crate::models::shape::{FEATURES, FeatureShape, Shape};
use crate::operator::features::{FeatureColumn, coerced};

/// The features of a batch, in the memory of its arrays where that can be.
pub(crate) struct FeatureRows {
    rows: Rows,
    len: usize,
}

enum Rows {
    Vectors(FeatureColumn),
    Table(Vec<Values>),
}

/// One column.
pub(crate) enum Values {
    /// A NaN is a missing one.
    Numbers(Vec<f64>),
    Words(StringArray),
}

impl FeatureRows {
    /// Takes the arrays in the order of the shape's features.
    ///
    /// # Errors
    /// If there are more or fewer of them, or one is of another type.
    pub(crate) fn new(shape: &Shape, arrays: &[ArrayRef], len: usize) -> Result<Self> {
        let rows = match (&shape.features, arrays) {
            (FeatureShape::Vector, [array]) => {
                let array = cast(array, &coerced(FEATURES, array.data_type())?)?;
                Rows::Vectors(FeatureColumn::new(&array)?)
            }
            (FeatureShape::Columns(columns), arrays) if columns.len() == arrays.len() => {
                let values =
                    columns.iter().zip(arrays).map(|(column, array)| Values::new(column.kind, array));
                Rows::Table(values.collect::<Result<_>>()?)
            }
            (FeatureShape::Vector, arrays) => {
                return plan_err!("one array of features, not {}", arrays.len());
            }
            (FeatureShape::Columns(columns), arrays) => {
                return plan_err!("{} features, not {}", columns.len(), arrays.len());
            }
        };
        Ok(FeatureRows { rows, len })
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Whether the whole row is null.
    pub(crate) fn is_null(&self, row: usize) -> bool {
        matches!(&self.rows, Rows::Vectors(column) if column.is_null(row))
    }

    /// Lends the rows to `use_them`.
    pub(crate) fn with<R>(&self, use_them: impl FnOnce(Batch<'_>) -> R) -> Result<R> {
        let table = match &self.rows {
            Rows::Vectors(column) => return Ok(use_them(Batch::vectors(column.features()?))),
            Rows::Table(table) => table,
        };
        if table.is_empty() {
            // Rows of a series without features: only labels could say how many there are.
            let unknown = vec![f64::NAN; self.len];
            let labels = Some(Labels::Numbers(&unknown));
            return Ok(use_them(Batch::new(Columns::Table(&[]), labels)));
        }
        let words: Vec<Vec<Option<&str>>> = table.iter().map(Values::words).collect();
        let columns: Vec<ColumnValues<'_>> = table
            .iter()
            .zip(&words)
            .map(|(values, words)| match values {
                Values::Numbers(numbers) => ColumnValues::Numbers(numbers),
                Values::Words(_) => ColumnValues::Words(words),
            })
            .collect();
        Ok(use_them(Batch::new(Columns::Table(&columns), None)))
    }
}

impl Values {
    pub(crate) fn new(kind: Kind, array: &ArrayRef) -> Result<Self> {
        if kind == Kind::Number {
            let array = cast(array, &DataType::Float64)?;
            let numbers = array.as_primitive::<Float64Type>();
            return Ok(Values::Numbers(match numbers.null_count() {
                0 => numbers.values().to_vec(),
                _ => numbers.iter().map(|number| number.unwrap_or(f64::NAN)).collect(),
            }));
        }
        let array = cast(array, &DataType::Utf8)?;
        Ok(Values::Words(array.as_string::<i32>().clone()))
    }

    fn words(&self) -> Vec<Option<&str>> {
        match self {
            Values::Numbers(_) => Vec::new(),
            Values::Words(words) => words.iter().collect(),
        }
    }
}

/// The labels of a batch.
pub(crate) struct LabelColumn {
    label: Label,
    values: Values,
}

impl LabelColumn {
    pub(crate) fn new(label: Label, array: &Arc<dyn Array>) -> Result<Self> {
        let kind = match label {
            Label::Class => Kind::Category,
            Label::Number => Kind::Number,
        };
        Ok(LabelColumn { label, values: Values::new(kind, array)? })
    }

    /// Lends the labels to `use_them`.
    pub(crate) fn with<R>(&self, use_them: impl FnOnce(Labels<'_>) -> R) -> R {
        match (&self.values, self.label) {
            (Values::Numbers(numbers), _) => use_them(Labels::Numbers(numbers)),
            (words, _) => use_them(Labels::Classes(&words.words())),
        }
    }
}
