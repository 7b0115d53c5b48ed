//! A streaming query, compiled once: records go into the slot, the plan runs, rows come out.

use std::collections::BTreeSet;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::Result;
use datafusion::execution::TaskContext;
use datafusion::physical_plan::execution_plan::reset_plan_states;
use datafusion::physical_plan::streaming::PartitionStream;
use datafusion::physical_plan::{ExecutionPlan, collect};

use crate::error::SqlError;
use crate::operator::ask::Question;
use crate::operator::scope::{ROW, Scope, row_field};
use crate::plan::incremental::{Slot, aggregates};
use crate::plan::resolve::Known;
use crate::plan::{number, resolve};
use crate::source::metadata;
use crate::sql::Select;

/// A plan over one streaming table.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
    /// What the plan reads: the table's columns, metadata that the query names, and the record's number.
    pub(crate) input: SchemaRef,
    /// What it gives, without the record's number.
    pub(crate) output: SchemaRef,
    /// The models it asks, in lower case.
    pub(crate) models: BTreeSet<String>,
    pub(crate) scope: Arc<Scope>,
    slot: Arc<Slot>,
}

/// Compiles `select` over the table of these columns.
pub(crate) async fn compile(
    select: &Select,
    table: &str,
    columns: &[FieldRef],
    known: Known<'_>,
) -> Result<Compiled, SqlError> {
    let planning = |error| SqlError::plan(&error);
    let scope = Arc::new(Scope::default());
    let session = resolve::session(known, &scope);
    let visible = visible_columns(select, columns);
    let slot = Slot::new(Arc::new(Schema::new(visible.clone())));
    session.register_table(table, streaming_table(&slot).map_err(planning)?).map_err(planning)?;
    let mut names: Vec<String> = visible.iter().map(|column| column.name().clone()).collect();
    names.push(table.to_owned());
    let logical = resolve::logical(&session, select, &names).await?;
    resolve::check_streaming(&logical)?;
    let models = resolve::models(&logical)?;
    let output = visible_output(&logical.schema().as_arrow().clone());

    let mut input = visible;
    input.push(Arc::new(row_field()));
    let slot = Slot::new(Arc::new(Schema::new(input)));
    let table = streaming_table(&slot).map_err(planning)?;
    let ours =
        |name: &str| Question::is_one(name) || known.networks.iter().any(|network| network.name == name);
    let logical = number::number_rows(logical, &table, &ours).map_err(planning)?;
    let plan = session.state().create_physical_plan(&logical).await.map_err(planning)?;
    let input = Arc::clone(slot.schema());
    Ok(Compiled { plan, context: session.task_ctx(), input, output, models, scope, slot })
}

/// The table's columns and the metadata that the query names.
pub(crate) fn visible_columns(select: &Select, columns: &[FieldRef]) -> Vec<FieldRef> {
    let metadata = metadata::COLUMNS.into_iter().filter(|name| select.mentions(name));
    columns.iter().cloned().chain(metadata.filter_map(metadata::field)).collect()
}

fn streaming_table(slot: &Arc<Slot>) -> Result<Arc<dyn TableProvider>> {
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

impl Compiled {
    pub(crate) fn aggregates(&self) -> bool {
        aggregates(&self.plan)
    }

    /// Runs the plan over a batch. The last column of what comes out numbers the records, unless the plan
    /// aggregates.
    pub(crate) async fn run(&self, batch: RecordBatch) -> Result<Vec<RecordBatch>> {
        self.slot.fill(vec![batch]);
        // A fresh copy per run: operators keep what they learned in a run, and metrics would pile up.
        let result = match reset_plan_states(Arc::clone(&self.plan)) {
            Ok(plan) => collect(plan, Arc::clone(&self.context)).await,
            Err(error) => Err(error),
        };
        self.slot.fill(Vec::new());
        result
    }
}

/// The record numbers of rows that came out of a plan.
pub(crate) fn row_index(batch: &RecordBatch) -> Option<usize> {
    batch.schema_ref().index_of(ROW).ok()
}
