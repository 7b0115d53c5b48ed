//! `mode(value)`: the value that comes most often.

use std::collections::HashMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::{Begun, Own};
use crate::functions::own::{Kind, list_of};

pub(super) const FUNCTIONS: &[Own] = &[Own {
    name: "mode",
    aliases: &[],
    takes: &[Kind::Any],
    optional: 0,
    gives: |types| Ok(types[0].clone()),
    state: |types| vec![list_of(types[0].clone()), list_of(DataType::Int64)],
    begin,
}];

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Mode { kind: begun.types[0].clone(), counts: HashMap::new() }))
}

#[derive(Debug)]
struct Mode {
    kind: DataType,
    counts: HashMap<ScalarValue, i64>,
}

impl Mode {
    fn add(&mut self, value: ScalarValue, count: i64) {
        if !value.is_null() {
            *self.counts.entry(value).or_default() += count;
        }
    }

    /// The most frequent first; of equally frequent ones, the smallest.
    fn sorted(&self) -> Vec<(&ScalarValue, i64)> {
        let mut counts: Vec<_> = self.counts.iter().map(|(value, count)| (value, *count)).collect();
        counts.sort_by(|(one, n), (other, m)| {
            m.cmp(n).then_with(|| one.partial_cmp(other).unwrap_or(std::cmp::Ordering::Equal))
        });
        counts
    }
}

impl Accumulator for Mode {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for row in 0..values[0].len() {
            self.add(ScalarValue::try_from_array(&values[0], row)?, 1);
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            let (values, counts) = (values.value(row), counts.value(row));
            for (place, count) in counts.as_primitive::<Int64Type>().values().iter().enumerate() {
                self.add(ScalarValue::try_from_array(&values, place)?, *count);
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let sorted = self.sorted();
        let values: Vec<ScalarValue> = sorted.iter().map(|(value, _)| (*value).clone()).collect();
        let counts: Vec<ScalarValue> = sorted.iter().map(|(_, count)| ScalarValue::from(*count)).collect();
        Ok(vec![
            ScalarValue::List(ScalarValue::new_list_nullable(&values, &self.kind)),
            ScalarValue::List(ScalarValue::new_list_nullable(&counts, &DataType::Int64)),
        ])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        match self.sorted().first() {
            Some((value, _)) => Ok((*value).clone()),
            None => ScalarValue::try_from(&self.kind),
        }
    }

    fn size(&self) -> usize {
        let values: usize = self.counts.keys().map(|value| value.size() + size_of::<i64>()).sum();
        size_of_val(self) + values
    }
}
