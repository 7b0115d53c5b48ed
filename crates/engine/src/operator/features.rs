//! A column of arrays as the feature rows that learners and networks take.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray};
use datafusion::arrow::datatypes::{DataType, Field, Float32Type, Float64Type};
use datafusion::common::{DataFusionError, Result, plan_err};
use ml::Features;

/// A column of `ARRAY<FLOAT>` or `ARRAY<DOUBLE>`.
pub(crate) struct FeatureColumn {
    list: ListArray,
    /// Set where the array's own memory cannot be looked at as it is.
    copy: Option<(Vec<f64>, Vec<i32>)>,
}

impl FeatureColumn {
    pub(crate) fn new(column: &ArrayRef) -> Result<Self> {
        let Some(list) = column.as_list_opt::<i32>() else {
            return plan_err!("features are an ARRAY of numbers, not {}", column.data_type());
        };
        let numbers = matches!(list.value_type(), DataType::Float32 | DataType::Float64);
        if !numbers {
            return plan_err!("features are an ARRAY of numbers, not {}", column.data_type());
        }
        let hidden_rows = (0..list.len()).any(|row| list.is_null(row) && list.value_length(row) > 0);
        let copy = (hidden_rows || list.values().null_count() > 0).then(|| copied(list));
        Ok(FeatureColumn { list: list.clone(), copy })
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.list.is_null(row)
    }

    /// The rows; a null row is an empty one, a null within a row is a NaN.
    pub(crate) fn features(&self) -> Result<Features<'_>> {
        let view = match &self.copy {
            Some((values, offsets)) => Features::ragged(values.as_slice(), offsets),
            None => match self.list.value_type() {
                DataType::Float32 => {
                    let values: &[f32] = self.list.values().as_primitive::<Float32Type>().values();
                    Features::ragged(values, self.list.value_offsets())
                }
                _ => {
                    let values: &[f64] = self.list.values().as_primitive::<Float64Type>().values();
                    Features::ragged(values, self.list.value_offsets())
                }
            },
        };
        view.map_err(|error| DataFusionError::External(Box::new(error)))
    }
}

fn copied(list: &ListArray) -> (Vec<f64>, Vec<i32>) {
    let mut values = Vec::new();
    let mut offsets = vec![0];
    for row in 0..list.len() {
        if list.is_valid(row) {
            let row = list.value(row);
            match row.as_primitive_opt::<Float32Type>() {
                Some(row) => values.extend(row.iter().map(|value| value.map_or(f64::NAN, f64::from))),
                None => {
                    let row = row.as_primitive::<Float64Type>();
                    values.extend(row.iter().map(|value| value.unwrap_or(f64::NAN)));
                }
            }
        }
        offsets.push(i32::try_from(values.len()).expect("no longer than the list, whose offsets are i32"));
    }
    (values, offsets)
}

/// The type that a column of arrays is cast to before a function sees it.
pub(crate) fn coerced(function: &str, given: &DataType) -> Result<DataType> {
    let item = match given {
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            match item.data_type() {
                DataType::Float32 | DataType::Float16 => DataType::Float32,
                numeric if numeric.is_numeric() || numeric.is_null() => DataType::Float64,
                other => return plan_err!("{function} takes an ARRAY of numbers, not an ARRAY of {other}"),
            }
        }
        DataType::Null => DataType::Float64,
        other => return plan_err!("{function} takes an ARRAY of numbers, not {other}"),
    };
    Ok(DataType::List(Arc::new(Field::new_list_field(item, true))))
}
