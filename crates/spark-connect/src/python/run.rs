//! The Python of one plan: its open tasks, and their end when the plan ends.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::Schema;
use datafusion::common::ScalarValue;
use env::Random;
use serde_json::Value;

use crate::python::failure::Failure;
use crate::python::function::Function;
use crate::python::pool::{Key, Pool};
use crate::python::profile::Figures;
use crate::python::task::{Given, Next, Task};
use crate::python::worker::{Killer, Word, Worker};
use crate::schema::UTC;
use crate::session::{Functions, Session, TIME_ZONE, Variables, lock};
use crate::wire::expression::InlineFunction;

/// How long functions may take for their last words after the last row.
const LAST_WORDS: Duration = Duration::from_secs(5);

/// Whether a worker that crashes prints where it was.
const FAULTS: &str = "spark.sql.execution.pyspark.udf.faulthandler.enabled";
/// How many seconds a worker may say nothing while it is waited for, and whether it is ended then.
const IDLE: &str = "spark.sql.execution.pyspark.udf.idleTimeoutSeconds";
const KILL: &str = "spark.sql.execution.pyspark.udf.killOnIdleTimeout";
/// What is measured of functions, and of data sources: `perf` or `memory`.
const PROFILER: &str = "spark.sql.pyspark.udf.profiler";
const SOURCE_PROFILER: &str = "spark.sql.pyspark.dataSource.profiler";
/// Whether a frame that is asked twice is the same one, whose functions have one profile.
const SAME_FRAMES: &str = "spark.connect.session.planCache.enabled";

/// What of the session's settings PySpark's worker reads.
const SETTINGS: &[&str] = &[
    TIME_ZONE,
    "spark.sql.execution.arrow.maxBytesPerBatch",
    "spark.sql.execution.arrow.maxRecordsPerBatch",
    "spark.sql.execution.pandas.convertToArrowArraySafely",
    "spark.sql.execution.pyspark.binaryAsBytes",
    FAULTS,
    IDLE,
    KILL,
    "spark.sql.execution.pythonUDF.arrow.concurrency.level",
    "spark.sql.execution.pythonUDF.pandas.intToDecimalCoercionEnabled",
    "spark.sql.execution.pythonUDF.pandas.preferIntExtensionDtype",
    "spark.sql.legacy.execution.pandas.groupedMap.assignColumnsByName",
    "spark.sql.legacy.execution.pythonUDF.pandas.conversion.enabled",
    "spark.sql.legacy.execution.pythonUDTF.pandas.conversion.enabled",
    PROFILER,
    SOURCE_PROFILER,
];

/// The Python of one plan.
#[derive(Debug)]
pub(crate) struct Run {
    pool: Arc<Pool>,
    key: Key,
    settings: BTreeMap<&'static str, String>,
    paths: Vec<String>,
    files: Option<String>,
    /// Functions of the session that SQL can name.
    functions: Functions,
    variables: Variables,
    database: String,
    random: Arc<dyn Random>,
    calls: AtomicU64,
    /// Who hears what is measured, if anything is.
    figures: Option<Figures>,
    /// The relation that is planned, and what tells its functions from those of the same relation in another plan.
    relation: AtomicI64,
    salt: u64,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    stopped: bool,
    busy: Vec<Killer>,
    /// Tasks that wait for the next batch of their call.
    parked: HashMap<u64, Vec<Task>>,
}

/// Ends the Python of a plan when it is dropped.
#[derive(Debug)]
pub(crate) struct Guard(Arc<Run>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Deref for Guard {
    type Target = Arc<Run>;

    fn deref(&self) -> &Arc<Run> {
        &self.0
    }
}

impl Run {
    /// For a plan of the session; it ends with the guard.
    pub(crate) fn of(session: &Session) -> Guard {
        let pool = Arc::clone(&session.python);
        let program = session.setting("spark.pyspark.python").filter(|program| !program.is_empty());
        let program = program.map_or_else(|| pool.program.clone(), Into::into);
        let (paths, files) = session.uploads();
        let setting = |key: &&'static str| session.setting(key).map(|value| (*key, value));
        let settings: BTreeMap<_, _> = SETTINGS.iter().filter_map(setting).collect();
        let measures = settings.contains_key(PROFILER) || settings.contains_key(SOURCE_PROFILER);
        let same = session.setting(SAME_FRAMES).is_none_or(|value| !value.eq_ignore_ascii_case("false"));
        let random = Arc::clone(&session.env.random);
        Guard(Arc::new(Run {
            key: Key { program, session: session.id.clone() },
            settings,
            paths,
            files,
            functions: session.functions(),
            variables: session.variables(),
            database: session.database(),
            salt: if same { 0 } else { random.next_u64() },
            random,
            figures: Figures::of_operation().filter(|_| measures),
            relation: AtomicI64::new(0),
            calls: AtomicU64::new(0),
            state: Mutex::default(),
            pool,
        }))
    }

    /// A function that the session registered.
    pub(crate) fn function(&self, name: &str) -> Option<&InlineFunction> {
        self.functions.get(name).map(|function| &**function)
    }

    /// What a variable of the session holds.
    pub(crate) fn variable(&self, parts: &[String]) -> Option<&ScalarValue> {
        self.variables.get(&crate::sql::variable_name(parts)?).map(|variable| &variable.value)
    }

    /// The database that names without one mean.
    pub(crate) fn database(&self) -> &str {
        &self.database
    }

    /// A seed for a random function that is given none.
    pub(crate) fn new_seed(&self) -> i64 {
        self.random.next_u64().cast_signed()
    }

    /// A number for a call in the plan.
    pub(crate) fn new_call(&self) -> u64 {
        self.calls.fetch_add(1, Ordering::Relaxed)
    }

    /// A relation is planned; the one around it.
    pub(crate) fn plans(&self, relation: i64) -> i64 {
        self.relation.swap(relation, Ordering::Relaxed)
    }

    /// Who hears what is measured of functions.
    pub(crate) fn figures(&self) -> Option<&Figures> {
        self.figures.as_ref()
    }

    /// The number under which a function of these arguments is measured, if it is: the same one each time that its frame is
    /// asked.
    pub(crate) fn profile(&self, function: &Function, arguments: &(impl Hash + ?Sized)) -> Option<i64> {
        self.figures.as_ref()?;
        let mut hasher = DefaultHasher::new();
        (self.salt, self.relation.load(Ordering::Relaxed)).hash(&mut hasher);
        function.hash(&mut hasher);
        arguments.hash(&mut hasher);
        // As long as people read numbers.
        Some((hasher.finish() >> 33).cast_signed())
    }

    pub(crate) fn settings(&self) -> &BTreeMap<&'static str, String> {
        &self.settings
    }

    /// How long a worker may say nothing, if there is an end to it.
    pub(crate) fn patience(&self) -> Option<Duration> {
        let killed = self.settings.get(KILL).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let seconds =
            self.settings.get(IDLE).and_then(|text| text.trim_end_matches('s').trim().parse::<u64>().ok());
        seconds.filter(|seconds| killed && *seconds > 0).map(Duration::from_secs)
    }

    /// The session's zone.
    pub(crate) fn zone(&self) -> &str {
        self.settings.get(TIME_ZONE).map_or(UTC, String::as_str)
    }

    pub(crate) fn paths(&self) -> &[String] {
        &self.paths
    }

    /// Where the session's files are.
    pub(crate) fn files(&self) -> Option<&str> {
        self.files.as_deref()
    }

    /// A worker for a task.
    fn take(&self) -> Result<Worker, Failure> {
        let worker = self.pool.take(&self.key)?;
        self.watched(worker)
    }

    /// Another worker in the place of one that is gone.
    fn replace(&self, worker: Worker) -> Result<Worker, Failure> {
        drop(worker);
        let worker = self.pool.start(&self.key)?;
        self.watched(worker)
    }

    /// Hands a worker a task; says what it answers first.
    pub(crate) fn open(
        &self,
        about: &Value,
        code: &[u8],
    ) -> Result<(Worker, std::io::Result<Word>), Failure> {
        let about = about.to_string();
        let length = i32::try_from(about.len()).unwrap_or(i32::MAX).to_be_bytes();
        let message: [&[u8]; 3] = [&length, about.as_bytes(), code];
        let mut worker = self.take()?;
        let mut first = worker.send(b'T', &message).and_then(|()| worker.receive());
        if first.is_err() && worker.used {
            // It may have ended just now, as idle workers do.
            worker = self.replace(worker)?;
            first = worker.send(b'T', &message).and_then(|()| worker.receive());
        }
        Ok((worker, first))
    }

    fn watched(&self, worker: Worker) -> Result<Worker, Failure> {
        let mut state = lock(&self.state);
        if state.stopped {
            drop(state);
            self.pool.gone();
            return Err(Failure::Stopped);
        }
        state.busy.push(worker.killer());
        Ok(worker)
    }

    /// Has a task of its own take all of these: the rows it makes, and its last words.
    pub(crate) fn whole(
        &self,
        function: &Arc<Function>,
        arguments: &[usize],
        input: &Schema,
        given: impl IntoIterator<Item = Result<Given, Failure>>,
    ) -> Result<(Vec<RecordBatch>, Vec<u8>), Failure> {
        let (mut task, next) = Task::begin(function, arguments, input, self)?;
        let mut made = Vec::new();
        match task.all(next, given, &mut made) {
            Ok(_) => {
                let last = task.last();
                self.finish(task);
                Ok((made, last))
            }
            Err(failure) => {
                self.lost(task);
                Err(self.reason(failure))
            }
        }
    }

    /// A task of the call that waits for a batch.
    pub(crate) fn parked(&self, call: u64) -> Option<Task> {
        lock(&self.state).parked.get_mut(&call)?.pop()
    }

    /// Keeps a task for the next batch.
    pub(crate) fn park(&self, call: u64, task: Task) {
        let mut state = lock(&self.state);
        if state.stopped {
            drop(state);
            self.lost(task);
            return;
        }
        state.parked.entry(call).or_default().push(task);
    }

    /// Takes back the worker of a task that has finished.
    pub(crate) fn finish(&self, task: Task) {
        self.release(task.into_worker());
    }

    /// Takes back a worker that has finished.
    pub(crate) fn release(&self, worker: Worker) {
        let killer = worker.killer();
        lock(&self.state).busy.retain(|busy| !busy.is(&killer));
        if worker.patience(None).is_err() {
            self.pool.gone();
            return;
        }
        self.pool.give(self.key.clone(), worker);
    }

    /// Ends the worker of a task that failed.
    pub(crate) fn lost(&self, task: Task) {
        self.end(task.into_worker());
    }

    /// Ends a worker.
    pub(crate) fn end(&self, worker: Worker) {
        let killer = worker.killer();
        lock(&self.state).busy.retain(|busy| !busy.is(&killer));
        self.pool.gone();
        drop(worker);
    }

    /// Where a worker finds the door, to be a client of the session.
    pub(crate) fn door(&self) -> SocketAddr {
        self.pool.door
    }

    /// The error, or that the plan was stopped if that is why.
    pub(crate) fn reason(&self, failure: Failure) -> Failure {
        if lock(&self.state).stopped { Failure::Stopped } else { failure }
    }

    /// Ends everything: tasks that wait are let finish, the others are killed.
    pub(crate) fn stop(self: &Arc<Self>) {
        let parked: Vec<Task> = {
            let mut state = lock(&self.state);
            state.stopped = true;
            let parked: Vec<Task> = state.parked.drain().flat_map(|(_, tasks)| tasks).collect();
            let waits = |killer: &Killer| parked.iter().any(|task| task.worker().killer().is(killer));
            state.busy.retain(|killer| {
                let waits = waits(killer);
                if !waits {
                    killer.kill();
                }
                waits
            });
            parked
        };
        if parked.is_empty() {
            return;
        }
        let run = Arc::clone(self);
        let waits = self.figures().and_then(Figures::wait);
        let last = move || {
            parked.into_iter().for_each(|task| run.last_words(task));
            drop(waits);
        };
        if let Err(error) = env::spawn_thread("python-end", last) {
            tracing::warn!(%error, "end Python workers");
        }
    }

    fn last_words(&self, mut task: Task) {
        let mut rows = Vec::new();
        let told = task.worker().patience(Some(LAST_WORDS)).is_ok() && task.end().is_ok();
        let finished = told && matches!(task.wait(&mut rows), Ok(Next::Finished));
        if finished && task.worker().patience(None).is_ok() { self.finish(task) } else { self.lost(task) }
    }
}
