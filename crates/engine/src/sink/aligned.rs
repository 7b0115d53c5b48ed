//! A query's rows in the columns of a table that somebody else has named.

use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_null_array};
use datafusion::arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use datafusion::arrow::datatypes::{DataType, FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use futures::future::BoxFuture;

use crate::error::{SinkError, SqlError};
use crate::sink::{Delivery, Sink};
use crate::sql::statement::Columns;
use crate::sql::types::type_name;

/// Which column of a query goes where.
#[derive(Debug, Clone)]
pub(crate) struct Alignment {
    /// Of the table.
    schema: SchemaRef,
    /// For each of its columns the query's; none is NULL.
    from: Vec<Option<usize>>,
}

impl Alignment {
    /// # Errors
    /// The query has columns too few or too many, or of types that the table cannot hold.
    pub(crate) fn new(
        table: (&str, &[FieldRef]),
        columns: &Columns,
        query: &Schema,
    ) -> Result<Self, SqlError> {
        let (name, wanted) = table;
        let wrong = |reason: String| SqlError::invalid(format!("INSERT INTO {name}"), reason);
        let given: Vec<&str> = query.fields().iter().map(|field| field.name().as_str()).collect();
        let named: Vec<&str> = match columns {
            Columns::ByPosition => wanted.iter().map(|column| column.name().as_str()).collect(),
            Columns::ByName => given.clone(),
            Columns::Listed(names) => names.iter().map(String::as_str).collect(),
        };
        if named.len() != given.len() {
            let (wanted, given) = (named.len(), given.len());
            return Err(wrong(format!("{wanted} columns are to be filled, the query has {given}")));
        }
        for (at, column) in named.iter().enumerate() {
            if !wanted.iter().any(|known| known.name().eq_ignore_ascii_case(column)) {
                let known: Vec<&str> = wanted.iter().map(|known| known.name().as_str()).collect();
                return Err(wrong(format!("there is no column {column}; there are {}", known.join(", "))));
            }
            if named[..at].iter().any(|other| other.eq_ignore_ascii_case(column)) {
                return Err(wrong(format!("column {column} is named twice")));
            }
        }
        let place =
            |column: &FieldRef| named.iter().position(|name| name.eq_ignore_ascii_case(column.name()));
        let from: Vec<Option<usize>> = wanted.iter().map(place).collect();
        for (column, from) in wanted.iter().zip(&from) {
            let Some(from) = from else {
                if column.is_nullable() {
                    continue;
                }
                return Err(wrong(format!("column {} is NOT NULL and gets no value", column.name())));
            };
            let (given, wanted) = (query.field(*from).data_type(), column.data_type());
            if !can_hold(wanted, given) {
                let (given, wanted) = (type_name(given), type_name(wanted));
                let name = column.name();
                return Err(wrong(format!("column {name} is {wanted} and cannot take {given}; CAST it")));
            }
        }
        Ok(Alignment { schema: Arc::new(Schema::new(wanted.to_vec())), from })
    }

    /// The rows under the table's columns.
    ///
    /// # Errors
    /// A value is too large for its column, or NULL where that is not allowed.
    pub(crate) fn apply(&self, rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
        let options = CastOptions { safe: false, ..CastOptions::default() };
        let columns = self.from.iter().zip(self.schema.fields()).map(|(from, field)| match from {
            Some(from) => cast_with_options(rows.column(*from), field.data_type(), &options),
            None => Ok(new_null_array(field.data_type(), rows.num_rows())),
        });
        let columns: Vec<ArrayRef> = columns.collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)
    }
}

/// What Spark stores without being told to: numbers as other numbers, everything simple as strings, dates as times.
fn can_hold(wanted: &DataType, given: &DataType) -> bool {
    let string =
        |data_type: &DataType| matches!(data_type, DataType::Utf8 | DataType::Utf8View | DataType::LargeUtf8);
    if !can_cast_types(given, wanted) {
        return false;
    }
    given == wanted
        || given.is_null()
        || (given.is_numeric() && wanted.is_numeric())
        || (string(wanted) && !given.is_nested())
        || (given.is_temporal() && wanted.is_temporal())
        || (given.is_nested() && wanted.is_nested())
        || matches!((given, wanted), (DataType::BinaryView | DataType::LargeBinary, DataType::Binary))
}

/// Writes through another sink.
#[derive(Debug)]
pub(crate) struct AlignedSink {
    alignment: Alignment,
    sink: Box<dyn Sink>,
}

impl AlignedSink {
    pub(crate) fn new(alignment: Alignment, sink: Box<dyn Sink>) -> Self {
        AlignedSink { alignment, sink }
    }
}

impl Sink for AlignedSink {
    fn description(&self) -> String {
        self.sink.description()
    }

    fn partitions(&self) -> Result<u32, SinkError> {
        self.sink.partitions()
    }

    fn write<'a>(
        &'a mut self,
        rows: &'a [RecordBatch],
        delivery: Delivery<'a>,
    ) -> BoxFuture<'a, Result<u64, SinkError>> {
        Box::pin(async move {
            let rows = rows.iter().map(|rows| self.alignment.apply(rows));
            let rows: Vec<RecordBatch> = rows.collect::<Result<_, _>>()?;
            self.sink.write(&rows, delivery).await
        })
    }
}

#[cfg(test)]
mod tests {
    use datafusion::arrow::array::{Int64Array, StringArray};
    use datafusion::arrow::datatypes::Field;

    use super::*;

    fn table() -> Vec<FieldRef> {
        let field = |name, data_type, nullable| Arc::new(Field::new(name, data_type, nullable));
        vec![field("Id", DataType::Int32, false), field("word", DataType::Utf8, true)]
    }

    fn aligned(columns: &Columns, given: &[(&str, DataType)]) -> Result<Alignment, String> {
        let fields: Vec<Field> =
            given.iter().map(|(name, data_type)| Field::new(*name, data_type.clone(), true)).collect();
        let aligned = Alignment::new(("t", &table()), columns, &Schema::new(fields));
        aligned.map_err(|error| error.to_string())
    }

    #[test]
    fn columns_find_their_place() {
        let number = ("id", DataType::Int64);
        let aligned = aligned(&Columns::ByName, std::slice::from_ref(&number)).unwrap();
        let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, true)]));
        let rows = |value| {
            RecordBatch::try_new(Arc::clone(&schema), vec![Arc::new(Int64Array::from(vec![value]))]).unwrap()
        };
        let row = aligned.apply(&rows(Some(7))).unwrap();
        assert_eq!(row.column(1).as_ref(), &StringArray::from(vec![None::<&str>]));
        assert!(aligned.apply(&rows(Some(1 << 40))).is_err(), "too large");
        assert!(aligned.apply(&rows(None)).is_err(), "NULL");
    }

    #[test]
    fn what_does_not_fit_is_said() {
        let (number, word) = (("a", DataType::Int64), ("b", DataType::Utf8));
        let listed = |names: &[&str]| Columns::Listed(names.iter().map(|name| (*name).to_owned()).collect());
        for (columns, given, expected) in [
            (Columns::ByPosition, vec![number.clone()], "2 columns are to be filled, the query has 1"),
            (
                Columns::ByPosition,
                vec![word.clone(), word.clone()],
                "column Id is INT and cannot take STRING",
            ),
            (Columns::ByName, vec![number.clone()], "there is no column a; there are Id, word"),
            (listed(&["word"]), vec![word.clone()], "column Id is NOT NULL and gets no value"),
            (listed(&["id", "ID"]), vec![number.clone(), number], "column ID is named twice"),
        ] {
            let refused = aligned(&columns, &given).unwrap_err();
            assert!(refused.contains(expected), "{refused}");
        }
    }
}
