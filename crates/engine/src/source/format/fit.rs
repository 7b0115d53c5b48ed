//! Columns of another schema as the columns of a table: found by name, cast where the types differ.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef, TimeUnit};
use datafusion::arrow::error::ArrowError;

use crate::sql::types::{UTC, map_of};

/// What is wrong with columns that are to be taken from fields of `schema`.
pub(super) fn misfit(schema: &Schema, columns: &[FieldRef]) -> Option<String> {
    for column in columns {
        let Some((_, field)) = find(schema, column.name()) else {
            let names: Vec<&str> = schema.fields().iter().map(|field| field.name().as_str()).collect();
            let names = names.join(", ");
            return Some(format!("column {}: the schema has no such field; it has {names}", column.name()));
        };
        if !can_cast_types(field.data_type(), column.data_type()) {
            return Some(format!("column {}: the schema's field is of another kind", column.name()));
        }
    }
    None
}

/// The columns of a table that names none; fields that no column can hold are left out.
pub(super) fn columns(schema: &Schema) -> Vec<FieldRef> {
    let column = |field: &FieldRef| Some(Arc::new(Field::new(field.name(), held(field.data_type())?, true)));
    schema.fields().iter().filter_map(column).collect()
}

/// The type of a column that holds values of this type.
fn held(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean
        | DataType::Int8
        | DataType::Int16
        | DataType::Int32
        | DataType::Int64
        | DataType::Float32
        | DataType::Float64
        | DataType::Utf8
        | DataType::Binary
        | DataType::Date32
        | DataType::Decimal128(..) => data_type.clone(),
        DataType::UInt8 => DataType::Int16,
        DataType::UInt16 => DataType::Int32,
        DataType::UInt32 => DataType::Int64,
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::Dictionary(_, value) => held(value)?,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Timestamp(_, zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.as_ref().map(|_| UTC.into()))
        }
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::new(Field::new_list_field(held(item.data_type())?, true)))
        }
        DataType::Struct(fields) => {
            let field = |field: &FieldRef| Some(Field::new(field.name(), held(field.data_type())?, true));
            DataType::Struct(fields.iter().map(field).collect::<Option<_>>()?)
        }
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(pair) => {
                map_of(held(pair.first()?.data_type())?, held(pair.get(1)?.data_type())?)
            }
            _ => return None,
        },
        _ => return None,
    })
}

/// The batch as the columns of a table; those that it does not have are NULL.
pub(super) fn fit(batch: &RecordBatch, columns: &SchemaRef) -> Result<RecordBatch, ArrowError> {
    let strict = CastOptions { safe: false, ..CastOptions::default() };
    let column = |column: &FieldRef| -> Result<ArrayRef, ArrowError> {
        match find(batch.schema_ref(), column.name()) {
            Some((index, _)) => {
                let values = batch.column(index);
                cast_with_options(values, column.data_type(), &strict)
                    .map_err(|error| ArrowError::CastError(format!("column {}: {error}", column.name())))
            }
            None => Ok(new_null_array(column.data_type(), batch.num_rows())),
        }
    };
    let arrays = columns.fields().iter().map(column).collect::<Result<Vec<_>, _>>()?;
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::clone(columns), arrays, &options)
}

/// By its very name, or else in whatever case.
fn find<'a>(schema: &'a Schema, name: &str) -> Option<(usize, &'a FieldRef)> {
    let exact = schema.fields().find(name);
    exact.or_else(|| {
        schema.fields().iter().enumerate().find(|(_, field)| field.name().eq_ignore_ascii_case(name))
    })
}
