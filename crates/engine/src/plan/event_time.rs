//! Event time: which columns carry it, and the functions that cut it into windows.
//!
//! A stream's `WATERMARK column DELAY OF INTERVAL` marks the column's field with the delay. The mark walks through
//! projections and groupings with the field, as Spark's metadata does; [`window`] and its kin pass it on to what
//! they make of a marked column. An operator that finds a marked key knows that the watermark ends it.

use datafusion::arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};

use crate::sql::types::UTC;
use crate::state::expiry::TimeKind;

pub(crate) mod rewrite;
pub(crate) mod window;

/// Microseconds by which rows may come late, as a field's metadata.
const DELAY: &str = "pelton.watermark_delay_us";

/// The field, marked.
pub(crate) fn marked(field: &Field, delay_us: i64) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.insert(DELAY.to_owned(), delay_us.to_string());
    field.clone().with_metadata(metadata)
}

/// The field without its mark.
pub(crate) fn unmarked(field: &Field) -> Field {
    let mut metadata = field.metadata().clone();
    metadata.remove(DELAY);
    field.clone().with_metadata(metadata)
}

/// The delay of a marked field.
pub(crate) fn delay(field: &Field) -> Option<i64> {
    field.metadata().get(DELAY)?.parse().ok()
}

/// How to read a marked key's time.
pub(crate) fn kind(field: &Field) -> Option<TimeKind> {
    delay(field)?;
    match field.data_type() {
        DataType::Struct(_) => Some(TimeKind::Window),
        DataType::Timestamp(TimeUnit::Microsecond, _) => Some(TimeKind::Instant),
        _ => None,
    }
}

/// The mark of `from` on `to`, if there is one.
pub(crate) fn passed_on(from: &FieldRef, to: Field) -> Field {
    match delay(from) {
        Some(delay) => marked(&to, delay),
        None => to,
    }
}

/// An instant as Spark's `TIMESTAMP`.
pub(crate) fn instant() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, Some(UTC.into()))
}
