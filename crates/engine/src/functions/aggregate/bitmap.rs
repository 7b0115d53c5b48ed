//! `bitmap_construct_agg(position)` and `bitmap_or_agg(bitmap)`: bitmaps of 32,768 places, in which distinct numbers
//! are counted bucket by bucket.

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Int64Type};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::Accumulator;

use super::{Begun, Own};
use crate::functions::own::{Kind, refused};

const BITMAP_BYTES: usize = 4096;

pub(super) const FUNCTIONS: &[Own] = &[
    Own {
        name: "bitmap_construct_agg",
        aliases: &[],
        takes: &[Kind::Long],
        optional: 0,
        gives: |_| Ok(DataType::Binary),
        state: |_| vec![DataType::Binary],
        begin,
    },
    Own {
        name: "bitmap_or_agg",
        aliases: &[],
        takes: &[Kind::Any],
        optional: 0,
        gives: bytes_only,
        state: |_| vec![DataType::Binary],
        begin,
    },
];

fn bytes_only(types: &[DataType]) -> Result<DataType> {
    match types {
        [DataType::Binary | DataType::Null] => Ok(DataType::Binary),
        _ => refused("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "bitmap_or_agg takes BINARY"),
    }
}

fn begin(_: &Begun<'_>) -> Result<Box<dyn Accumulator>> {
    Ok(Box::new(Bitmap { bits: vec![0; BITMAP_BYTES] }))
}

#[derive(Debug)]
struct Bitmap {
    bits: Vec<u8>,
}

impl Bitmap {
    fn set(&mut self, position: i64) -> Result<()> {
        let place = usize::try_from(position).ok().filter(|place| *place < BITMAP_BYTES * 8);
        let Some(place) = place else {
            let reason = format!("the bitmap position {position} is not within [0, {})", BITMAP_BYTES * 8);
            return refused("INVALID_BITMAP_POSITION", &reason);
        };
        self.bits[place / 8] |= 1 << (place % 8);
        Ok(())
    }

    fn join(&mut self, bitmaps: &ArrayRef) {
        for bitmap in bitmaps.as_binary::<i32>().iter().flatten() {
            self.bits.iter_mut().zip(bitmap).for_each(|(bits, more)| *bits |= more);
        }
    }
}

impl Accumulator for Bitmap {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        match values[0].data_type() {
            DataType::Int64 => {
                values[0]
                    .as_primitive::<Int64Type>()
                    .iter()
                    .flatten()
                    .try_for_each(|value| self.set(value))?;
            }
            DataType::Binary => self.join(&values[0]),
            _ => {}
        }
        Ok(())
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        self.join(&states[0]);
        Ok(())
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        Ok(vec![ScalarValue::Binary(Some(self.bits.clone()))])
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        Ok(ScalarValue::Binary(Some(self.bits.clone())))
    }

    fn size(&self) -> usize {
        size_of_val(self) + self.bits.capacity()
    }
}
