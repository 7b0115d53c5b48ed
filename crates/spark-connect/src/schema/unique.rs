//! Fields of structs under names of their own: clients of Arrow do not take two of one name, and PySpark's finds the fields by
//! their places.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayData, ArrayRef, make_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::arrow::error::ArrowError;

/// The type with numbers behind names that stand twice in a struct, as Spark sends it: `x_0`, `x_1`.
pub(crate) fn unique(data_type: &DataType) -> DataType {
    match data_type {
        DataType::List(item) => DataType::List(inside(item)),
        DataType::Map(entries, sorted) => DataType::Map(inside(entries), *sorted),
        DataType::Struct(fields) => DataType::Struct(numbered(fields)),
        other => other.clone(),
    }
}

fn inside(field: &FieldRef) -> FieldRef {
    Arc::new(Field::clone(field).with_data_type(unique(field.data_type())))
}

fn numbered(fields: &Fields) -> Fields {
    let mut counts: HashMap<&str, usize> = HashMap::new();
    for field in fields {
        *counts.entry(field.name()).or_default() += 1;
    }
    let mut seen: HashMap<&str, usize> = HashMap::new();
    let mut unique = Vec::with_capacity(fields.len());
    for field in fields {
        let inner = inside(field);
        if counts.get(field.name().as_str()).copied().unwrap_or(0) < 2 {
            unique.push(inner);
            continue;
        }
        let number = seen.entry(field.name()).or_default();
        unique.push(Arc::new(Field::clone(&inner).with_name(format!("{}_{number}", field.name()))));
        *number += 1;
    }
    unique.into()
}

/// The same values under a type that differs in the names of fields alone.
///
/// # Errors
/// It differs in more.
pub(crate) fn renamed(array: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    Ok(make_array(retyped(&array.to_data(), wanted)?))
}

fn retyped(data: &ArrayData, wanted: &DataType) -> Result<ArrayData, ArrowError> {
    let kinds: Vec<&DataType> = match wanted {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type()).collect(),
        DataType::List(item) | DataType::Map(item, _) => vec![item.data_type()],
        _ => return Ok(data.clone()),
    };
    let children = data.child_data().iter().zip(kinds).map(|(child, kind)| retyped(child, kind));
    let children = children.collect::<Result<Vec<_>, ArrowError>>()?;
    data.clone().into_builder().data_type(wanted.clone()).child_data(children).build()
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, Int32Array, StructArray};

    use super::*;

    #[test]
    fn two_fields_of_one_name_get_numbers() {
        let field = |name: &str| Field::new(name, DataType::Int32, true);
        let fields: Fields = vec![field("x"), field("y"), field("x")].into();
        let columns: Vec<ArrayRef> =
            (0..3).map(|n| Arc::new(Int32Array::from(vec![n])) as ArrayRef).collect();
        let given: ArrayRef = Arc::new(StructArray::try_new(fields, columns, None).unwrap());
        let wanted = unique(given.data_type());
        let made = renamed(&given, &wanted).unwrap();
        assert_eq!(made.as_struct().column_names(), ["x_0", "y", "x_1"]);
        assert_eq!(made.as_struct().column(2), given.as_struct().column(2));
        assert_eq!(unique(&wanted), wanted, "nothing stands twice any more");
    }
}
