//! Arrow rows as an answer.

use datafusion::arrow::datatypes::FieldRef;

use crate::answer::{Answer, Column};
use crate::error::SqlError;
use crate::plan::bounded::BoundedRows;
use crate::sink::json::encode;
use crate::sql::types::type_name;

/// The rows of a bounded query.
pub(super) fn answer(rows: &BoundedRows) -> Result<Answer, SqlError> {
    let failed = |error| SqlError::failed("write the answer", error);
    let fields = rows.schema.fields();
    let columns: Vec<Column> = fields
        .iter()
        .map(|field| Column { name: field.name().clone(), type_name: type_name(field.data_type()) })
        .collect();
    // Two columns may have one name, which an object could not hold: rows travel under numbers.
    let numbered: Vec<String> = (0..columns.len()).map(|index| index.to_string()).collect();
    let mut answer = Answer { columns, ..Answer::default() };
    for batch in &rows.batches {
        let renamed = renamed(batch, &numbered).map_err(failed)?;
        for row in encode(&[renamed], None).map_err(failed)?.iter() {
            let mut object: serde_json::Map<String, serde_json::Value> =
                serde_json::from_slice(row.value.unwrap_or_default())
                    .map_err(|error| SqlError::failed("write the answer", error))?;
            let values = numbered.iter().map(|name| object.remove(name).unwrap_or_default());
            answer.rows.push(values.collect());
        }
    }
    let mut notes = Vec::new();
    if rows.cut {
        notes.push(format!("only the first {} rows are shown", answer.rows.len()));
    }
    if rows.refused > 0 {
        notes.push(format!("{} records could not be used", rows.refused));
    }
    answer.message = (!notes.is_empty()).then(|| notes.join("; "));
    Ok(answer)
}

fn renamed(
    batch: &datafusion::arrow::array::RecordBatch,
    names: &[String],
) -> Result<datafusion::arrow::array::RecordBatch, datafusion::arrow::error::ArrowError> {
    use datafusion::arrow::array::{RecordBatch, RecordBatchOptions};
    use datafusion::arrow::datatypes::Schema;
    let fields = batch.schema_ref().fields().iter().zip(names);
    let fields: Vec<_> = fields.map(|(field, name)| field.as_ref().clone().with_name(name)).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    let schema = std::sync::Arc::new(Schema::new(fields));
    RecordBatch::try_new_with_options(schema, batch.columns().to_vec(), &options)
}

/// `DESCRIBE` of a table.
pub(super) fn describe_columns(columns: &[FieldRef]) -> Answer {
    let row = |column: &FieldRef| vec![column.name().clone(), type_name(column.data_type())];
    Answer::strings(&["col_name", "data_type"], columns.iter().map(row).collect())
}

/// A time as `SHOW` writes it: ISO 8601, in UTC.
pub(super) fn time(ms: i64) -> String {
    use datafusion::arrow::temporal_conversions::timestamp_ms_to_datetime;
    let time = timestamp_ms_to_datetime(ms);
    time.map_or_else(|| ms.to_string(), |time| time.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
}
