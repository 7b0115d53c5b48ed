//! Queries that no statement made: a client's plan, with a memory where the client wants it.
//!
//! The catalog does not know them, and a start of the server does not bring them back. Who asks for the same
//! checkpoint again goes on where it was.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use datafusion::execution::context::SessionContext;
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_plan::displayable;

use crate::error::SqlError;
use crate::operator::scope::Scope;
use crate::plan::compile::{Compiled, compile_plan};
use crate::plan::stream::{Slotted, with_slots};
use crate::query::progress::Progress;
use crate::session::catalog::Table;
use crate::session::create::check_models;
use crate::session::sinks::check_streamable;
use crate::session::start::{Definition, End, Reads};
use crate::session::{Engine, Inner, Shared, lock};
use crate::sink::memory::MemoryTable;
use crate::sql::options::TableOptions;
use crate::sql::sink_options::{SinkKind, SinkOptions};
use crate::storage::{Checkpoint, waiting};

/// A query that a client wants.
pub(crate) struct Asked {
    pub(crate) name: Option<String>,
    /// The planner's session that the plan was made with.
    pub(crate) context: SessionContext,
    pub(crate) scope: Arc<Scope>,
    pub(crate) plan: LogicalPlan,
    pub(crate) options: TableOptions,
    pub(crate) sink: SinkOptions,
    /// Where it remembers; without, nobody can go on with it.
    pub(crate) checkpoint: Option<Checkpoint>,
}

/// A query that runs.
#[derive(Debug)]
pub(crate) struct Started {
    /// What it is listed under.
    pub(crate) key: String,
    pub(crate) progress: Arc<Progress>,
    /// The number of its table in memory.
    pub(crate) number: u64,
    pub(crate) memory: Option<Arc<MemoryTable>>,
    pub(crate) explained: Explained,
    /// Goes when the query does.
    pub(crate) temporary: Option<PathBuf>,
}

/// The plan as text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Explained {
    pub(crate) logical: String,
    pub(crate) physical: String,
}

impl Explained {
    fn of(compiled: &Compiled) -> Self {
        Explained {
            logical: compiled.logical.display_indent().to_string(),
            physical: displayable(compiled.physical.as_ref()).indent(false).to_string(),
        }
    }
}

impl Shared {
    /// Where queries remember that nobody can go on with.
    pub(crate) fn temporary_dir(&self) -> PathBuf {
        self.dir().join("temporary")
    }
}

impl Engine {
    /// A table that can be read as a stream, if there is one of this name.
    pub(crate) fn streamable(&self, name: &str) -> Result<Option<Arc<Table>>, SqlError> {
        let catalog = self.inner.catalog();
        let Ok(table) = catalog.table(name) else { return Ok(None) };
        check_streamable(table)?;
        Ok(Some(Arc::clone(table)))
    }

    /// Starts a query on the engine's own threads.
    pub(crate) async fn start_stream(&self, asked: Asked) -> Result<Started, SqlError> {
        let inner = Arc::clone(&self.inner);
        let starting = self.inner.handle.spawn(async move { inner.start_stream(asked).await });
        starting.await.map_err(|error| SqlError::failed("start a query", error))?
    }

    /// Ends a query after the batch that it is at.
    pub(crate) async fn end_stream(&self, started: &Started) {
        self.inner.end_stream(&started.key).await;
    }

    /// Takes a query off the lists, with what it has in memory; it ends, and then its own files go.
    pub(crate) fn forget_stream(&self, started: &Started) {
        let running = lock(&self.inner.running).remove(&started.key);
        let shared = &self.inner.shared;
        let mut memory = lock(&shared.memory);
        let own = |kept: &Arc<MemoryTable>| started.memory.as_ref().is_some_and(|own| Arc::ptr_eq(own, kept));
        if memory.get(&started.number).is_some_and(own) {
            memory.remove(&started.number);
        }
        drop(memory);
        if let Some(running) = &running {
            running.stop.send_replace(true);
        }
        shared.changed.send_modify(|changes| *changes += 1);
        let (temporary, disk) = (started.temporary.clone(), Arc::clone(&shared.env.disk));
        self.inner.handle.spawn(async move {
            if let Some(running) = running {
                running.ended().await;
            }
            if let Some(directory) = temporary
                && let Err(error) = disk.remove_dir_all(&directory)
            {
                tracing::warn!(directory = %directory.display(), %error, "left a query's temporary files");
            }
        });
    }
}

impl Inner {
    /// Starts a query, at its checkpoint if it has been there.
    pub(crate) async fn start_stream(&self, asked: Asked) -> Result<Started, SqlError> {
        let _permit = self.changing.acquire().await.map_err(|_| SqlError::Closed)?;
        let Asked { name, context, scope, plan, options, sink, checkpoint } = asked;
        let shared = &self.shared;
        let slotted = with_slots(plan).map_err(|error| SqlError::plan(&error))?;
        let (sources, tables) = read_by(&slotted)?;
        let (high, low) = (shared.env.random.next_u64(), shared.env.random.next_u64());
        let temporary =
            checkpoint.is_none().then(|| shared.temporary_dir().join(format!("{high:016x}{low:016x}")));
        let own = temporary.as_deref().unwrap_or(Path::new("")).display().to_string();
        let checkpoint = checkpoint.unwrap_or(Checkpoint { path: own, storage: BTreeMap::new() });
        let home = shared.place_of(&checkpoint)?;
        self.vacate(home.path()).await?;
        let known = waiting(|| shared.remembered(&home))?;
        // Beyond the numbers of a catalog, and still a number for those who read it as a double.
        let id = known.as_ref().map_or(high >> 16 | 1 << 48, |(_, known)| known.progress.query);
        let label = name.unwrap_or_else(|| format!("stream-{id:x}"));
        let definition = Definition {
            name: &label,
            id,
            sql: "",
            reads: Reads { sources: &sources, tables: &tables },
            home: Some(&checkpoint),
            end: End::Table(&options, &sink),
        };
        let config = shared.pipeline_config(id, options.output_mode);
        let compiled = compile_plan(&context, &scope, &slotted, &config).await?;
        let explained = Explained::of(&compiled);
        let planned = shared.checked(definition, compiled)?;
        check_models(&shared.registry, &planned)?;
        shared.source_topics(definition.reads)?;
        if sink.kind == SinkKind::Kafka && !options.topic.is_empty() && options.outside().is_none() {
            shared.topic(&options.topic, None)?;
        }
        let (journal, recovered) = match known {
            Some(known) => shared.move_in(definition, known)?,
            None => {
                let columns = crate::session::fit::stored_columns(&planned.compiled);
                shared.prepare_sink(&options, &sink, &columns).await?;
                self.begin(definition, &[]).await?
            }
        };
        let query = shared.assemble(definition, planned, journal, recovered, None)?;
        let progress = Arc::clone(&query.progress);
        let key = format!("{id}-{low:016x}");
        self.run_as(key.clone(), query, Some(home.path().to_owned()));
        shared.changed.send_modify(|changes| *changes += 1);
        let memory = lock(&shared.memory).get(&id).map(Arc::clone);
        Ok(Started { key, progress, number: id, memory, explained, temporary })
    }

    /// Stops the query that remembers here: as in Spark, the later one takes over, unless that is one of the catalog.
    async fn vacate(&self, home: &Path) -> Result<(), SqlError> {
        self.check_nobodys(home)?;
        let running = {
            let mut running = lock(&self.running);
            let found = running.iter().find(|(_, running)| running.home.as_deref() == Some(home));
            let key = found.map(|(key, _)| key.clone());
            key.and_then(|key| running.remove(&key))
        };
        if let Some(running) = running {
            running.stop.send_replace(true);
            running.ended().await;
        }
        Ok(())
    }

    /// Ends a query and forgets it.
    pub(crate) async fn end_stream(&self, key: &str) {
        let task = {
            let mut running = lock(&self.running);
            let Some(found) = running.get_mut(key) else { return };
            found.stop.send_replace(true);
            found.task.take()
        };
        if let Some(task) = task {
            // A task that panicked has said so; it is over either way.
            let _ = task.await;
        }
    }
}

type Tables = Vec<Arc<Table>>;

/// The tables of each kind. A checkpoint knows a log by its name alone, so it is read in one way only.
fn read_by(slotted: &Slotted) -> Result<(Tables, Tables), SqlError> {
    let tables =
        |slots: &[(Arc<Table>, _)]| slots.iter().map(|(table, _)| Arc::clone(table)).collect::<Vec<_>>();
    let (sources, tables) = (tables(&slotted.streams), tables(&slotted.tables));
    for (index, table) in sources.iter().enumerate() {
        if sources[..index].iter().any(|other| other.options.topic == table.options.topic) {
            let reason = "is read twice with different options; read it once and use that frame twice";
            return Err(SqlError::invalid(table.options.describe(), reason));
        }
    }
    for table in &tables {
        if sources.iter().any(|source| source.options.topic == table.options.topic) {
            let reason = "is read both as a stream and as it is; read it as a stream twice";
            return Err(SqlError::invalid(table.options.describe(), reason));
        }
    }
    Ok((sources, tables))
}
