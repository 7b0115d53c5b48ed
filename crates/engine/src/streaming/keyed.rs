//! Functions of each key's rows that remember something of the key.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::datatypes::SchemaRef;
use datafusion::logical_expr::{Extension, LogicalPlan};
use futures::future::BoxFuture;

use crate::dataframe::DataFrames;
use crate::error::SqlError;
use crate::plan::keyed::KeyedMap;
use crate::streaming::OutputMode;

/// When the function is called for a key that gets no rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timeout {
    /// Never.
    None,
    /// When the time of a batch has reached the key's time.
    ProcessingTime,
    /// When the watermark has passed the key's time.
    EventTime,
}

/// Which of the times that functions name have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Due {
    /// Those that have passed, of keys without rows: `applyInPandasWithState` has one of each key, and a call takes it away.
    Passed,
    /// Those that are reached, of all keys: the timers of `transformWithState`, any number of each key. Its rows come too late
    /// by the watermark that stood before the last batch, as Spark's do.
    Reached,
}

/// What is known of a key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyState {
    /// What the function made of it; nobody else reads it.
    pub value: Option<Vec<u8>>,
    /// When the key times out, in Unix milliseconds.
    pub timeout_ms: Option<i64>,
}

/// Rows by their keys, for one call.
#[derive(Debug, Clone)]
pub struct KeyedRows {
    /// The rows of the first key, then those of the second. Of a key that has timed out, one row that holds the key
    /// and nothing else.
    pub rows: RecordBatch,
    /// How many rows each key has.
    pub lengths: Vec<usize>,
    /// What is known of each key.
    pub states: Vec<Option<Vec<u8>>>,
    /// The keys have timed out.
    pub timed_out: bool,
    /// The time of the batch, in Unix milliseconds; a batch that runs again has the same.
    pub time_ms: i64,
    /// The watermark, in Unix milliseconds, if the stream has one and it is known.
    pub watermark_ms: Option<i64>,
}

/// What the function made of them.
#[derive(Debug, Clone, Default)]
pub struct KeyedAnswer {
    /// Rows of the output.
    pub rows: Vec<RecordBatch>,
    /// What is to be known of each key from now on; one without a value and without a timeout is forgotten.
    pub states: Vec<KeyState>,
}

/// What a function's failure is.
type Cause = Box<dyn std::error::Error + Send + Sync>;

/// The function.
pub trait KeyedFunction: fmt::Debug + Send + Sync {
    /// As people call it.
    fn name(&self) -> &str;

    /// Calls it for some keys. A batch that runs again calls it again, with the same rows and states.
    ///
    /// # Errors
    /// If it failed: the query ends.
    fn call(&self, rows: KeyedRows) -> BoxFuture<'_, Result<KeyedAnswer, Cause>>;

    /// Rows that stand in front of those of the query's first batch, in the input's columns.
    ///
    /// # Errors
    /// If they cannot be had: the query ends.
    fn initial(&self) -> BoxFuture<'_, Result<Option<RecordBatch>, Cause>> {
        Box::pin(async { Ok(None) })
    }
}

/// A function of keys, and what of its input they are.
#[derive(Debug, Clone)]
pub struct Keyed {
    /// Whom it calls.
    pub function: Arc<dyn KeyedFunction>,
    /// The input's columns that make a key, by their places.
    pub keys: Vec<usize>,
    /// The columns of what it makes.
    pub output: SchemaRef,
    /// What its states hold, in words: states of another layout are refused.
    pub state: String,
    /// Which rows it gives, as its author says.
    pub mode: OutputMode,
    /// When it is called for keys without rows.
    pub timeout: Timeout,
    /// For which keys that is.
    pub due: Due,
}

/// The function of a plan's node, if it is one of keys.
#[must_use]
pub fn keyed_of(node: &LogicalPlan) -> Option<&Keyed> {
    let LogicalPlan::Extension(Extension { node }) = node else { return None };
    node.as_any().downcast_ref::<KeyedMap>().map(KeyedMap::keyed)
}

impl fmt::Display for Keyed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} by columns {:?}, timeout {:?}", self.function.name(), self.keys, self.timeout)
    }
}

impl DataFrames {
    /// The plan of a function over a stream's rows by key.
    ///
    /// # Errors
    /// Two columns of the output have one name.
    pub fn keyed(&self, input: LogicalPlan, keyed: Keyed) -> Result<LogicalPlan, SqlError> {
        KeyedMap::plan(input, keyed, self.scope()).map_err(|error| SqlError::plan(&error))
    }
}
