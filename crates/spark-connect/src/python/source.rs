//! Data sources of Python: classes that a script registers, asked in a worker what they are, what can be read of them and
//! how rows are written to them. Reading and writing are then functions over frames, as any `mapInArrow`.

use std::collections::BTreeMap;

use bytes::Bytes;
use datafusion::arrow::array::{Array, AsArray, RecordBatch};
use datafusion::arrow::datatypes::{DataType, Field, Fields, Schema};
use datafusion::error::DataFusionError;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::error::{Class, Result, SparkError};
use crate::python::call::framed;
use crate::python::failure::Failure;
use crate::python::function::{Function, kind};
use crate::python::run::Run;
use crate::python::task::{Next, Task};
use crate::python::worker::Word;
use crate::schema;
use crate::wire::command::{DataSource, PythonDataSource};

/// A source as a script has registered it.
#[derive(Debug)]
pub(crate) struct Source<'s> {
    name: &'s str,
    code: &'s PythonDataSource,
}

/// What `create_data_source` says.
#[derive(Debug, Deserialize)]
struct Made {
    source: String,
    /// The schema is text, and not JSON.
    #[expect(dead_code, reason = "both notations are told apart by their first character")]
    is_text: bool,
    schema: String,
}

/// What `plan_data_source_read` says.
#[derive(Debug, Deserialize)]
struct Read {
    function: String,
    partitions: Vec<String>,
}

/// What `write_into_data_source` says.
#[derive(Debug, Deserialize)]
struct Written {
    function: String,
    writer: String,
}

/// A source that can be read: the function that reads a part, and the parts.
#[derive(Debug)]
pub(crate) struct Readable {
    pub(crate) function: Function,
    pub(crate) partitions: Vec<Vec<u8>>,
}

/// A writer at work: rows go in, and at last all of them count, or none.
pub(crate) struct Writer<'r> {
    name: String,
    python: String,
    writer: Vec<u8>,
    function: std::sync::Arc<Function>,
    task: Option<(Task, Next)>,
    messages: Vec<RecordBatch>,
    run: &'r Run,
}

impl<'s> Source<'s> {
    pub(crate) fn new(message: &'s DataSource) -> Result<Self> {
        let code = message.python_data_source.as_ref();
        let code = code.ok_or_else(|| SparkError::missing("python_data_source"))?;
        Ok(Source { name: &message.name, code })
    }

    /// What is read of it with these options. Makes the thread wait.
    pub(crate) fn read(
        &self,
        options: &BTreeMap<String, String>,
        schema: Option<&Schema>,
        pushes: bool,
        run: &Run,
    ) -> Result<Readable> {
        let known = schema.map(|schema| schema::json::write_schema(schema).to_string());
        let about = json!({"asks": "make", "name": self.name, "schema": known, "options": options});
        let made: Made = self.asked("create", about, &self.code.command, run)?;
        let DataType::Struct(fields) = schema::parse_type(&made.schema)? else {
            return Err(self.wrong("create", &format!("its schema {} names no columns", made.schema)));
        };
        let output = schema::json::write_schema(&Schema::new(fields.clone())).to_string();
        let about = json!({"asks": "read", "schema": output, "pushes": pushes});
        let read: Read = self.asked("plan read", about, &bytes_of(&made.source), run)?;
        let function = self.function("read", &read.function, fields);
        Ok(Readable { function, partitions: read.partitions.iter().map(|part| bytes_of(part)).collect() })
    }

    /// A writer of rows of these columns. Makes the thread wait.
    pub(crate) fn write<'r>(
        &self,
        options: &BTreeMap<String, String>,
        schema: &Schema,
        overwrite: bool,
        run: &'r Run,
    ) -> Result<Writer<'r>> {
        let columns = schema::json::write_schema(schema).to_string();
        let about = json!({
            "asks": "write", "name": self.name, "schema": columns, "options": options, "overwrite": overwrite,
        });
        let written: Written = self.asked("write", about, &self.code.command, run)?;
        let message = Fields::from(vec![Field::new("message", DataType::Binary, true)]);
        let function = std::sync::Arc::new(self.function("write", &written.function, message));
        Ok(Writer {
            name: self.name.to_owned(),
            python: self.code.python_ver.clone(),
            writer: bytes_of(&written.writer),
            function,
            task: None,
            messages: Vec::new(),
            run,
        })
    }

    fn function(&self, does: &str, code: &str, output: Fields) -> Function {
        Function {
            name: format!("{} of {}", does, self.name),
            command: Bytes::from(bytes_of(code)),
            python: self.code.python_ver.clone(),
            eval_type: kind::MAP_ARROW_ITER,
            names: Vec::new(),
            output: DataType::Struct(output),
            user: None,
            state: None,
            window: None,
            table: None,
            random: false,
            profile: 0,
            cpus: 1,
        }
    }

    fn asked<T: serde::de::DeserializeOwned>(
        &self,
        does: &str,
        about: Value,
        code: &[u8],
        run: &Run,
    ) -> Result<T> {
        ask(self.name, &self.code.python_ver, about, code, run).map_err(|failure| match failure {
            Failure::Raised { traceback } => self.wrong(does, &traceback),
            other => SparkError::from(DataFusionError::from(other)),
        })
    }

    fn wrong(&self, does: &str, reason: &str) -> SparkError {
        refused(self.name, does, reason)
    }
}

fn refused(name: &str, does: &str, reason: &str) -> SparkError {
    let text = format!("Failed to {does} Python data source {name}: {reason}");
    SparkError::new(Class::Analysis, "PYTHON_DATA_SOURCE_ERROR", "38000", text)
        .with("action", does)
        .with("type", name)
}

/// Hands a worker a question; its answer, which is JSON.
fn ask<T: serde::de::DeserializeOwned>(
    name: &str,
    python: &str,
    mut about: Value,
    code: &[u8],
    run: &Run,
) -> std::result::Result<T, Failure> {
    about["kind"] = "source".into();
    about["python"] = python.into();
    about["paths"] = run.paths().into();
    about["files"] = run.files().into();
    let (worker, first) = run.open(&about, code)?;
    match first {
        Ok(Word::Finished(last)) => {
            run.release(worker);
            serde_json::from_slice(&last).map_err(|error| Failure::Raised { traceback: error.to_string() })
        }
        Ok(Word::Raised(traceback)) => {
            run.release(worker);
            Err(Failure::Raised { traceback })
        }
        _ => {
            let status = worker.status();
            run.end(worker);
            Err(run.reason(Failure::Crashed { function: name.to_owned(), status }))
        }
    }
}

impl Writer<'_> {
    /// Gives it rows. Makes the thread wait.
    pub(crate) fn write(&mut self, rows: &RecordBatch) -> Result<()> {
        if rows.num_rows() == 0 {
            return Ok(());
        }
        self.give(rows)
    }

    fn give(&mut self, rows: &RecordBatch) -> Result<()> {
        let rows = framed(rows);
        let (mut task, next) = match self.task.take() {
            Some(task) => task,
            None => Task::begin(&self.function, &[0], &rows.schema(), self.run).map_err(failed)?,
        };
        let next = match next {
            Next::Wants => task.feed(&rows).and_then(|()| task.wait(&mut self.messages)),
            Next::Finished => Ok(next),
        };
        match next {
            Ok(next) => {
                self.task = Some((task, next));
                Ok(())
            }
            Err(failure) => {
                self.run.lost(task);
                Err(failed(self.run.reason(failure)))
            }
        }
    }

    /// Nothing follows: all rows count from now on. `none` are rows of the frame's columns if there was no row.
    pub(crate) fn finish(mut self, none: &RecordBatch) -> Result<()> {
        if self.task.is_none() {
            self.give(none)?;
        }
        if let Some((mut task, next)) = self.task.take() {
            let ended = match next {
                Next::Wants => task.end().and_then(|()| task.wait(&mut self.messages)),
                Next::Finished => Ok(next),
            };
            match ended {
                Ok(_) => self.run.finish(task),
                Err(failure) => {
                    self.run.lost(task);
                    return Err(failed(self.run.reason(failure)));
                }
            }
        }
        self.end(false)
    }

    /// None of the rows counts.
    pub(crate) fn abort(mut self) -> Result<()> {
        if let Some((task, _)) = self.task.take() {
            self.run.lost(task);
        }
        self.end(true)
    }

    fn end(self, abort: bool) -> Result<()> {
        let hexadecimal = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
        let mut messages = Vec::new();
        for batch in &self.messages {
            let frame = batch.column(0).as_struct_opt();
            let column = frame.map_or_else(|| batch.column(0), |frame| frame.column(0));
            if let Some(column) = column.as_binary_opt::<i32>() {
                messages.extend((0..column.len()).map(|row| hexadecimal(column.value(row))));
            }
        }
        let about = json!({"asks": "commit", "messages": messages, "abort": abort});
        let done: std::result::Result<Value, Failure> =
            ask(&self.name, &self.python, about, &self.writer, self.run);
        match done {
            Ok(_) => Ok(()),
            Err(Failure::Raised { traceback }) => Err(refused(&self.name, "commit", &traceback)),
            Err(other) => Err(failed(other)),
        }
    }
}

fn failed(failure: Failure) -> SparkError {
    SparkError::from(DataFusionError::from(failure))
}

fn bytes_of(digits: &str) -> Vec<u8> {
    let byte = |at: usize| digits.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..digits.len()).step_by(2).filter_map(byte).collect()
}
