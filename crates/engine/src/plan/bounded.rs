//! A query over what the log holds now.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::catalog::streaming::StreamingTable;
use futures::StreamExt;

use crate::error::SqlError;
use crate::models::reference::{At, Reference};
use crate::models::{Pin, Registry};
use crate::operator::scope::{Pins, Scope};
use crate::plan::compile::visible_columns;
use crate::plan::resolve::{self, Known};
use crate::session::catalog::Table;
use crate::source::Source;
use crate::source::bounded::BoundedStream;
use crate::source::shape::Shape;
use crate::sql::Select;

/// What came out.
pub(crate) struct BoundedRows {
    pub(crate) schema: SchemaRef,
    pub(crate) batches: Vec<RecordBatch>,
    /// There would have been more.
    pub(crate) cut: bool,
    /// Records and values that could not be used.
    pub(crate) refused: u64,
}

/// Runs the query over tables as they are now, with the latest version of each model.
pub(crate) async fn run(
    select: &Select,
    tables: &[(&Table, Arc<dyn Source>)],
    known: Known<'_>,
    rows_max: usize,
) -> Result<BoundedRows, SqlError> {
    let planning = |error| SqlError::plan(&error);
    let scope = Arc::new(Scope::default());
    let session = resolve::session(known, &scope);
    let refused = Arc::new(AtomicU64::new(0));
    let mut names = Vec::new();
    for (table, source) in tables {
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
    let (_held, pins) = pin_all(known.models, resolve::models(&logical)?)?;
    scope.bind(Arc::new(pins));
    let physical = session.state().create_physical_plan(&logical).await.map_err(planning)?;
    let failed = |error: datafusion::error::DataFusionError| SqlError::failed("run the query", error);
    let schema = physical.schema();
    let mut stream =
        datafusion::physical_plan::execute_stream(physical, session.task_ctx()).map_err(failed)?;
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
    let refused = refused.load(Ordering::Relaxed) + scope.unplaced();
    Ok(BoundedRows { schema, batches, cut, refused })
}

fn pin_all(
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
