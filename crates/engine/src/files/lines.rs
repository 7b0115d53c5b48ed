//! Files of text, JSON and separated values read once, as Spark's readers read them: each path as often as it is
//! named, a file in pieces of which one is held at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use datafusion::arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use datafusion::arrow::datatypes::{DataType, Field, FieldRef, Schema, SchemaRef};
use datafusion::catalog::{Session, TableProvider};
use datafusion::common::{DataFusionError, Result};
use datafusion::datasource::TableType;
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::logical_expr::Expr;
use datafusion::physical_plan::ExecutionPlan;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::streaming::{PartitionStream, StreamingTableExec};

use crate::dataframe::DataFrames;
use crate::error::SqlError;
use crate::files::pieces::{Encoding, Pieces};
use crate::functions::cast::{Manner, changed};
use crate::functions::records::Records;
use crate::functions::time::Zone;
use crate::source::files::{below, listed, narrowest, opened};
use crate::sql::options::source::SourceOptions;
use crate::storage::{Store, waiting};
use crate::streaming::table_over;

/// Options of the listing rather than of the records.
const LISTING: [&str; 2] = ["recursivefilelookup", "pathglobfilter"];

/// One file.
#[derive(Debug, Clone)]
struct File {
    path: PathBuf,
    store: Store,
    /// What its directories say.
    said: Vec<(String, Option<String>)>,
}

/// How files are read.
#[derive(Debug)]
struct Reading {
    records: Records,
    encoding: Encoding,
    separator: Option<String>,
    /// In which directories name times.
    zone: Zone,
    /// Whether a file is one record, or its records may hold line breaks.
    whole: bool,
    /// Whether a file is one record.
    single: bool,
    files: Vec<File>,
    /// What records hold.
    held: Vec<FieldRef>,
    /// Whether the caller has named them.
    named: bool,
}

/// Files as a table.
#[derive(Debug)]
struct Lines {
    schema: SchemaRef,
    reading: Arc<Reading>,
}

impl DataFrames {
    /// What files of `text`, `json` or `csv` hold; options have Spark's names in small letters. Columns that nobody
    /// names are those that the records have, and those that directories such as `day=2024-01-01` say follow.
    ///
    /// # Errors
    /// An option does not fit, or the files cannot be read or say no columns.
    pub fn lines(
        &self,
        format: &str,
        paths: &[String],
        given: &BTreeMap<String, String>,
        columns: Option<&Schema>,
    ) -> std::result::Result<Arc<dyn TableProvider>, SqlError> {
        let failed = |error: DataFusionError| SqlError::plan(&error);
        let records = Records::new(format, given).map_err(failed)?;
        let is = |name: &str| given.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let encoding = given.get("encoding").or_else(|| given.get("charset")).map_or("UTF-8", String::as_str);
        let known = Encoding::named(encoding);
        let encoding =
            known.ok_or_else(|| SqlError::invalid("encoding", format!("{encoding} is not known")))?;
        let zone = given.get("timezone").and_then(|name| Zone::parse(name)).unwrap_or(Zone::UTC);
        let separator = given.get("linesep").filter(|ends| !ends.is_empty() && *ends != "\n").cloned();
        let single = (format == "json" && is("multiline")) || (format == "text" && is("wholetext"));
        let whole = single || (format == "csv" && is("multiline"));
        let mut files = Vec::new();
        for path in paths {
            files.extend(self.files_at(path, given)?);
        }
        if files.is_empty() && columns.is_none() && records.tells_columns() {
            let reason = format!(
                "Unable to infer schema for {}. It must be specified manually.",
                format.to_uppercase()
            );
            return Err(failed(DataFusionError::Plan(format!("[UNABLE_TO_INFER_SCHEMA] {reason}"))));
        }
        let said = said(&files, columns);
        let mut reading = Reading {
            records,
            encoding,
            separator,
            zone,
            whole,
            single,
            files,
            held: Vec::new(),
            named: true,
        };
        reading.held = match columns {
            Some(columns) => columns.fields().iter().map(Arc::clone).collect(),
            None => {
                reading.named = false;
                waiting(|| reading.learnt()).map_err(failed)?
            }
        };
        let is_said = |field: &FieldRef| said.iter().any(|known| same(known.name(), field.name()));
        reading.held.retain(|field| !is_said(field));
        let fields: Vec<FieldRef> = reading.held.iter().cloned().chain(said).collect();
        Ok(Arc::new(Lines { schema: Arc::new(Schema::new(fields)), reading: Arc::new(reading) }))
    }

    fn files_at(
        &self,
        path: &str,
        given: &BTreeMap<String, String>,
    ) -> std::result::Result<Vec<File>, SqlError> {
        let told =
            |(name, _): &(&String, &String)| LISTING.contains(&name.as_str()) || name.starts_with("fs.");
        let mut options: BTreeMap<String, String> =
            given.iter().filter(told).map(|(name, value)| (name.clone(), value.clone())).collect();
        options.insert("path".to_owned(), path.to_owned());
        let table = table_over("text", &options, None)?;
        let SourceOptions::Files(files) = &table.options.source else {
            return Err(SqlError::invalid(path, "is no path of files"));
        };
        let store = self.engine().shared().store_at(&files.path, &files.storage)?.patient();
        let found = waiting(|| listed(files, &store));
        let found = found.map_err(|error| SqlError::failed(format!("look into {path}"), error))?;
        let file = |path: PathBuf| File { said: below(files, &path), store: store.clone(), path };
        Ok(found.into_iter().map(file).collect())
    }
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// The columns that the directories of the first file say, with the types that the caller names or all values have.
fn said(files: &[File], columns: Option<&Schema>) -> Vec<FieldRef> {
    let names = files.first().map(|file| file.said.as_slice()).unwrap_or_default();
    let typed = |(name, _): &(String, Option<String>)| {
        let given =
            columns.and_then(|columns| columns.fields().iter().find(|field| same(field.name(), name)));
        if let Some(given) = given {
            return Arc::clone(given);
        }
        let values = files.iter().flat_map(|file| &file.said).filter(|(known, _)| known == name);
        let values: Vec<String> = values.filter_map(|(_, value)| value.clone()).collect();
        Arc::new(Field::new(name, narrowest(&values), true))
    };
    names.iter().map(typed).collect()
}

impl Reading {
    /// The columns that the records of all files have.
    fn learnt(&self) -> Result<Vec<FieldRef>> {
        let mut learner = self.records.learner();
        let files = if self.records.tells_columns() { self.files.as_slice() } else { &[] };
        for file in files {
            let mut pieces = self.open(file)?;
            while let Some((text, begins)) = pieces.next().map_err(|error| unread(file, error))? {
                if begins {
                    learner.begin(&text, self.separator.as_deref());
                }
                learner.learn(&self.cut(&text, begins, None)?)?;
            }
        }
        learner.columns()
    }

    fn open(&self, file: &File) -> Result<Pieces> {
        let opened = opened(&file.store, &file.path).map_err(|error| unread(file, error))?;
        Ok(Pieces::new(opened, self.encoding, self.separator.clone(), self.whole))
    }

    fn cut<'t>(&self, text: &'t str, begins: bool, names: Option<&[&str]>) -> Result<Vec<&'t str>> {
        match self.single {
            true => Ok(vec![text]),
            false => self.records.cut(text, self.separator.as_deref(), begins, names),
        }
    }

    /// The rows of a piece: those of `wanted` that records hold, and what the file's directories say.
    fn rows(&self, file: &File, text: &str, begins: bool, wanted: &SchemaRef) -> Result<RecordBatch> {
        let names: Vec<&str> = self.held.iter().map(|field| field.name().as_str()).collect();
        let records = self.cut(text, begins, self.named.then_some(names.as_slice()))?;
        let is_held = |field: &&FieldRef| self.held.iter().any(|held| held.name() == field.name());
        let held: Vec<FieldRef> = wanted.fields().iter().filter(is_held).cloned().collect();
        let rows = self.records.rows(&self.held, &Arc::new(Schema::new(held)), &records)?;
        let mut held = rows.columns().iter();
        let mut columns: Vec<ArrayRef> = Vec::with_capacity(wanted.fields().len());
        for field in wanted.fields() {
            match held.as_slice().first().filter(|_| is_held(&field)) {
                Some(_) => columns.extend(held.next().cloned()),
                None => columns.push(said_of(file, field, rows.num_rows(), self.zone)?),
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.num_rows()));
        Ok(RecordBatch::try_new_with_options(Arc::clone(wanted), columns, &options)?)
    }
}

fn said_of(file: &File, field: &Field, rows: usize, zone: Zone) -> Result<ArrayRef> {
    let said = file.said.iter().find(|(name, _)| same(name, field.name()));
    let Some((_, Some(value))) = said else { return Ok(new_null_array(field.data_type(), rows)) };
    let texts: ArrayRef = Arc::new(StringArray::from(vec![value.as_str(); rows]));
    if *field.data_type() == DataType::Utf8 {
        Ok(texts)
    } else {
        changed(&texts, field.data_type(), Manner { forgiving: true, zone })
    }
}

fn unread(file: &File, error: impl std::error::Error + Send + Sync + 'static) -> DataFusionError {
    DataFusionError::Context(
        format!("read {}", file.path.display()),
        Box::new(DataFusionError::External(error.into())),
    )
}

#[async_trait::async_trait]
impl TableProvider for Lines {
    fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    fn table_type(&self) -> TableType {
        TableType::Base
    }

    async fn scan(
        &self,
        _: &dyn Session,
        projection: Option<&Vec<usize>>,
        _: &[Expr],
        limit: Option<usize>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        let schema = match projection {
            Some(projection) => Arc::new(self.schema.project(projection)?),
            None => Arc::clone(&self.schema),
        };
        let stream = Scan { schema: Arc::clone(&schema), reading: Arc::clone(&self.reading) };
        let exec = StreamingTableExec::try_new(schema, vec![Arc::new(stream)], None, [], false, limit)?;
        Ok(Arc::new(exec))
    }
}

/// The rows of some columns.
struct Scan {
    schema: SchemaRef,
    reading: Arc<Reading>,
}

impl fmt::Debug for Scan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lines").field("files", &self.reading.files.len()).finish_non_exhaustive()
    }
}

/// Where a scan stands.
struct Reader {
    schema: SchemaRef,
    reading: Arc<Reading>,
    file: usize,
    pieces: Option<Pieces>,
}

impl Reader {
    fn next(&mut self) -> Result<Option<RecordBatch>> {
        while let Some(file) = self.reading.files.get(self.file) {
            if self.pieces.is_none() {
                self.pieces = Some(self.reading.open(file)?);
            }
            let Some(pieces) = &mut self.pieces else { continue };
            match pieces.next().map_err(|error| unread(file, error))? {
                Some((text, begins)) => {
                    return self.reading.rows(file, &text, begins, &self.schema).map(Some);
                }
                None => {
                    self.pieces = None;
                    self.file += 1;
                }
            }
        }
        Ok(None)
    }
}

impl PartitionStream for Scan {
    fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    fn execute(&self, _: Arc<TaskContext>) -> SendableRecordBatchStream {
        let (schema, reading) = (Arc::clone(&self.schema), Arc::clone(&self.reading));
        let reader = Reader { schema, reading, file: 0, pieces: None };
        let batches = futures::stream::unfold(reader, |mut reader| async move {
            let rows = waiting(|| reader.next());
            rows.transpose().map(|rows| (rows, reader))
        });
        Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), batches))
    }
}
