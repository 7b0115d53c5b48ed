//! Rows that the client sent, and rows that are made of nothing.

use std::collections::HashMap;
use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use datafusion::arrow::array::{ArrayRef, RecordBatch, StructArray, new_empty_array};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::ipc::reader::StreamReader;
use datafusion::arrow::ipc::writer::StreamWriter;
use datafusion::catalog::TableFunctionArgs;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::lit;

use crate::error::{Class, Result, SparkError};
use crate::plan::Planner;
use crate::plan::frame::Frame;
use crate::schema::{canonical, nulls, parse_schema};
use crate::wire::expression::Expression;
use crate::wire::local::{ChunkedCachedLocalRelation, LocalRelation, Range};
use crate::wire::relation::{RelType, Relation};

impl Planner<'_> {
    /// Rows in Arrow's stream format, under the schema that the client wants them to have.
    pub(crate) fn local(&mut self, data: Option<&Bytes>, schema: Option<&str>) -> Result<Frame> {
        let wanted = schema.filter(|text| !text.is_empty()).map(parse_schema).transpose()?;
        let streams: Vec<&Bytes> = data.into_iter().collect();
        self.rows(&streams, wanted)
    }

    fn rows(&mut self, streams: &[&Bytes], wanted: Option<Schema>) -> Result<Frame> {
        let mut batches = Vec::new();
        let mut schema = wanted.map(Arc::new);
        for data in streams {
            let reader = StreamReader::try_new(Cursor::new(data), None).map_err(broken)?;
            let schema = match &schema {
                Some(schema) => Arc::clone(schema),
                None => Arc::clone(schema.insert(canonical_schema(&reader.schema()))),
            };
            for batch in reader {
                batches.push(fitted(&batch.map_err(broken)?, &schema)?);
            }
        }
        let schema = schema.ok_or_else(|| SparkError::missing("data"))?;
        self.batches(&schema, batches)
    }

    /// Rows as a frame.
    pub(crate) fn batches(&mut self, schema: &SchemaRef, batches: Vec<RecordBatch>) -> Result<Frame> {
        // The plan knows columns by their names: two of one name must not meet there.
        let unique = schema
            .fields()
            .iter()
            .enumerate()
            .map(|(index, field)| field.as_ref().clone().with_name(format!("c{index}")));
        let unique = Arc::new(Schema::new(unique.collect::<Vec<_>>()));
        let renamed = batches
            .into_iter()
            .map(|batch| {
                let rows = datafusion::arrow::array::RecordBatchOptions::new()
                    .with_row_count(Some(batch.num_rows()));
                RecordBatch::try_new_with_options(Arc::clone(&unique), batch.columns().to_vec(), &rows)
            })
            .collect::<Result<Vec<_>, _>>()
            .map_err(broken)?;
        let table = MemTable::try_new(unique, vec![renamed])?;
        let mut frame = self.scan("local", Arc::new(table))?;
        for (column, field) in frame.columns.iter_mut().zip(schema.fields()) {
            column.name.clone_from(field.name());
            column.qualifiers.clear();
        }
        Ok(frame)
    }

    /// A message that was uploaded before.
    pub(crate) fn cached(&mut self, hash: &str) -> Result<Frame> {
        let data = self.artifact(hash)?;
        let local = <LocalRelation as prost::Message>::decode(data)
            .map_err(|error| SparkError::argument(error.to_string()))?;
        self.local(local.data.as_ref(), local.schema.as_deref())
    }

    /// Rows that were uploaded before, in parts.
    pub(crate) fn chunked(&mut self, cached: &ChunkedCachedLocalRelation) -> Result<Frame> {
        let schema = match &cached.schema_hash {
            Some(hash) => {
                let text = self.artifact(hash)?;
                Some(parse_schema(&String::from_utf8_lossy(&text))?)
            }
            None => None,
        };
        let data = cached.data_hashes.iter().map(|hash| self.artifact(hash)).collect::<Result<Vec<_>>>()?;
        self.rows(&data.iter().collect::<Vec<_>>(), schema)
    }

    fn artifact(&self, hash: &str) -> Result<Bytes> {
        self.session.artifact(&format!("cache/{hash}")).ok_or_else(|| {
            SparkError::argument(format!("There is no artifact cache/{hash} in this session."))
        })
    }

    /// Whole numbers.
    pub(crate) fn range(&mut self, range: &Range) -> Result<Frame> {
        if range.step == 0 {
            return Err(SparkError::argument("The step of a range is not 0."));
        }
        let (start, end, step) = (range.start.unwrap_or(0), range.end, range.step);
        let empty = if step > 0 { start >= end } else { start <= end };
        if empty {
            let schema = Arc::new(Schema::new(vec![Field::new("id", DataType::Int64, false)]));
            let batch = RecordBatch::try_new(Arc::clone(&schema), vec![new_empty_array(&DataType::Int64)]);
            return self.batches(&schema, vec![batch.map_err(broken)?]);
        }
        let state = self.frames.context().state();
        let made = state.table_functions().get("range");
        let made = made.ok_or_else(|| SparkError::internal("there is no function range"))?;
        let bounds = [lit(start), lit(end), lit(step)];
        let table = made.create_table_provider_with_args(TableFunctionArgs::new(&bounds, &state))?;
        let mut frame = self.scan("range", table)?;
        for column in &mut frame.columns {
            "id".clone_into(&mut column.name);
            column.qualifiers.clear();
        }
        Ok(frame)
    }

    pub(crate) fn table_function(&mut self, name: &str, arguments: &[Expression]) -> Result<Frame> {
        let name = name.to_lowercase();
        let empty = self.nothing()?;
        if name != "range" {
            let call = crate::expression::build::function(&name, arguments.to_vec());
            return self.select(empty, &[call]);
        }
        let mut numbers = Vec::new();
        for argument in self.resolver(&empty).list(arguments)? {
            let datafusion::logical_expr::Expr::Literal(value, _) = argument.expr else {
                return Err(SparkError::invalid("range takes whole numbers."));
            };
            match value.cast_to(&DataType::Int64) {
                Ok(datafusion::common::ScalarValue::Int64(Some(number))) => numbers.push(number),
                _ => return Err(SparkError::invalid("range takes whole numbers.")),
            }
        }
        let (start, end, step) = match numbers.as_slice() {
            [end] => (0, *end, 1),
            [start, end] => (*start, *end, 1),
            [start, end, step, ..] => (*start, *end, *step),
            [] => return Err(SparkError::invalid("range takes whole numbers.")),
        };
        self.range(&Range { start: Some(start), end, step, num_partitions: None })
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
fn broken(error: datafusion::arrow::error::ArrowError) -> SparkError {
    SparkError::new(Class::IllegalArgument, "INVALID_PARAMETER_VALUE", "22023", format!("Rows: {error}."))
}

fn canonical_schema(schema: &Schema) -> SchemaRef {
    let field = |field: &Arc<Field>| field.as_ref().clone().with_data_type(canonical(field.data_type()));
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

/// The batch with the schema's names and types, column for column.
fn fitted(batch: &RecordBatch, schema: &SchemaRef) -> Result<RecordBatch> {
    if batch.num_columns() != schema.fields().len() {
        return Err(SparkError::argument(format!(
            "The rows have {} columns, the schema has {}.",
            batch.num_columns(),
            schema.fields().len()
        )));
    }
    let columns = batch.columns().iter().zip(schema.fields());
    let columns =
        columns.map(|(column, field)| fit(&nulls::settled(column).map_err(broken)?, field.data_type()));
    let columns = columns.collect::<Result<Vec<_>>>()?;
    let nullable = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
    let relaxed = Arc::new(Schema::new(schema.fields().iter().map(nullable).collect::<Vec<_>>()));
    RecordBatch::try_new(relaxed, columns).map_err(broken)
}

fn fit(column: &ArrayRef, wanted: &DataType) -> Result<ArrayRef> {
    if column.data_type() == wanted {
        return Ok(Arc::clone(column));
    }
    // Structs by place, whatever their fields are called.
    if let (Some(structure), DataType::Struct(fields)) =
        (datafusion::arrow::array::Array::as_any(column.as_ref()).downcast_ref::<StructArray>(), wanted)
        && structure.num_columns() == fields.len()
    {
        let parts = structure.columns().iter().zip(fields).map(|(part, field)| fit(part, field.data_type()));
        let parts = parts.collect::<Result<Vec<_>>>()?;
        let nulls = datafusion::arrow::array::Array::nulls(structure).cloned();
        return Ok(Arc::new(StructArray::try_new(fields.clone(), parts, nulls).map_err(broken)?));
    }
    cast(column, wanted).map_err(broken)
}

/// A relation of these rows, to be sent to the client.
pub(crate) fn relation(schema: &SchemaRef, batches: &[RecordBatch]) -> Result<Relation> {
    let mut writer = StreamWriter::try_new(Vec::new(), schema).map_err(broken)?;
    for batch in batches {
        writer.write(batch).map_err(broken)?;
    }
    let data = Some(writer.into_inner().map_err(broken)?.into());
    let local = LocalRelation { data, schema: None };
    Ok(Relation { common: None, rel_type: Some(RelType::LocalRelation(Box::new(local))) })
}

/// Options by names that are compared without regard to case.
pub(crate) fn lower(options: &std::collections::BTreeMap<String, String>) -> HashMap<String, String> {
    options.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
}
