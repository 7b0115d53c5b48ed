//! For a door that plans by itself: a planner's session that knows the engine's functions, and running what it
//! planned. This is the one room whose public functions name DataFusion's types.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{DataType, Schema, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::common::config::ConfigOptions;
use datafusion::datasource::MemTable;
use datafusion::error::DataFusionError;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use crate::error::SqlError;
use crate::functions::time::Zone;
use crate::operator::scope::Scope;
use crate::plan::bounded::once::run_once;
use crate::plan::bounded::pin_all;
use crate::plan::event_time::rewrite::expand_windows;
use crate::plan::optimize::Wait;
use crate::plan::resolve::{self, Known};
use crate::plan::stream::StillTable;
use crate::session::Engine;
use crate::session::catalog::Table;
use crate::source::Source;
use crate::source::bounded::BoundedStream;
use crate::source::shape::Shape;
use crate::sql::types;

/// Batches that wait to be taken.
const WAITING: usize = 2;

/// A planner's session for one plan: the functions of Spark, of the models and of the networks there are now.
pub struct DataFrames {
    engine: Engine,
    context: SessionContext,
    scope: Arc<Scope>,
}

impl std::fmt::Debug for DataFrames {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DataFrames")
    }
}

/// The rows of a plan, as they come. Dropping it ends the plan.
#[derive(Debug)]
pub struct Rows {
    /// What a row holds.
    pub schema: SchemaRef,
    batches: mpsc::Receiver<Result<RecordBatch, SqlError>>,
    task: AbortHandle,
    planning: Wait,
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.planning.end();
        self.task.abort();
    }
}

impl Rows {
    /// The next rows, or `None` after the last ones.
    ///
    /// # Errors
    /// If the plan failed.
    pub async fn next(&mut self) -> Option<Result<RecordBatch, SqlError>> {
        self.batches.recv().await
    }
}

impl Engine {
    /// A planner's session whose days and hours are those of a time zone, such as `UTC`, `Europe/Berlin` or `+02:00`.
    #[must_use]
    pub fn dataframes(&self, zone: &str) -> DataFrames {
        let scope = Arc::new(Scope::default());
        let networks = self.networks();
        let known = Known { networks: &networks, models: self.registry(), zone };
        DataFrames { engine: self.clone(), context: resolve::session(known, &scope), scope }
    }

    /// The tables by name.
    #[must_use]
    pub fn table_names(&self) -> Vec<String> {
        self.catalog().tables().map(|table| table.name.clone()).collect()
    }

    /// Whether there is a table of this name.
    #[must_use]
    pub fn has_table(&self, name: &str) -> bool {
        self.catalog().table(name).is_ok()
    }
}

impl DataFrames {
    /// The planner's session, with every function by name. It knows no table.
    #[must_use]
    pub fn context(&self) -> &SessionContext {
        &self.context
    }

    pub(crate) fn scope(&self) -> &Arc<Scope> {
        &self.scope
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// What a query is started with.
    pub(crate) fn into_parts(self) -> (Engine, SessionContext, Arc<Scope>) {
        let DataFrames { engine, context, scope } = self;
        (engine, context, scope)
    }

    /// What a table holds now, or `None` if there is no such table.
    ///
    /// # Errors
    /// If it cannot be read, or has no end.
    pub async fn table(&self, name: &str) -> Result<Option<Arc<dyn TableProvider>>, SqlError> {
        if let Some(memory) = self.engine.memory_of(name) {
            let rows = MemTable::try_new(memory.schema(), vec![memory.rows()]);
            return Ok(Some(Arc::new(rows.map_err(|error| SqlError::plan(&error))?)));
        }
        let Some((table, source)) = self.engine.table_once(name)? else { return Ok(None) };
        self.once(table, source).await.map(Some)
    }

    /// What a source holds now, under a table's columns.
    pub(crate) async fn once(
        &self,
        table: Arc<Table>,
        source: Arc<dyn Source>,
    ) -> Result<Arc<dyn TableProvider>, SqlError> {
        let schema: SchemaRef = Arc::new(Schema::new(table.columns.clone()));
        let attempt = || format!("read {}", source.name());
        let bounds = source.bounds().await.map_err(|error| SqlError::failed(attempt(), error))?;
        let endless = || SqlError::invalid(table.name.clone(), "can only be read as a stream: it has no end");
        let bounds = bounds.ok_or_else(endless)?;
        let stream = BoundedStream::new(source, Shape::new(Arc::clone(&schema)), bounds, &Arc::default());
        let rows = StreamingTable::try_new(schema, vec![Arc::new(stream)]);
        let rows = rows.map_err(|error| SqlError::plan(&error))?;
        Ok(Arc::new(StillTable::new(table, rows)))
    }

    /// Runs a plan on the engine's own threads, with the latest version of each model it asks.
    ///
    /// # Errors
    /// If the plan cannot be run, or asks a model that is not there.
    pub async fn run(self, plan: LogicalPlan) -> Result<Rows, SqlError> {
        let plan = expand_windows(plan).map_err(|error| SqlError::plan(&error))?;
        let (held, pins) = pin_all(self.engine.registry(), resolve::models(&plan)?)?;
        self.scope.bind(Arc::new(pins), self.engine.now_ms());
        let DataFrames { engine, context, scope } = self;
        let bytes_max = engine.state_bytes_max();
        let (send, batches) = mpsc::channel(WAITING);
        let (ready, schema) = tokio::sync::oneshot::channel();
        let planning = Wait::default();
        let wait = planning.clone();
        let task = engine.spawn(async move {
            let failed = |error| SqlError::failed("run the query", error);
            let physical = match planned(&context, plan, wait, bytes_max).await {
                Ok(physical) => physical,
                Err(error) => {
                    let _ = ready.send(Err(SqlError::plan(&error)));
                    return;
                }
            };
            let _ = ready.send(Ok(physical.schema()));
            let mut stream = match datafusion::physical_plan::execute_stream(physical, context.task_ctx()) {
                Ok(stream) => stream,
                Err(error) => {
                    let _ = send.send(Err(failed(error))).await;
                    return;
                }
            };
            while let Some(batch) = stream.next().await {
                if send.send(batch.map_err(failed)).await.is_err() {
                    break;
                }
                // A reader that never waits must let others have the thread.
                tokio::task::yield_now().await;
            }
            drop((held, scope));
        });
        let mut rows = Rows { schema: Arc::new(Schema::empty()), batches, task, planning };
        rows.schema = schema.await.map_err(|_| SqlError::Closed)??;
        Ok(rows)
    }
}

/// What runs, made on a thread of its own: a long plan keeps nobody else waiting.
async fn planned(
    context: &SessionContext,
    plan: LogicalPlan,
    wait: Wait,
    bytes_max: usize,
) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
    let state = context.state();
    let runtime = tokio::runtime::Handle::current();
    let work = move || runtime.block_on(crate::plan::subquery::physical(&state, &plan, &wait));
    let physical = tokio::task::spawn_blocking(work).await;
    run_once(physical.map_err(|error| DataFusionError::External(error.into()))??, bytes_max)
}

/// The zone of a planner's session.
#[must_use]
pub fn zone_of(context: &SessionContext) -> Zone {
    zone_in(context.state_ref().read().config_options())
}

/// The zone of a session with these options.
#[must_use]
pub fn zone_in(options: &ConfigOptions) -> Zone {
    Zone::of(options).unwrap_or(Zone::UTC)
}

/// A type as Spark's DDL writes it: `a INT, b ARRAY<STRING>` or `BIGINT`. Columns become a struct.
///
/// # Errors
/// If the text is no type.
pub fn parse_type(text: &str) -> Result<DataType, SqlError> {
    types::schema_text(text)
}

/// The type in Spark's words: `ARRAY<INT>`.
#[must_use]
pub fn type_name(data_type: &DataType) -> String {
    types::type_name(data_type)
}

/// The type of a map whose parts are called as the engine calls them.
#[must_use]
pub fn map_type(key: DataType, value: DataType) -> DataType {
    types::map_of(key, value)
}

/// The Avro schema, as JSON, with which `to_avro` writes values of a type.
///
/// # Errors
/// If Avro has no such type.
pub fn avro_schema(data_type: &DataType, nullable: bool) -> datafusion::common::Result<String> {
    Ok(crate::functions::avro::schema::of(data_type, nullable)?.to_string())
}
