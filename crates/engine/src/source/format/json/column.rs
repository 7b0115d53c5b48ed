//! What every column of a batch can do while it is read.

use std::sync::Arc;

use datafusion::arrow::array::types::{
    Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use datafusion::arrow::array::{ArrayRef, NullArray};
use datafusion::arrow::datatypes::{DataType, TimeUnit};
use datafusion::arrow::error::ArrowError;
use jiter::{Jiter, Peek};

use crate::source::format::json::nested::{List, Map, Struct};
use crate::source::format::json::scalar::{Decimal, Flags, Instants, Numbers};
use crate::source::format::json::text::{Bytes, Text};
use crate::source::format::json::usual::Usual;
use crate::source::format::json::{malformed, misfit};

/// A column that takes one value after the other.
pub(super) trait Column {
    /// Takes a value that is not `null` and begins with `next`.
    fn value(&mut self, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError>;

    /// Takes a value that is not `null`; `None` if it is not in a usual form, or not right, with part of it taken.
    fn usual(&mut self, json: &mut Usual<'_>) -> Option<()>;

    /// Takes a text: a string of JSON, or a name of an object that is read as a map.
    fn text(&mut self, text: &str) -> Result<(), ArrowError>;

    fn null(&mut self);

    /// Forgets all but the first `rows` values.
    fn truncate(&mut self, rows: usize);

    fn finish(self: Box<Self>) -> Result<ArrayRef, ArrowError>;
}

/// Takes the next value, whatever it is.
pub(super) fn take(column: &mut dyn Column, json: &mut Jiter<'_>, next: Peek) -> Result<(), ArrowError> {
    if next == Peek::Null {
        json.known_null().map_err(malformed)?;
        column.null();
        return Ok(());
    }
    column.value(json, next)
}

/// Takes the next value, if it is in a usual form.
pub(super) fn take_usual(column: &mut dyn Column, json: &mut Usual<'_>) -> Option<()> {
    if json.next()? == b'n' {
        json.word("null")?;
        column.null();
        return Some(());
    }
    column.usual(json)
}

/// An empty column for about so many rows.
pub(super) fn column(data_type: &DataType, rows: usize) -> Result<Box<dyn Column>, ArrowError> {
    Ok(match data_type {
        DataType::Null => Box::new(Nulls(0)),
        DataType::Boolean => Box::new(Flags::new(rows)),
        DataType::Int8 => Box::new(Numbers::<Int8Type>::new(rows)),
        DataType::Int16 => Box::new(Numbers::<Int16Type>::new(rows)),
        DataType::Int32 => Box::new(Numbers::<Int32Type>::new(rows)),
        DataType::Int64 => Box::new(Numbers::<Int64Type>::new(rows)),
        DataType::Float32 => Box::new(Numbers::<Float32Type>::new(rows)),
        DataType::Float64 => Box::new(Numbers::<Float64Type>::new(rows)),
        DataType::Date32 => Box::new(Numbers::<Date32Type>::new(rows)),
        DataType::Timestamp(TimeUnit::Microsecond, zone) => Box::new(Instants::new(zone.as_deref(), rows)?),
        DataType::Decimal128(precision, scale) => Box::new(Decimal::new(*precision, *scale, rows)),
        DataType::Utf8 => Box::new(Text::new(rows)),
        DataType::Binary => Box::new(Bytes::new(rows)),
        DataType::List(item) => Box::new(List::new(Arc::clone(item), rows)?),
        DataType::Map(entries, _) => Box::new(Map::new(Arc::clone(entries), rows)?),
        DataType::Struct(fields) => Box::new(Struct::new(fields, rows)?),
        other => return Err(ArrowError::NotYetImplemented(format!("{other} in JSON"))),
    })
}

/// A column without a type.
struct Nulls(usize);

impl Column for Nulls {
    fn value(&mut self, _: &mut Jiter<'_>, _: Peek) -> Result<(), ArrowError> {
        Err(misfit("a value", "null"))
    }

    fn usual(&mut self, _: &mut Usual<'_>) -> Option<()> {
        None
    }

    fn text(&mut self, text: &str) -> Result<(), ArrowError> {
        Err(misfit(&format!("'{text}'"), "null"))
    }

    fn null(&mut self) {
        self.0 += 1;
    }

    fn truncate(&mut self, rows: usize) {
        self.0 = rows;
    }

    fn finish(self: Box<Self>) -> Result<ArrayRef, ArrowError> {
        Ok(Arc::new(NullArray::new(self.0)))
    }
}
