//! Functions that choose.

use datafusion::arrow::array::new_null_array;
use datafusion::arrow::array::{Array, ArrayRef};
use datafusion::arrow::compute::{cast, interleave};
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};

use crate::functions::own::{Call, Kind, Own, Planned, refused};

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("assert_true", &[Kind::Boolean, Kind::Text], void, assert_true).optional(1),
    Own::new("raise_error", &[Kind::Text], void, raise_error),
    Own::new("zeroifnull", &[Kind::Any], super::own::first, zero_if_null),
    Own::new("nvl2", &[Kind::Any, Kind::Any, Kind::Any], chosen_gives, nvl2),
];

/// What plans raise where a subquery has more rows than one.
pub(crate) const TOO_MANY_ROWS: &str = "__too_many_rows";

fn void(_: &Planned<'_>) -> Result<DataType> {
    Ok(DataType::Null)
}

fn assert_true(call: &Call) -> Result<ArrayRef> {
    for row in 0..call.rows {
        let row = call.row(row);
        if row.is_null(0) || !row.boolean(0) {
            let reason = if row.count() > 1 { row.text(1) } else { "the condition is not true" };
            return refused("USER_RAISED_EXCEPTION", reason);
        }
    }
    Ok(new_null_array(&DataType::Null, call.rows))
}

fn raise_error(call: &Call) -> Result<ArrayRef> {
    if call.rows == 0 {
        return Ok(new_null_array(&DataType::Null, 0));
    }
    let row = call.row(0);
    let reason = if row.is_null(0) { "NULL" } else { row.text(0) };
    if reason == TOO_MANY_ROWS {
        return refused(
            "SCALAR_SUBQUERY_TOO_MANY_ROWS",
            "More than one row returned by a subquery used as an expression.",
        );
    }
    refused("USER_RAISED_EXCEPTION", reason)
}

fn zero_if_null(call: &Call) -> Result<ArrayRef> {
    let zero = ScalarValue::new_zero(&call.gives)?.to_array()?;
    let rows = (0..call.rows).map(|row| if call.arguments[0].is_valid(row) { (0, row) } else { (1, 0) });
    Ok(interleave(&[call.arguments[0].as_ref(), zero.as_ref()], &rows.collect::<Vec<_>>())?)
}

fn chosen_gives(planned: &Planned<'_>) -> Result<DataType> {
    let (one, other) = (&planned.types[1], &planned.types[2]);
    Ok(if one.is_null() { other.clone() } else { one.clone() })
}

fn nvl2(call: &Call) -> Result<ArrayRef> {
    let (one, other) = (cast(&call.arguments[1], &call.gives)?, cast(&call.arguments[2], &call.gives)?);
    let rows = (0..call.rows).map(|row| (usize::from(call.arguments[0].is_null(row)), row));
    Ok(interleave(&[one.as_ref(), other.as_ref()], &rows.collect::<Vec<_>>())?)
}

/// `decode(value, search, result, ..., otherwise)`; NULL is found too.
pub(super) fn decode(call: &Call) -> Result<ArrayRef> {
    let (value, pairs) = (&call.arguments[0], &call.arguments[1..]);
    let mut results: Vec<ArrayRef> = vec![new_null_array(&call.gives, call.rows)];
    for result in pairs.iter().skip(1).step_by(2) {
        results.push(cast(result, &call.gives)?);
    }
    let otherwise = if pairs.len() % 2 == 1 { results.len() } else { 0 };
    if let (true, Some(last)) = (otherwise > 0, pairs.last()) {
        results.push(cast(last, &call.gives)?);
    }
    let searches = pairs.chunks_exact(2).map(|pair| cast(&pair[0], value.data_type()));
    let searches = searches.collect::<std::result::Result<Vec<_>, _>>()?;
    let mut picked = Vec::with_capacity(call.rows);
    for row in 0..call.rows {
        let wanted = ScalarValue::try_from_array(value, row)?;
        let mut found = otherwise;
        for (number, search) in searches.iter().enumerate() {
            if ScalarValue::try_from_array(search, row)? == wanted {
                found = number + 1;
                break;
            }
        }
        picked.push((found, row));
    }
    let results: Vec<&dyn Array> = results.iter().map(AsRef::as_ref).collect();
    Ok(interleave(&results, &picked)?)
}
