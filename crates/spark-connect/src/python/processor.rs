//! A Python object that has states and timers of each key: PySpark's `transformWithState`.
//!
//! PySpark's worker asks for each of them while it runs. Its questions are answered in the worker itself, by
//! `python/pelton/processor.py`: what is kept of the keys of a batch goes there in front of their rows, and comes back as
//! the worker's last words, with the time at which each key's first timer ends.

use std::sync::Arc;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::cast;
use engine::streaming::keyed::{KeyState, KeyedAnswer, KeyedFunction, KeyedRows};
use futures::future::BoxFuture;
use serde_json::json;

use crate::python::call::blocking;
use crate::python::failure::Failure;
use crate::python::function::{Function, Makes};
use crate::python::group::Groups;
use crate::python::run::Run;
use crate::python::task::Given;

/// What stands where there is no timer.
const NO_TIME: i64 = -1;

/// The object with what it takes.
#[derive(Debug)]
pub(crate) struct ProcessorCall {
    function: Arc<Function>,
    groups: Groups,
    run: Arc<Run>,
}

impl ProcessorCall {
    pub(crate) fn new(function: Function, groups: Groups, run: &Arc<Run>) -> Self {
        ProcessorCall { function: Arc::new(function), groups, run: Arc::clone(run) }
    }

    fn called(&self, rows: &KeyedRows) -> Result<KeyedAnswer, Failure> {
        // Keys that have timed out have no rows, only timers.
        let given = if rows.timed_out { rows.rows.slice(0, 0) } else { rows.rows.clone() };
        let plain = self.groups.plain(&given).map_err(|error| self.arrow(error))?;
        let arguments = Groups::arguments(std::slice::from_ref(&self.groups), Makes::States);
        let given = [Ok(Given::Bytes(kept(rows))), Ok(Given::Rows(plain.clone()))];
        let (made, last) = self.run.whole(&self.function, &arguments, plain.schema_ref(), given)?;
        let states = read(&last, rows.lengths.len());
        let states = states.ok_or_else(|| self.shape("no states".to_owned(), "what is kept of each key"))?;
        let rows = made.iter().filter(|rows| rows.num_rows() > 0).map(|rows| self.rows(rows));
        Ok(KeyedAnswer { rows: rows.collect::<Result<_, _>>()?, states })
    }

    /// The rows in the columns that the object declares.
    fn rows(&self, made: &RecordBatch) -> Result<RecordBatch, Failure> {
        let [rows] = made.columns() else {
            return Err(self.shape(format!("{} columns", made.num_columns()), "1"));
        };
        let wanted = &self.function.output;
        let rows = match rows.data_type() == wanted {
            true => Arc::clone(rows),
            false => cast(rows, wanted).map_err(|error| self.arrow(error))?,
        };
        Ok(RecordBatch::from(datafusion::arrow::array::AsArray::as_struct(&rows)))
    }

    fn arrow(&self, source: datafusion::arrow::error::ArrowError) -> Failure {
        Failure::Arrow { function: self.function.name.clone(), source }
    }

    fn shape(&self, given: String, wanted: &str) -> Failure {
        Failure::Shape { function: self.function.name.clone(), given, wanted: wanted.to_owned() }
    }
}

/// About the batch, then what is kept of each key.
fn kept(rows: &KeyedRows) -> Vec<u8> {
    let about = json!({
        "keys": rows.lengths.len(),
        "time_ms": rows.time_ms,
        "watermark_ms": rows.watermark_ms.unwrap_or(NO_TIME),
        "timed_out": rows.timed_out,
    });
    let about = about.to_string();
    let length = |bytes: &[u8]| i32::try_from(bytes.len()).unwrap_or(i32::MAX).to_be_bytes();
    let mut bytes = length(about.as_bytes()).to_vec();
    bytes.extend(about.as_bytes());
    for state in &rows.states {
        match state {
            Some(state) => {
                bytes.extend(length(state));
                bytes.extend(state);
            }
            None => bytes.extend((-1_i32).to_be_bytes()),
        }
    }
    bytes
}

/// The same of so many keys, as the worker sends it back: what is kept, and when the first timer ends.
fn read(bytes: &[u8], keys: usize) -> Option<Vec<KeyState>> {
    let mut rest = bytes;
    let mut states = Vec::with_capacity(keys.min(rest.len()));
    for _ in 0..keys {
        let (length, behind) = rest.split_first_chunk::<4>()?;
        let value = usize::try_from(i32::from_be_bytes(*length)).ok();
        let (value, behind) = match value {
            Some(length) => (Some(behind.get(..length)?.to_vec()), behind.get(length..)?),
            None => (None, behind),
        };
        let (time, behind) = behind.split_first_chunk::<8>()?;
        let timeout_ms = Some(i64::from_be_bytes(*time)).filter(|time| *time != NO_TIME);
        states.push(KeyState { value, timeout_ms });
        rest = behind;
    }
    rest.is_empty().then_some(states)
}

impl KeyedFunction for ProcessorCall {
    fn name(&self) -> &str {
        &self.function.name
    }

    fn call(
        &self,
        rows: KeyedRows,
    ) -> BoxFuture<'_, std::result::Result<KeyedAnswer, Box<dyn std::error::Error + Send + Sync>>> {
        Box::pin(async move { Ok(blocking(|| self.called(&rows))?) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_sends_back_is_read_or_refused() {
        let mut bytes = 2_i32.to_be_bytes().to_vec();
        bytes.extend(b"ab");
        bytes.extend(7_i64.to_be_bytes());
        bytes.extend((-1_i32).to_be_bytes());
        bytes.extend((-1_i64).to_be_bytes());
        let first = KeyState { value: Some(b"ab".to_vec()), timeout_ms: Some(7) };
        assert_eq!(read(&bytes, 2), Some(vec![first, KeyState::default()]));
        for cut in 0..bytes.len() {
            assert_eq!(read(&bytes[..cut], 2), None, "{cut} bytes");
        }
        assert_eq!(read(&bytes, 1), None, "too many");
        assert_eq!(read(&i32::MAX.to_be_bytes(), 1), None);
    }
}
