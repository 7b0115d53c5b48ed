//! A Python object that has states and timers of each key: PySpark's `transformWithState`.
//!
//! PySpark's worker asks for each of them while it runs. Its questions are answered in the worker itself, by
//! `python/pelton/processor.py`: what is kept of the keys of a batch goes there in front of their rows, and comes back as
//! the worker's last words, with the time at which each key's first timer ends.

use std::fmt;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array, new_null_array};
use datafusion::arrow::compute::{cast, concat_batches, take};
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::logical_expr::LogicalPlan;
use engine::Engine;
use engine::streaming::keyed::{KeyState, KeyedAnswer, KeyedFunction, KeyedRows};
use futures::future::BoxFuture;
use serde_json::json;

use crate::python::call::{batch, blocking, framed};
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
    /// What its states begin with.
    beginning: Option<Beginning>,
    run: Arc<Run>,
}

/// Rows of what states begin with: the last of the columns that the object is given holds them, as structs.
pub(crate) struct Beginning {
    pub(crate) groups: Groups,
    pub(crate) plan: LogicalPlan,
    pub(crate) engine: Engine,
    /// The zone that the plan counts in.
    pub(crate) zone: String,
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beginning").field("groups", &self.groups).finish_non_exhaustive()
    }
}

impl ProcessorCall {
    pub(crate) fn new(function: Function, groups: Groups, run: &Arc<Run>) -> Self {
        ProcessorCall { function: Arc::new(function), groups, beginning: None, run: Arc::clone(run) }
    }

    pub(crate) fn beginning_with(self, beginning: Beginning) -> Self {
        ProcessorCall { beginning: Some(beginning), ..self }
    }

    fn called(&self, rows: &KeyedRows) -> Result<KeyedAnswer, Failure> {
        // Keys that have timed out have no rows, only timers.
        let given = if rows.timed_out { rows.rows.slice(0, 0) } else { rows.rows.clone() };
        let (arguments, parts) = match &self.beginning {
            None => {
                let plain = self.groups.plain(&given).map_err(|error| self.arrow(error))?;
                (Groups::arguments(std::slice::from_ref(&self.groups), Makes::States), vec![plain])
            }
            Some(beginning) => {
                let groups = [self.groups.clone(), beginning.groups.clone()];
                let lengths = if rows.timed_out { &[] } else { rows.lengths.as_slice() };
                let parts = self.parts(&groups, &given, lengths).map_err(|error| self.arrow(error))?;
                (Groups::arguments(&groups, Makes::States), parts)
            }
        };
        let schema = parts.first().map_or_else(|| Arc::new(Schema::empty()), RecordBatch::schema);
        let given = parts.into_iter().map(|part| Ok(Given::Rows(part)));
        let given = std::iter::once(Ok(Given::Bytes(kept(rows)))).chain(given);
        let (made, last) = self.run.whole(&self.function, &arguments, &schema, given)?;
        let states = read(&last, rows.lengths.len());
        let states = states.ok_or_else(|| self.shape("no states".to_owned(), "what is kept of each key"))?;
        let rows = made.iter().filter(|rows| rows.num_rows() > 0).map(|rows| self.rows(rows));
        Ok(KeyedAnswer { rows: rows.collect::<Result<_, _>>()?, states })
    }

    /// The rows as PySpark takes them beside those that states begin with: each batch has rows of one kind, and those of a
    /// key stand behind each other.
    fn parts(
        &self,
        groups: &[Groups; 2],
        rows: &RecordBatch,
        lengths: &[usize],
    ) -> Result<Vec<RecordBatch>, ArrowError> {
        let (last, others) = rows.columns().split_last().ok_or_else(|| {
            ArrowError::InvalidArgumentError("rows without the column of what states begin with".to_owned())
        })?;
        let data = batch(others, None, rows.num_rows());
        let data = framed(&groups[0].plain(&data)?).column(0).clone();
        // Where a row is of the stream, there is no struct: nobody looks at what its parts hold.
        let first = batch(last.as_struct().columns(), None, rows.num_rows());
        let first = framed(&groups[1].plain(&first)?).column(0).clone();
        let mut runs: Vec<(bool, Vec<u32>)> = Vec::new();
        let mut start = 0;
        for length in lengths {
            for is_first in [true, false] {
                let of_kind = (start..start + length).filter(|row| last.is_valid(*row) == is_first);
                let of_kind = of_kind.map(|row| u32::try_from(row).unwrap_or(u32::MAX));
                match runs.last_mut() {
                    Some((kind, run)) if *kind == is_first => run.extend(of_kind),
                    _ => runs.push((is_first, of_kind.collect())),
                }
            }
            start += length;
        }
        let runs = runs.into_iter().filter(|(_, run)| !run.is_empty());
        let mut parts = Vec::new();
        for (is_first, run) in runs.chain(lengths.is_empty().then(|| (false, Vec::new()))) {
            let places = UInt32Array::from(run);
            let nothing = |column: &ArrayRef| new_null_array(column.data_type(), places.len());
            let [data, first] = match is_first {
                true => [nothing(&data), take(&first, &places, None)?],
                false => [take(&data, &places, None)?, nothing(&first)],
            };
            let names = ["inputData".to_owned(), "initState".to_owned()];
            parts.push(batch(&[data, first], Some(&names), places.len()));
        }
        Ok(parts)
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
        Ok(RecordBatch::from(rows.as_struct()))
    }

    fn arrow(&self, source: ArrowError) -> Failure {
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
        "watermark_ms": rows.watermark_ms.unwrap_or_default(),
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

    fn initial(
        &self,
    ) -> BoxFuture<'_, std::result::Result<Option<RecordBatch>, Box<dyn std::error::Error + Send + Sync>>>
    {
        Box::pin(async move {
            let Some(beginning) = &self.beginning else { return Ok(None) };
            let mut rows = beginning.engine.dataframes(&beginning.zone).run(beginning.plan.clone()).await?;
            let mut batches = Vec::new();
            while let Some(batch) = rows.next().await {
                batches.push(batch?);
            }
            let Some(first) = batches.first() else { return Ok(None) };
            Ok(Some(concat_batches(&first.schema(), &batches)?))
        })
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
