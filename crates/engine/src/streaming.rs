//! For a door that plans by itself: streams in a plan, and queries over them that no statement made. As in
//! `dataframe`, public functions name DataFusion's types here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::datatypes::{Field, FieldRef, SchemaRef};
use datafusion::catalog::TableProvider;
use datafusion::common::Column;
use datafusion::datasource::MemTable;
use datafusion::logical_expr::LogicalPlan;
use tokio::sync::watch;

use crate::dataframe::DataFrames;
use crate::error::{Position, SqlError};
use crate::operator::aggregate;
use crate::plan::event_time;
use crate::plan::stream::{self, StreamTable};
use crate::plan::watermark::Watermark;
use crate::query::progress::Phase;
use crate::query::report::{self, QueryProgress};
use crate::query::trigger::{self, has_reached};
use crate::session::Engine;
use crate::session::catalog::Table;
use crate::session::streams::{Asked, Started};
use crate::source::Bounds;
use crate::sql::interval;
use crate::sql::options::TableOptions;
use crate::sql::options::given::Given;
use crate::sql::options::source::SourceOptions;
use crate::sql::sink_options::SinkOptions;
use crate::sql::statement::{OptionValue, Options};
use crate::status::QueryState;
use crate::storage::Checkpoint;

pub use crate::sink::receiver::Receiver;

pub mod keyed;
pub(crate) mod tables;

/// Which rows leave after a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputMode {
    /// Those that will never change.
    Append,
    /// Those that have changed.
    Update,
    /// All.
    Complete,
}

/// When a batch begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trigger {
    /// As soon as there is something to read.
    Asap,
    /// Every so often.
    ProcessingTime(Duration),
    /// What is there at the start is read, then the query ends.
    AvailableNow,
    /// The same, in one batch.
    Once,
}

/// What a query does with its rows.
#[derive(Debug, Clone)]
pub struct Writing {
    /// As people call the query.
    pub name: Option<String>,
    /// `console`, `memory`, `kafka`, `json`, `csv`, `text`, `parquet`, `noop`.
    pub format: String,
    /// The table that is filled, in the place of a format.
    pub table: Option<String>,
    /// Of the format.
    pub options: BTreeMap<String, String>,
    /// Who takes the rows, in the place of a format.
    pub receiver: Option<Arc<dyn Receiver>>,
    /// Which rows are written.
    pub mode: OutputMode,
    /// And when.
    pub trigger: Trigger,
    /// Where it remembers; without, it remembers nothing beyond its end.
    pub checkpoint: Option<Checkpoint>,
}

/// How a query is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    /// It runs.
    pub active: bool,
    /// In Spark's words.
    pub message: String,
    /// There was something to read when it last looked.
    pub data_available: bool,
    /// A batch runs.
    pub trigger_active: bool,
    /// Why it failed, if it did.
    pub error: Option<String>,
}

/// A query. It is stopped and forgotten with its last handle.
#[derive(Debug)]
pub struct StreamQuery {
    engine: Engine,
    started: Arc<Started>,
    name: Option<String>,
}

pub(crate) fn options(given: &BTreeMap<String, String>) -> Options {
    let position = Position { line: 1, column: 1 };
    let value = |text: &String| OptionValue { text: text.clone(), position };
    Options { position, given: given.iter().map(|(name, text)| (name.clone(), value(text))).collect() }
}

/// Options that no statement holds have no place in it.
pub(crate) fn placeless(format: &str) -> impl Fn(SqlError) -> SqlError {
    move |error| match error {
        SqlError::Syntax { reason, .. } => SqlError::invalid(format!("options of {format}"), reason),
        other => other,
    }
}

/// An interval such as `10 seconds`, in microseconds.
#[must_use]
pub fn interval_us(text: &str) -> Option<i64> {
    interval::micros(text)
}

/// Unix milliseconds as Spark writes them to listeners.
#[must_use]
pub fn timestamp(time_ms: i64) -> String {
    report::timestamp(time_ms)
}

/// Whether a watermark ends the column's values.
#[must_use]
pub fn carries_time(field: &Field) -> bool {
    event_time::delay(field).is_some()
}

/// The field, with the watermark of one of these, if one has any; those of the others are without it.
#[must_use]
pub fn timed_as<'a>(fields: impl IntoIterator<Item = &'a Field>, field: &Field) -> Option<Field> {
    let delay = fields.into_iter().find_map(event_time::delay)?;
    Some(event_time::marked(field, delay))
}

/// Whether rows of the plan come without an end.
#[must_use]
pub fn is_streaming(plan: &LogicalPlan) -> bool {
    stream::is_streaming(plan).unwrap_or(true)
}

/// The plan whose `column` carries event time, of which rows may come late by so many microseconds.
///
/// # Errors
/// The column is not there, or is no timestamp.
pub fn watermark(plan: LogicalPlan, column: &str, delay_us: i64) -> Result<LogicalPlan, SqlError> {
    let column = Column::new_unqualified(column);
    Watermark::plan(plan, column, delay_us).map_err(|error| SqlError::plan(&error))
}

/// Of all rows with the same values in `keys` the first: for ever, or `within` the delay of a watermark.
///
/// # Errors
/// A column is not there.
pub fn first_of_each(plan: LogicalPlan, keys: &[String], within: bool) -> Result<LogicalPlan, SqlError> {
    stream::first_of_each(plan, keys, within).map_err(|error| SqlError::plan(&error))
}

/// A table of no catalog; it has no columns if neither the caller nor the format names them.
pub(crate) fn table_over(
    format: &str,
    given: &BTreeMap<String, String>,
    columns: Option<Vec<FieldRef>>,
) -> Result<Table, SqlError> {
    let options = options(given);
    let mut taken = Given::new(&options);
    let read = || -> Result<_, SqlError> {
        let source = SourceOptions::from(format, &mut taken, columns.is_some())?;
        taken.finish()?;
        Ok(source)
    };
    let source = read().map_err(placeless(format))?;
    if let Some(reason) = columns.as_ref().and_then(|columns| source.misfit(columns)) {
        return Err(SqlError::invalid(format!("the schema of {format}"), reason));
    }
    let columns = columns.or_else(|| source.columns()).unwrap_or_default();
    Ok(Table {
        name: source.describe(),
        id: 0,
        sql: String::new(),
        options: TableOptions {
            topic: source.describe(),
            source,
            partitions: None,
            key: None,
            output_mode: None,
            late_topic: None,
        },
        sink: SinkOptions::default(),
        columns,
        query: None,
    })
}

impl DataFrames {
    /// What a stream brings: `format` as after `USING` in a table's statement.
    ///
    /// # Errors
    /// The format is not known, or an option or the columns do not fit.
    pub fn stream(
        &self,
        format: &str,
        given: &BTreeMap<String, String>,
        columns: Option<&SchemaRef>,
    ) -> Result<LogicalPlan, SqlError> {
        let table = table_over(format, given, columns.map(|columns| columns.fields().to_vec()))?;
        if table.columns.is_empty() {
            return Err(SqlError::invalid(format, "needs a schema"));
        }
        let key = format!("{format} {given:?} {:?}", table.columns);
        StreamTable::new(Arc::new(table), key).scan().map_err(|error| SqlError::plan(&error))
    }

    /// What a table brings from now on, or `None` if there is no such table.
    ///
    /// # Errors
    /// It cannot be read as a stream.
    pub fn table_stream(&self, name: &str) -> Result<Option<LogicalPlan>, SqlError> {
        let Some(table) = self.engine().streamable(name)? else { return Ok(None) };
        let key = format!("table {}", table.id);
        StreamTable::new(table, key).scan().map(Some).map_err(|error| SqlError::plan(&error))
    }

    /// Starts a query over the plan's streams; `columns` names what is written: of each its name in the plan and
    /// the one that it gets. A query that remembers in the same directory is stopped before.
    ///
    /// # Errors
    /// If the plan cannot run batch by batch, or does not fit what it writes to.
    pub async fn start(
        self,
        plan: LogicalPlan,
        columns: &[(String, String)],
        writing: Writing,
    ) -> Result<StreamQuery, SqlError> {
        let mut plan = stream::named(plan, columns).map_err(|error| SqlError::plan(&error))?;
        let mode = match writing.mode {
            OutputMode::Append => aggregate::OutputMode::Append,
            OutputMode::Update => aggregate::OutputMode::Update,
            OutputMode::Complete => aggregate::OutputMode::Complete,
        };
        let trigger = match writing.trigger {
            Trigger::Asap => trigger::Trigger::Asap,
            Trigger::ProcessingTime(every) => trigger::Trigger::ProcessingTime(every),
            Trigger::AvailableNow => trigger::Trigger::AvailableNow,
            Trigger::Once => trigger::Trigger::Once,
        };
        let (options, sink) = match (writing.receiver, writing.table) {
            (Some(receiver), _) => SinkOptions::to_receiver(receiver, mode, trigger),
            (None, Some(name)) => {
                let catalog = self.engine().catalog();
                let table = catalog.table(&name)?;
                plan = tables::aligned(plan, table)?;
                tables::ends(table, &writing.options, (mode, trigger), self.engine().shared())?
            }
            (None, None) => SinkOptions::given(&writing.format, options(&writing.options), mode, trigger)
                .map_err(placeless(&writing.format))?,
        };
        let name = writing.name;
        let (engine, context, scope) = self.into_parts();
        let checkpoint = writing.checkpoint;
        let asked = Asked { name: name.clone(), context, scope, plan, options, sink, checkpoint };
        let started = Arc::new(engine.start_stream(asked).await?);
        Ok(StreamQuery { engine, started, name })
    }
}

impl StreamQuery {
    /// Its lasting id, which a later run at the same checkpoint has too, and that of this run.
    #[must_use]
    pub fn ids(&self) -> (String, String) {
        self.started.progress.ids().unwrap_or_default()
    }

    /// As people call it.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// How it is.
    #[must_use]
    pub fn condition(&self) -> Condition {
        let (state, error) = self.started.progress.outcome();
        let phase = self.started.progress.phase();
        let active = state == QueryState::Running;
        let message = match (state, phase) {
            (QueryState::Failed, _) => {
                format!("Terminated with exception: {}", error.as_deref().unwrap_or_default())
            }
            (QueryState::Stopped, _) => "Stopped".to_owned(),
            (QueryState::Running, Phase::Starting) => "Initializing sources".to_owned(),
            (QueryState::Running, Phase::Waiting) => "Waiting for data to arrive".to_owned(),
            (QueryState::Running, Phase::Working) => "Processing new data".to_owned(),
        };
        let working = active && phase == Phase::Working;
        Condition { active, message, data_available: working, trigger_active: working, error }
    }

    /// The last batches, the oldest first.
    #[must_use]
    pub fn progress(&self) -> Vec<QueryProgress> {
        self.started.progress.recent()
    }

    /// Counts up with every batch of any query, and whenever one begins or ends.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.engine.watch()
    }

    /// Waits until the query has ended.
    pub async fn ended(&self) {
        let mut changed = self.watch();
        while self.condition().active {
            if changed.changed().await.is_err() {
                return;
            }
        }
    }

    /// Ends the query after the batch that it is at.
    pub async fn stop(&self) {
        self.engine.end_stream(&self.started).await;
    }

    /// Waits until everything is processed that is there now, or the query has ended.
    ///
    /// # Errors
    /// If a source cannot be asked.
    pub async fn process_all_available(&self) -> Result<(), SqlError> {
        let failed = |error| SqlError::failed("look how far there is to read", error);
        let progress = &self.started.progress;
        let (mut bounds, mut batches) = (Bounds::default(), 0);
        for source in progress.sources() {
            match source.bounds().await.map_err(failed)? {
                Some(Bounds { from, until }) => {
                    bounds.from.extend(from);
                    bounds.until.extend(until);
                }
                // Without an end of now: one batch more.
                None => batches = progress.standing().0 + 1,
            }
        }
        let mut changed = self.watch();
        loop {
            let (batch, positions) = progress.standing();
            let reached = batch >= batches && has_reached(&bounds, &positions);
            if reached || !self.condition().active || changed.changed().await.is_err() {
                return Ok(());
            }
        }
    }

    /// The plan as text, with the one that the planner began with if `extended`.
    #[must_use]
    pub fn explain(&self, extended: bool) -> String {
        let explained = &self.started.explained;
        let logical = match extended {
            true => format!("== Optimized Logical Plan ==\n{}\n\n", explained.logical),
            false => String::new(),
        };
        format!("{logical}== Physical Plan ==\n{}", explained.physical)
    }

    /// What a query in memory holds now; `None` of any other one.
    ///
    /// # Errors
    /// If the rows do not fit their columns.
    pub fn rows(&self) -> Result<Option<Arc<dyn TableProvider>>, SqlError> {
        let Some(memory) = &self.started.memory else { return Ok(None) };
        let rows = MemTable::try_new(memory.schema(), vec![memory.rows()]);
        Ok(Some(Arc::new(rows.map_err(|error| SqlError::plan(&error))?)))
    }
}

impl Drop for StreamQuery {
    fn drop(&mut self) {
        self.engine.forget_stream(&self.started);
    }
}
