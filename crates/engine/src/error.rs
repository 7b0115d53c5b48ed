//! What can go wrong, one enum per operation.

use std::io;
use std::path::PathBuf;

use crate::outside::OutsideError;
use crate::sink::postgres::Refused;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong: change it.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// It contradicts what exists.
    Conflict,
    /// The same request may work later.
    Retry,
    /// Stored bytes are damaged; the message names file and position.
    Corrupt,
    /// The engine is closed.
    Closed,
    /// A defect or an outside failure; the source tells more.
    Internal,
}

/// A place in a statement, both counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Position {
    /// The line.
    pub line: u64,
    /// The column.
    pub column: u64,
}

impl std::fmt::Display for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why [`Engine::open`](crate::Engine::open) failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The directory, the catalog or a journal could not be read or written.
    #[error("open {path}", path = path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A file holds what this version never writes.
    #[error("{file} is damaged at byte {position}: {reason}", file = file.display())]
    Corrupt {
        /// The file.
        file: PathBuf,
        /// Where.
        position: u64,
        /// What was met there.
        reason: String,
    },
    /// A file was written by a newer Pelton.
    #[error("{file} has format version {version}; this program reads up to {known}", file = file.display())]
    Version {
        /// The file.
        file: PathBuf,
        /// The version it states.
        version: u64,
        /// The newest version known here.
        known: u64,
    },
    /// An entry of the catalog cannot be brought back.
    #[error("restore {name}")]
    Restore {
        /// The table, model or function.
        name: String,
        /// Why.
        source: Cause,
    },
    /// The queries that are there read and write another Kafka's topics than is asked for now: their offsets would
    /// mean other records.
    #[error(
        "the tables in this data directory are over {}, not {}; start with that, or with another data directory",
        kafka_of(stored.as_ref()), kafka_of(asked.as_ref())
    )]
    OtherKafka {
        /// The brokers that the tables are over; `None` is the log of this program.
        stored: Option<String>,
        /// Those that are asked for.
        asked: Option<String>,
    },
    /// The runtime's threads could not be started.
    #[error("start the engine's threads")]
    Runtime(#[source] io::Error),
}

impl OpenError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            OpenError::Io { .. } | OpenError::Restore { .. } | OpenError::Runtime(_) => ErrorKind::Internal,
            OpenError::Corrupt { .. } => ErrorKind::Corrupt,
            OpenError::Version { .. } => ErrorKind::Invalid,
            OpenError::OtherKafka { .. } => ErrorKind::Conflict,
        }
    }

    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| OpenError::Io { path, source }
    }

    pub(crate) fn restore(name: &str, source: impl Into<Cause>) -> Self {
        OpenError::Restore { name: name.to_owned(), source: source.into() }
    }
}

fn kafka_of(brokers: Option<&String>) -> String {
    brokers.map_or_else(|| "this program's own log".to_owned(), |brokers| format!("the Kafka at {brokers}"))
}

/// Why a statement was refused or failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqlError {
    /// The statement is not understood.
    #[error("{position}: {reason}")]
    Syntax {
        /// Where.
        position: Position,
        /// What was met and what would have been right.
        reason: String,
    },
    /// A name is not known.
    #[error("{what} {name} does not exist; {known}")]
    Unknown {
        /// `table`, `model`, ...
        what: &'static str,
        /// The name.
        name: String,
        /// What there is instead.
        known: String,
    },
    /// A name is taken.
    #[error("{what} {name} exists already")]
    Exists {
        /// `table`, `model`, ...
        what: &'static str,
        /// The name.
        name: String,
    },
    /// Something else stands on what the statement would take away.
    #[error("{name} is used by {users}; drop that first")]
    InUse {
        /// What the statement names.
        name: String,
        /// Who uses it.
        users: String,
    },
    /// The statement asks for what a streaming query cannot do.
    #[error("a streaming query cannot {0}")]
    Unsupported(String),
    /// An option or a value does not fit.
    #[error("{what}: {reason}")]
    Invalid {
        /// The option or the value.
        what: String,
        /// Why it does not fit.
        reason: String,
    },
    /// The query could not be planned.
    #[error("plan the query: {0}")]
    Plan(#[source] datafusion_cause::Planner),
    /// The statement was right and failed all the same.
    #[error("{attempt}")]
    Failed {
        /// What was attempted.
        attempt: String,
        /// Why it failed.
        source: Cause,
    },
    /// The engine is closed.
    #[error("the engine is closed")]
    Closed,
}

impl SqlError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            SqlError::Syntax { .. }
            | SqlError::Unsupported(_)
            | SqlError::Invalid { .. }
            | SqlError::Plan(_) => ErrorKind::Invalid,
            SqlError::Unknown { .. } => ErrorKind::NotFound,
            SqlError::Exists { .. } | SqlError::InUse { .. } => ErrorKind::Conflict,
            SqlError::Failed { .. } => ErrorKind::Internal,
            SqlError::Closed => ErrorKind::Closed,
        }
    }

    pub(crate) fn invalid(what: impl Into<String>, reason: impl Into<String>) -> Self {
        SqlError::Invalid { what: what.into(), reason: reason.into() }
    }

    pub(crate) fn failed(attempt: impl Into<String>, source: impl Into<Cause>) -> Self {
        SqlError::Failed { attempt: attempt.into(), source: source.into() }
    }

    pub(crate) fn plan(error: &datafusion::error::DataFusionError) -> Self {
        SqlError::Plan(datafusion_cause::Planner::new(error))
    }
}

/// The planner's words without its types: the public API names no DataFusion type.
mod datafusion_cause {
    /// What the planner said.
    #[derive(Debug, thiserror::Error)]
    #[error("{0}")]
    pub struct Planner(String);

    impl Planner {
        pub(crate) fn new(error: &datafusion::error::DataFusionError) -> Self {
            Planner(plain(&error.strip_backtrace()))
        }
    }

    /// A table by the name that the query has for it, and a piece of syntax by its own.
    fn plain(text: &str) -> String {
        if let Some((before, after)) = text.split_once("table 'datafusion.public.")
            && let Some((name, rest)) = after.split_once("' not found")
        {
            let before = before.trim_end_matches("Error during planning: ");
            return format!("{before}table {name} does not exist{rest}");
        }
        match text.split_once("Unsupported ast node ") {
            Some((before, node)) => {
                let name = node.split([' ', '(', '{']).next().unwrap_or_default();
                format!("{before}{} is not supported here", name.to_uppercase())
            }
            None => text.to_owned(),
        }
    }
}

/// Why a source gave no records.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("topic {topic} does not exist any more")]
    NoTopic { topic: String },
    #[error(
        "partition {partition} of topic {topic} does not hold the offsets {from} to {to} any more; \
         drop and create the query, or create it with failOnDataLoss false"
    )]
    Lost { topic: String, partition: u32, from: i64, to: i64 },
    #[error("topic {topic} has no partition {partition}")]
    NoPartition { topic: String, partition: u32 },
    #[error(
        "partition {partition} of topic {topic} has no record at or after {time}; begin earlier, or with \
         startingOffsetsByTimestampStrategy 'latest'"
    )]
    NoTime { topic: String, partition: u32, time: i64 },
    #[error("{attempt} {path}", path = path.display())]
    File { attempt: &'static str, path: PathBuf, source: io::Error },
    #[error("{path}: {reason}", path = path.display())]
    BadFile { path: PathBuf, reason: String },
    #[error("connect to {address}")]
    Connect { address: String, source: io::Error },
    #[error(transparent)]
    Outside(#[from] OutsideError),
    #[error(
        "{logs} does not hold the records after the query's offsets any more; drop and create the query, or create \
         it with failOnDataLoss false"
    )]
    Gone { logs: String },
    #[error("read partition {partition} of topic {topic}")]
    Read { topic: String, partition: u32, source: topics::ReadError },
    #[error("make partition {partition} of topic {topic} durable")]
    Flush { topic: String, partition: u32, source: topics::AppendError },
    #[error("decode a record batch")]
    Batch(#[from] record::Error),
    #[error("decode records")]
    Decode(#[source] datafusion::arrow::error::ArrowError),
}

impl SourceError {
    /// Whether trying again later can help.
    pub(crate) fn is_passing(&self) -> bool {
        matches!(self, SourceError::File { source, .. } if crate::storage::is_passing(source))
    }
}

/// Why a sink did not take rows.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SinkError {
    #[error("topic {topic} does not exist any more")]
    NoTopic { topic: String },
    #[error("topic {topic} has lost partition {partition}")]
    NoPartition { topic: String, partition: u32 },
    #[error("a row names no topic, and the query has no option topic")]
    Unaddressed,
    #[error("create topic {topic}")]
    Create { topic: String, source: topics::CreateError },
    #[error("write to partition {partition} of topic {topic}")]
    Append { topic: String, partition: u32, source: topics::AppendError },
    #[error("write files to {directory}", directory = directory.display())]
    Files { directory: PathBuf, source: io::Error },
    #[error("write to table {table} of PostgreSQL")]
    Postgres { table: String, source: Refused },
    #[error("print to the console")]
    Console(#[source] io::Error),
    #[error(
        "memory table {table} would take {bytes} bytes, {bytes_max} are allowed; \
         write to a topic or files instead, or give it a key"
    )]
    Full { table: String, bytes: usize, bytes_max: usize },
    #[error("hand rows over")]
    Receiver(#[source] Cause),
    #[error(transparent)]
    Outside(#[from] OutsideError),
    #[error("encode rows")]
    Encode(#[from] datafusion::arrow::error::ArrowError),
}

/// Why a query stopped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum QueryError {
    #[error("read the source")]
    Source(#[from] SourceError),
    #[error("run the plan")]
    Plan(#[from] datafusion::error::DataFusionError),
    #[error("run the query")]
    Operator(#[from] crate::operator::stateful::OperatorError),
    #[error("{table} is joined with a stream: it needs {needed} bytes in memory and may take {limit}")]
    LargeTable { table: String, needed: usize, limit: usize },
    #[error("write the state")]
    State(#[from] crate::state::StateError),
    #[error("write the results")]
    Sink(#[from] SinkError),
    #[error("write the journal")]
    Journal(#[source] io::Error),
    #[error("version {version} of model {model}, which the batch had pinned, is not there any more")]
    NoVersion { model: String, version: u64 },
}

/// An error with all its causes, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let message = error.to_string();
        if !text.ends_with(&message) {
            text.push_str(": ");
            text.push_str(&message);
        }
        cause = error.source();
    }
    text
}
