//! The engine as its callers see it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use env::Env;
use futures::future::{AbortHandle as CutHandle, abortable};
use serde_json::Value;
use tokio::runtime::{Handle, Runtime};
use tokio::sync::{Semaphore, watch};
use tokio::task::{AbortHandle, JoinHandle};
use topics::Topics;

use crate::answer::Answer;
use crate::config::Config;
use crate::embed::Network;
use crate::error::{OpenError, SqlError};
use crate::models::Registry;
use crate::models::contest::Contest;
use crate::models::serve::{Detail, Predicted};
use crate::query::driver::Query;
use crate::query::progress::Progress;
use crate::session::catalog::{Catalog, Object, Table};
use crate::sink::memory::MemoryTable;
use crate::source::Source;
use crate::sql::types::UTC;
use crate::status::{ModelStatus, ModelVersion, QueryState, QueryStatus};
use crate::storage::{Settings, Storage};

mod alter;
pub(crate) mod catalog;
mod checkpoint;
mod control;
mod create;
pub(crate) mod databases;
mod exchange;
mod execute;
mod explain;
pub(crate) mod fit;
mod flows;
pub(crate) mod insert;
mod outside;
mod render;
mod resume;
mod sinks;
pub(crate) mod start;
pub(crate) mod streams;
mod views;

/// Of a thread that runs queries: plans within plans are walked by functions that call themselves. Only what is used of it
/// takes memory.
const STACK_BYTES: usize = 128 * 1024 * 1024;

/// Each query has a thread, and files are read in some more; only those are there that have something to do.
const THREADS_MAX: usize = 8_192;

/// How long running batches have to come to an end when the engine is dropped.
const DROP_PATIENCE: Duration = Duration::from_secs(5);

/// The engine: a catalog, its running queries and its models. A cheap handle.
#[derive(Clone)]
pub struct Engine {
    inner: Arc<Inner>,
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("data_dir", &self.inner.shared.config.data_dir).finish_non_exhaustive()
    }
}

/// What queries and statements share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) config: Config,
    pub(crate) topics: Topics,
    pub(crate) env: Env,
    pub(crate) storage: Storage,
    pub(crate) registry: Arc<Registry>,
    pub(crate) changed: watch::Sender<u64>,
    /// The tables in memory, by their ids.
    pub(crate) memory: Mutex<BTreeMap<u64, Arc<MemoryTable>>>,
}

struct Inner {
    shared: Arc<Shared>,
    catalog: Mutex<Arc<Catalog>>,
    running: Mutex<BTreeMap<String, Running>>,
    /// Held by the statement that changes the catalog: one at a time.
    changing: Semaphore,
    handle: Handle,
    runtime: Mutex<Option<Runtime>>,
}

/// A query's task.
struct Running {
    progress: Arc<Progress>,
    stop: watch::Sender<bool>,
    /// `None` for a query that could not be started.
    task: Option<JoinHandle<()>>,
    /// Ends the task at the next moment that it waits.
    cut: CutHandle,
    /// Where a query remembers that is in no catalog.
    home: Option<PathBuf>,
}

/// A table, and what gives its rows.
type TableOnce = (Arc<Table>, Arc<dyn Source>);

impl Engine {
    /// Opens the catalog and resumes its queries from their checkpoints: models and what unfinished batches
    /// have pinned first, then everything runs. A query that cannot be resumed is listed as failed; it does
    /// not hinder the others.
    ///
    /// # Errors
    /// If the catalog cannot be read or is damaged.
    pub fn open(config: Config, topics: Topics, env: Env) -> Result<Self, OpenError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(config.worker_threads.max(1))
            .max_blocking_threads(THREADS_MAX)
            .thread_name("pelton-query")
            .thread_stack_size(STACK_BYTES)
            .enable_all()
            .build()
            .map_err(OpenError::Runtime)?;
        let told = Settings::named(&config.storage);
        told.check().map_err(|error| OpenError::restore("the settings of object stores", error))?;
        let shared = Shared {
            storage: Storage::new(&env, told, runtime.handle().clone()),
            config,
            topics,
            env,
            registry: Arc::default(),
            changed: watch::channel(0).0,
            memory: Mutex::default(),
        };
        let inner = Arc::new(Inner {
            shared: Arc::new(shared),
            catalog: Mutex::default(),
            running: Mutex::default(),
            changing: Semaphore::new(1),
            handle: runtime.handle().clone(),
            runtime: Mutex::new(Some(runtime)),
        });
        let engine = Engine { inner };
        let (send, receive) = std::sync::mpsc::sync_channel(1);
        let resuming = Arc::clone(&engine.inner);
        engine.inner.handle.spawn(async move {
            let resumed = resume::resume(&resuming).await;
            // The handle goes first: the last one to go must not be on the engine's own threads.
            drop(resuming);
            let _ = send.send(resumed);
        });
        receive
            .recv()
            .map_err(|_| OpenError::Runtime(std::io::Error::other("the engine's threads ended")))??;
        Ok(engine)
    }

    /// Runs statements separated by semicolons, one after the other; stops at the first that fails.
    ///
    /// # Errors
    /// What is wrong with a statement. Those before it have taken effect.
    pub async fn execute(&self, sql: &str) -> Result<Vec<Answer>, SqlError> {
        let statements = crate::sql::parse(sql)?;
        if lock(&self.inner.runtime).is_none() {
            return Err(SqlError::Closed);
        }
        let inner = Arc::clone(&self.inner);
        let running = self.inner.handle.spawn(async move {
            let mut answers = Vec::with_capacity(statements.len());
            let mut zone = UTC.to_owned();
            for statement in statements {
                answers.push(execute::execute(&inner, statement, &mut zone).await?);
            }
            Ok(answers)
        });
        match running.await {
            Err(error) if error.is_panic() => Err(SqlError::failed("run a statement", error)),
            Err(_) => Err(SqlError::Closed),
            Ok(answers) => answers,
        }
    }

    /// Every query, by name.
    pub fn queries(&self) -> Vec<QueryStatus> {
        let running: Vec<Arc<Progress>> =
            lock(&self.inner.running).values().map(|running| Arc::clone(&running.progress)).collect();
        running.iter().map(|progress| progress.status()).collect()
    }

    /// Every model, by name.
    pub fn models(&self) -> Vec<ModelStatus> {
        let catalog = self.inner.catalog();
        catalog.objects().filter_map(|object| self.inner.model_status(object)).collect()
    }

    /// The latest versions of a model, the oldest first; empty if there is no such model.
    pub fn model_history(&self, name: &str) -> Vec<ModelVersion> {
        self.inner.shared.registry.get(name).map(|entry| entry.history()).unwrap_or_default()
    }

    /// Answers rows with a model, past SQL: `model` is its name, or `name@version`. A row is an object with the
    /// features by name, or an array for a model that learns from arrays.
    ///
    /// # Errors
    /// If there is no such model or version, or it has learnt nothing yet.
    pub fn predict(&self, model: &str, rows: &[Value], detail: Detail) -> Result<Predicted, SqlError> {
        let (entry, pin) = self.inner.pinned(model)?;
        entry.answer(&pin.version, rows, detail)
    }

    /// A model in JSON, with every number to its last bit: for other programs, and for [`Engine::import_model`].
    ///
    /// # Errors
    /// As [`Engine::predict`].
    pub fn export_model(&self, model: &str) -> Result<Value, SqlError> {
        Ok(self.inner.pinned(model)?.1.version.model().export())
    }

    /// What a model answers, as an ONNX graph.
    ///
    /// # Errors
    /// As [`Engine::predict`]; or if ONNX has no words for such a model.
    pub fn export_onnx(&self, model: &str) -> Result<Vec<u8>, SqlError> {
        let (_, pin) = self.inner.pinned(model)?;
        exchange::graph(&pin)
    }

    /// Makes an exported model the next version of a model that learns from the same columns by the same algorithm.
    /// Says the version's number.
    ///
    /// # Errors
    /// If it is no exported model, or does not fit.
    pub async fn import_model(&self, name: &str, exported: Value) -> Result<u64, SqlError> {
        let imported = ml::Model::import(exported)
            .map_err(|error| SqlError::invalid("the exported model", error.to_string()))?;
        let (inner, name) = (Arc::clone(&self.inner), name.to_owned());
        let importing = self.inner.handle.spawn(async move { inner.import_model(&name, imported).await });
        importing.await.map_err(|error| SqlError::failed("import a model", error))?
    }

    /// What a plan made elsewhere stands on: the models,
    pub(crate) fn registry(&self) -> &Arc<Registry> {
        &self.inner.shared.registry
    }

    /// the networks,
    pub(crate) fn networks(&self) -> Vec<Arc<Network>> {
        self.inner.catalog().networks()
    }

    /// the tables,
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.inner.catalog()
    }

    /// a table's columns and what it reads,
    pub(crate) fn table_once(&self, name: &str) -> Result<Option<TableOnce>, SqlError> {
        let catalog = self.inner.catalog();
        let Ok(table) = catalog.table(name) else { return Ok(None) };
        Ok(Some((Arc::clone(table), self.inner.shared.source_once(table)?)))
    }

    /// what a query keeps in memory,
    pub(crate) fn memory_of(&self, name: &str) -> Option<Arc<MemoryTable>> {
        let catalog = self.inner.catalog();
        self.inner.shared.memory_of(catalog.table(name).ok()?)
    }

    /// the time of a batch,
    pub(crate) fn now_ms(&self) -> i64 {
        self.inner.shared.env.clock.now_ms()
    }

    /// How many bytes one operator may remember.
    pub(crate) fn state_bytes_max(&self) -> usize {
        self.inner.shared.config.state_bytes_max
    }

    /// what queries share,
    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.inner.shared
    }

    /// and the engine's threads.
    pub(crate) fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> AbortHandle {
        self.inner.handle.spawn(work).abort_handle()
    }

    /// Counts up with every committed batch and every change of the catalog.
    pub fn watch(&self) -> watch::Receiver<u64> {
        self.inner.shared.changed.subscribe()
    }

    /// Finishes running batches and stops all queries. They go on at the next start.
    pub async fn close(self) {
        let _permit = self.inner.changing.acquire().await;
        let running = std::mem::take(&mut *lock(&self.inner.running));
        for query in running.values() {
            query.stop.send_replace(true);
        }
        for (_, query) in running {
            query.ended().await;
        }
        let runtime = lock(&self.inner.runtime).take();
        if let Some(runtime) = runtime {
            runtime.shutdown_background();
        }
    }
}

impl Inner {
    fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(&lock(&self.catalog))
    }

    /// Starts a query's task.
    fn run(&self, query: Query) {
        let name = query.progress.identity().name.to_lowercase();
        self.run_as(name, query, None);
    }

    /// Starts a query's task under this key, on a thread of its own: what the query waits for wakes that thread and no
    /// other, and the disk makes none wait but that.
    fn run_as(&self, key: String, query: Query, home: Option<PathBuf>) {
        let (stop, stopped) = watch::channel(false);
        let progress = Arc::clone(&query.progress);
        progress.running(query.reporter());
        let (work, cut) = abortable(query.run(stopped));
        let handle = self.handle.clone();
        let work = self.handle.spawn_blocking(move || handle.block_on(work));
        let (watched, changed) = (Arc::clone(&progress), self.shared.changed.clone());
        let task = self.handle.spawn(async move {
            if let Err(error) = work.await
                && error.is_panic()
            {
                watched.ended(QueryState::Failed, Some(format!("a defect of the engine: {error}")));
                changed.send_modify(|changes| *changes += 1);
            }
        });
        lock(&self.running).insert(key, Running { progress, stop, task: Some(task), cut, home });
    }

    /// Lists a query that does not run.
    fn list(&self, progress: Progress) {
        let name = progress.identity().name.to_lowercase();
        let progress = Arc::new(progress);
        let (stop, cut) = (watch::channel(true).0, CutHandle::new_pair().0);
        lock(&self.running).insert(name, Running { progress, stop, task: None, cut, home: None });
    }

    /// Stops a query and waits until it has.
    async fn stop(&self, name: &str) {
        let running = lock(&self.running).remove(&name.to_lowercase());
        if let Some(running) = running {
            running.stop.send_replace(true);
            running.ended().await;
        }
    }

    fn model_status(&self, object: &Object) -> Option<ModelStatus> {
        match object {
            Object::Table(_) | Object::Flow(_) => None,
            Object::Model(model) => {
                self.shared.registry.get(&model.name).map(|entry| entry.status(&model.options()))
            }
            Object::Contest(contest) => Some(self.contest_status(&contest.contest)),
            Object::Network(network) => Some(ModelStatus {
                name: network.name.clone(),
                algorithm: "onnx".to_owned(),
                options: BTreeMap::new(),
                features: None,
                label: None,
                version: 1,
                serving: None,
                rows_learned: 0,
                updated_ms: None,
                offsets: BTreeMap::new(),
                evaluation: serde_json::Value::Null,
                detail: serde_json::json!({
                    "input": network.network.input,
                    "output": network.network.output,
                }),
            }),
        }
    }
}

impl Inner {
    /// The champion's status under the name that it answers to, with how the contest stands.
    fn contest_status(&self, contest: &Contest) -> ModelStatus {
        let standing = contest.status(&self.shared.registry);
        let champion = standing.champion.as_ref().and_then(|name| self.shared.registry.get(name));
        let options = BTreeMap::from([("metric".to_owned(), standing.metric.clone())]);
        let status = champion.map(|entry| entry.status(&options)).unwrap_or_default();
        let detail = serde_json::to_value(standing).unwrap_or_default();
        ModelStatus { name: contest.name.clone(), algorithm: "contest".to_owned(), options, detail, ..status }
    }
}

impl Running {
    async fn ended(self) {
        if let Some(task) = self.task {
            // A task that panicked has said so; it is over either way.
            let _ = task.await;
        }
    }
}

impl Drop for Inner {
    /// Stops at the next moment that a task waits, as a crash would. Nothing is lost by it.
    fn drop(&mut self) {
        let Some(runtime) = lock(&self.runtime).take() else { return };
        for query in lock(&self.running).values() {
            query.cut.abort();
        }
        // A runtime may not be ended on a thread of another one; and whoever opens the same directory next
        // must not meet this engine's tasks.
        let ending = env::spawn_thread("pelton-query-end", move || runtime.shutdown_timeout(DROP_PATIENCE));
        if let Ok(ending) = ending {
            let _ = ending.join();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
