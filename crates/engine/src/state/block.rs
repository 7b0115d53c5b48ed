//! Columns of state rows that own exactly their bytes, and gathering rows from several of them.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, FixedSizeListArray, GenericListArray, OffsetSizeTrait, StructArray, UInt32Array,
};
use datafusion::arrow::compute::{interleave, take};
use datafusion::arrow::datatypes::{DataType, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::record_batch::{RecordBatch, RecordBatchOptions};

/// Slack that is not worth a copy.
const SLACK_BYTES: usize = 1024;

/// The same rows in arrays that keep nothing else alive.
///
/// A slice pins the whole buffer it looks into, and a view array pins every buffer that one of its strings
/// lies in: kept for as long as a key lives, both turn a small state into all input ever seen.
pub(crate) fn owned(rows: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let columns = rows.columns().iter().map(owned_array).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}

fn owned_array(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    match array.data_type() {
        DataType::Utf8View => Ok(Arc::new(array.as_string_view().gc())),
        DataType::BinaryView => Ok(Arc::new(array.as_binary_view().gc())),
        DataType::List(_) => owned_list(array.as_list::<i32>()),
        DataType::LargeList(_) => owned_list(array.as_list::<i64>()),
        DataType::FixedSizeList(field, size) => {
            let copied = copied(array)?;
            let list = copied.as_fixed_size_list();
            let values = owned_array(list.values())?;
            let nulls = list.nulls().cloned();
            Ok(Arc::new(FixedSizeListArray::try_new(Arc::clone(field), *size, values, nulls)?))
        }
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns().iter().map(owned_array).collect::<Result<_, _>>()?;
            let nulls = array.nulls().cloned();
            let length = array.len();
            Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, length)?))
        }
        _ => copied(array),
    }
}

fn owned_list<O: OffsetSizeTrait>(list: &GenericListArray<O>) -> Result<ArrayRef, ArrowError> {
    let array: ArrayRef = Arc::new(list.clone());
    let copied = copied(&array)?;
    let (field, offsets, values, nulls) = copied.as_list::<O>().clone().into_parts();
    Ok(Arc::new(GenericListArray::<O>::try_new(field, offsets, owned_array(&values)?, nulls)?))
}

/// Copies an array unless its buffers are about as large as what it shows.
fn copied(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    let data = array.to_data();
    let shown = data.get_slice_memory_size()?;
    if data.get_buffer_memory_size() <= shown + shown / 4 + SLACK_BYTES {
        return Ok(Arc::clone(array));
    }
    let length = u32::try_from(array.len())
        .map_err(|_| ArrowError::InvalidArgumentError("a block holds at most 4 billion rows".to_owned()))?;
    let every = UInt32Array::from_iter_values(0..length);
    let mut copy = take(array.as_ref(), &every, None)?;
    copy.shrink_to_fit();
    Ok(copy)
}

/// The rows at `places` (block, row) of `blocks`, in that order. A view array may still share buffers with
/// its block: fine to compute with, to be [`owned`] before it is kept.
pub(crate) fn gather(
    schema: &SchemaRef,
    blocks: &[&RecordBatch],
    places: &[(usize, usize)],
) -> Result<RecordBatch, ArrowError> {
    let columns = (0..schema.fields().len())
        .map(|column| {
            let arrays: Vec<&dyn Array> = blocks.iter().map(|block| block.column(column).as_ref()).collect();
            interleave(&arrays, places)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(places.len()));
    RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)
}
