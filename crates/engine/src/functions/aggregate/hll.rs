//! `hll_sketch_agg(value [, lgConfigK])` and `hll_union_agg(sketch [, allowDifferentLgConfigK])`.

use std::fmt;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int32Type, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;
use datasketches::hll::{HllSketch, HllType};

use super::percentile::constant;
use super::{Begun, Own};
use crate::functions::own::{Kind, refused};
use crate::functions::sketch::{Raw, joined, read, same_size};

/// 2^12 registers: an error of 1.6 %.
const SIZE: u8 = 12;

pub(super) const FUNCTIONS: &[Own] = &[
    Own {
        name: "hll_sketch_agg",
        aliases: &[],
        takes: &[Kind::Any, Kind::Int],
        optional: 1,
        gives: counted,
        state: |_| vec![DataType::Binary],
        begin,
    },
    Own {
        name: "hll_union_agg",
        aliases: &[],
        takes: &[Kind::Any, Kind::Boolean],
        optional: 1,
        gives: sketched,
        state: |_| vec![DataType::Binary],
        begin: begin_union,
    },
];

fn counted(types: &[DataType]) -> Result<DataType> {
    match types[0] {
        DataType::Int32 | DataType::Int64 | DataType::Utf8 | DataType::Binary => Ok(DataType::Binary),
        _ => refused(
            "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
            "hll_sketch_agg takes INT, BIGINT, STRING or BINARY",
        ),
    }
}

fn sketched(types: &[DataType]) -> Result<DataType> {
    match types[0] {
        DataType::Binary => Ok(DataType::Binary),
        _ => refused("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "hll_union_agg takes BINARY"),
    }
}

fn begin(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let size = match begun.types.len() {
        1 => SIZE,
        _ => match constant(begun, 1)? {
            ScalarValue::Int32(Some(size)) => u8::try_from(size).unwrap_or(0),
            _ => 0,
        },
    };
    Ok(Box::new(Sketch { sketch: sketch(size)? }))
}

fn sketch(size: u8) -> Result<HllSketch> {
    HllSketch::new(size, HllType::Hll8)
        .or_else(|_| refused("HLL_INVALID_LG_K", "lgConfigK lies between 4 and 21, both among them"))
}

/// The sketch of both; the one that holds something if the other is empty.
fn merged(one: &HllSketch, other: &HllSketch, different: bool) -> Result<HllSketch> {
    let mut union = joined(same_size(one.lg_config_k(), other.lg_config_k(), different)?)?;
    union.update(one);
    union.update(other);
    Ok(union.to_sketch(HllType::Hll8))
}

struct Sketch {
    sketch: HllSketch,
}

impl fmt::Debug for Sketch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hll_sketch_agg")
    }
}

impl Accumulator for Sketch {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values = &values[0];
        match values.data_type() {
            // A hash of eight bytes, as Java widens a number.
            DataType::Int32 => values.as_primitive::<Int32Type>().iter().flatten().for_each(|value| {
                self.sketch.update(Raw(&i64::from(value).to_le_bytes()));
            }),
            DataType::Int64 => values.as_primitive::<Int64Type>().iter().flatten().for_each(|value| {
                self.sketch.update(Raw(&value.to_le_bytes()));
            }),
            DataType::Utf8 => {
                let texts = values.as_string::<i32>().iter().flatten().filter(|text| !text.is_empty());
                texts.for_each(|text| self.sketch.update(Raw(text.as_bytes())));
            }
            _ => {
                let bytes = values.as_binary::<i32>().iter().flatten().filter(|bytes| !bytes.is_empty());
                bytes.for_each(|bytes| self.sketch.update(Raw(bytes)));
            }
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        for state in states[0].as_binary::<i32>().iter().flatten() {
            let other = read(state)?;
            if self.sketch.is_empty() {
                self.sketch = other;
            } else if !other.is_empty() {
                self.sketch = merged(&self.sketch, &other, false)?;
            }
        }
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![self.evaluate()?])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.sketch.serialize())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sketch.estimated_size()
    }
}

fn begin_union(begun: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    let different = begun.types.len() > 1 && constant(begun, 1)? == ScalarValue::Boolean(Some(true));
    Ok(Box::new(Union { sketch: None, different }))
}

struct Union {
    sketch: Option<HllSketch>,
    different: bool,
}

impl fmt::Debug for Union {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hll_union_agg")
    }
}

impl Accumulator for Union {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        for value in values[0].as_binary::<i32>().iter().flatten() {
            let other = read(value)?;
            self.sketch = Some(match &self.sketch {
                None => other,
                Some(sketch) => merged(sketch, &other, self.different)?,
            });
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.update_batch(states)
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(self.sketch.as_ref().map(HllSketch::serialize))])
    }

    /// Of no sketches at all, the empty one.
    fn evaluate(&mut self) -> Result<ScalarValue> {
        let empty = sketch(SIZE)?;
        Ok(ScalarValue::Binary(Some(self.sketch.as_ref().unwrap_or(&empty).serialize())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.sketch.as_ref().map_or(0, HllSketch::estimated_size)
    }
}
