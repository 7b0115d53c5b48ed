//! Schemas and options that functions take as arguments.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{Array, ArrayRef, AsArray, StringArray, StructArray};
use datafusion::arrow::buffer::NullBuffer;
use datafusion::arrow::datatypes::{DataType, Field, Fields};
use datafusion::common::{DataFusionError, Result};

use crate::functions::own::{Call, Planned, wrong};
use crate::functions::time::pattern::Pattern;
use crate::functions::time::{Zone, no_zone};
use crate::sql::types::schema_text;

/// The type that the second argument spells.
pub(super) fn planned(planned: &Planned<'_>) -> Result<DataType> {
    let constant = planned.constants.get(1).copied().flatten();
    match constant.and_then(|constant| constant.try_as_str().flatten()) {
        Some(schema) => parse(schema),
        None => wrong(format!("{}: the schema is a text in quotes, such as 'a INT, b STRING'", planned.name)),
    }
}

/// `a INT, b STRING` or a type.
pub(super) fn parse(text: &str) -> Result<DataType> {
    schema_text(text).map_err(|error| DataFusionError::Plan(format!("the schema '{text}': {error}")))
}

/// A struct of `count` strings under the names that Spark gives columns of a tuple.
pub(super) fn numbered(count: usize) -> DataType {
    let fields = (0..count).map(|index| Field::new(format!("c{index}"), DataType::Utf8, true));
    DataType::Struct(fields.collect::<Fields>())
}

pub(super) fn structure(
    gives: &DataType,
    columns: Vec<ArrayRef>,
    known: Option<NullBuffer>,
) -> Result<ArrayRef> {
    let DataType::Struct(fields) = gives else { return wrong("the answer is no struct") };
    Ok(Arc::new(StructArray::try_new(fields.clone(), columns, known)?))
}

pub(super) fn strings(array: &ArrayRef) -> Result<&StringArray> {
    array.as_string_opt::<i32>().map_or_else(|| wrong("a string is wanted here"), Ok)
}

/// `map('name', 'value', ...)`, the same for all rows.
#[derive(Debug)]
pub(crate) struct Options {
    entries: Vec<(String, String)>,
    zone: Zone,
}

impl Options {
    pub(super) fn read(call: &Call, argument: usize) -> Result<Self> {
        let none = || Options { entries: Vec::new(), zone: call.zone };
        let Some(map) = call.arguments.get(argument) else { return Ok(none()) };
        let Some(map) = map.as_map_opt() else {
            return wrong(format!("{}: options are a map of strings: map('name', 'value')", call.name));
        };
        if map.is_empty() || map.is_null(0) {
            return Ok(none());
        }
        let pairs = map.value(0);
        let (keys, values) = (strings(pairs.column(0))?, strings(pairs.column(1))?);
        let pairs = keys.iter().zip(values.iter()).filter_map(|(key, value)| Some((key?, value?)));
        let entries = pairs.map(|(key, value)| (key.to_owned(), value.to_owned())).collect();
        Options { entries, zone: call.zone }.zoned()
    }

    /// Those that a reader of files is given.
    pub(super) fn of(given: &BTreeMap<String, String>) -> Result<Self> {
        let entries = given.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        Options { entries, zone: Zone::UTC }.zoned()
    }

    /// With the zone that they say.
    fn zoned(mut self) -> Result<Self> {
        if let Some(name) = self.get("timeZone") {
            self.zone = Zone::parse(name).map_or_else(|| no_zone(name), Ok)?;
        }
        Ok(self)
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.entries.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// A pattern of dates and times.
    pub(super) fn pattern(&self, name: &str) -> Result<Option<Pattern>> {
        self.get(name).map(Pattern::parse).transpose()
    }

    /// In which times are that name none: what `timeZone` says, or the session's.
    pub(super) fn zone(&self) -> Zone {
        self.zone
    }

    pub(super) fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(super) fn is_false(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("false"))
    }
}
