//! Records of text files as Spark's readers take them: what a record is, which columns records have, and the rows
//! that they are. What cannot be read is a row of nulls, is left out or is an error, as the option `mode` says.

use std::collections::BTreeMap;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, BooleanArray, RecordBatch, RecordBatchOptions, StringArray};
use datafusion::arrow::compute::filter_record_batch;
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, SchemaRef};
use datafusion::common::Result;

use crate::functions::csv::records::Csv;
use crate::functions::json::records::Json;
use crate::functions::own::{refused, wrong};
use crate::functions::schema::Options;

/// What the records of a file are.
#[derive(Debug)]
pub(crate) enum Records {
    /// Lines of text.
    Text,
    /// Objects of JSON.
    Json(Json),
    /// Lines of separated values.
    Csv(Box<Csv>),
}

/// What becomes of records that cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// They are rows of nulls.
    Permissive,
    Drop,
    Fail,
}

/// What becomes of records that cannot be read, and the column that holds them.
#[derive(Debug)]
pub(super) struct Malformed {
    pub(super) mode: Mode,
    pub(super) column: String,
}

/// Records that were read, and what was wrong with them.
pub(super) struct Outcome<'t> {
    /// Which of them cannot be read.
    pub(super) bad: Vec<bool>,
    /// The text of each.
    pub(super) texts: Vec<&'t str>,
    /// By the columns of the schema; `None` for the one that holds what cannot be read.
    pub(super) columns: Vec<Option<ArrayRef>>,
}

impl Records {
    /// # Errors
    /// The format is none of text, or an option does not fit.
    pub(crate) fn new(format: &str, given: &BTreeMap<String, String>) -> Result<Self> {
        let options = Options::of(given)?;
        match format {
            "text" => Ok(Records::Text),
            "json" => Ok(Records::Json(Json::new(options)?)),
            "csv" => Ok(Records::Csv(Box::new(Csv::new(&options)?))),
            other => wrong(format!("{other} is no format of text")),
        }
    }

    /// The records of a piece of a file; `begins` says whether the file begins with it, `separator` what ends a line
    /// if that is no line break, and `names` the columns that the caller knows.
    ///
    /// # Errors
    /// The first line does not name the columns that are wanted.
    pub(crate) fn cut<'t>(
        &self,
        text: &'t str,
        separator: Option<&str>,
        begins: bool,
        names: Option<&[&str]>,
    ) -> Result<Vec<&'t str>> {
        match self {
            Records::Text => Ok(lines(text, separator)),
            Records::Json(_) => {
                Ok(lines(text, separator).into_iter().filter(|line| !line.trim().is_empty()).collect())
            }
            Records::Csv(csv) => csv.cut(text, separator, begins, names),
        }
    }

    /// What is learnt of columns from records; `begins` as with [`cut`](Self::cut).
    pub(crate) fn learner(&self) -> Learner<'_> {
        match self {
            Records::Text => Learner::Text,
            Records::Json(json) => Learner::Json(json.learner()),
            Records::Csv(csv) => Learner::Csv(csv.learner()),
        }
    }

    /// Whether columns can be known only from what files hold.
    pub(crate) fn tells_columns(&self) -> bool {
        !matches!(self, Records::Text)
    }

    /// The rows of records: `wanted` of the columns `all`.
    ///
    /// # Errors
    /// A record cannot be read, and the mode is FAILFAST.
    pub(crate) fn rows(&self, all: &[FieldRef], wanted: &SchemaRef, records: &[&str]) -> Result<RecordBatch> {
        let (outcome, malformed) = match self {
            Records::Text => {
                let texts: ArrayRef = Arc::new(StringArray::from_iter_values(records));
                let columns = wanted.fields().iter().map(|_| Arc::clone(&texts)).collect();
                return batch(wanted, columns, records.len());
            }
            Records::Json(json) => (json.read(wanted, records)?, &json.malformed),
            Records::Csv(csv) => (csv.read(all, wanted, records)?, &csv.malformed),
        };
        malformed.applied(wanted, outcome)
    }
}

/// What is known of columns so far.
pub(crate) enum Learner<'r> {
    Text,
    Json(crate::functions::json::records::Learner<'r>),
    Csv(crate::functions::csv::records::Learner<'r>),
}

impl Learner<'_> {
    /// # Errors
    /// A record cannot be read, and the mode is FAILFAST.
    pub(crate) fn learn(&mut self, records: &[&str]) -> Result<()> {
        match self {
            Learner::Text => Ok(()),
            Learner::Json(json) => json.learn(records),
            Learner::Csv(csv) => {
                csv.learn(records);
                Ok(())
            }
        }
    }

    /// What the first record of the first file is, where that names columns.
    pub(crate) fn begin(&mut self, text: &str, separator: Option<&str>) {
        if let Learner::Csv(csv) = self {
            csv.begin(text, separator);
        }
    }

    /// # Errors
    /// Two columns have one name.
    pub(crate) fn columns(self) -> Result<Vec<FieldRef>> {
        match self {
            Learner::Text => Ok(vec![Arc::new(Field::new("value", DataType::Utf8, true))]),
            Learner::Json(json) => json.columns(),
            Learner::Csv(csv) => Ok(csv.columns()),
        }
    }
}

impl Malformed {
    pub(super) fn read(options: &Options) -> Self {
        let mode = match options.get("mode").map(str::to_uppercase).as_deref() {
            Some("DROPMALFORMED") => Mode::Drop,
            Some("FAILFAST") => Mode::Fail,
            _ => Mode::Permissive,
        };
        let column = options.get("columnNameOfCorruptRecord").unwrap_or("_corrupt_record").to_owned();
        Malformed { mode, column }
    }

    /// Whether a column holds what cannot be read.
    pub(super) fn holds(&self, field: &Field) -> bool {
        field.name() == &self.column && *field.data_type() == DataType::Utf8
    }

    /// Whether somebody asks which records can be read.
    pub(super) fn matters(&self, wanted: &SchemaRef) -> bool {
        self.mode != Mode::Permissive || wanted.fields().iter().any(|field| self.holds(field))
    }

    fn applied(&self, wanted: &SchemaRef, outcome: Outcome<'_>) -> Result<RecordBatch> {
        let Outcome { bad, texts, columns } = outcome;
        if self.mode == Mode::Fail
            && let Some(at) = bad.iter().position(|bad| *bad)
        {
            return self.fails(texts[at]);
        }
        let told = || -> ArrayRef {
            Arc::new(texts.iter().zip(&bad).map(|(text, bad)| bad.then_some(*text)).collect::<StringArray>())
        };
        let columns = columns.into_iter().map(|column| column.unwrap_or_else(told)).collect();
        let rows = batch(wanted, columns, bad.len())?;
        if self.mode == Mode::Drop && bad.contains(&true) {
            let good: BooleanArray = bad.iter().map(|bad| Some(!bad)).collect();
            return Ok(filter_record_batch(&rows, &good)?);
        }
        Ok(rows)
    }

    pub(super) fn fails<T>(&self, record: &str) -> Result<T> {
        let shown: String = record.chars().take(200).collect();
        let reason = format!(
            "Malformed records are detected in record parsing: {shown}. Parse Mode: FAILFAST. To process malformed \
             records as null result, try setting the option 'mode' as 'PERMISSIVE'."
        );
        refused("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", &reason)
    }
}

fn batch(schema: &SchemaRef, columns: Vec<ArrayRef>, rows: usize) -> Result<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(rows));
    Ok(RecordBatch::try_new_with_options(Arc::clone(schema), columns, &options)?)
}

/// Lines end with a separator, or with whatever breaks lines.
pub(super) fn lines<'t>(text: &'t str, separator: Option<&str>) -> Vec<&'t str> {
    let mut lines = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let found = match separator {
            Some(separator) => rest.find(separator).map(|at| (at, separator.len())),
            None => rest.find(['\n', '\r']).map(|at| (at, 1 + usize::from(rest[at..].starts_with("\r\n")))),
        };
        let (length, ends) = found.unwrap_or((rest.len(), 0));
        lines.push(&rest[..length]);
        rest = &rest[length + ends..];
    }
    lines
}
