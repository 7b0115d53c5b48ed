//! Rows sorted into directories by the values of some columns, as Hive and Spark lay them out:
//! `day=2024-01-01/shop=7/`. Files do not hold these columns: their directories say them.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

use datafusion::arrow::array::{Array, AsArray, RecordBatch, RecordBatchOptions, StringArray, UInt32Array};
use datafusion::arrow::compute::take_record_batch;
use datafusion::arrow::datatypes::FieldRef;
use datafusion::arrow::error::ArrowError;

use crate::error::SqlError;
use crate::functions::cast::shown;
use crate::functions::time::Zone;

/// What stands for NULL, and for a text without characters.
const NOTHING: &str = "__HIVE_DEFAULT_PARTITION__";

/// # Errors
/// A column is not there, cannot name a directory, or no other is left for the files.
pub(crate) fn check(columns: &[FieldRef], by: &[String]) -> Result<(), SqlError> {
    for name in by {
        let found = columns.iter().find(|column| column.name().eq_ignore_ascii_case(name));
        let Some(column) = found else {
            let known: Vec<&str> = columns.iter().map(|column| column.name().as_str()).collect();
            let reason = format!("there is no column {name}; there are {}", known.join(", "));
            return Err(SqlError::invalid("partitionBy", reason));
        };
        if column.data_type().is_nested() {
            let reason = format!("column {name} holds more than one value; name directories by a simple one");
            return Err(SqlError::invalid("partitionBy", reason));
        }
    }
    if !by.is_empty() && rest(columns, by).is_empty() {
        return Err(SqlError::invalid("partitionBy", "no column is left for the files"));
    }
    Ok(())
}

fn is_named(by: &[String], column: &str) -> bool {
    by.iter().any(|name| name.eq_ignore_ascii_case(column))
}

/// The columns that files hold.
pub(crate) fn rest(columns: &[FieldRef], by: &[String]) -> Vec<FieldRef> {
    columns.iter().filter(|column| !is_named(by, column.name())).cloned().collect()
}

/// The rows of each directory, in the order of their names; one without a name if nothing is sorted.
pub(crate) fn split(
    batches: &[RecordBatch],
    by: &[String],
    zone: Zone,
) -> Result<BTreeMap<String, Vec<RecordBatch>>, ArrowError> {
    let mut parts: BTreeMap<String, Vec<RecordBatch>> = BTreeMap::new();
    for batch in batches.iter().filter(|batch| batch.num_rows() > 0) {
        if by.is_empty() {
            parts.entry(String::new()).or_default().push(batch.clone());
            continue;
        }
        let kept = kept(batch, by)?;
        for (directory, rows) in directories(batch, by, zone)? {
            let rows = take_record_batch(&kept, &UInt32Array::from(rows))?;
            parts.entry(directory).or_default().push(rows);
        }
    }
    Ok(parts)
}

fn kept(batch: &RecordBatch, by: &[String]) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let fields = schema.fields().iter().enumerate();
    let indices: Vec<usize> =
        fields.filter(|(_, field)| !is_named(by, field.name())).map(|(index, _)| index).collect();
    batch.project(&indices)
}

/// The rows of each directory by their numbers.
fn directories(
    batch: &RecordBatch,
    by: &[String],
    zone: Zone,
) -> Result<BTreeMap<String, Vec<u32>>, ArrowError> {
    let mut columns = Vec::with_capacity(by.len());
    for name in by {
        let (index, field) = batch
            .schema_ref()
            .fields()
            .iter()
            .enumerate()
            .find(|(_, field)| field.name().eq_ignore_ascii_case(name))
            .ok_or_else(|| ArrowError::SchemaError(format!("there is no column {name}")))?;
        let shown = shown(batch.column(index), zone);
        let texts = shown.map_err(|error| ArrowError::ExternalError(Box::new(error)))?;
        columns.push((escaped(field.name()), texts));
    }
    let mut directories: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    for row in 0..batch.num_rows() {
        let mut directory = String::new();
        for (name, texts) in &columns {
            let texts = texts.as_string::<i32>();
            let value = Some(texts.value(row)).filter(|value| texts.is_valid(row) && !value.is_empty());
            let value = value.map_or_else(|| NOTHING.to_owned(), escaped);
            // Writing to a string does not fail.
            let _ = write!(directory, "{name}={value}/");
        }
        directories.entry(directory).or_default().push(u32::try_from(row).unwrap_or(u32::MAX));
    }
    Ok(directories)
}

/// Characters that have a meaning in paths, as Hive writes them.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii_control() || "\"#%'*/:=?\\{[]^".contains(character) {
            let _ = write!(escaped, "%{:02X}", u32::from(character));
        } else {
            escaped.push(character);
        }
    }
    escaped
}

fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        plain.push_str(&rest[..at]);
        let code = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (character, length) = code.map_or(('%', 1), |code| (char::from(code), 3));
        plain.push(character);
        rest = &rest[at + length..];
    }
    plain.push_str(rest);
    plain
}

/// Whether a directory says the value of a column.
pub(crate) fn is_partition(name: &str) -> bool {
    name.find('=').is_some_and(|at| at > 0)
}

/// What the directories of a path say: columns and their values; `None` is NULL.
pub(crate) fn said(path: &Path) -> Vec<(String, Option<String>)> {
    let directories = path.parent().into_iter().flat_map(Path::components);
    let said = directories.filter_map(|component| {
        let (name, value) =
            component.as_os_str().to_str()?.split_once('=').filter(|(name, _)| !name.is_empty())?;
        Some((unescaped(name), Some(value).filter(|value| *value != NOTHING).map(unescaped)))
    });
    said.collect()
}

/// The rows with the columns that the files' directories say; `paths` has the file of each row.
pub(crate) fn filled<'p>(
    batch: &RecordBatch,
    paths: impl Iterator<Item = &'p str>,
) -> Result<RecordBatch, ArrowError> {
    let schema = batch.schema();
    let mut texts: Vec<Option<Vec<Option<String>>>> = vec![None; schema.fields().len()];
    let mut last: (&str, Vec<(usize, Option<String>)>) = ("", Vec::new());
    for (row, path) in paths.enumerate() {
        if row == 0 || path != last.0 {
            let place = |(name, value): (String, Option<String>)| {
                let at = schema.fields().iter().position(|field| field.name().eq_ignore_ascii_case(&name))?;
                Some((at, value))
            };
            last = (path, said(Path::new(path)).into_iter().filter_map(place).collect());
        }
        for (at, value) in &last.1 {
            let column = texts[*at].get_or_insert_with(|| vec![None; batch.num_rows()]);
            if let Some(cell) = column.get_mut(row) {
                cell.clone_from(value);
            }
        }
    }
    let mut columns = batch.columns().to_vec();
    for ((column, texts), field) in columns.iter_mut().zip(texts).zip(schema.fields()) {
        if let Some(texts) = texts {
            *column = datafusion::arrow::compute::cast(&StringArray::from(texts), field.data_type())?;
        }
    }
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(schema, columns, &options)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use datafusion::arrow::array::{ArrayRef, Int32Array};

    use super::*;

    #[test]
    fn rows_go_to_the_directories_of_their_values_and_come_back() {
        let texts: ArrayRef =
            Arc::new(StringArray::from(vec![Some("a/b=c"), None, Some("a/b=c"), Some("Ä 1"), Some("")]));
        let numbers: ArrayRef = Arc::new(Int32Array::from(vec![1, 2, 3, 4, 5]));
        let columns = [("k", texts, true), ("n", numbers, true)];
        let batch = RecordBatch::try_from_iter_with_nullable(columns).unwrap();
        let parts = split(std::slice::from_ref(&batch), &["K".to_owned()], Zone::UTC).unwrap();
        let rows: Vec<_> = parts.iter().map(|(name, rows)| (name.as_str(), rows[0].num_rows())).collect();
        assert_eq!(rows, [("k=__HIVE_DEFAULT_PARTITION__/", 2), ("k=a%2Fb%3Dc/", 2), ("k=Ä 1/", 1)]);
        assert!(parts.values().all(|rows| rows[0].num_columns() == 1));
        for (name, value) in
            [("k=a%2Fb%3Dc", Some("a/b=c")), ("k=Ä 1", Some("Ä 1")), ("k=100%", Some("100%"))]
        {
            let path = format!("/out/{name}/part-0.json");
            assert_eq!(said(Path::new(&path)), [("k".to_owned(), value.map(str::to_owned))]);
        }
        let back = filled(
            &batch,
            ["/x/k=7/n=9/f", "/x/k=__HIVE_DEFAULT_PARTITION__/f", "/x/f", "/x/f", "/x/f"].into_iter(),
        );
        let back = back.unwrap();
        let (texts, numbers) = (back.column(0).as_string::<i32>(), back.column(1));
        assert_eq!((texts.value(0), texts.is_null(1)), ("7", true));
        assert_eq!(numbers.as_primitive::<datafusion::arrow::datatypes::Int32Type>().value(0), 9);
    }
}
