//! Rows of Arrow columns to JSON values of records.

mod fractions;
mod instants;

use std::sync::{Arc, LazyLock};

use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::writer::{NullableEncoder, make_encoder};
use datafusion::arrow::json::{EncoderFactory, EncoderOptions};

use crate::sink::outgoing::Outgoing;

/// About what a row takes.
const ROW_BYTES: usize = 64;

/// How Arrow's writer is asked to write,
static ARROW: LazyLock<EncoderOptions> =
    LazyLock::new(|| EncoderOptions::default().with_explicit_nulls(true));

/// and how our own.
static OURS: LazyLock<EncoderOptions> = LazyLock::new(|| ARROW.clone().with_encoder_factory(Arc::new(Quick)));

/// One JSON object per row; NULL and what JSON has no number for become `null`.
pub(crate) fn encode(batches: &[RecordBatch], key: Option<&str>) -> Result<Outgoing, ArrowError> {
    let mut rows = Outgoing::default();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let mut object = Object::new(batch)?;
        let keys = key.and_then(|key| batch.column_by_name(key)).map(|key| cast(key, &DataType::Utf8));
        let keys = keys.transpose()?;
        let keys = keys.as_ref().map(AsArray::as_string::<i32>);
        rows.reserve(batch.num_rows(), batch.num_rows() * ROW_BYTES);
        for row in 0..batch.num_rows() {
            let key = keys.filter(|keys| keys.is_valid(row)).map(|keys| keys.value(row).as_bytes());
            rows.push_written(key, |out| object.write(row, out));
        }
    }
    Ok(rows)
}

/// The columns of a batch, each behind its name.
struct Object<'a>(Vec<(String, NullableEncoder<'a>)>);

impl<'a> Object<'a> {
    fn new(batch: &'a RecordBatch) -> Result<Self, ArrowError> {
        let columns = batch.schema_ref().fields().iter().zip(batch.columns()).enumerate();
        let column = |(index, (field, column)): (usize, (&'a FieldRef, &'a Arc<dyn Array>))| {
            let begin = if index == 0 { "{" } else { "," };
            let name = serde_json::Value::from(field.name().as_str());
            Ok((format!("{begin}{name}:"), make_encoder(field, column, &OURS)?))
        };
        Ok(Object(columns.map(column).collect::<Result<_, ArrowError>>()?))
    }

    fn write(&mut self, row: usize, out: &mut Vec<u8>) {
        if self.0.is_empty() {
            out.push(b'{');
        }
        for (name, column) in &mut self.0 {
            out.extend_from_slice(name.as_bytes());
            if column.is_null(row) {
                out.extend_from_slice(b"null");
            } else {
                column.encode(row, out);
            }
        }
        out.push(b'}');
    }
}

/// Writes what streams are full of in fewer steps than Arrow, to the same bytes, and leaves all other columns to it.
#[derive(Debug)]
struct Quick;

impl EncoderFactory for Quick {
    fn make_default_encoder<'a>(
        &self,
        field: &'a FieldRef,
        array: &'a dyn Array,
        _: &'a EncoderOptions,
    ) -> Result<Option<NullableEncoder<'a>>, ArrowError> {
        if let Some(numbers) = array.as_primitive_opt::<Float64Type>() {
            let any = make_encoder(field, array, &ARROW)?;
            let column = fractions::Column { numbers, any };
            return Ok(Some(NullableEncoder::new(Box::new(column), array.nulls().cloned())));
        }
        Ok(instants::column(array))
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{ArrayRef, Int64Array, RecordBatchOptions, StructArray};
    use datafusion::arrow::datatypes::{Field, Schema};
    use datafusion::arrow::json::WriterBuilder;
    use datafusion::arrow::json::writer::LineDelimited;

    use super::*;

    /// Whether rows of this batch are written as Arrow writes them.
    fn check(batch: RecordBatch) {
        let mut peer = WriterBuilder::new().with_explicit_nulls(true).build::<_, LineDelimited>(Vec::new());
        peer.write(&batch).unwrap();
        peer.finish().unwrap();
        let ours = encode(&[batch], None).unwrap();
        let ours: Vec<u8> = ours.iter().flat_map(|row| [row.value.unwrap(), b"\n"].concat()).collect();
        assert_eq!(String::from_utf8(ours).unwrap(), String::from_utf8(peer.into_inner()).unwrap());
    }

    /// As a column, and within a row within a row.
    pub(super) fn check_column(column: ArrayRef) {
        let fields = vec![Field::new("in \"quotes\"", column.data_type().clone(), true)];
        let inner: ArrayRef = Arc::new(StructArray::new(fields.into(), vec![Arc::clone(&column)], None));
        check(
            RecordBatch::try_from_iter_with_nullable([("é", column, true), ("inner", inner, true)]).unwrap(),
        );
    }

    #[test]
    fn a_row_without_columns_is_an_empty_object() {
        let options = RecordBatchOptions::new().with_row_count(Some(2));
        let none = Arc::new(Schema::empty());
        check(RecordBatch::try_new_with_options(none, Vec::new(), &options).unwrap());
    }

    #[test]
    fn keys_are_texts_of_a_column() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None]));
        let batch = RecordBatch::try_from_iter_with_nullable([("k", column, true)]).unwrap();
        let rows = encode(&[batch], Some("k")).unwrap();
        let rows: Vec<_> = rows.iter().map(|row| (row.key, row.value.unwrap())).collect();
        assert_eq!(rows, [(Some(b"7".as_slice()), b"{\"k\":7}".as_slice()), (None, b"{\"k\":null}")]);
    }
}
