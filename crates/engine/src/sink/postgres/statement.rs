//! What PostgreSQL is told.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::WriterBuilder;
use datafusion::arrow::json::writer::JsonArray;

/// The statements of one table. Rows come as one JSON array, which PostgreSQL turns into the table's own types.
#[derive(Debug)]
pub(super) struct Statements {
    pub(super) create: String,
    /// `$1` is the writer.
    pub(super) last: String,
    pub(super) clear: String,
    /// `$1` are the rows.
    pub(super) insert: String,
    /// `$1` is the writer, `$2` the batch.
    pub(super) done: String,
}

impl Statements {
    pub(super) fn new(table: &str, key: &[String], columns: &[FieldRef]) -> Self {
        let table = table.split('.').map(quoted).collect::<Vec<_>>().join(".");
        let list = |names: &[String]| names.iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", ");
        let names: Vec<String> = columns.iter().map(|column| column.name().clone()).collect();
        let (all, keys) = (list(&names), list(key));
        let mut definitions: Vec<String> = columns.iter().map(definition).collect();
        let mut insert = format!("INSERT INTO {table} ({all}) ");
        let rows = format!("json_populate_recordset(NULL::{table}, $1::text::json)");
        if key.is_empty() {
            insert.push_str(&format!("SELECT {all} FROM {rows}"));
        } else {
            definitions.push(format!("PRIMARY KEY ({keys})"));
            let others = names.iter().filter(|name| !key.contains(name));
            let set: Vec<String> = others.map(|name| format!("{0} = EXCLUDED.{0}", quoted(name))).collect();
            let action =
                if set.is_empty() { "NOTHING".to_owned() } else { format!("UPDATE SET {}", set.join(", ")) };
            // A statement may touch a row once: of those with one key the last.
            insert.push_str(&format!(
                "SELECT DISTINCT ON ({keys}) {all} FROM {rows} WITH ORDINALITY ORDER BY {keys}, ordinality DESC \
                 ON CONFLICT ({keys}) DO {action}"
            ));
        }
        Statements {
            create: format!(
                "CREATE TABLE IF NOT EXISTS pelton_batches (query text PRIMARY KEY, batch bigint NOT NULL); \
                 CREATE TABLE IF NOT EXISTS {table} ({})",
                definitions.join(", ")
            ),
            last: "SELECT batch FROM pelton_batches WHERE query = $1 FOR UPDATE".to_owned(),
            clear: format!("DELETE FROM {table}"),
            insert,
            done: "INSERT INTO pelton_batches VALUES ($1, $2) \
                   ON CONFLICT (query) DO UPDATE SET batch = EXCLUDED.batch"
                .to_owned(),
        }
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn definition(column: &FieldRef) -> String {
    format!("{} {}", quoted(column.name()), type_of(column.data_type()))
}

fn type_of(data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => "boolean".to_owned(),
        DataType::Int8 | DataType::Int16 => "smallint".to_owned(),
        DataType::Int32 => "integer".to_owned(),
        DataType::Int64 => "bigint".to_owned(),
        DataType::Float32 => "real".to_owned(),
        DataType::Float64 => "double precision".to_owned(),
        DataType::Binary => "bytea".to_owned(),
        DataType::Date32 => "date".to_owned(),
        DataType::Timestamp(_, None) => "timestamp".to_owned(),
        DataType::Timestamp(_, Some(_)) => "timestamptz".to_owned(),
        DataType::Decimal128(precision, scale) => format!("numeric({precision}, {scale})"),
        DataType::List(item) if !item.data_type().is_nested() => format!("{}[]", type_of(item.data_type())),
        other if other.is_nested() => "jsonb".to_owned(),
        _ => "text".to_owned(),
    }
}

/// The rows as a JSON array of objects.
pub(super) fn encode(batches: &[RecordBatch], schema: &SchemaRef) -> Result<String, ArrowError> {
    let mut writer = WriterBuilder::new().with_explicit_nulls(true).build::<_, JsonArray>(Vec::new());
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        let columns = batch.columns().iter().zip(schema.fields());
        let columns = columns.map(|(column, field)| text_of_bytes(cast(column, field.data_type())?));
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>()?;
        let fields = schema.fields().iter().zip(&columns);
        let fields = fields.map(|(field, column)| Field::new(field.name(), column.data_type().clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        writer.write(&RecordBatch::try_new(schema, columns)?)?;
    }
    writer.finish()?;
    let json = writer.into_inner();
    if json.is_empty() {
        return Ok("[]".to_owned());
    }
    String::from_utf8(json).map_err(|error| ArrowError::ExternalError(Box::new(error)))
}

/// Bytes as PostgreSQL writes them.
fn text_of_bytes(column: ArrayRef) -> Result<ArrayRef, ArrowError> {
    if *column.data_type() != DataType::Binary {
        return Ok(column);
    }
    let hex = |bytes: &[u8]| {
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("\\x{digits}")
    };
    Ok(Arc::new(column.as_binary::<i32>().iter().map(|bytes| bytes.map(hex)).collect::<StringArray>()))
}
