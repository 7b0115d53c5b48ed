//! What a batch knows while its plan runs: the pinned model versions, and the rows found unusable.
//!
//! One scope belongs to one query. Its functions hold it; the driver binds it before a batch and takes the
//! refusals out after. A row is known by its number among the batch's records, which functions get as a
//! hidden last argument.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use datafusion::arrow::array::{Array, AsArray};
use datafusion::arrow::datatypes::{Field, Int64Type};
use datafusion::logical_expr::ColumnarValue;

use crate::models::Version;

/// The hidden column that numbers a batch's records.
pub(crate) const ROW: &str = "__row";

/// Model name, in lower case, to its version; `None` before the first one.
pub(crate) type Pins = BTreeMap<String, Option<Arc<Version>>>;

/// Record number to the first reason found against it.
pub(crate) type Refusals = BTreeMap<usize, String>;

#[derive(Default)]
pub(crate) struct Scope(Mutex<Bound>);

#[derive(Default)]
struct Bound {
    pins: Arc<Pins>,
    time_ms: i64,
    refused: Refusals,
    unplaced: u64,
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Scope")
    }
}

impl Scope {
    /// Begins a batch, whose time is `time_ms`.
    pub(crate) fn bind(&self, pins: Arc<Pins>, time_ms: i64) {
        *self.lock() = Bound { pins, time_ms, ..Bound::default() };
    }

    /// The batch's time, in Unix milliseconds.
    pub(crate) fn time_ms(&self) -> i64 {
        self.lock().time_ms
    }

    /// The pinned version of a model.
    pub(crate) fn pinned(&self, model: &str) -> Option<Arc<Version>> {
        self.lock().pins.get(model).cloned().flatten()
    }

    /// Notes that a row cannot be used.
    pub(crate) fn refuse(&self, row: Option<usize>, reason: impl FnOnce() -> String) {
        let mut bound = self.lock();
        match row {
            Some(row) => {
                bound.refused.entry(row).or_insert_with(reason);
            }
            None => bound.unplaced += 1,
        }
    }

    /// What was refused since the batch began.
    pub(crate) fn take_refusals(&self) -> Refusals {
        std::mem::take(&mut self.lock().refused)
    }

    /// How many values were refused that no record could be found for.
    pub(crate) fn unplaced(&self) -> u64 {
        self.lock().unplaced
    }

    fn lock(&self) -> MutexGuard<'_, Bound> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The record numbers that came as a function's last argument.
pub(crate) struct Rows(Option<Arc<dyn Array>>);

impl Rows {
    pub(crate) fn new(argument: Option<&ColumnarValue>, rows: usize) -> datafusion::error::Result<Self> {
        argument.map(|rows_argument| rows_argument.to_array(rows)).transpose().map(Rows)
    }

    pub(crate) fn at(&self, index: usize) -> Option<usize> {
        let rows = self.0.as_ref()?.as_primitive_opt::<Int64Type>()?;
        if rows.is_null(index) { None } else { usize::try_from(rows.value(index)).ok() }
    }
}

/// The hidden column's field.
pub(crate) fn row_field() -> Field {
    Field::new(ROW, datafusion::arrow::datatypes::DataType::Int64, false)
}
