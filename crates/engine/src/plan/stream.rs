//! Streams in a plan that was made elsewhere: a scan of a [`StreamTable`] says which stream is meant. When the plan
//! becomes a query, such scans give way to the slots that batches are put into.

use std::sync::Arc;

use datafusion::arrow::datatypes::{Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::tree_node::{Transformed, TreeNodeRecursion};
use datafusion::common::{Column, Result, TableReference};
use datafusion::datasource::{TableType, provider_as_source, source_as_provider};
use datafusion::logical_expr::{
    Expr, LogicalPlan, LogicalPlanBuilder, TableScan, TableScanBuilder, TableSource, lit,
};
use datafusion::physical_plan::ExecutionPlan;

use crate::plan::compile::streaming_table;
use crate::plan::event_time::{self, window::TimeFunction};
use crate::plan::slot::Slot;
use crate::session::catalog::Table;

/// A stream as the planner sees it. It has columns; rows it has only in a query.
#[derive(Debug)]
pub(crate) struct StreamTable {
    table: Arc<Table>,
    /// What makes two scans the same stream.
    key: String,
    schema: SchemaRef,
}

impl StreamTable {
    pub(crate) fn new(table: Arc<Table>, key: String) -> Self {
        let schema = Arc::new(Schema::new(nullable(&table.columns)));
        StreamTable { table, key, schema }
    }

    /// A scan of it, under a name that means nothing.
    pub(crate) fn scan(self) -> Result<LogicalPlan> {
        LogicalPlanBuilder::scan(TableReference::bare("stream"), Arc::new(self), None)?.build()
    }
}

impl TableSource for StreamTable {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }
}

/// A table of the catalog as it is. Joined with streams, each batch sees it as it is then.
#[derive(Debug)]
pub(crate) struct StillTable {
    table: Arc<Table>,
    /// What it holds now.
    rows: StreamingTable,
}

impl StillTable {
    pub(crate) fn new(table: Arc<Table>, rows: StreamingTable) -> Self {
        StillTable { table, rows }
    }
}

#[async_trait::async_trait]
impl TableProvider for StillTable {
    fn schema(&self) -> SchemaRef {
        self.rows.schema()
    }

    fn table_type(&self) -> TableType {
        self.rows.table_type()
    }

    async fn scan(
        &self,
        session: &dyn Session,
        projection: Option<&Vec<usize>>,
        filters: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.rows.scan(session, projection, filters, limit).await
    }
}

/// What a scan reads in a query: its key, its table, whether it stands still, and its columns.
fn read_of(scan: &TableScan) -> Option<(String, Arc<Table>, bool, SchemaRef)> {
    if let Some(stream) = scan.source.downcast_ref::<StreamTable>() {
        return Some((stream.key.clone(), Arc::clone(&stream.table), false, Arc::clone(&stream.schema)));
    }
    let provider = source_as_provider(&scan.source).ok()?;
    let provider: &dyn std::any::Any = provider.as_ref();
    let still = provider.downcast_ref::<StillTable>()?;
    Some((still.table.name.clone(), Arc::clone(&still.table), true, still.rows.schema()))
}

fn stream_of(node: &LogicalPlan) -> Option<&StreamTable> {
    match node {
        LogicalPlan::TableScan(scan) => scan.source.downcast_ref::<StreamTable>(),
        _ => None,
    }
}

/// Whether rows of the plan come without an end.
///
/// # Errors
/// None: walking cannot fail.
pub(crate) fn is_streaming(plan: &LogicalPlan) -> Result<bool> {
    let mut found = false;
    plan.apply_with_subqueries(|node| {
        found |= stream_of(node).is_some();
        Ok(if found { TreeNodeRecursion::Stop } else { TreeNodeRecursion::Continue })
    })?;
    Ok(found)
}

/// A plan over slots.
#[derive(Debug)]
pub(crate) struct Slotted {
    pub(crate) plan: LogicalPlan,
    /// What each slot stands for, in the order in which the plan names them.
    pub(crate) streams: Vec<(Arc<Table>, Arc<Slot>)>,
    /// The same for tables that are read as they are.
    pub(crate) tables: Vec<(Arc<Table>, Arc<Slot>)>,
}

/// The number that the first table of a query without a catalog has: those of a catalog are smaller.
const FIRST_ID: u64 = 1 << 40;

/// Puts slots in the place of streams. Each stream is read once, however often the plan names it.
///
/// # Errors
/// If the plan cannot be built with them.
pub(crate) fn with_slots(plan: LogicalPlan) -> Result<Slotted> {
    let mut known: Vec<(String, bool, Arc<Table>, Arc<Slot>)> = Vec::new();
    let exchanged = plan.transform_up_with_subqueries(|node| {
        let LogicalPlan::TableScan(scan) = &node else {
            return Ok(Transformed::yes(node.recompute_schema()?));
        };
        let Some((key, table, still, schema)) = read_of(scan) else { return Ok(Transformed::no(node)) };
        let slot = match known.iter().find(|(other, as_it_is, ..)| *other == key && *as_it_is == still) {
            Some((.., slot)) => Arc::clone(slot),
            None => {
                // A schema of its own, by which the leaf is known.
                let slot = Slot::new(Arc::new(Schema::clone(&schema)));
                let table = numbered(&table, FIRST_ID + known.len() as u64);
                known.push((key, still, table, Arc::clone(&slot)));
                slot
            }
        };
        let source = provider_as_source(streaming_table(&slot)?);
        let scan = TableScanBuilder::new(scan.table_name.clone(), source)
            .with_projection(scan.projection.clone())
            .build()?;
        Ok(Transformed::yes(LogicalPlan::TableScan(scan)))
    })?;
    let (still, moving): (Vec<_>, Vec<_>) = known.into_iter().partition(|(_, still, ..)| *still);
    let slots = |read: Vec<(String, bool, Arc<Table>, Arc<Slot>)>| {
        read.into_iter().map(|(.., table, slot)| (table, slot)).collect()
    };
    Ok(Slotted { plan: exchanged.data, streams: slots(moving), tables: slots(still) })
}

/// A table of the catalog as it is; another one under a number of the query's own.
fn numbered(table: &Arc<Table>, id: u64) -> Arc<Table> {
    if table.id != 0 {
        return Arc::clone(table);
    }
    let Table { name, sql, options, sink, columns, .. } = table.as_ref();
    Arc::new(Table {
        name: name.clone(),
        id,
        sql: sql.clone(),
        options: options.clone(),
        sink: sink.clone(),
        columns: columns.clone(),
        query: None,
    })
}

/// Of all rows with the same values in `keys` the first; of what else carries event time only `within` makes use:
/// then a key is forgotten when its row's time is that of the watermark.
///
/// # Errors
/// If a column is not there.
pub(crate) fn first_of_each(plan: LogicalPlan, keys: &[String], within: bool) -> Result<LogicalPlan> {
    let column = |name: &str| Expr::Column(Column::new_unqualified(name));
    let all: Vec<FieldRef> = plan.schema().fields().iter().cloned().collect();
    let times =
        |field: &FieldRef| event_time::delay(field).filter(|_| !within && !keys.contains(field.name()));
    let hidden = all.iter().map(|field| match times(field) {
        Some(_) => TimeFunction::Unmark.udf().call(vec![column(field.name())]).alias(field.name()),
        None => column(field.name()),
    });
    let (hidden, all_columns) = (hidden.collect::<Vec<_>>(), all.iter().map(|field| column(field.name())));
    let all_columns: Vec<Expr> = all_columns.collect();
    let on = keys.iter().map(|key| column(key)).collect();
    let first = LogicalPlanBuilder::from(plan).project(hidden)?.distinct_on(on, all_columns, None)?;
    let shown = all.iter().map(|field| match times(field) {
        Some(delay) => TimeFunction::Mark
            .udf()
            .call(vec![column(field.name()), lit(delay.to_string())])
            .alias(field.name()),
        None => column(field.name()),
    });
    first.project(shown.collect::<Vec<_>>())?.build()
}

/// The plan with its columns under these names.
///
/// # Errors
/// If a column is not there.
pub(crate) fn named(plan: LogicalPlan, columns: &[(String, String)]) -> Result<LogicalPlan> {
    let named = |(id, name): &(String, String)| Expr::Column(Column::new_unqualified(id)).alias(name);
    let exprs: Vec<Expr> = columns.iter().map(named).collect();
    LogicalPlanBuilder::from(plan).project(exprs)?.build()
}

/// The columns of a stream, all of which may be missing.
fn nullable(columns: &[FieldRef]) -> Vec<FieldRef> {
    let field = |field: &FieldRef| Field::new(field.name(), field.data_type().clone(), true);
    columns.iter().map(|column| Arc::new(field(column))).collect()
}
