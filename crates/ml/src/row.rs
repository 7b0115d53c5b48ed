//! One row of features: dense or sparse, borrowed.
//!
//! In a dense row a NaN is a missing value; in a sparse row what is not listed is 0. Whether missing values
//! are welcome is the learner's word ([`Missing`]).

use thiserror::Error;

use crate::features::FeaturesError;

/// The widest dense row a learner takes.
pub const DIM_MAX: usize = 65_536;

/// The widest sparse row: 2^24, what hashed words and crossed categories need.
pub const SPARSE_DIM_MAX: usize = 1 << 24;

/// The largest magnitude of a feature. Squares of it, summed over [`SPARSE_DIM_MAX`] columns, stay finite.
pub const VALUE_MAX: f64 = 1e100;

/// One row of features.
#[derive(Clone, Copy, Debug)]
pub enum Row<'a> {
    /// Single precision, as signatures and pixels arrive.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
    /// Few values of many columns.
    Sparse(SparseRow<'a>),
}

/// A row of which only some columns are listed; the others are 0.
#[derive(Clone, Copy, Debug)]
pub struct SparseRow<'a> {
    dim: usize,
    columns: &'a [u32],
    values: &'a [f64],
}

/// What a learner makes of missing values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// A row with a missing value is refused.
    Refused,
    /// A missing value is as if its column did not exist for this row.
    Skipped,
}

/// Why one row was not learned, or is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Rejection {
    /// The row has no columns (or was null).
    #[error("the row is empty")]
    Empty,
    /// The row is not as wide as the model.
    #[error("the row has {found} values, the model takes {expected}")]
    Dimension {
        /// Width of the model.
        expected: usize,
        /// Width of the row.
        found: usize,
    },
    /// The row is wider than any model here may be.
    #[error("the row has {found} values, more than the limit of {limit}")]
    TooWide {
        /// The limit.
        limit: usize,
        /// Width of the row.
        found: usize,
    },
    /// A NaN where none is taken, or an infinity.
    #[error("value {column} is not a finite number")]
    NotFinite {
        /// Index of the first such value.
        column: usize,
    },
    /// A number so large that sums of its squares would overflow.
    #[error("value {column} is larger than 1e100")]
    TooLarge {
        /// Index of the first such value.
        column: usize,
    },
    /// Numbers where names belong, or the other way round.
    #[error("column {column} holds numbers where names belong, or names where numbers belong")]
    WrongKind {
        /// Index of the first such column.
        column: usize,
    },
    /// A row to learn from without the answer.
    #[error("the label is missing")]
    NoLabel,
    /// A label that is a number, but not a finite one of reasonable size.
    #[error("the label is not a finite number")]
    BadLabel,
    /// A weight below 0, or not a number.
    #[error("the weight is not a number from 0 on")]
    BadWeight,
    /// An earlier answer that no model can have given.
    #[error("the earlier answer is neither a finite number nor shares from 0 to 1")]
    BadAnswer,
    /// One more category, or class, than a model keeps apart.
    #[error("a new category beyond the limit of {limit}")]
    TooManyCategories {
        /// The limit.
        limit: usize,
    },
}

impl<'a> From<&'a [f32]> for Row<'a> {
    fn from(values: &'a [f32]) -> Self {
        Row::F32(values)
    }
}

impl<'a> From<&'a [f64]> for Row<'a> {
    fn from(values: &'a [f64]) -> Self {
        Row::F64(values)
    }
}

impl<'a> From<SparseRow<'a>> for Row<'a> {
    fn from(row: SparseRow<'a>) -> Self {
        Row::Sparse(row)
    }
}

impl<'a> SparseRow<'a> {
    /// A row of `dim` columns of which `columns`, in rising order, have `values`.
    ///
    /// # Errors
    ///
    /// If there are not as many values as columns, or the columns do not rise or reach `dim`.
    pub fn new(dim: usize, columns: &'a [u32], values: &'a [f64]) -> Result<Self, FeaturesError> {
        if columns.len() != values.len() {
            return Err(FeaturesError::Uneven { columns: columns.len(), values: values.len() });
        }
        let rising = columns.windows(2).all(|pair| pair[0] < pair[1]);
        let inside = columns.last().is_none_or(|&last| (last as usize) < dim);
        if rising && inside { Ok(SparseRow { dim, columns, values }) } else { Err(FeaturesError::BadColumns) }
    }

    /// A row whose columns were checked before.
    pub(crate) fn trusted(dim: usize, columns: &'a [u32], values: &'a [f64]) -> Self {
        SparseRow { dim, columns, values }
    }

    /// The columns that are listed, in rising order.
    #[must_use]
    pub fn columns(&self) -> &'a [u32] {
        self.columns
    }

    /// Their values.
    #[must_use]
    pub fn values(&self) -> &'a [f64] {
        self.values
    }
}

impl<'a> Row<'a> {
    /// How many columns, listed or not.
    #[must_use]
    pub fn dim(&self) -> usize {
        match self {
            Row::F32(values) => values.len(),
            Row::F64(values) => values.len(),
            Row::Sparse(row) => row.dim,
        }
    }

    /// Appends the row to `out` as double precision, with every column.
    pub fn append_to(&self, out: &mut Vec<f64>) {
        match self {
            Row::F32(values) => out.extend(values.iter().map(|&value| f64::from(value))),
            Row::F64(values) => out.extend_from_slice(values),
            Row::Sparse(row) => {
                let start = out.len();
                out.resize(start + row.dim, 0.0);
                for (&column, &value) in row.columns.iter().zip(row.values) {
                    out[start + column as usize] = value;
                }
            }
        }
    }

    /// The row as double precision with every column; `scratch` is only written where it is not that already.
    pub fn dense<'s>(&'s self, scratch: &'s mut Vec<f64>) -> &'s [f64] {
        if let Row::F64(values) = self {
            return values;
        }
        scratch.clear();
        self.append_to(scratch);
        scratch
    }

    /// Calls `visit` with each column and value, in order of columns; columns of a sparse row that are not listed,
    /// and missing values, are left out.
    pub fn for_each(&self, mut visit: impl FnMut(usize, f64)) {
        match self {
            Row::F32(values) => {
                for (column, &value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                    visit(column, f64::from(value));
                }
            }
            Row::F64(values) => {
                for (column, &value) in values.iter().enumerate().filter(|(_, value)| !value.is_nan()) {
                    visit(column, value);
                }
            }
            Row::Sparse(row) => {
                for (&column, &value) in row.columns.iter().zip(row.values) {
                    visit(column as usize, value);
                }
            }
        }
    }

    /// Says whether a model `dim` columns wide can take this row. `None` is a model that takes its width
    /// from the first row it accepts.
    ///
    /// # Errors
    ///
    /// The first thing wrong with the row.
    pub fn check(&self, dim: Option<usize>, missing: Missing) -> Result<(), Rejection> {
        self.checked(dim, missing).map(drop)
    }

    /// The same; gives the values of a row of double precision in which none is missing.
    #[inline]
    pub(crate) fn checked(
        &self,
        dim: Option<usize>,
        missing: Missing,
    ) -> Result<Option<&'a [f64]>, Rejection> {
        let found = self.dim();
        if found == 0 {
            return Err(Rejection::Empty);
        }
        if let Some(expected) = dim.filter(|&expected| expected != found) {
            return Err(Rejection::Dimension { expected, found });
        }
        let limit = if matches!(self, Row::Sparse(_)) { SPARSE_DIM_MAX } else { DIM_MAX };
        if found > limit {
            return Err(Rejection::TooWide { limit, found });
        }
        if let Row::F64(values) = self
            && all_moderate(values)
        {
            return Ok(Some(values));
        }
        self.look_closely(missing == Missing::Skipped).map(|()| None)
    }

    /// What is wrong with its values.
    fn look_closely(&self, nan: bool) -> Result<(), Rejection> {
        match self {
            // Every finite f32 is far below VALUE_MAX.
            Row::F32(values) => {
                match values.iter().position(|value| !(value.is_finite() || nan && value.is_nan())) {
                    Some(column) => Err(Rejection::NotFinite { column }),
                    None => Ok(()),
                }
            }
            Row::F64(values) => check_values(values, nan),
            Row::Sparse(row) => {
                check_values(row.values, false).map_err(|rejection| rejection.moved(row.columns))
            }
        }
    }
}

impl Rejection {
    /// The column that is meant, if it is one.
    #[must_use]
    pub fn column(&self) -> Option<usize> {
        match self {
            Rejection::NotFinite { column }
            | Rejection::TooLarge { column }
            | Rejection::WrongKind { column } => Some(*column),
            _ => None,
        }
    }

    /// The same about the column that a listed value stands for.
    fn moved(self, columns: &[u32]) -> Self {
        match self {
            Rejection::NotFinite { column } => Rejection::NotFinite { column: columns[column] as usize },
            Rejection::TooLarge { column } => Rejection::TooLarge { column: columns[column] as usize },
            other => other,
        }
    }
}

/// Whether all are numbers of a size that is taken. It does not end early, so that several go at a time; a NaN fails the
/// comparison.
#[inline]
fn all_moderate(values: &[f64]) -> bool {
    values.iter().fold(true, |good, value| good & (value.abs() <= VALUE_MAX))
}

fn check_values(values: &[f64], nan: bool) -> Result<(), Rejection> {
    if all_moderate(values) {
        return Ok(());
    }
    for (column, value) in values.iter().enumerate() {
        if value.is_infinite() || value.is_nan() && !nan {
            return Err(Rejection::NotFinite { column });
        }
        if value.abs() > VALUE_MAX {
            return Err(Rejection::TooLarge { column });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_refused_for_the_first_thing_wrong_with_it() {
        let check = |row: &[f64], dim| Row::from(row).check(dim, Missing::Refused);
        assert_eq!(check(&[1.0, 2.0], Some(2)), Ok(()));
        assert_eq!(check(&[], None), Err(Rejection::Empty));
        assert_eq!(check(&[1.0], Some(2)), Err(Rejection::Dimension { expected: 2, found: 1 }));
        assert_eq!(check(&[1.0, f64::NAN], None), Err(Rejection::NotFinite { column: 1 }));
        assert_eq!(check(&[f64::NEG_INFINITY], None), Err(Rejection::NotFinite { column: 0 }));
        assert_eq!(check(&[0.0, -1e101], None), Err(Rejection::TooLarge { column: 1 }));
        assert_eq!(Row::from(&[f32::MAX][..]).check(None, Missing::Refused), Ok(()));
        let wide = vec![0.0_f32; DIM_MAX + 1];
        assert_eq!(
            Row::from(&wide[..]).check(None, Missing::Refused),
            Err(Rejection::TooWide { limit: DIM_MAX, found: DIM_MAX + 1 })
        );
    }

    #[test]
    fn a_missing_value_is_a_nan_and_an_infinity_never_is() {
        let check = |row: &[f64]| Row::from(row).check(None, Missing::Skipped);
        assert_eq!(check(&[f64::NAN, 1.0]), Ok(()));
        assert_eq!(check(&[f64::NAN, f64::INFINITY]), Err(Rejection::NotFinite { column: 1 }));
        let narrow = Row::from(&[f32::NAN, f32::INFINITY][..]);
        assert_eq!(narrow.check(None, Missing::Skipped), Err(Rejection::NotFinite { column: 1 }));
        let mut seen = Vec::new();
        Row::from(&[f64::NAN, 2.0][..]).for_each(|column, value| seen.push((column, value)));
        assert_eq!(seen, [(1, 2.0)]);
    }

    #[test]
    fn a_sparse_row_is_the_dense_one_with_its_zeros_left_out() {
        let row = Row::from(SparseRow::new(4, &[1, 3], &[5.0, 7.0]).unwrap());
        assert_eq!(row.dense(&mut Vec::new()), [0.0, 5.0, 0.0, 7.0]);
        assert_eq!(row.check(Some(4), Missing::Refused), Ok(()));
        let bad = Row::from(SparseRow::new(9, &[2, 8], &[1.0, f64::NAN]).unwrap());
        assert_eq!(bad.check(None, Missing::Skipped), Err(Rejection::NotFinite { column: 8 }));
        for (columns, values) in
            [(&[3, 1][..], &[1.0, 2.0][..]), (&[1, 1], &[1.0, 2.0]), (&[4], &[1.0]), (&[1], &[])]
        {
            assert!(SparseRow::new(4, columns, values).is_err(), "{columns:?}");
        }
    }
}
