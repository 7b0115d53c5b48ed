//! A Python function of groups that remembers something of each: PySpark's `applyInPandasWithState`.
//!
//! Rows and what is remembered travel in one batch: the last column is a struct with a row for each group, which says
//! where its rows stand. The answer is a batch of three structs: how many rows of each of the others count, the rows
//! that leave, and a row for each group that says what is to be remembered.

use std::sync::Arc;

use datafusion::arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, Int32Array, RecordBatch, RecordBatchOptions,
    StringArray, StructArray,
};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Fields, Int32Type, Schema};
use engine::streaming::keyed::{KeyState, KeyedAnswer, KeyedFunction, KeyedRows, Timeout};
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::error::{Result, SparkError};
use crate::python::call::blocking;
use crate::python::failure::Failure;
use crate::python::function::{Function, Makes};
use crate::python::group::Groups;
use crate::python::run::Run;
use crate::python::task::Given;

/// What PySpark writes where there is no time.
const NO_TIME: i64 = -1;

/// When a group is called without rows, in Spark's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateTimeout {
    None,
    ProcessingTime,
    EventTime,
}

impl StateTimeout {
    pub(crate) fn read(word: &str) -> Result<Self> {
        match word {
            "NoTimeout" => Ok(StateTimeout::None),
            "ProcessingTimeTimeout" => Ok(StateTimeout::ProcessingTime),
            "EventTimeTimeout" => Ok(StateTimeout::EventTime),
            _ => Err(SparkError::illegal(format!("There is no timeout {word}."))),
        }
    }

    pub(crate) fn of_engine(self) -> Timeout {
        match self {
            StateTimeout::None => Timeout::None,
            StateTimeout::ProcessingTime => Timeout::ProcessingTime,
            StateTimeout::EventTime => Timeout::EventTime,
        }
    }

    fn word(self) -> &'static str {
        match self {
            StateTimeout::None => "NoTimeout",
            StateTimeout::ProcessingTime => "ProcessingTimeTimeout",
            StateTimeout::EventTime => "EventTimeTimeout",
        }
    }
}

/// The function with what it takes.
#[derive(Debug)]
pub(crate) struct StateCall {
    function: Arc<Function>,
    groups: Groups,
    timeout: StateTimeout,
    run: Arc<Run>,
}

impl StateCall {
    pub(crate) fn new(function: Function, groups: Groups, timeout: StateTimeout, run: &Arc<Run>) -> Self {
        StateCall { function: Arc::new(function), groups, timeout, run: Arc::clone(run) }
    }

    fn called(&self, rows: &KeyedRows) -> Result<KeyedAnswer, Failure> {
        let asked = self.asked(rows)?;
        let arguments = Groups::arguments(std::slice::from_ref(&self.groups), Makes::States);
        let given = [Ok(Given::Rows(asked.clone()))];
        let (made, _) = self.run.whole(&self.function, &arguments, asked.schema_ref(), given)?;
        self.answer(&made)
    }

    /// The rows with what is known of each group beside them.
    fn asked(&self, rows: &KeyedRows) -> Result<RecordBatch, Failure> {
        let plain = self.groups.plain(&rows.rows).map_err(|error| self.arrow(error))?;
        let mut columns = plain.columns().to_vec();
        let mut fields: Vec<Arc<Field>> = plain.schema().fields().to_vec();
        let states = self.states(rows)?;
        fields.push(Arc::new(Field::new("__state", states.data_type().clone(), true)));
        columns.push(Arc::new(states));
        let options = RecordBatchOptions::new().with_row_count(Some(rows.rows.num_rows()));
        let whole = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), columns, &options);
        whole.map_err(|error| self.arrow(error))
    }

    /// A row for each group, and nothing behind them.
    fn states(&self, rows: &KeyedRows) -> Result<StructArray, Failure> {
        let (count, groups) = (rows.rows.num_rows(), rows.lengths.len());
        let number = |value: usize| i32::try_from(value).unwrap_or(i32::MAX);
        let properties = rows.states.iter().map(|state| Some(self.properties(rows, state.is_some())));
        let behind = count.saturating_sub(groups);
        let texts: StringArray = properties.chain(std::iter::repeat_n(None, behind)).collect();
        let names: Vec<[u8; 4]> = (0..groups).map(|group| number(group).to_be_bytes()).collect();
        let names = names.iter().map(|name| Some(name.as_slice()));
        let names: BinaryArray = names.chain(std::iter::repeat_n(None, behind)).collect();
        let values = rows.states.iter().map(|state| state.as_deref());
        let values: BinaryArray = values.chain(std::iter::repeat_n(None, behind)).collect();
        let mut starts = Vec::with_capacity(groups);
        let mut start = 0;
        for length in &rows.lengths {
            starts.push(Some(number(start)));
            start += length;
        }
        let starts: Int32Array = starts.into_iter().chain(std::iter::repeat_n(None, behind)).collect();
        let lengths = rows.lengths.iter().map(|length| Some(number(*length)));
        let lengths: Int32Array = lengths.chain(std::iter::repeat_n(None, behind)).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(texts),
            Arc::new(names),
            Arc::new(values),
            Arc::new(starts),
            Arc::new(lengths),
            Arc::new(BooleanArray::from(vec![true; count])),
        ];
        let names = ["properties", "keyRowAsUnsafe", "object", "startOffset", "numRows", "isLastChunk"];
        let field = |(name, column): (&str, &ArrayRef)| Field::new(name, column.data_type().clone(), true);
        let fields: Fields = names.into_iter().zip(&columns).map(field).collect();
        let there = NullBuffer::from_iter((0..count).map(|row| row < groups));
        StructArray::try_new(fields, columns, Some(there)).map_err(|error| self.arrow(error))
    }

    /// What PySpark's `GroupState` begins with. As in Spark, a timeout lasts from one call to the next.
    fn properties(&self, rows: &KeyedRows, defined: bool) -> String {
        json!({
            "batchProcessingTimeMs": rows.time_ms,
            "eventTimeWatermarkMs": rows.watermark_ms.unwrap_or(NO_TIME),
            "timeoutConf": self.timeout.word(),
            "hasTimedOut": rows.timed_out,
            "watermarkPresent": rows.watermark_ms.is_some(),
            "defined": defined,
            "updated": false,
            "removed": false,
            "timeoutTimestamp": NO_TIME,
        })
        .to_string()
    }

    fn answer(&self, made: &[RecordBatch]) -> Result<KeyedAnswer, Failure> {
        let mut answer = KeyedAnswer::default();
        for batch in made {
            let [counts, rows, states] = batch.columns() else {
                return Err(self.shape(format!("{} columns", batch.num_columns()), "3"));
            };
            let count = |place: usize| -> usize {
                let counts = counts.as_struct().column(place).as_primitive::<Int32Type>();
                if counts.is_empty() { 0 } else { usize::try_from(counts.value(0)).unwrap_or(0) }
            };
            let (rows_made, states_made) = (count(0), count(1));
            if rows_made > 0 {
                answer.rows.push(self.rows(&rows.slice(0, rows_made))?);
            }
            let states = states.as_struct();
            for row in 0..states_made {
                answer.states.push(self.state(states, row)?);
            }
        }
        Ok(answer)
    }

    /// The rows in the columns that the function declares.
    fn rows(&self, rows: &ArrayRef) -> Result<RecordBatch, Failure> {
        let wanted = &self.function.output;
        let rows = match rows.data_type() == wanted {
            true => Arc::clone(rows),
            false => cast(rows, wanted).map_err(|error| self.arrow(error))?,
        };
        Ok(RecordBatch::from(rows.as_struct()))
    }

    fn state(&self, states: &StructArray, row: usize) -> Result<KeyState, Failure> {
        let text = cast(states.column(0), &DataType::Utf8).map_err(|error| self.arrow(error))?;
        let text = text.as_string::<i32>().value(row);
        let wrong = |_| self.shape(text.to_owned(), "the properties of a state");
        let properties: Value = serde_json::from_str(text).map_err(wrong)?;
        let values = states.column(2).as_binary::<i32>();
        let value = values.is_valid(row).then(|| values.value(row).to_vec());
        // An event time may come as a number with a point.
        let time = &properties["timeoutTimestamp"];
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds have no parts")]
        let time = time.as_i64().or_else(|| time.as_f64().map(|time| time as i64));
        Ok(KeyState {
            value: value.filter(|_| properties["defined"] == true),
            timeout_ms: time.filter(|time| *time != NO_TIME),
        })
    }

    fn arrow(&self, source: datafusion::arrow::error::ArrowError) -> Failure {
        Failure::Arrow { function: self.function.name.clone(), source }
    }

    fn shape(&self, given: String, wanted: &str) -> Failure {
        Failure::Shape { function: self.function.name.clone(), given, wanted: wanted.to_owned() }
    }
}

impl KeyedFunction for StateCall {
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
