//! What the door remembers of each client between calls.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use datafusion::common::ScalarValue;
use engine::Engine;
use engine::language::SqlFunction;
use env::Env;
use tonic::Status;

use crate::error::{Class, Result, SparkError};
use crate::operation::Operation;
use crate::plan::frame::{Held, Stored, Views};
use crate::python::{Modules, Pool};
use crate::sql::SqlFunctions;
use crate::streaming::{Kafka, Streams};
use crate::wire::command::DataSource;
use crate::wire::expression::InlineFunction;
use crate::wire::function::TableFunction;
use crate::wire::types::StorageLevel;

mod views;

/// The setting of the session's zone.
pub(crate) const TIME_ZONE: &str = "spark.sql.session.timeZone";
/// How many sessions are kept.
const SESSIONS_MAX: usize = 1000;
/// How many operations a session keeps before it forgets those that ended.
const OPERATIONS_MAX: usize = 1000;
/// How many frames of a session are known to be kept.
const PERSISTED_MAX: usize = 10_000;
/// Resource profiles of a session.
const PROFILES_MAX: usize = 1000;
/// How many errors of a session can be asked for.
const ERRORS_MAX: usize = 100;
/// Bytes of artifacts that a session may keep.
const ARTIFACT_BYTES_MAX: usize = 1 << 30;

/// All sessions, by user and session id.
pub(crate) struct Sessions {
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    python: Arc<Pool>,
    kafka: Kafka,
    /// Views that every session sees.
    globals: Arc<Mutex<Views>>,
    sessions: Mutex<HashMap<String, Arc<Session>>>,
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Sessions")
    }
}

/// One client's session.
pub(crate) struct Session {
    pub(crate) id: String,
    /// The same in every answer: a client that sees another one knows that its server was restarted.
    pub(crate) server_id: String,
    pub(crate) engine: Engine,
    pub(crate) env: Env,
    pub(crate) python: Arc<Pool>,
    /// Where the server's own log is.
    pub(crate) kafka: Kafka,
    pub(crate) streams: Arc<Streams>,
    globals: Arc<Mutex<Views>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    config: BTreeMap<String, String>,
    /// The database that names without one mean, if not `default`.
    database: Option<String>,
    /// Views by name in lower case: `v`, or `db.v` of one that is in a database.
    views: Views,
    functions: Functions,
    table_functions: TableFunctions,
    sources: Sources,
    sql_functions: SqlFunctions,
    variables: Variables,
    /// Tables and views that the script said to cache.
    cached: BTreeSet<String>,
    /// Frames that it said to keep, by numbers of their relations, and where.
    persisted: HashMap<u64, StorageLevel>,
    modules: Modules,
    /// The processors that a task has, of each resource profile.
    cpus: Vec<u32>,
    /// Relations that the client holds by id.
    held: HashMap<String, Stored>,
    operations: HashMap<String, Arc<Operation>>,
    errors: VecDeque<(String, SparkError)>,
    artifacts: HashMap<String, Bytes>,
    artifact_bytes: usize,
}

/// Python functions by name, in lower case.
pub(crate) type Functions = Arc<BTreeMap<String, Arc<InlineFunction>>>;

/// Table functions of Python by name, in lower case.
pub(crate) type TableFunctions = Arc<BTreeMap<String, Arc<TableFunction>>>;

/// Data sources of Python by name, in lower case.
type Sources = Arc<BTreeMap<String, Arc<DataSource>>>;

/// Variables of SQL by name, in lower case.
pub(crate) type Variables = Arc<BTreeMap<String, Variable>>;

/// A variable of SQL.
#[derive(Debug, Clone)]
pub(crate) struct Variable {
    pub(crate) value: ScalarValue,
    /// What it was declared with.
    pub(crate) first: ScalarValue,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Sessions {
    pub(crate) fn new(engine: Engine, env: Env, python: Pool, kafka: Kafka) -> Self {
        let (globals, sessions) = (Arc::default(), Mutex::default());
        Sessions { engine, env, python: Arc::new(python), kafka, globals, sessions }
    }

    /// The client's session, made if there is none.
    pub(crate) fn session(&self, id: &str) -> Result<Arc<Session>, Status> {
        if uuid::Uuid::try_parse(id).is_err() {
            return Err(Status::invalid_argument("[INVALID_HANDLE.FORMAT] a session's id is a UUID"));
        }
        let mut sessions = lock(&self.sessions);
        if let Some(session) = sessions.get(id) {
            return Ok(Arc::clone(session));
        }
        if sessions.len() >= SESSIONS_MAX {
            return Err(Status::resource_exhausted(format!("there are {SESSIONS_MAX} sessions already")));
        }
        let session = Arc::new(self.fresh(id, State::default()));
        sessions.insert(id.to_owned(), Arc::clone(&session));
        Ok(session)
    }

    fn fresh(&self, id: &str, state: State) -> Session {
        Session {
            id: id.to_owned(),
            server_id: self.new_id(),
            engine: self.engine.clone(),
            env: self.env.clone(),
            python: Arc::clone(&self.python),
            kafka: self.kafka,
            streams: Arc::default(),
            globals: Arc::clone(&self.globals),
            state: Mutex::new(state),
        }
    }

    fn new_id(&self) -> String {
        new_id(&self.env)
    }

    /// A session with the settings and views of another one.
    pub(crate) fn clone_session(&self, from: &Session, id: Option<&str>) -> Arc<Session> {
        let id = id.map_or_else(|| self.new_id(), str::to_owned);
        let state = {
            let from = lock(&from.state);
            State {
                config: from.config.clone(),
                database: from.database.clone(),
                views: from.views.clone(),
                functions: from.functions.clone(),
                table_functions: from.table_functions.clone(),
                sources: from.sources.clone(),
                sql_functions: from.sql_functions.clone(),
                variables: from.variables.clone(),
                ..State::default()
            }
        };
        let session = Arc::new(self.fresh(&id, state));
        lock(&self.sessions).insert(id, Arc::clone(&session));
        session
    }

    /// Forgets a session and ends what runs in it.
    pub(crate) fn release(&self, id: &str) -> Option<Arc<Session>> {
        let session = lock(&self.sessions).remove(id)?;
        session.end();
        Some(session)
    }

    /// Ends everything.
    pub(crate) async fn close(&self) {
        let sessions: Vec<_> = lock(&self.sessions).drain().map(|(_, session)| session).collect();
        for session in sessions {
            session.end();
        }
        self.python.end(None);
    }
}

/// A UUID from the environment's randomness.
pub(crate) fn new_id(env: &Env) -> String {
    let (high, low) = (env.random.next_u64(), env.random.next_u64());
    let bytes = (u128::from(high) << 64 | u128::from(low)).to_be_bytes();
    uuid::Builder::from_random_bytes(bytes).into_uuid().to_string()
}

impl Session {
    pub(crate) fn new_id(&self) -> String {
        new_id(&self.env)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    fn end(&self) {
        let operations: Vec<_> = self.state().operations.drain().collect();
        for (_, operation) in operations {
            operation.interrupt();
        }
        let streams = Arc::clone(&self.streams);
        tokio::spawn(async move { streams.end().await });
        self.python.end(Some(&self.id));
    }

    /// Where workers find what the session uploaded: modules, and files.
    pub(crate) fn uploads(&self) -> (Vec<String>, Option<String>) {
        let state = self.state();
        (state.modules.paths(), state.modules.files())
    }

    /// Functions that SQL can name.
    pub(crate) fn functions(&self) -> Functions {
        Arc::clone(&self.state().functions)
    }

    /// Gives a function a name.
    pub(crate) fn register(&self, function: InlineFunction) {
        let name = function.function_name.to_lowercase();
        Arc::make_mut(&mut self.state().functions).insert(name, Arc::new(function));
    }

    /// Table functions that SQL can name.
    pub(crate) fn table_functions(&self) -> TableFunctions {
        Arc::clone(&self.state().table_functions)
    }

    /// Gives a table function a name.
    pub(crate) fn register_table(&self, function: TableFunction) {
        let name = function.function_name.to_lowercase();
        Arc::make_mut(&mut self.state().table_functions).insert(name, Arc::new(function));
    }

    /// Keeps the processors that a resource profile gives each task; its number, from 1.
    pub(crate) fn add_profile(&self, cpus: u32) -> Result<i32> {
        let mut state = self.state();
        if state.cpus.len() >= PROFILES_MAX {
            return Err(SparkError::argument(format!(
                "A session has up to {PROFILES_MAX} resource profiles."
            )));
        }
        state.cpus.push(cpus);
        Ok(i32::try_from(state.cpus.len()).unwrap_or(i32::MAX))
    }

    /// The processors that a resource profile gives each task.
    pub(crate) fn cpus(&self, profile: i32) -> Result<u32> {
        let place = usize::try_from(profile).ok().and_then(|number| number.checked_sub(1));
        let known = place.and_then(|place| self.state().cpus.get(place).copied());
        known.ok_or_else(|| SparkError::argument(format!("There is no resource profile {profile}.")))
    }

    /// A data source of Python.
    pub(crate) fn source(&self, name: &str) -> Option<Arc<DataSource>> {
        self.state().sources.get(&name.to_lowercase()).cloned()
    }

    /// Gives a data source a name, which must not be one of the server's own.
    pub(crate) fn register_source(&self, source: DataSource) -> Result<()> {
        let name = source.name.to_lowercase();
        if ["csv", "json", "kafka", "parquet", "rate", "socket", "text"].contains(&name.as_str()) {
            let text =
                format!("Data source '{}' already exists. Please choose a different name.", source.name);
            return Err(SparkError::new(Class::Analysis, "DATA_SOURCE_ALREADY_EXISTS", "42710", text)
                .with("provider", source.name.as_str()));
        }
        Arc::make_mut(&mut self.state().sources).insert(name, Arc::new(source));
        Ok(())
    }

    /// Functions that SQL itself says.
    pub(crate) fn sql_functions(&self) -> SqlFunctions {
        Arc::clone(&self.state().sql_functions)
    }

    /// Keeps a function; says whether there is one of this name already.
    pub(crate) fn create_function(&self, function: SqlFunction) -> bool {
        let mut state = self.state();
        let taken = state.sql_functions.contains_key(&function.name);
        if taken && !function.replace {
            return true;
        }
        Arc::make_mut(&mut state.sql_functions).insert(function.name.clone(), Arc::new(function));
        false
    }

    pub(crate) fn drop_function(&self, name: &str) -> bool {
        Arc::make_mut(&mut self.state().sql_functions).remove(name).is_some()
    }

    pub(crate) fn variables(&self) -> Variables {
        Arc::clone(&self.state().variables)
    }

    pub(crate) fn variable(&self, name: &str) -> Option<Variable> {
        self.state().variables.get(name).cloned()
    }

    pub(crate) fn set_variable(&self, name: &str, variable: Variable) {
        Arc::make_mut(&mut self.state().variables).insert(name.to_owned(), variable);
    }

    pub(crate) fn drop_variable(&self, name: &str) -> bool {
        Arc::make_mut(&mut self.state().variables).remove(name).is_some()
    }

    /// Notes the error, so that its details can be asked for.
    pub(crate) fn refuse(&self, error: &SparkError) -> Status {
        let id = self.new_id();
        let mut state = self.state();
        if state.errors.len() == ERRORS_MAX {
            state.errors.pop_front();
        }
        state.errors.push_back((id.clone(), error.clone()));
        error.status(&id)
    }

    pub(crate) fn error(&self, id: &str) -> Option<SparkError> {
        self.state().errors.iter().find(|(known, _)| known == id).map(|(_, error)| error.clone())
    }

    /// A setting as it was set, or as Spark begins with.
    pub(crate) fn setting(&self, key: &str) -> Option<String> {
        let set = self.state().config.get(key).cloned();
        set.or_else(|| crate::service::config::default(key).map(str::to_owned))
    }

    /// The name of the zone whose days and hours are meant.
    pub(crate) fn zone(&self) -> String {
        self.setting(TIME_ZONE).unwrap_or_else(|| "UTC".to_owned())
    }

    pub(crate) fn set(&self, key: &str, value: Option<String>) {
        let mut state = self.state();
        match value {
            Some(value) => state.config.insert(key.to_owned(), value),
            None => state.config.remove(key),
        };
    }

    pub(crate) fn settings(&self) -> BTreeMap<String, String> {
        self.state().config.clone()
    }

    /// Keeps a relation until the client lets go of it; says by which id.
    pub(crate) fn hold(&self, stored: Stored) -> String {
        let id = self.new_id();
        self.state().held.insert(id.clone(), stored);
        id
    }

    /// All frames that the client holds now.
    pub(crate) fn all_held(&self) -> Held {
        Arc::new(self.state().held.iter().map(|(id, stored)| (id.clone(), stored.clone())).collect())
    }

    pub(crate) fn held(&self, id: &str) -> Option<Stored> {
        self.state().held.get(id).cloned()
    }

    pub(crate) fn let_go(&self, id: &str) {
        self.state().held.remove(id);
    }

    pub(crate) fn begin(&self, operation: Arc<Operation>) -> Result<()> {
        let mut state = self.state();
        if state.operations.contains_key(&operation.id) {
            let text = format!("The handle {} is invalid. Operation already exists.", operation.id);
            return Err(SparkError::new(
                Class::Spark,
                "INVALID_HANDLE.OPERATION_ALREADY_EXISTS",
                "HY000",
                text,
            ));
        }
        if state.operations.len() >= OPERATIONS_MAX {
            // Those that their client forgot to release.
            state.operations.retain(|_, operation| !operation.ended());
        }
        state.operations.insert(operation.id.clone(), operation);
        Ok(())
    }

    pub(crate) fn operation(&self, id: &str) -> Option<Arc<Operation>> {
        self.state().operations.get(id).cloned()
    }

    pub(crate) fn operations(&self) -> Vec<Arc<Operation>> {
        self.state().operations.values().cloned().collect()
    }

    pub(crate) fn forget(&self, operation: &str) -> Option<Arc<Operation>> {
        self.state().operations.remove(operation)
    }

    pub(crate) fn artifact(&self, name: &str) -> Option<Bytes> {
        self.state().artifacts.get(name).cloned()
    }

    pub(crate) fn add_artifact(&self, name: &str, data: Bytes) -> Result<()> {
        let mut state = self.state();
        let bytes = state.artifact_bytes + data.len();
        if bytes > ARTIFACT_BYTES_MAX {
            let text = format!("The session's artifacts exceed {ARTIFACT_BYTES_MAX} bytes.");
            return Err(SparkError::new(Class::Spark, "OUT_OF_MEMORY", "53200", text));
        }
        state.modules.keep(name, &data)?;
        let before = state.artifacts.insert(name.to_owned(), data).map_or(0, |old| old.len());
        state.artifact_bytes = bytes - before;
        Ok(())
    }
}
