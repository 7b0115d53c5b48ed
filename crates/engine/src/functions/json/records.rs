//! Records of JSON in files.

use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::Result;

use super::read::{Cells, build, last};
use super::shape::{self, Hints, Shape};
use super::value::{self, Json as Value};
use crate::functions::own::refused;
use crate::functions::records::{Malformed, Mode, Outcome};
use crate::functions::schema::Options;

/// How JSON is read.
#[derive(Debug)]
pub(crate) struct Json {
    options: Options,
    hints: Hints,
    pub(in crate::functions) malformed: Malformed,
}

/// The columns of the records so far.
pub(crate) struct Learner<'r> {
    json: &'r Json,
    shape: Shape,
    corrupt: bool,
}

impl Json {
    pub(in crate::functions) fn new(options: Options) -> Result<Self> {
        // A pattern that is none is an error before a file is read.
        options.pattern("dateFormat")?;
        options.pattern("timestampFormat")?;
        let hints = Hints {
            texts: options.is_true("primitivesAsString"),
            decimals: options.is_true("prefersDecimal"),
            drop_nulls: options.is_true("dropFieldIfAllNull"),
        };
        Ok(Json { malformed: Malformed::read(&options), options, hints })
    }

    pub(in crate::functions) fn learner(&self) -> Learner<'_> {
        Learner { json: self, shape: Shape::Unknown, corrupt: false }
    }

    pub(in crate::functions) fn read<'t>(
        &self,
        wanted: &SchemaRef,
        records: &[&'t str],
    ) -> Result<Outcome<'t>> {
        let mut parsed = Vec::with_capacity(records.len());
        let mut texts = Vec::with_capacity(records.len());
        for record in records {
            let objects = objects(record);
            texts.extend(objects.iter().map(|_| *record));
            parsed.extend(objects);
        }
        let mut bad: Vec<bool> = parsed.iter().map(Option::is_none).collect();
        let matters = self.malformed.matters(wanted);
        let mut columns = Vec::with_capacity(wanted.fields().len());
        for field in wanted.fields() {
            if self.malformed.holds(field) {
                columns.push(None);
                continue;
            }
            let cells: Cells<'_, '_> = parsed.iter().map(|json| last(json.as_ref()?, field.name())).collect();
            let column = build(&cells, field.data_type(), &self.options)?;
            if matters {
                for (row, (cell, bad)) in cells.iter().zip(&mut bad).enumerate() {
                    *bad |= cell.is_some_and(|cell| !fits(cell, &column, row));
                }
            }
            columns.push(Some(column));
        }
        Ok(Outcome { bad, texts, columns })
    }
}

/// The objects of a record, which may be a list of such; `None` for what is no object.
fn objects(record: &str) -> Vec<Option<Value<'_>>> {
    match value::parse(record) {
        Some(Value::List(items)) if items.iter().all(|item| matches!(item, Value::Object(_))) => {
            items.into_iter().map(Some).collect()
        }
        object @ Some(Value::Object(_)) => vec![object],
        _ => vec![None],
    }
}

/// Whether a value became what it is, and not null.
fn fits(value: &Value<'_>, column: &ArrayRef, row: usize) -> bool {
    if *value == Value::Null {
        return true;
    }
    if column.is_null(row) {
        return false;
    }
    match (value, column.data_type()) {
        (Value::Object(_), DataType::Struct(fields)) => {
            let columns = column.as_struct().columns();
            fields
                .iter()
                .zip(columns)
                .all(|(field, column)| last(value, field.name()).is_none_or(|value| fits(value, column, row)))
        }
        (Value::List(items), DataType::List(_)) => {
            let list = column.as_list::<i32>().value(row);
            items.iter().enumerate().all(|(index, item)| fits(item, &list, index))
        }
        (Value::Object(entries), DataType::Map(..)) => {
            let pairs = column.as_map().value(row);
            entries.iter().enumerate().all(|(index, (_, value))| fits(value, pairs.column(1), index))
        }
        _ => true,
    }
}

impl Learner<'_> {
    pub(in crate::functions) fn learn(&mut self, records: &[&str]) -> Result<()> {
        for record in records {
            for object in objects(record) {
                match object {
                    Some(object) => {
                        let known = std::mem::replace(&mut self.shape, Shape::Unknown);
                        self.shape = shape::both(known, shape::of(&object, self.json.hints));
                    }
                    None if self.json.malformed.mode == Mode::Fail => {
                        return self.json.malformed.fails(record);
                    }
                    None => self.corrupt = true,
                }
            }
        }
        Ok(())
    }

    /// Sorted by name.
    pub(in crate::functions) fn columns(self) -> Result<Vec<FieldRef>> {
        let found = shape::data_type(&self.shape, self.json.hints.drop_nulls);
        let mut columns = match found {
            Some(DataType::Struct(fields)) => fields.iter().map(Arc::clone).collect(),
            _ => Vec::new(),
        };
        let corrupt = &self.json.malformed;
        if self.corrupt && corrupt.mode == Mode::Permissive {
            columns.push(Arc::new(Field::new(&corrupt.column, DataType::Utf8, true)));
            columns.sort_by(|a: &FieldRef, b| a.name().cmp(b.name()));
        }
        let mut names: Vec<String> = columns.iter().map(|column| column.name().to_lowercase()).collect();
        names.sort();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            let name = &twice[0];
            let reason = format!(
                "The column `{name}` already exists. Choose another name or rename the existing column."
            );
            return refused("COLUMN_ALREADY_EXISTS", &reason);
        }
        Ok(columns)
    }
}
