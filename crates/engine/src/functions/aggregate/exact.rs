//! Percentiles of all values: `percentile(value, share or shares [, how often])` between two values, and
//! `percentile_disc`, which is one of them.

use std::collections::BTreeMap;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, Int64Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::percentile::constant;
use super::{Begun, Own};
use crate::functions::own::{Kind, list_of, refused, wrong};

const TAKES: &[Kind] = &[Kind::Double, Kind::Any, Kind::Long];

/// Which value stands for a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// One between the two nearest.
    Between,
    /// The first that so many are not above.
    First,
    /// The same, counted from the largest down.
    FirstFromAbove,
}

const fn own(name: &'static str, optional: usize) -> Own {
    Own { name, aliases: &[], takes: TAKES, optional, gives, state, begin }
}

pub(super) const FUNCTIONS: &[Own] =
    &[own("percentile", 1), own("percentile_disc", 1), own("percentile_disc_desc", 1)];

fn gives(types: &[DataType]) -> Result<DataType> {
    Ok(match types[1] {
        DataType::List(_) => list_of(DataType::Float64),
        _ => DataType::Float64,
    })
}

fn state(_: &[DataType]) -> Vec<DataType> {
    vec![list_of(DataType::Float64), list_of(DataType::Int64)]
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let shares = constant(begun, 1)?;
    let several = matches!(shares.data_type(), DataType::List(_));
    let shares = if several { shares.to_array()?.as_list::<i32>().value(0) } else { shares.to_array()? };
    let shares = cast(&shares, &DataType::Float64)?;
    let shares: Vec<f64> = shares.as_primitive::<Float64Type>().iter().flatten().collect();
    if shares.is_empty() || !shares.iter().all(|share| (0.0..=1.0).contains(share)) {
        return refused("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "the percentage must be between [0.0, 1.0]");
    }
    let way = match begun.name {
        "percentile" => Way::Between,
        "percentile_disc" => Way::First,
        _ => Way::FirstFromAbove,
    };
    Ok(Box::new(Exact { shares, several, way, counts: BTreeMap::new() }))
}

#[derive(Debug)]
struct Exact {
    shares: Vec<f64>,
    several: bool,
    way: Way,
    /// How often each value came, by [`key`].
    counts: BTreeMap<u64, i64>,
}

/// A whole number for each fraction, in their order.
fn key(value: f64) -> u64 {
    // Both zeros are one value.
    let bits = if value == 0.0 { 0 } else { value.to_bits() };
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn value(key: u64) -> f64 {
    f64::from_bits(if key >> 63 == 1 { key & !(1 << 63) } else { !key })
}

impl Exact {
    fn add(&mut self, value: f64, count: i64) -> Result<()> {
        if count < 0 {
            return wrong(format!(
                "[NEGATIVE_VALUES_IN_FREQUENCY_EXPRESSION] negative values found in frequency: {count}"
            ));
        }
        if count > 0 {
            *self.counts.entry(key(value)).or_default() += count;
        }
        Ok(())
    }

    /// The value at a place, counted from 0 at the smallest.
    fn at(&self, place: i64) -> f64 {
        let mut passed = 0;
        for (key, count) in &self.counts {
            passed += count;
            if passed > place {
                return value(*key);
            }
        }
        self.counts.keys().next_back().map_or(f64::NAN, |key| value(*key))
    }

    fn of(&self, share: f64, total: i64) -> f64 {
        let first = (((share * total as f64).ceil() as i64) - 1).max(0);
        match self.way {
            Way::First => self.at(first),
            Way::FirstFromAbove => self.at(total - 1 - first),
            Way::Between => {
                let place = (total - 1) as f64 * share;
                let (low, high) = (place.floor(), place.ceil());
                let below = self.at(low as i64);
                if low == high {
                    return below;
                }
                let above = self.at(high as i64);
                if below == above { below } else { (high - place) * below + (place - low) * above }
            }
        }
    }
}

impl Accumulator for Exact {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let numbers = values[0].as_primitive::<Float64Type>();
        let counts = values.get(2).map(AsArray::as_primitive::<Int64Type>);
        for row in (0..numbers.len()).filter(|row| numbers.is_valid(*row)) {
            let count = match counts {
                Some(counts) if counts.is_null(row) => 0,
                Some(counts) => counts.value(row),
                None => 1,
            };
            self.add(numbers.value(row), count)?;
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let (values, counts) = (states[0].as_list::<i32>(), states[1].as_list::<i32>());
        for row in (0..values.len()).filter(|row| values.is_valid(*row)) {
            let (values, counts) = (values.value(row), counts.value(row));
            let pairs = values.as_primitive::<Float64Type>().values().iter();
            for (value, count) in pairs.zip(counts.as_primitive::<Int64Type>().values()) {
                self.add(*value, *count)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values: Float64Array = self.counts.keys().map(|key| Some(value(*key))).collect();
        let counts: Int64Array = self.counts.values().map(|count| Some(*count)).collect();
        let list = |array: ArrayRef| -> Result<ScalarValue> {
            let items = (0..array.len()).map(|at| ScalarValue::try_from_array(&array, at));
            let items = items.collect::<Result<Vec<_>>>()?;
            Ok(ScalarValue::List(ScalarValue::new_list_nullable(&items, array.data_type())))
        };
        Ok(vec![list(std::sync::Arc::new(values))?, list(std::sync::Arc::new(counts))?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let total: i64 = self.counts.values().sum();
        if total == 0 {
            let kind = if self.several { list_of(DataType::Float64) } else { DataType::Float64 };
            return ScalarValue::try_from(&kind);
        }
        let found: Vec<ScalarValue> =
            self.shares.iter().map(|share| ScalarValue::from(self.of(*share, total))).collect();
        if !self.several {
            return Ok(found.into_iter().next().unwrap_or(ScalarValue::Float64(None)));
        }
        Ok(ScalarValue::List(ScalarValue::new_list_nullable(&found, &DataType::Float64)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.counts.len() * 2 * size_of::<(u64, i64)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn exact(way: Way, values: &[f64]) -> Exact {
        let mut exact = Exact { shares: Vec::new(), several: false, way, counts: BTreeMap::new() };
        values.iter().for_each(|value| exact.add(*value, 1).unwrap());
        exact
    }

    #[test]
    fn keys_keep_the_order() {
        let values = [f64::NEG_INFINITY, -2.5, -0.0, 0.5, 3.0, f64::INFINITY];
        assert!(values.windows(2).all(|pair| key(pair[0]) < key(pair[1])));
        assert!(values.iter().all(|one| value(key(*one)) == *one));
    }

    #[test]
    fn shares_of_few_values() {
        let values = [0.0, 1.0, 2.0, 10.0];
        assert_eq!(exact(Way::Between, &values).of(0.5, 4), 1.5);
        assert_eq!(exact(Way::First, &values).of(0.5, 4), 1.0);
        assert_eq!(exact(Way::First, &values).of(0.0, 4), 0.0);
        assert_eq!(exact(Way::FirstFromAbove, &values).of(0.5, 4), 2.0);
        assert_eq!(exact(Way::FirstFromAbove, &values).of(0.0, 4), 10.0);
    }
}
