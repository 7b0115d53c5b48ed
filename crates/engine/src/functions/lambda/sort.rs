//! `array_sort(a, (x, y) -> ...)`.

use std::cmp::Ordering;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use datafusion::arrow::compute::{cast, take};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::Result;
use datafusion::logical_expr::LambdaArgument;

use super::{ask, list, listed};
use crate::functions::own::{refused, wrong};

/// How many pairs are compared at most.
const PAIRS_MAX: usize = 10_000_000;

/// Every pair of items of a row is compared at once, all rows together.
pub(super) fn by(given: &ArrayRef, lambda: &LambdaArgument) -> Result<ArrayRef> {
    let list = list(given)?;
    let (mut left, mut right, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    for row in (0..list.len()).filter(|row| list.is_valid(*row)) {
        let (start, end) = (list.value_offsets()[row], list.value_offsets()[row + 1]);
        for one in start..end {
            for other in start..one {
                left.push(other.cast_unsigned());
                right.push(one.cast_unsigned());
                rows.push(u32::try_from(row).unwrap_or(u32::MAX));
            }
        }
        if rows.len() > PAIRS_MAX {
            return wrong("array_sort: the arrays are too long for a comparison of one's own");
        }
    }
    let pick = |places: Vec<u32>| take(list.values(), &UInt32Array::from(places), None);
    let answers = cast(&ask(lambda, &[pick(left)?, pick(right)?], &rows)?, &DataType::Int64)?;
    if answers.null_count() > 0 {
        return refused("COMPARATOR_RETURNS_NULL", "array_sort: the comparison answers NULL");
    }
    let answers = answers.as_primitive::<Int64Type>();
    let (mut places, mut lengths, mut known, mut begin) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for row in 0..list.len() {
        let valid = list.is_valid(row);
        let length = if valid { usize::try_from(list.value_length(row)).unwrap_or(0) } else { 0 };
        // The pair of `other < one` lies behind all pairs of the items before `one`.
        let order = |one: usize, other: usize| -> Ordering {
            match one.cmp(&other) {
                Ordering::Equal => Ordering::Equal,
                Ordering::Less => answers.value(begin + other * (other - 1) / 2 + one).cmp(&0),
                Ordering::Greater => 0.cmp(&answers.value(begin + one * (one - 1) / 2 + other)),
            }
        };
        let start = list.value_offsets()[row].cast_unsigned();
        places.extend(sorted(length, order).into_iter().map(|item| start + item));
        begin += length * length.saturating_sub(1) / 2;
        lengths.push(length);
        known.push(valid);
    }
    let items = take(list.values(), &UInt32Array::from(places), None)?;
    listed(given.data_type(), &Arc::clone(&items), lengths, known.into())
}

/// Insertion by halves: it ends whatever the comparison says, which a user wrote.
fn sorted(length: usize, order: impl Fn(usize, usize) -> Ordering) -> Vec<u32> {
    let mut sorted: Vec<usize> = Vec::with_capacity(length);
    for item in 0..length {
        let place = sorted.partition_point(|before| order(*before, item).is_le());
        sorted.insert(place, item);
    }
    sorted.into_iter().filter_map(|item| u32::try_from(item).ok()).collect()
}
