//! Fields of structs that are null.
//!
//! In Arrow, a struct that is null may hold any bytes, and a field is taken out of it as it stands. Rows that come from
//! elsewhere are settled first, so that a field of no struct is null.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::{is_null, nullif};
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::arrow::error::ArrowError;

/// The same values, with null in every field of a struct that is null.
pub(crate) fn settled(array: &ArrayRef) -> Result<ArrayRef, ArrowError> {
    Ok(match array.data_type() {
        DataType::Struct(fields) => {
            let structure = array.as_struct();
            let gone = is_null(structure)?;
            let column = |column: &ArrayRef| {
                let column = settled(column)?;
                if structure.null_count() == 0 { Ok(column) } else { nullif(&column, &gone) }
            };
            let columns = structure.columns().iter().map(column).collect::<Result<Vec<_>, ArrowError>>()?;
            let nulls = structure.nulls().cloned();
            Arc::new(StructArray::try_new_with_length(fields.clone(), columns, nulls, structure.len())?)
        }
        DataType::List(item) => {
            let list = array.as_list::<i32>();
            let values = settled(list.values())?;
            let nulls: Option<NullBuffer> = list.nulls().cloned();
            Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, nulls)?)
        }
        DataType::Map(entries, sorted) => {
            let map = array.as_map();
            let values = settled(map.values())?;
            let fields: Fields = map.entries().fields().iter().cloned().collect();
            let pairs = StructArray::try_new(fields, vec![Arc::clone(map.keys()), values], None)?;
            let entries: Arc<Field> = Arc::clone(entries);
            Arc::new(MapArray::try_new(entries, map.offsets().clone(), pairs, map.nulls().cloned(), *sorted)?)
        }
        _ => Arc::clone(array),
    })
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::Int32Array;
    use datafusion::arrow::buffer::OffsetBuffer;

    use super::*;

    #[test]
    fn a_field_of_no_struct_is_null() {
        let fields: Fields = vec![Field::new("a", DataType::Int32, true)].into();
        let nulls = Some(NullBuffer::from(vec![true, false]));
        let values: ArrayRef = Arc::new(Int32Array::from(vec![1, 0]));
        let structs: ArrayRef = Arc::new(StructArray::try_new(fields, vec![values], nulls).unwrap());
        let of = |array: &ArrayRef| {
            array
                .as_struct()
                .column(0)
                .as_primitive::<datafusion::arrow::datatypes::Int32Type>()
                .iter()
                .collect::<Vec<_>>()
        };
        assert_eq!(of(&structs), [Some(1), Some(0)], "as it stands");
        assert_eq!(of(&settled(&structs).unwrap()), [Some(1), None]);
        let item = Arc::new(Field::new_list_field(structs.data_type().clone(), true));
        let list = ListArray::try_new(item, OffsetBuffer::from_lengths([2]), structs, None).unwrap();
        let list = settled(&(Arc::new(list) as ArrayRef)).unwrap();
        assert_eq!(of(list.as_list::<i32>().values()), [Some(1), None]);
    }
}
