//! Many rows of features, borrowed: a micro-batch as it lies in memory.
//!
//! The ragged layout is that of a column of lists (values and offsets), so rows need not be copied to
//! be looked at, and a row of the wrong length can be refused alone instead of failing its batch. The
//! sparse layout is compressed sparse rows.

use thiserror::Error;

use crate::row::{Row, SparseRow};

/// Borrowed numbers of either width.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Single precision.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

/// Many feature rows.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    layout: Layout<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Layout<'a> {
    Dense { values: Values<'a>, dim: usize },
    Ragged { values: Values<'a>, offsets: &'a [i32] },
    Sparse { dim: usize, columns: &'a [u32], values: &'a [f64], offsets: &'a [i32] },
}

/// Why numbers do not form rows.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FeaturesError {
    /// A row without columns.
    #[error("rows of no columns")]
    NoColumns,
    /// The last row is incomplete.
    #[error("{values} values do not divide into rows of {dim}")]
    Incomplete {
        /// How many values were given.
        values: usize,
        /// The length of one row.
        dim: usize,
    },
    /// Offsets that run backwards or past the values.
    #[error("row {row} runs from {start} to {end} of {values} values")]
    BadOffsets {
        /// The row at fault.
        row: usize,
        /// Where it claims to start.
        start: i32,
        /// Where it claims to end.
        end: i32,
        /// How many values there are.
        values: usize,
    },
    /// Not as many columns as values in a sparse row.
    #[error("{columns} columns for {values} values")]
    Uneven {
        /// How many columns were listed.
        columns: usize,
        /// How many values were given.
        values: usize,
    },
    /// The columns of a sparse row do not rise, or one is not below its width.
    #[error("the columns of a sparse row must rise and be below its width")]
    BadColumns,
}

impl<'a> From<&'a [f32]> for Values<'a> {
    fn from(values: &'a [f32]) -> Self {
        Values::F32(values)
    }
}

impl<'a> From<&'a [f64]> for Values<'a> {
    fn from(values: &'a [f64]) -> Self {
        Values::F64(values)
    }
}

impl<'a> Values<'a> {
    fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        }
    }

    fn row(self, start: usize, end: usize) -> Row<'a> {
        match self {
            Values::F32(values) => Row::F32(&values[start..end]),
            Values::F64(values) => Row::F64(&values[start..end]),
        }
    }
}

impl<'a> Features<'a> {
    /// Rows of `dim` columns each, one after the other.
    ///
    /// # Errors
    ///
    /// If `dim` is 0 or does not divide the number of values.
    pub fn dense(values: impl Into<Values<'a>>, dim: usize) -> Result<Self, FeaturesError> {
        let values = values.into();
        if dim == 0 {
            return Err(FeaturesError::NoColumns);
        }
        if !values.len().is_multiple_of(dim) {
            return Err(FeaturesError::Incomplete { values: values.len(), dim });
        }
        Ok(Features { layout: Layout::Dense { values, dim } })
    }

    /// Rows of any length: row `i` is `values[offsets[i]..offsets[i + 1]]`. A null row is an empty one; a
    /// null inside a row must have been made a NaN by the caller.
    ///
    /// # Errors
    ///
    /// If an offset runs backwards or out of the values.
    pub fn ragged(values: impl Into<Values<'a>>, offsets: &'a [i32]) -> Result<Self, FeaturesError> {
        let values = values.into();
        check_offsets(offsets, values.len())?;
        Ok(Features { layout: Layout::Ragged { values, offsets } })
    }

    /// Sparse rows of `dim` columns: row `i` lists `columns[offsets[i]..offsets[i + 1]]`, which rise.
    ///
    /// # Errors
    ///
    /// If offsets, columns and values do not fit together.
    pub fn sparse(
        dim: usize,
        columns: &'a [u32],
        values: &'a [f64],
        offsets: &'a [i32],
    ) -> Result<Self, FeaturesError> {
        check_offsets(offsets, values.len())?;
        let rows = Features { layout: Layout::Sparse { dim, columns, values, offsets } };
        if columns.len() != values.len() {
            return Err(FeaturesError::Uneven { columns: columns.len(), values: values.len() });
        }
        for row in rows.iter() {
            if let Row::Sparse(row) = row {
                SparseRow::new(dim, row.columns(), row.values())?;
            }
        }
        Ok(rows)
    }

    /// How many rows.
    #[must_use]
    pub fn len(&self) -> usize {
        match self.layout {
            Layout::Dense { values, dim } => values.len() / dim,
            Layout::Ragged { offsets, .. } | Layout::Sparse { offsets, .. } => {
                offsets.len().saturating_sub(1)
            }
        }
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[must_use]
    pub fn row(&self, index: usize) -> Row<'a> {
        match self.layout {
            Layout::Dense { values, dim } => values.row(index * dim, (index + 1) * dim),
            Layout::Ragged { values, offsets } => {
                let (start, end) = bounds(offsets, index);
                values.row(start, end)
            }
            Layout::Sparse { dim, columns, values, offsets } => {
                let (start, end) = bounds(offsets, index);
                Row::Sparse(SparseRow::trusted(dim, &columns[start..end], &values[start..end]))
            }
        }
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let rows = *self;
        (0..rows.len()).map(move |index| rows.row(index))
    }
}

fn check_offsets(offsets: &[i32], values: usize) -> Result<(), FeaturesError> {
    for (row, pair) in offsets.windows(2).enumerate() {
        let (start, end) = (pair[0], pair[1]);
        let fits = usize::try_from(end).is_ok_and(|end| end <= values);
        if start < 0 || end < start || !fits {
            return Err(FeaturesError::BadOffsets { row, start, end, values });
        }
    }
    Ok(())
}

fn bounds(offsets: &[i32], index: usize) -> (usize, usize) {
    let at = |index: usize| usize::try_from(offsets[index]).expect("offsets were checked");
    (at(index), at(index + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_rows_are_cut_evenly_or_not_at_all() {
        let values = [1.0_f32, 2.0, 3.0, 4.0];
        let rows = Features::dense(&values[..], 2).unwrap();
        assert_eq!(rows.len(), 2);
        let mut second = Vec::new();
        rows.row(1).append_to(&mut second);
        assert_eq!(second, [3.0, 4.0]);
        assert_eq!(
            Features::dense(&values[..], 3).unwrap_err(),
            FeaturesError::Incomplete { values: 4, dim: 3 }
        );
        assert_eq!(Features::dense(&values[..], 0).unwrap_err(), FeaturesError::NoColumns);
    }

    #[test]
    fn ragged_rows_keep_their_own_lengths() {
        let values = [1.0_f64, 2.0, 3.0];
        let rows = Features::ragged(&values[..], &[0, 2, 2, 3]).unwrap();
        assert_eq!(rows.iter().map(|row| row.dim()).collect::<Vec<_>>(), [2, 0, 1]);
        for offsets in [&[0, 4][..], &[2, 1], &[-1, 1]] {
            assert!(Features::ragged(&values[..], offsets).is_err(), "{offsets:?}");
        }
        assert!(Features::ragged(&values[..], &[]).unwrap().is_empty());
    }

    #[test]
    fn sparse_rows_list_their_columns_in_order() {
        let rows = Features::sparse(5, &[0, 4, 2], &[1.0, 2.0, 3.0], &[0, 2, 2, 3]).unwrap();
        let mut all = Vec::new();
        rows.iter().for_each(|row| row.append_to(&mut all));
        assert_eq!(all, [1.0, 0.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 3.0, 0.0, 0.0]);
        let twice = Features::sparse(5, &[4, 4], &[1.0, 2.0], &[0, 2]);
        assert_eq!(twice.unwrap_err(), FeaturesError::BadColumns);
    }
}
