//! HyperLogLog sketches of Apache DataSketches, in the bytes that its other implementations read and write:
//! `hll_sketch_estimate` and `hll_union`; their aggregates are in `aggregate/hll.rs`.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, Int64Array};
use datafusion::common::Result;
use datasketches::hll::{HllSketch, HllType, HllUnion};

use crate::functions::own::{Call, Kind, Own, bytes, long, refused};

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("hll_sketch_estimate", &[Kind::Any], long, estimate),
    Own::new("hll_union", &[Kind::Any, Kind::Any, Kind::Boolean], bytes, union).optional(1),
];

/// A value as DataSketches hashes it: its bytes, without a length.
pub(super) struct Raw<'v>(pub(super) &'v [u8]);

impl Hash for Raw<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.0);
    }
}

/// A sketch from its bytes.
pub(super) fn read(bytes: &[u8]) -> Result<HllSketch> {
    HllSketch::deserialize(bytes)
        .or_else(|error| refused("HLL_INVALID_INPUT_SKETCH_BUFFER", &format!("this is no sketch: {error}")))
}

/// Two sketches of one size can be joined; of two sizes if that is allowed, in the smaller one.
pub(super) fn same_size(one: u8, other: u8, different: bool) -> Result<u8> {
    if one != other && !different {
        let reason = format!("sketches have different lgConfigK: {one} and {other}; say true to allow it");
        return refused("HLL_UNION_DIFFERENT_LG_K", &reason);
    }
    Ok(one.min(other))
}

/// An empty union for sketches of 2^`size` registers.
pub(super) fn joined(size: u8) -> Result<HllUnion> {
    HllUnion::new(size).or_else(|error| refused("HLL_INVALID_LG_K", &error.to_string()))
}

fn estimate(call: &Call) -> Result<ArrayRef> {
    let rows = call.complete().map(|row| {
        // Java's `Math.round`.
        row.map(|row| Ok((read(sketched(row.array(0))?.value(row.index()))?.estimate() + 0.5).floor() as i64))
            .transpose()
    });
    Ok(Arc::new(rows.collect::<Result<Int64Array>>()?))
}

fn union(call: &Call) -> Result<ArrayRef> {
    call.bytes(|row| {
        let one = read(sketched(row.array(0))?.value(row.index()))?;
        let other = read(sketched(row.array(1))?.value(row.index()))?;
        let different = row.count() > 2 && row.boolean(2);
        let mut union = joined(same_size(one.lg_config_k(), other.lg_config_k(), different)?)?;
        union.update(&one);
        union.update(&other);
        Ok(Some(union.to_sketch(HllType::Hll8).serialize()))
    })
}

fn sketched(array: &ArrayRef) -> Result<&datafusion::arrow::array::BinaryArray> {
    use datafusion::arrow::array::AsArray;
    array
        .as_binary_opt::<i32>()
        .map_or_else(|| refused("DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "a sketch is BINARY"), Ok)
}
