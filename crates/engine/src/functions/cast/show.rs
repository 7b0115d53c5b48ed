//! Values as strings.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Float32Type, Float64Type, TimestampMicrosecondType};
use datafusion::common::Result;

use crate::functions::number;
use crate::functions::own::is_bytes;
use crate::functions::time::{self, Zone};

/// Each value as Spark shows it.
pub(crate) fn shown(given: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    if !given.data_type().is_nested() && !is_bytes(given.data_type()) {
        return simple(given, zone);
    }
    let texts = (0..given.len()).map(|row| {
        if given.is_null(row) {
            return Ok(None);
        }
        let mut text = String::new();
        one(given, row, Manner { pretty: false, zone }, &mut text)?;
        Ok(Some(text))
    });
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

/// One value as `show` prints it.
pub(crate) fn pretty(given: &ArrayRef, row: usize, zone: Zone) -> Result<String> {
    let mut text = String::new();
    one(given, row, Manner { pretty: true, zone }, &mut text)?;
    Ok(text)
}

/// What a value is turned into text for (Spark's `ToStringBase`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Manner {
    /// `show()`, which tells bytes in hexadecimal digits; in `CAST(... AS STRING)` they are text already.
    pretty: bool,
    zone: Zone,
}

fn simple(given: &ArrayRef, zone: Zone) -> Result<ArrayRef> {
    Ok(match given.data_type() {
        DataType::Float64 => {
            let values = given.as_primitive::<Float64Type>();
            Arc::new(values.iter().map(|value| value.map(number::double)).collect::<StringArray>())
        }
        DataType::Float32 => {
            let values = given.as_primitive::<Float32Type>();
            Arc::new(values.iter().map(|value| value.map(number::float)).collect::<StringArray>())
        }
        DataType::Timestamp(..) => {
            let micros = time::to_local(given, zone)?;
            let values = micros.as_primitive::<TimestampMicrosecondType>();
            Arc::new(values.iter().map(|value| value.and_then(time::shown)).collect::<StringArray>())
        }
        _ => cast(given, &DataType::Utf8)?,
    })
}

fn one(given: &ArrayRef, row: usize, manner: Manner, out: &mut String) -> Result<()> {
    if given.is_null(row) {
        out.push_str(if manner.pretty { "NULL" } else { "null" });
        return Ok(());
    }
    match given.data_type() {
        DataType::List(_) => {
            let items = given.as_list::<i32>().value(row);
            out.push('[');
            for index in 0..items.len() {
                comma(index, out);
                one(&items, index, manner, out)?;
            }
            out.push(']');
        }
        DataType::Map(..) => {
            let entries = given.as_map().value(row);
            out.push('{');
            for index in 0..entries.len() {
                comma(index, out);
                one(entries.column(0), index, manner, out)?;
                out.push_str(" -> ");
                one(entries.column(1), index, manner, out)?;
            }
            out.push('}');
        }
        DataType::Struct(_) => {
            out.push('{');
            for (index, column) in given.as_struct().columns().iter().enumerate() {
                comma(index, out);
                one(column, row, manner, out)?;
            }
            out.push('}');
        }
        DataType::Binary if manner.pretty => {
            let digits = given.as_binary::<i32>().value(row).iter().map(|byte| format!("{byte:02X}"));
            out.push_str(&format!("[{}]", digits.collect::<Vec<_>>().join(" ")));
        }
        DataType::Binary => out.push_str(&String::from_utf8_lossy(given.as_binary::<i32>().value(row))),
        _ => {
            let text = simple(&given.slice(row, 1), manner.zone)?;
            out.push_str(text.as_string::<i32>().value(0));
        }
    }
    Ok(())
}

fn comma(index: usize, out: &mut String) {
    if index > 0 {
        out.push_str(", ");
    }
}
