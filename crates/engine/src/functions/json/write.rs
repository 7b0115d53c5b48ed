//! `to_json`: fields that are NULL are left out, unless the option `ignoreNullFields` is false.

use base64::Engine as _;
use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{
    DataType, Date32Type, Float32Type, Float64Type, TimestampMicrosecondType,
};
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion::common::Result;

use super::value::quoted;
use crate::functions::number;
use crate::functions::own::{Call, wrong};
use crate::functions::schema::Options;
use crate::functions::time::Zone;
use crate::functions::time::pattern::Pattern;

/// How the values of one call are written.
pub(in crate::functions) struct Writer {
    date: Pattern,
    time: Pattern,
    local: Pattern,
    zone: Zone,
    keep_nulls: bool,
}

impl Writer {
    pub(in crate::functions) fn new(options: &Options) -> Result<Self> {
        let or = |name: &str, usual: &str| match options.pattern(name)? {
            Some(pattern) => Ok(pattern),
            None => Pattern::parse(usual),
        };
        Ok(Writer {
            date: or("dateFormat", "yyyy-MM-dd")?,
            time: or("timestampFormat", "yyyy-MM-dd'T'HH:mm:ss.SSSXXX")?,
            local: or("timestampNTZFormat", "yyyy-MM-dd'T'HH:mm:ss.SSS")?,
            zone: options.zone(),
            keep_nulls: options.is_false("ignoreNullFields"),
        })
    }

    /// Text of a value that is no JSON structure, and whether it stands in quotes.
    pub(in crate::functions) fn plain(&self, array: &ArrayRef, row: usize) -> Result<(String, bool)> {
        let quoted = |text: Option<String>| Ok((text.unwrap_or_default(), true));
        match array.data_type() {
            DataType::Utf8 => quoted(Some(array.as_string::<i32>().value(row).to_owned())),
            DataType::Utf8View => quoted(Some(array.as_string_view().value(row).to_owned())),
            DataType::Binary => {
                let bytes = array.as_binary::<i32>().value(row);
                quoted(Some(base64::engine::general_purpose::STANDARD.encode(bytes)))
            }
            DataType::Date32 => {
                let days = i64::from(array.as_primitive::<Date32Type>().value(row));
                quoted(self.date.format(days * 86_400_000_000, Zone::UTC))
            }
            DataType::Timestamp(_, zone) => {
                let micros = array.as_primitive_opt::<TimestampMicrosecondType>();
                let (pattern, zone) =
                    if zone.is_some() { (&self.time, self.zone) } else { (&self.local, Zone::UTC) };
                quoted(micros.and_then(|micros| pattern.format(micros.value(row), zone)))
            }
            DataType::Float64 => {
                let value = array.as_primitive::<Float64Type>().value(row);
                Ok((number::double(value), !value.is_finite()))
            }
            DataType::Float32 => {
                let value = array.as_primitive::<Float32Type>().value(row);
                Ok((number::float(value), !value.is_finite()))
            }
            DataType::Null => Ok(("null".to_owned(), false)),
            _ => {
                Ok((ArrayFormatter::try_new(array, &FormatOptions::default())?.value(row).to_string(), false))
            }
        }
    }

    pub(in crate::functions) fn json(&self, array: &ArrayRef, row: usize, out: &mut String) -> Result<()> {
        if array.is_null(row) {
            out.push_str("null");
            return Ok(());
        }
        match array.data_type() {
            DataType::Struct(fields) => {
                let columns = array.as_struct().columns();
                let pairs = fields.iter().zip(columns).filter(|(_, column)| {
                    self.keep_nulls || (column.is_valid(row) && !column.data_type().is_null())
                });
                out.push('{');
                for (index, (field, column)) in pairs.enumerate() {
                    comma(index, out);
                    quoted(field.name(), out);
                    out.push(':');
                    self.json(column, row, out)?;
                }
                out.push('}');
            }
            DataType::List(_) => {
                let items = array.as_list::<i32>().value(row);
                out.push('[');
                for index in 0..items.len() {
                    comma(index, out);
                    self.json(&items, index, out)?;
                }
                out.push(']');
            }
            DataType::Map(..) => {
                let entries = array.as_map().value(row);
                let (keys, values) = (entries.column(0), entries.column(1));
                out.push('{');
                for index in 0..entries.len() {
                    comma(index, out);
                    quoted(&self.plain(keys, index)?.0, out);
                    out.push(':');
                    self.json(values, index, out)?;
                }
                out.push('}');
            }
            _ => match self.plain(array, row)? {
                (text, true) => quoted(&text, out),
                (text, false) => out.push_str(&text),
            },
        }
        Ok(())
    }
}

fn comma(index: usize, out: &mut String) {
    if index > 0 {
        out.push(',');
    }
}

pub(super) fn to_json(call: &Call) -> Result<ArrayRef> {
    let writer = Writer::new(&Options::read(call, 1)?)?;
    let Some(values) = call.arguments.first() else { return wrong("to_json takes a value") };
    let mut texts = datafusion::arrow::array::builder::StringBuilder::new();
    for row in 0..call.rows {
        if values.is_null(row) {
            texts.append_null();
            continue;
        }
        let mut text = String::new();
        writer.json(values, row, &mut text)?;
        texts.append_value(text);
    }
    Ok(std::sync::Arc::new(texts.finish()))
}
