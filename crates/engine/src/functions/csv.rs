//! `from_csv` and `to_csv`.

use std::sync::Arc;

use datafusion::arrow::array::builder::StringBuilder;
use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Date32Type, TimestampMicrosecondType};
use datafusion::common::Result;

use crate::functions::cast::{Manner, changed};
use crate::functions::json::write::Writer;
use crate::functions::own::{Call, Kind, Own, Planned, text, wrong};
use crate::functions::schema::{self, Options};
use crate::functions::time::{self, Zone};

mod guess;
pub(super) mod records;

pub(super) const FUNCTIONS: &[Own] = &[
    Own::new("from_csv", &[Kind::Text, Kind::Text, Kind::Any], from_csv_gives, from_csv).optional(1),
    Own::new("to_csv", &[Kind::Any, Kind::Any], to_csv_gives, to_csv).optional(1),
    Own::new("schema_of_csv", &[Kind::Text, Kind::Any], text, schema_of_csv).optional(1),
];

fn from_csv_gives(planned: &Planned<'_>) -> Result<DataType> {
    match schema::planned(planned)? {
        fields @ DataType::Struct(_) => Ok(fields),
        _ => wrong("from_csv: the schema names columns, such as 'a INT, b STRING'"),
    }
}

/// What does not fit its type becomes NULL.
fn from_csv(call: &Call) -> Result<ArrayRef> {
    let options = Options::read(call, 2)?;
    let DataType::Struct(fields) = &call.gives else { return wrong("no columns") };
    let separator = separator(&options)?;
    let lines = schema::strings(&call.arguments[0])?;
    let rows: Vec<Option<Vec<Option<String>>>> =
        lines.iter().map(|line| Some(cells(line?, separator))).collect();
    let (dates, times) = (options.pattern("dateFormat")?, options.pattern("timestampFormat")?);
    let zone = options.zone();
    let mut columns: Vec<ArrayRef> = Vec::with_capacity(fields.len());
    for (index, field) in fields.iter().enumerate() {
        let texts: StringArray = rows.iter().map(|cells| cells.as_ref()?.get(index)?.as_deref()).collect();
        columns.push(match field.data_type() {
            DataType::Utf8 => Arc::new(texts),
            DataType::Date32 => {
                let days = texts.iter().map(|text| time::read_date(text?, dates.as_ref()));
                Arc::new(days.collect::<datafusion::arrow::array::PrimitiveArray<Date32Type>>())
            }
            DataType::Timestamp(_, local) => {
                let zone = if local.is_none() { Zone::UTC } else { zone };
                let micros = texts.iter().map(|text| time::read_instant(text?, times.as_ref(), zone));
                let micros: datafusion::arrow::array::PrimitiveArray<TimestampMicrosecondType> =
                    micros.collect();
                Arc::new(micros.with_data_type(field.data_type().clone()))
            }
            other => changed(&(Arc::new(texts) as ArrayRef), other, Manner { forgiving: true, zone })?,
        });
    }
    let known: Vec<bool> = rows.iter().map(Option::is_some).collect();
    schema::structure(&call.gives, columns, Some(NullBuffer::from(known)))
}

fn separator(options: &Options) -> Result<char> {
    let written = options.get("sep").or_else(|| options.get("delimiter")).unwrap_or(",");
    let mut characters = written.chars();
    match (characters.next(), characters.next()) {
        (Some(separator), None) => Ok(separator),
        _ => wrong(format!("the separator '{written}' is not one character")),
    }
}

/// The cells of a line: quotes hold separators, a backslash holds a quote; an empty cell is NULL.
fn cells(line: &str, separator: char) -> Vec<Option<String>> {
    let (mut cells, mut cell, mut quoted, mut was_quoted) = (Vec::new(), String::new(), false, false);
    let mut rest = line.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' if quoted => cell.extend(rest.next()),
            '"' if quoted && rest.next_if_eq(&'"').is_some() => cell.push('"'),
            '"' if quoted => quoted = false,
            '"' if cell.is_empty() && !was_quoted => (quoted, was_quoted) = (true, true),
            c if c == separator && !quoted => {
                let done = std::mem::take(&mut cell);
                cells.push((was_quoted || !done.is_empty()).then_some(done));
                was_quoted = false;
            }
            c => cell.push(c),
        }
    }
    cells.push((was_quoted || !cell.is_empty()).then_some(cell));
    cells
}

fn to_csv_gives(planned: &Planned<'_>) -> Result<DataType> {
    match planned.types.first() {
        Some(DataType::Struct(_)) => Ok(DataType::Utf8),
        _ => wrong("to_csv takes a struct"),
    }
}

fn to_csv(call: &Call) -> Result<ArrayRef> {
    let options = Options::read(call, 1)?;
    let (writer, separator) = (Writer::new(&options)?, separator(&options)?);
    let rows = call.arguments[0].as_struct();
    let mut lines = StringBuilder::new();
    for row in 0..call.rows {
        if rows.is_null(row) {
            lines.append_null();
            continue;
        }
        let mut line = String::new();
        for (index, column) in rows.columns().iter().enumerate() {
            if index > 0 {
                line.push(separator);
            }
            if column.is_valid(row) {
                let (cell, _) = writer.plain(column, row)?;
                if cell.contains([separator, '"', '\n']) {
                    line.push_str(&format!("\"{}\"", cell.replace('\\', "\\\\").replace('"', "\\\"")));
                } else {
                    line.push_str(&cell);
                }
            }
        }
        lines.append_value(line);
    }
    Ok(Arc::new(lines.finish()))
}

fn schema_of_csv(call: &Call) -> Result<ArrayRef> {
    let separator = separator(&Options::read(call, 1)?)?;
    call.texts(|row| {
        let fields = cells(row.text(0), separator).into_iter().enumerate().map(|(index, cell)| {
            let cell = cell.unwrap_or_default();
            let name = match cell.as_str() {
                whole if whole.parse::<i32>().is_ok() => "INT",
                whole if whole.parse::<i64>().is_ok() => "BIGINT",
                number if number.parse::<f64>().is_ok() => "DOUBLE",
                "true" | "false" => "BOOLEAN",
                date if time::read_date(date, None).is_some() && date.len() == 10 => "DATE",
                _ => "STRING",
            };
            format!("_c{index}: {name}")
        });
        Ok(Some(format!("STRUCT<{}>", fields.collect::<Vec<_>>().join(", "))))
    })
}
