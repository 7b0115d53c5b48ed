//! Views of feature rows: borrowed, row-major, `f32` or `f64`, each row of the same length or not.
//!
//! The ragged layout is that of a column of lists (values and offsets), so rows need not be copied to
//! be looked at, and a row of the wrong length can be refused alone instead of failing its batch.

use thiserror::Error;

/// The widest row a learner takes.
pub const DIM_MAX: usize = 65_536;

/// The largest magnitude of a feature. Squares of it, summed over [`DIM_MAX`] columns, stay finite.
pub const VALUE_MAX: f64 = 1e100;

/// Borrowed numbers of either width.
#[derive(Clone, Copy, Debug)]
pub enum Values<'a> {
    /// Single precision, as signatures and pixels arrive.
    F32(&'a [f32]),
    /// Double precision.
    F64(&'a [f64]),
}

/// One feature row.
pub type Row<'a> = Values<'a>;

/// Many feature rows.
#[derive(Clone, Copy, Debug)]
pub struct Features<'a> {
    values: Values<'a>,
    layout: Layout<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Layout<'a> {
    Dense { dim: usize },
    Ragged { offsets: &'a [i32] },
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
}

/// Why one row was not learned, or is not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
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
    /// A NaN or an infinity.
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
    /// How many numbers.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::F64(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends the numbers to `out`, widened.
    pub fn append_to(&self, out: &mut Vec<f64>) {
        match self {
            Values::F32(values) => out.extend(values.iter().map(|&value| f64::from(value))),
            Values::F64(values) => out.extend_from_slice(values),
        }
    }

    /// Says whether a model `dim` columns wide can take this row. `None` is a model that takes its width
    /// from the first row it accepts.
    ///
    /// # Errors
    ///
    /// The first thing wrong with the row.
    pub fn check(&self, dim: Option<usize>) -> Result<(), Rejection> {
        let found = self.len();
        if found == 0 {
            return Err(Rejection::Empty);
        }
        if let Some(expected) = dim.filter(|&expected| expected != found) {
            return Err(Rejection::Dimension { expected, found });
        }
        if found > DIM_MAX {
            return Err(Rejection::TooWide { limit: DIM_MAX, found });
        }
        match self {
            Values::F32(values) => match values.iter().position(|value| !value.is_finite()) {
                Some(column) => Err(Rejection::NotFinite { column }),
                None => Ok(()),
            },
            Values::F64(values) => check_f64(values),
        }
    }

    fn slice(self, start: usize, end: usize) -> Self {
        match self {
            Values::F32(values) => Values::F32(&values[start..end]),
            Values::F64(values) => Values::F64(&values[start..end]),
        }
    }
}

/// Every finite `f32` is far below the limit, so only double precision needs both looks.
fn check_f64(values: &[f64]) -> Result<(), Rejection> {
    if let Some(column) = values.iter().position(|value| !value.is_finite()) {
        return Err(Rejection::NotFinite { column });
    }
    match values.iter().position(|value| value.abs() > VALUE_MAX) {
        Some(column) => Err(Rejection::TooLarge { column }),
        None => Ok(()),
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
        Ok(Features { values, layout: Layout::Dense { dim } })
    }

    /// Rows of any length: row `i` is `values[offsets[i]..offsets[i + 1]]`. A null row is an empty one; a
    /// null inside a row must have been made a NaN by the caller.
    ///
    /// # Errors
    ///
    /// If an offset runs backwards or out of the values.
    pub fn ragged(values: impl Into<Values<'a>>, offsets: &'a [i32]) -> Result<Self, FeaturesError> {
        let values = values.into();
        for (row, pair) in offsets.windows(2).enumerate() {
            let (start, end) = (pair[0], pair[1]);
            let fits = usize::try_from(end).is_ok_and(|end| end <= values.len());
            if start < 0 || end < start || !fits {
                return Err(FeaturesError::BadOffsets { row, start, end, values: values.len() });
            }
        }
        Ok(Features { values, layout: Layout::Ragged { offsets } })
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        match self.layout {
            Layout::Dense { dim } => self.values.len() / dim,
            Layout::Ragged { offsets } => offsets.len().saturating_sub(1),
        }
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// One row.
    ///
    /// # Panics
    ///
    /// If there is no such row.
    pub fn row(&self, index: usize) -> Row<'a> {
        match self.layout {
            Layout::Dense { dim } => self.values.slice(index * dim, (index + 1) * dim),
            Layout::Ragged { offsets } => {
                let at = |index: usize| usize::try_from(offsets[index]).expect("offsets were checked");
                self.values.slice(at(index), at(index + 1))
            }
        }
    }

    /// The rows in order.
    pub fn iter(&self) -> impl Iterator<Item = Row<'a>> + use<'a> {
        let rows = *self;
        (0..rows.len()).map(move |index| rows.row(index))
    }
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
        assert_eq!(rows.iter().map(|row| row.len()).collect::<Vec<_>>(), [2, 0, 1]);
        for offsets in [&[0, 4][..], &[2, 1], &[-1, 1]] {
            assert!(Features::ragged(&values[..], offsets).is_err(), "{offsets:?}");
        }
        assert!(Features::ragged(&values[..], &[]).unwrap().is_empty());
    }

    #[test]
    fn a_row_is_refused_for_the_first_thing_wrong_with_it() {
        let check = |row: &[f64], dim| Row::from(row).check(dim);
        assert_eq!(check(&[1.0, 2.0], Some(2)), Ok(()));
        assert_eq!(check(&[], None), Err(Rejection::Empty));
        assert_eq!(check(&[1.0], Some(2)), Err(Rejection::Dimension { expected: 2, found: 1 }));
        assert_eq!(check(&[1.0, f64::NAN], None), Err(Rejection::NotFinite { column: 1 }));
        assert_eq!(check(&[f64::NEG_INFINITY], None), Err(Rejection::NotFinite { column: 0 }));
        assert_eq!(check(&[0.0, -1e101], None), Err(Rejection::TooLarge { column: 1 }));
        assert_eq!(Row::from(&[f32::MAX][..]).check(None), Ok(()));
        let wide = vec![0.0_f32; DIM_MAX + 1];
        assert_eq!(
            Row::from(&wide[..]).check(None),
            Err(Rejection::TooWide { limit: DIM_MAX, found: DIM_MAX + 1 })
        );
    }
}
