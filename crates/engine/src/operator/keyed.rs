//! A function of each key's rows and of what it remembered of the key.
//!
//! ```text
//! new rows, by key -> the function, with what is known of each key -> rows that leave, and what is known from now on
//! keys whose time has come, without rows                           -> the same once more
//! ```
//!
//! The state is a row for each key: the key, the function's own bytes, and when the key times out. What times out with
//! a batch's own watermark is called in the same batch: there are none without rows, except where the clock calls. Of a
//! function with timers ([`Due::Reached`]) keys are called that the batch has called already, too.

use std::collections::HashMap;
use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, Int64Array, RecordBatch, RecordBatchOptions, UInt32Array,
    new_null_array,
};
use datafusion::arrow::compute::{concat_batches, filter_record_batch, take_record_batch};
use datafusion::arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use datafusion::common::DataFusionError;
use futures::future::BoxFuture;

use crate::operator::scope::Scope;
use crate::operator::stateful::{Config, Merged, Moment, Operator, OperatorError, StateFigures};
use crate::plan::event_time;
use crate::plan::incremental::{CutError, unsupported};
use crate::plan::keyed::KeyedExec;
use crate::state::StateError;
use crate::state::expiry::TimeKind;
use crate::state::keeper::{CHUNK_ROWS, Keeper};
use crate::state::key::{KeyEncoder, KeyGroups};
use crate::state::layout::{Layout, Part, types};
use crate::state::store::StateStore;
use crate::streaming::keyed::{Due, KeyState, Keyed, KeyedAnswer, KeyedRows, Timeout};

/// The number of a query's first batch.
const FIRST_BATCH: u64 = 1;

/// The function with its states.
#[derive(Debug)]
pub(crate) struct KeyedState {
    keyed: Arc<Keyed>,
    scope: Arc<Scope>,
    states: Keeper,
    encoder: KeyEncoder,
    input: SchemaRef,
    /// The column whose time says that a row comes too late.
    time: Option<(usize, TimeKind)>,
    /// No key times out before: of what is committed, and of what is staged.
    earliest: Option<i64>,
    staged_earliest: Option<i64>,
    /// Keys have timed out in the staged batch.
    looked: bool,
}

/// What the function has made of each key, where it has.
type Values = Vec<Option<Vec<u8>>>;

/// What a batch changes, by key.
#[derive(Default)]
struct Changes {
    /// The places of keys that were called.
    known: HashMap<Vec<u8>, usize>,
    keys: Vec<RecordBatch>,
    states: Vec<KeyState>,
}

impl KeyedState {
    /// Prepares a function's node.
    ///
    /// # Errors
    /// Keys that cannot be compared, or timeouts without the watermark that they need.
    pub(crate) fn try_new(node: &KeyedExec, config: Config) -> Result<Self, CutError> {
        let (keyed, input) = (Arc::clone(&node.keyed), node.input().schema());
        let fields = input.fields().iter().enumerate();
        let mut timed = fields.filter(|(_, field)| event_time::delay(field).is_some());
        let time = timed.find_map(|(at, field)| Some((at, event_time::kind(field)?)));
        if keyed.timeout == Timeout::EventTime && time.is_none() {
            let reason = "EventTimeTimeout needs a watermark on the event time of its rows";
            return Err(unsupported(keyed.function.name(), reason));
        }
        let key = keyed.keys.iter().map(|at| Arc::clone(&input.fields()[*at]));
        let mut columns: Vec<Arc<Field>> = key.collect();
        let encoder = KeyEncoder::try_new(&columns).map_err(StateError::from).map_err(external)?;
        let keys = columns.len();
        columns.push(Arc::new(Field::new("value", DataType::Binary, true)));
        columns.push(Arc::new(Field::new("timeout", DataType::Int64, true)));
        let parts = vec![
            Part { name: "keys".to_owned(), content: types(&columns[..keys]) },
            Part { name: "state".to_owned(), content: keyed.state.clone() },
        ];
        let layout = Layout { schema: Arc::new(Schema::new(columns)), keys, parts };
        let store = StateStore::try_new(layout, KeyGroups::DEFAULT, None).map_err(external)?;
        let Config { query, operator, state_bytes_max } = config;
        let states = Keeper::new(store, query, operator, state_bytes_max);
        let scope = Arc::clone(&node.scope);
        Ok(KeyedState {
            keyed,
            scope,
            states,
            encoder,
            input,
            time,
            earliest: None,
            staged_earliest: None,
            looked: false,
        })
    }

    async fn merge_staged(
        &mut self,
        input: Vec<RecordBatch>,
        moment: &Moment,
    ) -> Result<Merged, OperatorError> {
        let input = concat_batches(&self.input, &input).map_err(StateError::from)?;
        let late = match self.keyed.due {
            Due::Passed => moment.late,
            Due::Reached => moment.earlier,
        };
        let (late, fresh) = self.split(&input, late)?;
        let fresh = if moment.batch == FIRST_BATCH { self.begun(fresh).await? } else { fresh };
        let mut changes = Changes::default();
        let mut rows = Vec::new();
        if fresh.num_rows() > 0 {
            let (keys, grouped) = self.grouped(&fresh)?;
            let states = self.known(&keys)?;
            let grouped = KeyedRows { states, watermark_ms: self.watermark(moment.late), ..grouped };
            rows.extend(self.call(keys, grouped, &mut changes, moment.batch).await?);
        }
        if let Some(limit) = self.limit(moment) {
            let (keys, states) = self.timed_out(limit, &changes)?;
            if keys.num_rows() > 0 {
                let nothing = self.only_keys(&keys)?;
                let nothing = KeyedRows {
                    lengths: vec![1; keys.num_rows()],
                    rows: nothing,
                    states,
                    timed_out: true,
                    time_ms: self.scope.time_ms(),
                    watermark_ms: self.watermark(moment.watermark),
                };
                rows.extend(self.call(keys, nothing, &mut changes, moment.batch).await?);
            }
        }
        self.stage(&changes, moment.batch)?;
        let late = if late.num_rows() > 0 { vec![late] } else { Vec::new() };
        Ok(Merged { rows, late, ..Merged::default() })
    }

    /// The rows of the first batch, behind those that the function begins with.
    async fn begun(&self, rows: RecordBatch) -> Result<RecordBatch, OperatorError> {
        let run =
            |source| OperatorError::Run { batch: FIRST_BATCH, source: DataFusionError::External(source) };
        let Some(first) = self.keyed.function.initial().await.map_err(run)? else { return Ok(rows) };
        let schema = nullable(&self.input);
        let relaxed = |rows: &RecordBatch| RecordBatch::try_new(Arc::clone(&schema), rows.columns().to_vec());
        let parts = [relaxed(&first), relaxed(&rows)].into_iter().collect::<Result<Vec<_>, _>>();
        let rows = parts.and_then(|parts| concat_batches(&schema, &parts));
        Ok(rows.map_err(StateError::from)?)
    }

    /// Rows that come too late, and the others.
    fn split(
        &self,
        rows: &RecordBatch,
        watermark: Option<i64>,
    ) -> Result<(RecordBatch, RecordBatch), StateError> {
        let time = self.time.filter(|_| self.keyed.timeout == Timeout::EventTime);
        let (Some((column, kind)), Some(watermark)) = (time, watermark) else {
            return Ok((rows.slice(0, 0), rows.clone()));
        };
        let ends = kind.ends(rows.column(column));
        let (late, fresh): (Vec<_>, Vec<_>) =
            ends.into_iter().map(|end| (Some(end <= watermark), Some(end > watermark))).unzip();
        Ok((filter_record_batch(rows, &late.into())?, filter_record_batch(rows, &fresh.into())?))
    }

    /// The keys, in the order in which they first occur, and the rows of each.
    fn grouped(&self, rows: &RecordBatch) -> Result<(RecordBatch, KeyedRows), StateError> {
        let keys = rows.project(&self.keyed.keys)?;
        let encoded = self.encoder.encode(keys.columns(), rows.num_rows())?;
        let mut places: HashMap<&[u8], usize> = HashMap::new();
        let mut groups: Vec<Vec<u32>> = Vec::new();
        for row in 0..encoded.len() {
            let place = *places.entry(encoded.get(row)).or_insert_with(|| {
                groups.push(Vec::new());
                groups.len() - 1
            });
            groups[place].push(u32::try_from(row).unwrap_or(u32::MAX));
        }
        let first = groups.iter().filter_map(|group| group.first().copied());
        let keys = take_record_batch(&keys, &UInt32Array::from_iter_values(first))?;
        let order = UInt32Array::from_iter_values(groups.iter().flatten().copied());
        let grouped = KeyedRows {
            rows: take_record_batch(rows, &order)?,
            lengths: groups.iter().map(Vec::len).collect(),
            states: Vec::new(),
            timed_out: false,
            time_ms: self.scope.time_ms(),
            watermark_ms: None,
        };
        Ok((keys, grouped))
    }

    /// What is known of these keys.
    fn known(&self, keys: &RecordBatch) -> Result<Values, StateError> {
        let mut states = vec![None; keys.num_rows()];
        let Some(found) = self.states.store().find(std::slice::from_ref(keys))? else { return Ok(states) };
        let of_found = self.encoder.encode(&found.columns()[..self.keyed.keys.len()], found.num_rows())?;
        let places: HashMap<&[u8], usize> = (0..of_found.len()).map(|row| (of_found.get(row), row)).collect();
        let encoded = self.encoder.encode(keys.columns(), keys.num_rows())?;
        for (row, state) in states.iter_mut().enumerate() {
            *state = places.get(encoded.get(row)).and_then(|place| self.value(&found, *place));
        }
        Ok(states)
    }

    fn value(&self, rows: &RecordBatch, row: usize) -> Option<Vec<u8>> {
        let values = rows.column(self.keyed.keys.len()).as_binary::<i32>();
        values.is_valid(row).then(|| values.value(row).to_vec())
    }

    /// As Spark tells it: before the first batch it stands at the beginning of time.
    fn watermark(&self, watermark: Option<i64>) -> Option<i64> {
        self.time.map(|_| watermark.map_or(0, to_ms))
    }

    /// Keys time out up to here, in Unix milliseconds.
    fn limit(&self, moment: &Moment) -> Option<i64> {
        let now = match self.keyed.timeout {
            Timeout::None => None,
            Timeout::ProcessingTime => Some(self.scope.time_ms()),
            Timeout::EventTime => moment.watermark.map(to_ms),
        };
        // As in Spark: a timeout has to be passed, a timer is reached.
        now.map(|now| if self.keyed.due == Due::Passed { now - 1 } else { now })
    }

    /// The keys that have timed out and were not called in this batch, and those that it called and whose time has come.
    fn timed_out(&mut self, limit: i64, changes: &Changes) -> Result<(RecordBatch, Values), StateError> {
        let keys = self.keyed.keys.len();
        let schema = Arc::new(Schema::new(self.states.store().layout().schema.fields()[..keys].to_vec()));
        let (mut parts, mut states) = (Vec::new(), Vec::new());
        if self.earliest.is_some_and(|earliest| earliest <= limit) {
            self.looked = true;
            for chunk in self.states.store().untouched(CHUNK_ROWS) {
                let chunk = chunk?;
                let encoded = self.encoder.encode(&chunk.columns()[..keys], chunk.num_rows())?;
                let timeouts = chunk.column(keys + 1).as_primitive::<Int64Type>();
                let due = |row: &usize| {
                    timeouts.is_valid(*row)
                        && timeouts.value(*row) <= limit
                        && !changes.known.contains_key(encoded.get(*row))
                };
                let due: Vec<usize> = (0..chunk.num_rows()).filter(due).collect();
                states.extend(due.iter().map(|row| self.value(&chunk, *row)));
                parts.push(self.some_keys(&chunk, &due)?);
            }
        }
        if self.keyed.timeout == Timeout::EventTime || self.keyed.due == Due::Reached {
            let due = |state: &KeyState| state.timeout_ms.is_some_and(|timeout| timeout <= limit);
            let due: Vec<usize> = (0..changes.states.len()).filter(|at| due(&changes.states[*at])).collect();
            states.extend(due.iter().map(|at| changes.states[*at].value.clone()));
            let every = concat_batches(&schema, &changes.keys)?;
            parts.push(self.some_keys(&every, &due)?);
        }
        Ok((concat_batches(&schema, &parts)?, states))
    }

    /// The key columns of some rows.
    fn some_keys(&self, rows: &RecordBatch, which: &[usize]) -> Result<RecordBatch, StateError> {
        let keys: Vec<usize> = (0..self.keyed.keys.len()).collect();
        let which = which.iter().map(|row| u32::try_from(*row).unwrap_or(u32::MAX));
        Ok(take_record_batch(&rows.project(&keys)?, &UInt32Array::from_iter_values(which))?)
    }

    /// A row for each key that holds nothing else.
    fn only_keys(&self, keys: &RecordBatch) -> Result<RecordBatch, StateError> {
        let column = |(at, field): (usize, &Arc<Field>)| -> ArrayRef {
            match self.keyed.keys.iter().position(|key| *key == at) {
                Some(key) => Arc::clone(keys.column(key)),
                None => new_null_array(field.data_type(), keys.num_rows()),
            }
        };
        let columns = self.input.fields().iter().enumerate().map(column).collect();
        let options = RecordBatchOptions::new().with_row_count(Some(keys.num_rows()));
        Ok(RecordBatch::try_new_with_options(nullable(&self.input), columns, &options)?)
    }

    /// Calls the function and takes down what it remembers.
    async fn call(
        &self,
        keys: RecordBatch,
        rows: KeyedRows,
        changes: &mut Changes,
        batch: u64,
    ) -> Result<Vec<RecordBatch>, OperatorError> {
        let run = |source| OperatorError::Run { batch, source: DataFusionError::External(source) };
        let KeyedAnswer { rows, states } = self.keyed.function.call(rows).await.map_err(run)?;
        if states.len() != keys.num_rows() {
            let (given, wanted) = (states.len(), keys.num_rows());
            return Err(run(
                format!("{} gave {given} states of {wanted} keys", self.keyed.function.name()).into()
            ));
        }
        let encoded = self.encoder.encode(keys.columns(), keys.num_rows()).map_err(StateError::from)?;
        let first = changes.states.len();
        for (row, state) in states.into_iter().enumerate() {
            match changes.known.get(encoded.get(row)) {
                Some(place) => changes.states[*place] = state,
                None => {
                    changes.known.insert(encoded.get(row).to_vec(), changes.states.len());
                    changes.states.push(state);
                }
            }
        }
        // Keys that came again are known already: only the new ones are kept.
        let new = changes.states.len() - first;
        if new == keys.num_rows() {
            changes.keys.push(keys);
        } else {
            changes.keys.push(keys.slice(0, new));
        }
        let fitted =
            |rows: RecordBatch| RecordBatch::try_new(Arc::clone(&self.keyed.output), rows.columns().to_vec());
        rows.into_iter().map(fitted).collect::<Result<_, _>>().map_err(|error| run(error.into()))
    }

    /// Stages what is known from now on.
    fn stage(&mut self, changes: &Changes, batch: u64) -> Result<(), StateError> {
        let schema = Arc::clone(&self.states.store().layout().schema);
        let keys = Arc::new(Schema::new(schema.fields()[..self.keyed.keys.len()].to_vec()));
        let keys = concat_batches(&keys, &changes.keys)?;
        let lasts = |state: &KeyState| Some(state.value.is_some() || state.timeout_ms.is_some());
        let lasting = changes.states.iter().map(lasts).collect();
        let gone = changes.states.iter().map(|state| lasts(state).map(|lasts| !lasts)).collect();
        let mut columns = keys.columns().to_vec();
        let values = changes.states.iter().map(|state| state.value.as_deref());
        columns.push(Arc::new(values.collect::<BinaryArray>()));
        let timeouts: Int64Array = changes.states.iter().map(|state| state.timeout_ms).collect();
        columns.push(Arc::new(timeouts));
        let rows = RecordBatch::try_new(schema, columns)?;
        let (rows, gone) = (filter_record_batch(&rows, &lasting)?, filter_record_batch(&rows, &gone)?);
        let new = changes.states.iter().filter_map(|state| state.timeout_ms).min();
        self.staged_earliest = [self.earliest, new].into_iter().flatten().min();
        self.states.stage(batch, &rows, None, Some(&gone), None)
    }

    /// When the next key times out, of all that are committed.
    fn look_again(&mut self) -> Result<(), StateError> {
        let at = self.keyed.keys.len() + 1;
        let mut earliest: Option<i64> = None;
        for chunk in self.states.store().untouched(CHUNK_ROWS) {
            let timeouts = chunk?;
            let found = timeouts.column(at).as_primitive::<Int64Type>().iter().flatten().min();
            earliest = [earliest, found].into_iter().flatten().min();
        }
        self.earliest = earliest;
        Ok(())
    }
}

/// The same columns, which may be null.
fn nullable(schema: &SchemaRef) -> SchemaRef {
    let field = |field: &Arc<Field>| field.as_ref().clone().with_nullable(true);
    Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()))
}

fn to_ms(time_us: i64) -> i64 {
    time_us.div_euclid(1_000)
}

fn external(error: StateError) -> DataFusionError {
    DataFusionError::External(error.into())
}

impl Operator for KeyedState {
    fn merge<'a>(
        &'a mut self,
        mut inputs: Vec<Vec<RecordBatch>>,
        moment: &'a Moment,
    ) -> BoxFuture<'a, Result<Merged, OperatorError>> {
        Box::pin(async move {
            self.states.check(moment.batch)?;
            let merged = self.merge_staged(inputs.pop().unwrap_or_default(), moment).await;
            if merged.is_err() {
                self.abort();
            }
            merged
        })
    }

    fn changelog(&self) -> Result<Option<Vec<u8>>, StateError> {
        self.states.changelog()
    }

    fn commit(&mut self) {
        if self.states.store().staged().is_none() {
            return;
        }
        self.states.commit();
        self.earliest = self.staged_earliest.take();
        // The first key has been called: another one is the first now.
        if std::mem::take(&mut self.looked) && self.look_again().is_err() {
            tracing::warn!("the next timeout is looked for with every batch");
        }
    }

    fn abort(&mut self) {
        (self.staged_earliest, self.looked) = (None, false);
        self.states.abort();
    }

    fn snapshot(&self) -> Result<Vec<u8>, StateError> {
        self.states.snapshot()
    }

    fn restore(
        &mut self,
        snapshot: Option<&[u8]>,
        changelogs: &[&[u8]],
    ) -> Result<Option<u64>, OperatorError> {
        let newest = self.states.restore(snapshot, changelogs)?;
        self.look_again()?;
        Ok(newest)
    }

    fn due_ms(&self) -> Option<i64> {
        self.earliest
            .filter(|_| self.keyed.timeout == Timeout::ProcessingTime)
            .map(|time| if self.keyed.due == Due::Passed { time.saturating_add(1) } else { time })
    }

    fn figures(&self) -> StateFigures {
        StateFigures::of([&self.states])
    }
}
