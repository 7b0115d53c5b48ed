//! `hash`: Murmur3 of 32 bits with the seed 42, as Spark computes it.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, Int32Array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use datafusion::common::Result;

use crate::functions::own::{Call, Kind, Own, int, wrong};
use crate::sql::types::type_name;

pub(super) const FUNCTIONS: &[Own] = &[Own::new("hash", &[Kind::Any], int, hash).variadic()];

const SEED: u32 = 42;

fn hash(call: &Call) -> Result<ArrayRef> {
    let rows = (0..call.rows).map(|row| {
        let mut seed = SEED;
        for argument in &call.arguments {
            seed = one(argument, row, seed)?;
        }
        Ok(seed.cast_signed())
    });
    Ok(Arc::new(rows.collect::<Result<Vec<_>>>().map(Int32Array::from)?))
}

/// The hash of a value, begun with what came before; NULL changes nothing.
fn one(array: &ArrayRef, row: usize, seed: u32) -> Result<u32> {
    if array.is_null(row) || array.data_type().is_null() {
        return Ok(seed);
    }
    Ok(match array.data_type() {
        DataType::Boolean => of_int(i32::from(array.as_boolean().value(row)), seed),
        DataType::Int8 | DataType::Int16 => {
            let wide = cast(&array.slice(row, 1), &DataType::Int32)?;
            of_int(wide.as_primitive::<Int32Type>().value(0), seed)
        }
        DataType::Int32 => of_int(array.as_primitive::<Int32Type>().value(row), seed),
        DataType::Date32 => of_int(array.as_primitive::<Date32Type>().value(row), seed),
        DataType::Int64 => of_long(array.as_primitive::<Int64Type>().value(row), seed),
        DataType::Timestamp(..) => match array.as_primitive_opt::<TimestampMicrosecondType>() {
            Some(micros) => of_long(micros.value(row), seed),
            None => return unhashed(array),
        },
        DataType::Float32 => {
            let value = array.as_primitive::<Float32Type>().value(row);
            of_int(if value == 0.0 { 0.0_f32 } else { value }.to_bits().cast_signed(), seed)
        }
        DataType::Float64 => {
            let value = array.as_primitive::<Float64Type>().value(row);
            of_long(if value == 0.0 { 0.0_f64 } else { value }.to_bits().cast_signed(), seed)
        }
        DataType::Utf8 => of_bytes(array.as_string::<i32>().value(row).as_bytes(), seed),
        DataType::Binary => of_bytes(array.as_binary::<i32>().value(row), seed),
        DataType::List(_) => {
            let items = array.as_list::<i32>().value(row);
            let mut seed = seed;
            for item in 0..items.len() {
                seed = one(&items, item, seed)?;
            }
            seed
        }
        DataType::Struct(_) => {
            let mut seed = seed;
            for column in array.as_struct().columns() {
                seed = one(column, row, seed)?;
            }
            seed
        }
        _ => return unhashed(array),
    })
}

fn unhashed(array: &ArrayRef) -> Result<u32> {
    wrong(format!("hash takes no {}", type_name(array.data_type())))
}

fn mix_key(key: u32) -> u32 {
    key.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
}

fn mix(hash: u32, key: u32) -> u32 {
    (hash ^ mix_key(key)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64)
}

fn finish(hash: u32, length: u32) -> u32 {
    let hash = hash ^ length;
    let hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    let hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    hash ^ (hash >> 16)
}

fn of_int(value: i32, seed: u32) -> u32 {
    finish(mix(seed, value.cast_unsigned()), 4)
}

fn of_long(value: i64, seed: u32) -> u32 {
    let bits = value.cast_unsigned();
    let (low, high) = (bits & 0xffff_ffff, bits >> 32);
    // Both halves fit by construction.
    let half = |part: u64| u32::try_from(part).unwrap_or(0);
    finish(mix(mix(seed, half(low)), half(high)), 8)
}

/// Spark mixes the bytes that are left over one by one, signed; it is not the Murmur3 of others.
pub(super) fn of_bytes(bytes: &[u8], seed: u32) -> u32 {
    let mut hash = seed;
    let chunks = bytes.chunks_exact(4);
    let rest = chunks.remainder();
    for chunk in chunks {
        hash = mix(hash, u32::from_le_bytes([chunk[0], chunk[1], chunk[2], chunk[3]]));
    }
    for byte in rest {
        hash = mix(hash, i32::from(byte.cast_signed()).cast_unsigned());
    }
    finish(hash, u32::try_from(bytes.len()).unwrap_or(u32::MAX))
}
