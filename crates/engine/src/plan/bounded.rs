//! A query over what the log holds now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::MemTable;
use datafusion::catalog::streaming::StreamingTable;
use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::ExecutionPlan;
use futures::StreamExt;

use crate::error::SqlError;
use crate::models::reference::{At, Reference};
use crate::models::{Pin, Registry};
use crate::operator::scope::{Pins, Scope};
use crate::plan::bounded::once::run_once;
use crate::plan::compile::visible_columns;
use crate::plan::optimize::Wait;
use crate::plan::resolve::{self, Known};
use crate::session::catalog::Table;
use crate::sink::memory::MemoryTable;
use crate::source::Source;
use crate::source::bounded::BoundedStream;
use crate::source::shape::Shape;
use crate::sql::Select;

pub(crate) mod once;

/// What came out.
pub(crate) struct BoundedRows {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    /// There would have been more.
    pub(crate) cut: bool,
    /// Records and values that could not be used.
    pub(crate) refused: u64,
}

/// Where the rows of a table are.
pub(crate) enum Input {
    Source(Arc<dyn Source>),
    Memory(Arc<MemoryTable>),
}

/// A query that can run once.
pub(crate) struct Planned {
    pub(crate) logical: LogicalPlan,
    pub(crate) physical: Arc<dyn ExecutionPlan>,
    session: SessionContext,
    scope: Arc<Scope>,
    refused: Arc<AtomicU64>,
    /// The versions of models that it asks stay meanwhile.
    _held: Vec<Pin>,
}

/// Plans the query over tables as they are now, with the latest version of each model; what sessions remember
/// meanwhile may take so many bytes.
pub(crate) async fn plan(
    select: &Select,
    tables: &[(&Table, Input)],
    known: Known<'_>,
    now_ms: i64,
    bytes_max: usize,
) -> Result<Planned, SqlError> {
    let planning = |error| SqlError::plan(&error);
    let scope = Arc::new(Scope::default());
    let session = resolve::session(known, &scope);
    let refused = Arc::new(AtomicU64::new(0));
    let mut names = Vec::new();
    for (table, input) in tables {
        let source = match input {
            Input::Source(source) => source,
            Input::Memory(memory) => {
                names.extend(table.columns.iter().map(|column| column.name().clone()));
                names.push(table.name.clone());
                let rows = MemTable::try_new(memory.schema(), vec![memory.rows()]).map_err(planning)?;
                session.register_table(table.name.as_str(), Arc::new(rows)).map_err(planning)?;
                continue;
            }
        };
        let columns = visible_columns(select, &table.columns);
        names.extend(columns.iter().map(|column| column.name().clone()));
        names.push(table.name.clone());
        let schema: SchemaRef = Arc::new(Schema::new(columns));
        let shape = Shape::new(Arc::clone(&schema));
        let attempt = || format!("read {}", source.name());
        let bounds = source.bounds().await.map_err(|error| SqlError::failed(attempt(), error))?;
        let endless =
            || SqlError::invalid(table.name.as_str(), "can only be read as a STREAM: it has no end");
        let bounds = bounds.ok_or_else(endless)?;
        let stream = BoundedStream::new(Arc::clone(source), shape, bounds, &refused);
        let provider = StreamingTable::try_new(schema, vec![Arc::new(stream)]).map_err(planning)?;
        session.register_table(table.name.as_str(), Arc::new(provider)).map_err(planning)?;
    }
    let logical = resolve::logical(&session, select, &names).await?;
    let (held, pins) = pin_all(known.models, resolve::models(&logical)?)?;
    scope.bind(Arc::new(pins), now_ms);
    let (state, wait) = (session.state(), Wait::default());
    let physical = crate::plan::subquery::physical(&state, &logical, &wait).await.map_err(planning)?;
    let physical = run_once(physical, bytes_max).map_err(planning)?;
    Ok(Planned { logical, physical, session, scope, refused, _held: held })
}

impl Planned {
    /// Gives its rows, so many at most.
    pub(crate) async fn run(self, rows_max: usize) -> Result<BoundedRows, SqlError> {
        let failed = |error: datafusion::error::DataFusionError| SqlError::failed("run the query", error);
        let schema = self.physical.schema();
        let mut stream = datafusion::physical_plan::execute_stream(self.physical, self.session.task_ctx())
            .map_err(failed)?;
        let (mut batches, mut rows, mut cut) = (Vec::new(), 0, false);
        while let Some(batch) = stream.next().await.transpose().map_err(failed)? {
            let room = rows_max - rows;
            cut = batch.num_rows() > room;
            rows += batch.num_rows().min(room);
            batches.push(batch.slice(0, batch.num_rows().min(room)));
            if cut {
                break;
            }
            // A reader that never waits must let others have the thread.
            tokio::task::yield_now().await;
        }
        let refused = self.refused.load(Ordering::Relaxed) + self.scope.unplaced();
        Ok(BoundedRows { schema, batches, cut, refused })
    }
}

/// Holds what the models answer with while the plan runs.
pub(crate) fn pin_all(
    registry: &Registry,
    models: std::collections::BTreeSet<String>,
) -> Result<(Vec<Pin>, Pins), SqlError> {
    let mut held = Vec::new();
    let mut pins = Pins::new();
    for model in models {
        let reference = Reference::parse(&model)?;
        let entry = registry.known(&reference.model)?;
        let pin = entry.pin(reference.at);
        if pin.is_none() && reference.at != At::Current {
            return Err(SqlError::invalid(format!("'{model}'"), entry.no_such_version()));
        }
        pins.insert(model, pin.as_ref().map(|pin| Arc::clone(&pin.version)));
        held.extend(pin);
    }
    Ok((held, pins))
}
