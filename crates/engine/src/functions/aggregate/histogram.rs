//! `histogram_numeric(value, bins)`: a histogram whose bins lie where the values are (Ben-Haim and Tom-Tov, "A
//! streaming parallel decision tree algorithm", JMLR 11, 2010). Of equally near neighbours chance takes two, with
//! the numbers that Java's generator makes of Hive's seed, so that the bins are those of Spark.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Float64Array, StructArray};
use datafusion::arrow::buffer::OffsetBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Float64Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::percentile::constant;
use super::{Begun, Own};
use crate::functions::own::{Kind, list_of, refused, wrong};

const SEED: u64 = 31_183;
const BINS_MIN: i64 = 2;

pub(super) const FUNCTIONS: &[Own] = &[Own {
    name: "histogram_numeric",
    aliases: &[],
    takes: &[Kind::Any, Kind::Long],
    optional: 0,
    gives,
    state: |_| vec![list_of(DataType::Float64)],
    begin,
}];

fn gives(types: &[DataType]) -> Result<DataType> {
    let kind = &types[0];
    if !(kind.is_numeric() || kind.is_temporal() || kind.is_null()) {
        return refused(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            "histogram_numeric takes numbers, dates or times",
        );
    }
    let x = if kind.is_null() { DataType::Float64 } else { kind.clone() };
    Ok(list_of(DataType::Struct(bin(x))))
}

fn bin(x: DataType) -> Fields {
    Fields::from(vec![Field::new("x", x, true), Field::new("y", DataType::Float64, true)])
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let bins = match constant(begun, 1)? {
        ScalarValue::Int64(Some(bins)) if bins >= BINS_MIN => usize::try_from(bins).unwrap_or(usize::MAX),
        _ => {
            return refused(
                "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                "histogram_numeric needs two bins or more",
            );
        }
    };
    Ok(Box::new(Histogram {
        kind: begun.types[0].clone(),
        bins,
        used: Vec::new(),
        chance: Chance::new(SEED),
    }))
}

/// Java's generator of random numbers (`java.util.Random`).
#[derive(Debug)]
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Chance((seed ^ 0x5_DEEC_E66D) & ((1 << 48) - 1))
    }

    fn bits(&mut self, bits: u32) -> u64 {
        self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1);
        self.0 >> (48 - bits)
    }

    /// Evenly between 0 and 1.
    fn share(&mut self) -> f64 {
        ((self.bits(26) << 27) + self.bits(27)) as f64 / (1_u64 << 53) as f64
    }
}

#[derive(Debug)]
struct Histogram {
    kind: DataType,
    bins: usize,
    /// Where each bin lies, and how many values it has, in order.
    used: Vec<(f64, f64)>,
    chance: Chance,
}

impl Histogram {
    fn add(&mut self, value: f64) {
        match self.used.binary_search_by(|(x, _)| x.total_cmp(&value)) {
            Ok(place) => self.used[place].1 += 1.0,
            Err(place) => {
                self.used.insert(place, (value, 1.0));
                if self.used.len() > self.bins {
                    self.trim();
                }
            }
        }
    }

    fn merge(&mut self, other: &[(f64, f64)]) {
        if self.used.is_empty() {
            self.used = other.to_vec();
        } else {
            self.used.extend_from_slice(other);
            self.used.sort_by(|a, b| a.0.total_cmp(&b.0));
        }
        self.trim();
    }

    /// Lets the two nearest bins become one until there are few enough.
    fn trim(&mut self) {
        while self.used.len() > self.bins {
            let (mut smallest, mut place, mut alike) = (f64::INFINITY, 0, 0_u32);
            for at in 0..self.used.len() - 1 {
                let gap = self.used[at + 1].0 - self.used[at].0;
                if gap < smallest {
                    (smallest, place, alike) = (gap, at, 1);
                } else if gap == smallest {
                    alike += 1;
                    if self.chance.share() <= 1.0 / f64::from(alike) {
                        place = at;
                    }
                }
            }
            let ((x, n), (y, m)) = (self.used[place], self.used[place + 1]);
            let both = n + m;
            self.used[place] = (x * n / both + y * m / both, both);
            self.used.remove(place + 1);
        }
    }
}

/// Values as fractions: days, microseconds, or themselves.
fn fractions(values: &ArrayRef) -> Result<ArrayRef> {
    let counted = match values.data_type() {
        DataType::Date32 => cast(values, &DataType::Int32)?,
        kind if kind.is_temporal() => cast(values, &DataType::Int64)?,
        _ => Arc::clone(values),
    };
    Ok(cast(&counted, &DataType::Float64)?)
}

impl Accumulator for Histogram {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = fractions(&values[0])?;
        values.as_primitive::<Float64Type>().iter().flatten().for_each(|value| self.add(value));
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states[0].as_list::<i32>();
        for row in (0..lists.len()).filter(|row| lists.is_valid(*row)) {
            let flat = lists.value(row);
            let flat = flat.as_primitive::<Float64Type>();
            let (pairs, rest) = flat.values().as_chunks::<2>();
            if !rest.is_empty() {
                return wrong("histogram_numeric: the stored bins cannot be read");
            }
            self.merge(&pairs.iter().map(|pair| (pair[0], pair[1])).collect::<Vec<_>>());
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let flat = self.used.iter().flat_map(|(x, y)| [ScalarValue::from(*x), ScalarValue::from(*y)]);
        let flat: Vec<ScalarValue> = flat.collect();
        Ok(vec![ScalarValue::List(ScalarValue::new_list_nullable(&flat, &DataType::Float64))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let whole = gives(std::slice::from_ref(&self.kind))?;
        if self.used.is_empty() {
            return ScalarValue::try_from(&whole);
        }
        let x = if self.kind.is_null() { DataType::Float64 } else { self.kind.clone() };
        let places = self.used.iter().map(|(x, _)| *x);
        let places: ArrayRef = match &x {
            kind if kind.is_temporal() => {
                let whole: datafusion::arrow::array::PrimitiveArray<Int64Type> =
                    places.map(|place| Some(place as i64)).collect();
                match kind {
                    DataType::Date32 => cast(&cast(&whole, &DataType::Int32)?, kind)?,
                    kind => cast(&whole, kind)?,
                }
            }
            // What lies between whole numbers is the one before.
            kind if kind.is_integer() => cast(&Float64Array::from_iter_values(places.map(f64::trunc)), kind)?,
            kind => cast(&Float64Array::from_iter_values(places), kind)?,
        };
        let counts: ArrayRef = Arc::new(Float64Array::from_iter_values(self.used.iter().map(|(_, y)| *y)));
        let structs = StructArray::try_new(bin(x.clone()), vec![places, counts], None)?;
        let item = Arc::new(Field::new_list_field(DataType::Struct(bin(x)), true));
        let offsets = OffsetBuffer::from_lengths([structs.len()]);
        let list = datafusion::arrow::array::ListArray::try_new(item, offsets, Arc::new(structs), None)?;
        Ok(ScalarValue::List(Arc::new(list)))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.used.capacity() * size_of::<(f64, f64)>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_bins_become_one() {
        let mut histogram =
            Histogram { kind: DataType::Float64, bins: 3, used: Vec::new(), chance: Chance::new(SEED) };
        [1.0, 10.0, 10.5, 100.0, 1.0].iter().for_each(|value| histogram.add(*value));
        assert_eq!(histogram.used, [(1.0, 2.0), (10.25, 2.0), (100.0, 1.0)]);
    }

    #[test]
    fn chance_is_that_of_java() {
        // `new java.util.Random(42).nextDouble()`, as the documentation of that class defines it.
        assert_eq!(Chance::new(42).share(), 0.727_563_680_032_868_1);
    }
}
