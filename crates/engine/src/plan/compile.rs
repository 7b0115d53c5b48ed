//! A streaming query, compiled once: records go in, the pipeline runs, rows come out.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::streaming::PartitionStream;

use crate::error::SqlError;
use crate::operator::ask::Question;
use crate::operator::scope::{ROW, Scope, row_field};
use crate::plan::event_time::rewrite::expand_windows;
use crate::plan::event_time::{self, delay};
use crate::plan::incremental::CutError;
use crate::plan::pipeline::{Config, Leaves, Pipeline};
use crate::plan::resolve::Known;
use crate::plan::slot::Slot;
use crate::plan::stream::Slotted;
use crate::plan::{number, resolve};
use crate::session::catalog::{QueryDef, Table};
use crate::source::metadata;
use crate::sql::Select;

/// A plan over streaming tables.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) pipeline: Pipeline,
    pub(crate) inputs: Vec<Input>,
    /// What it reads of each table that is no stream.
    pub(crate) tables: Vec<SchemaRef>,
    /// What it gives, without the record's number.
    pub(crate) output: SchemaRef,
    /// The models it asks, in lower case.
    pub(crate) models: BTreeSet<String>,
    pub(crate) scope: Arc<Scope>,
    /// As the planner understood the query, and how it would run it over rows that end.
    pub(crate) logical: LogicalPlan,
    pub(crate) physical: Arc<dyn ExecutionPlan>,
}

/// What the plan reads of one stream.
#[derive(Debug, Clone)]
pub(crate) struct Input {
    /// The table's columns, metadata that the query names, and the record's number if the plan carries it.
    pub(crate) schema: SchemaRef,
    /// The column of event time, and by how many microseconds rows may come late.
    pub(crate) watermark: Option<(usize, i64)>,
}

/// Compiles a query over its streams.
pub(crate) async fn compile(
    query: &QueryDef,
    known: Known<'_>,
    config: &Config,
) -> Result<Compiled, SqlError> {
    let planning = |error| SqlError::plan(&error);
    let scope = Arc::new(Scope::default());
    let session = resolve::session(known, &scope);
    let mut names = Vec::new();
    let mut slots = Vec::new();
    let select = &query.select;
    for table in &query.sources {
        let columns = marked_columns(select, table)?;
        names.extend(columns.iter().map(|column| column.name().clone()));
        names.push(table.name.clone());
        let slot = Slot::new(Arc::new(Schema::new(columns)));
        let provider = streaming_table(&slot).map_err(planning)?;
        session.register_table(table.name.as_str(), provider).map_err(planning)?;
        slots.push(slot);
    }
    let mut tables = Vec::new();
    for table in &query.tables {
        let columns = visible_columns(select, &table.columns);
        names.extend(columns.iter().map(|column| column.name().clone()));
        names.push(table.name.clone());
        let slot = Slot::new(Arc::new(Schema::new(columns)));
        let provider = streaming_table(&slot).map_err(planning)?;
        session.register_table(table.name.as_str(), provider).map_err(planning)?;
        tables.push(Arc::clone(slot.schema()));
    }
    let logical = resolve::logical(&session, select, &names).await?;
    let models = resolve::models(&logical)?;
    let output = visible_output(&logical.schema().as_arrow().clone());
    let mut logical = expand_windows(logical).map_err(planning)?;
    if let ([slot], []) = (slots.as_mut_slice(), tables.as_slice()) {
        let mut columns: Vec<FieldRef> = slot.schema().fields().iter().cloned().collect();
        columns.push(Arc::new(row_field()));
        *slot = Slot::new(Arc::new(Schema::new(columns)));
        let table = streaming_table(slot).map_err(planning)?;
        let ours =
            |name: &str| Question::is_one(name) || known.networks.iter().any(|network| network.name == name);
        logical = number::number_rows(logical, &table, &ours).map_err(planning)?;
    }
    let streams = slots.iter().map(|slot| Arc::clone(slot.schema())).collect();
    let read = Read { streams, tables, output, models };
    physical(&session, scope, logical, read, config).await
}

/// Compiles a plan that was made elsewhere, over a session with this scope.
pub(crate) async fn compile_plan(
    session: &SessionContext,
    scope: &Arc<Scope>,
    slotted: &Slotted,
    config: &Config,
) -> Result<Compiled, SqlError> {
    let models = resolve::models(&slotted.plan)?;
    let output = visible_output(&slotted.plan.schema().as_arrow().clone());
    let logical = resolve::slide(slotted.plan.clone()).and_then(expand_windows);
    let logical = logical.map_err(|error| SqlError::plan(&error))?;
    let schemas = |slots: &[(Arc<Table>, Arc<Slot>)]| {
        slots.iter().map(|(_, slot)| Arc::clone(slot.schema())).collect::<Vec<_>>()
    };
    let (streams, tables) = (schemas(&slotted.streams), schemas(&slotted.tables));
    let read = Read { streams, tables, output, models };
    physical(session, Arc::clone(scope), logical, read, config).await
}

/// What a plan reads and gives.
struct Read {
    streams: Vec<SchemaRef>,
    tables: Vec<SchemaRef>,
    output: SchemaRef,
    models: BTreeSet<String>,
}

async fn physical(
    session: &SessionContext,
    scope: Arc<Scope>,
    logical: LogicalPlan,
    read: Read,
    config: &Config,
) -> Result<Compiled, SqlError> {
    let Read { streams, tables, output, models } = read;
    let plan =
        session.state().create_physical_plan(&logical).await.map_err(|error| SqlError::plan(&error))?;
    let leaves = Leaves { streams: &streams, tables: &tables };
    let pipeline = Pipeline::try_new(&plan, leaves, config, session.task_ctx());
    let pipeline = pipeline.map_err(|error| match error {
        CutError::Unsupported { .. } => SqlError::Unsupported(format!("do this: {error}")),
        CutError::Plan(error) => SqlError::plan(&error),
    })?;
    let input = |schema: SchemaRef| {
        let watermark = schema.fields().iter().enumerate().find_map(|(at, field)| Some((at, delay(field)?)));
        Input { schema, watermark }
    };
    let inputs = streams.into_iter().map(input).collect();
    Ok(Compiled { pipeline, inputs, tables, output, models, scope, logical, physical: plan })
}

/// The table's columns and the metadata that the query names.
pub(crate) fn visible_columns(select: &Select, columns: &[FieldRef]) -> Vec<FieldRef> {
    let metadata = metadata::COLUMNS.into_iter().filter(|name| select.mentions(name));
    columns.iter().cloned().chain(metadata.filter_map(metadata::field)).collect()
}

/// The table's columns; that of its watermark has its mark.
fn marked_columns(select: &Select, table: &Table) -> Result<Vec<FieldRef>, SqlError> {
    let mut columns = visible_columns(select, &table.columns);
    let of_table = select.streams().iter().filter(|stream| stream.table.eq_ignore_ascii_case(&table.name));
    let Some(watermark) = of_table.filter_map(|stream| stream.watermark.as_ref()).next() else {
        return Ok(columns);
    };
    let of = format!("the watermark of {}", table.name);
    let found = columns.iter_mut().find(|column| column.name().eq_ignore_ascii_case(&watermark.column));
    let Some(column) = found else {
        return Err(SqlError::invalid(of, format!("there is no column {}", watermark.column)));
    };
    let marked = event_time::marked(column, watermark.delay_us);
    if event_time::kind(&marked).is_none() {
        let reason = format!(
            "column {} is no TIMESTAMP, it is {}",
            column.name(),
            crate::sql::types::type_name(column.data_type())
        );
        return Err(SqlError::invalid(of, reason));
    }
    *column = Arc::new(marked);
    Ok(columns)
}

pub(crate) fn streaming_table(slot: &Arc<Slot>) -> Result<Arc<dyn TableProvider>> {
    let partition: Arc<dyn PartitionStream> = Arc::clone(slot) as _;
    Ok(Arc::new(StreamingTable::try_new(Arc::clone(slot.schema()), vec![partition])?))
}

fn visible_output(schema: &Schema) -> SchemaRef {
    let fields: Vec<Field> = schema
        .fields()
        .iter()
        .map(|field| Field::new(field.name(), field.data_type().clone(), true))
        .collect();
    Arc::new(Schema::new(fields))
}

/// Where a batch has its record numbers.
pub(crate) fn row_index(batch: &RecordBatch) -> Option<usize> {
    batch.schema_ref().index_of(ROW).ok()
}
