//! `max_by(value, key)` and `min_by(value, key)`.

use std::cmp::Ordering;

use datafusion::arrow::array::{Array, ArrayRef, make_comparator};
use datafusion::arrow::compute::SortOptions;
use datafusion::arrow::datatypes::DataType;
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::{Begun, Own};
use crate::functions::own::Kind;

const ANY: Kind = Kind::Any;

pub(super) const FUNCTIONS: &[Own] = &[function("max_by"), function("min_by")];

const fn function(name: &'static str) -> Own {
    Own {
        name,
        aliases: &[],
        takes: &[ANY, ANY],
        optional: 0,
        gives: |types| Ok(types[0].clone()),
        state: <[DataType]>::to_vec,
        begin,
    }
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let wanted = if begun.name == "max_by" { Ordering::Greater } else { Ordering::Less };
    let (value, key) = (ScalarValue::try_from(&begun.types[0])?, ScalarValue::try_from(&begun.types[1])?);
    Ok(Box::new(Extreme { wanted, value, key }))
}

/// The value of the row whose key is the largest or smallest; of equal ones, the last.
#[derive(Debug)]
struct Extreme {
    wanted: Ordering,
    value: ScalarValue,
    key: ScalarValue,
}

impl Extreme {
    fn see(&mut self, values: &ArrayRef, keys: &ArrayRef) -> Result<()> {
        let mut best: Option<usize> = None;
        let compare = make_comparator(keys, keys, SortOptions::default())?;
        for row in (0..keys.len()).filter(|row| keys.is_valid(*row)) {
            if best.is_none_or(|best| self.beats(compare(row, best))) {
                best = Some(row);
            }
        }
        let Some(best) = best else { return Ok(()) };
        let known = self.key.to_array()?;
        let better =
            known.is_null(0) || self.beats(make_comparator(keys, &known, SortOptions::default())?(best, 0));
        if better {
            self.value = ScalarValue::try_from_array(values, best)?;
            self.key = ScalarValue::try_from_array(keys, best)?;
        }
        Ok(())
    }

    fn beats(&self, order: Ordering) -> bool {
        order == self.wanted || order == Ordering::Equal
    }
}

impl Accumulator for Extreme {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        self.see(&values[0], &values[1])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.see(&states[0], &states[1])
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.value.clone(), self.key.clone()])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(self.value.clone())
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.value.size() + self.key.size()
    }
}
