//! Instants as they leave the door: of the session's zone, which Arrow writes beside them. They stay the same instants.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Fields, Schema, TimeUnit};
use datafusion::arrow::error::ArrowError;

use crate::schema::UTC;

/// The type with instants of the zone.
pub(crate) fn zoned(data_type: &DataType, zone: &str) -> DataType {
    match data_type {
        DataType::Timestamp(TimeUnit::Microsecond, Some(_)) => {
            DataType::Timestamp(TimeUnit::Microsecond, Some(zone.into()))
        }
        DataType::List(item) => DataType::List(field(item, zone)),
        DataType::Struct(fields) => DataType::Struct(all(fields, zone)),
        DataType::Map(entries, sorted) => DataType::Map(field(entries, zone), *sorted),
        other => other.clone(),
    }
}

fn field(given: &FieldRef, zone: &str) -> FieldRef {
    Arc::new(Field::clone(given).with_data_type(zoned(given.data_type(), zone)))
}

fn all(fields: &Fields, zone: &str) -> Fields {
    fields.iter().map(|given| field(given, zone)).collect()
}

/// The rows with instants of the zone.
///
/// # Errors
/// Never, of types that the engine has.
pub(crate) fn in_zone(batch: &RecordBatch, zone: &str) -> Result<RecordBatch, ArrowError> {
    if zone == UTC {
        return Ok(batch.clone());
    }
    let schema = Schema::new(all(batch.schema_ref().fields(), zone));
    let columns = batch.columns().iter().zip(schema.fields());
    let columns =
        columns.map(|(column, field)| told(column, field.data_type())).collect::<Result<Vec<_>, _>>()?;
    let count = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(schema), columns, &count)
}

fn told(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef, ArrowError> {
    if column.data_type() == wanted { Ok(Arc::clone(column)) } else { cast(column, wanted) }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{AsArray, ListArray, TimestampMicrosecondArray};
    use datafusion::arrow::buffer::OffsetBuffer;
    use datafusion::arrow::datatypes::TimestampMicrosecondType;

    use super::*;
    use crate::schema::instant;

    #[test]
    fn instants_stay_the_same_within_lists_too() {
        let values = TimestampMicrosecondArray::from(vec![0, 1]).with_timezone(UTC);
        let item = Arc::new(Field::new_list_field(instant(), true));
        let list = ListArray::new(item, OffsetBuffer::from_lengths([2]), Arc::new(values), None);
        let batch = RecordBatch::try_from_iter([("l", Arc::new(list) as ArrayRef)]).unwrap();
        let there = in_zone(&batch, "Europe/Berlin").unwrap();
        let values = Arc::clone(there.column(0).as_list::<i32>().values());
        assert_eq!(*values.data_type(), zoned(&instant(), "Europe/Berlin"));
        assert_eq!(values.as_primitive::<TimestampMicrosecondType>().values(), &[0, 1]);
        assert_eq!(in_zone(&there, UTC).unwrap().schema(), there.schema());
    }
}
