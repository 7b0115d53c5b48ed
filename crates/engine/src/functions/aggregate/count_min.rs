//! `count_min_sketch(value, eps, confidence, seed)`: about how often each value came, in the bytes of Spark's own
//! sketch (version 1): whoever reads those reads these.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::percentile::constant;
use super::{Begun, Own};
use crate::functions::hash::of_bytes;
use crate::functions::own::{Kind, refused};

pub(super) const FUNCTIONS: &[Own] = &[Own {
    name: "count_min_sketch",
    aliases: &[],
    takes: &[Kind::Any, Kind::Double, Kind::Double, Kind::Int],
    optional: 0,
    gives,
    state: |_| vec![DataType::Binary],
    begin,
}];

/// Numbers are hashed modulo this prime, 2^31 - 1.
const PRIME: i64 = (1 << 31) - 1;

fn gives(types: &[DataType]) -> Result<DataType> {
    match &types[0] {
        whole if whole.is_integer() => Ok(DataType::Binary),
        DataType::Utf8 | DataType::Binary => Ok(DataType::Binary),
        _ => refused(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            "count_min_sketch takes whole numbers, STRING or BINARY",
        ),
    }
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let share = |argument: usize| match constant(begun, argument) {
        Ok(ScalarValue::Float64(Some(share))) if share > 0.0 && share < 1.0 => Ok(share),
        Err(error) => Err(error),
        _ => refused("DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "eps and confidence lie between 0.0 and 1.0"),
    };
    let (eps, confidence) = (share(1)?, share(2)?);
    let ScalarValue::Int32(Some(seed)) = constant(begun, 3)? else {
        return refused("DATATYPE_MISMATCH.UNEXPECTED_NULL", "the seed must not be NULL");
    };
    let width = (2.0 / eps).ceil() as usize;
    let depth = ((-(1.0 - confidence).ln()) / 2.0_f64.ln()).ceil() as usize;
    let mut random = JavaRandom::new(seed.into());
    let factors = (0..depth).map(|_| random.below_largest()).collect();
    Ok(Box::new(Sketch { width, factors, counts: vec![0; width * depth], total: 0 }))
}

/// `java.util.Random`: a linear congruential generator of 48 bits, as its documentation prescribes.
struct JavaRandom(i64);

impl JavaRandom {
    fn new(seed: i64) -> Self {
        JavaRandom((seed ^ 0x5_DEEC_E66D) & ((1 << 48) - 1))
    }

    /// `nextInt(Integer.MAX_VALUE)`.
    fn below_largest(&mut self) -> i64 {
        loop {
            self.0 = self.0.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & ((1 << 48) - 1);
            let bits = self.0 >> 17;
            if bits != PRIME {
                return bits;
            }
        }
    }
}

#[derive(Debug)]
struct Sketch {
    width: usize,
    /// One hash function each, and so one row of the table.
    factors: Vec<i64>,
    counts: Vec<i64>,
    total: i64,
}

impl Sketch {
    fn add_number(&mut self, value: i64) {
        self.total += 1;
        for (row, factor) in self.factors.iter().enumerate() {
            let hash = factor.wrapping_mul(value);
            let hash = hash.wrapping_add(hash >> 32) & PRIME;
            self.counts[row * self.width + hash as usize % self.width] += 1;
        }
    }

    fn add_bytes(&mut self, value: &[u8]) {
        self.total += 1;
        let first = of_bytes(value, 0);
        let second = of_bytes(value, first);
        for row in 0..self.factors.len() {
            let hash = first.wrapping_add(second.wrapping_mul(row as u32)).cast_signed();
            // Java's remainder, without its sign.
            let place = (i64::from(hash) % self.width as i64).unsigned_abs() as usize;
            self.counts[row * self.width + place] += 1;
        }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut bytes = 1_i32.to_be_bytes().to_vec();
        bytes.extend(self.total.to_be_bytes());
        bytes.extend((self.factors.len() as i32).to_be_bytes());
        bytes.extend((self.width as i32).to_be_bytes());
        bytes.extend(self.factors.iter().chain(&self.counts).flat_map(|number| number.to_be_bytes()));
        bytes
    }

    /// Adds the counts of [`Self::bytes`] of a sketch of the same shape.
    fn add_sketch(&mut self, bytes: &[u8]) -> Result<()> {
        let numbers: Vec<i64> = match (bytes.get(4..12), bytes.get(20 + 8 * self.factors.len()..)) {
            (Some(total), Some(counts)) if counts.len() == 8 * self.counts.len() => {
                let numbers = total.chunks_exact(8).chain(counts.chunks_exact(8));
                numbers.filter_map(|number| number.try_into().ok().map(i64::from_be_bytes)).collect()
            }
            _ => return refused("INTERNAL_ERROR", "a stored count_min_sketch has another shape"),
        };
        self.total += numbers[0];
        self.counts.iter_mut().zip(&numbers[1..]).for_each(|(count, more)| *count += more);
        Ok(())
    }
}

impl Accumulator for Sketch {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = &values[0];
        match values.data_type() {
            DataType::Utf8 => {
                values.as_string::<i32>().iter().flatten().for_each(|text| self.add_bytes(text.as_bytes()));
            }
            DataType::Binary => {
                values.as_binary::<i32>().iter().flatten().for_each(|bytes| self.add_bytes(bytes));
            }
            _ => {
                let numbers = cast(values, &DataType::Int64)?;
                numbers
                    .as_primitive::<Int64Type>()
                    .iter()
                    .flatten()
                    .for_each(|number| self.add_number(number));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        states[0].as_binary::<i32>().iter().flatten().try_for_each(|state| self.add_sketch(state))
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.bytes()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bytes())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + (self.factors.capacity() + self.counts.capacity()) * size_of::<i64>()
    }
}
