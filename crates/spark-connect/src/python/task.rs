//! A function at work in a worker: batches go in, rows come out.

use std::fmt;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::buffer::Buffer;
use datafusion::arrow::datatypes::Schema;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::reader::StreamDecoder;
use datafusion::arrow::ipc::writer::StreamWriter;
use serde_json::json;

use crate::python::failure::Failure;
use crate::python::function::{Function, kind};
use crate::python::profile::Figures;
use crate::python::run::Run;
use crate::python::worker::{Word, Worker};
use crate::schema::{self, zone::in_zone};

/// What PySpark writes in front of Arrow's stream.
const START_ARROW_STREAM: [u8; 4] = (-6_i32).to_be_bytes();

/// A task that is open. Dropping it kills its worker.
pub(crate) struct Task {
    function: Arc<Function>,
    worker: Worker,
    input: Option<StreamWriter<Vec<u8>>>,
    output: StreamDecoder,
    started: bool,
    last: Vec<u8>,
    /// Whose instants the function is given.
    zone: String,
    /// How long the worker may say nothing.
    patience: Option<Duration>,
    figures: Option<Figures>,
}

impl fmt::Debug for Task {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Task").field("function", &self.function.name).finish_non_exhaustive()
    }
}

/// What a task waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Wants,
    Finished,
}

/// What a task is given at a time.
#[derive(Debug)]
pub(crate) enum Given {
    Rows(RecordBatch),
    Bytes(Vec<u8>),
}

impl Task {
    /// Hands the function to a worker. `arguments` are the columns it takes, `input` what a batch holds.
    pub(crate) fn begin(
        function: &Arc<Function>,
        arguments: &[usize],
        input: &Schema,
        run: &Run,
    ) -> Result<(Task, Next), Failure> {
        let named = |place: usize| function.names.get(place).cloned().flatten();
        let arguments: Vec<_> =
            arguments.iter().enumerate().map(|(place, offset)| json!([offset, named(place)])).collect();
        let rows = matches!(function.eval_type, kind::ARROW_BATCHED | kind::TABLE | kind::ARROW_TABLE);
        let about = json!({
            "kind": "function", "python": function.python, "eval_type": function.eval_type, "arguments": arguments, "partition": 0,
            "settings": run.settings(), "paths": run.paths(), "files": run.files(),
            "state_schema": function.state, "window": function.window, "profile": function.profile, "cpus": function.cpus,
            "table": function.table.as_ref().map(|table| table.about(function)),
            "input_type": rows.then(|| schema::json::write_schema(input).to_string()),
        });
        let (worker, first) = run.open(&about, &function.command)?;
        let function = Arc::clone(function);
        let patience = run.patience();
        let mut task = Task {
            function,
            worker,
            input: None,
            output: StreamDecoder::new(),
            started: false,
            last: Vec::new(),
            zone: run.zone().to_owned(),
            patience,
            figures: run.figures().cloned(),
        };
        if patience.is_some() {
            task.worker.patience(patience).map_err(|_| task.crashed())?;
        }
        match task.heard(first, &mut Vec::new()) {
            Ok(next) => Ok((task, next)),
            Err(failure) => {
                run.lost(task);
                Err(run.reason(failure))
            }
        }
    }

    /// Gives it a batch, of one stream of batches.
    pub(crate) fn feed(&mut self, batch: &RecordBatch) -> Result<(), Failure> {
        let batch = &in_zone(batch, &self.zone).map_err(|error| arrow(&self.function, error))?;
        let input = match &mut self.input {
            Some(input) => input,
            none => {
                let writer = StreamWriter::try_new(Vec::new(), batch.schema_ref());
                none.insert(writer.map_err(|error| arrow(&self.function, error))?)
            }
        };
        input.write(batch).map_err(|error| arrow(&self.function, error))?;
        let bytes = std::mem::take(input.get_mut());
        self.send(b'D', &bytes)
    }

    /// Gives it bytes.
    pub(crate) fn give(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        self.send(b'D', bytes)
    }

    /// Nothing follows.
    pub(crate) fn end(&mut self) -> Result<(), Failure> {
        if self.function.window.is_some() {
            // It counts groups: none follows.
            return self.give(&0_i32.to_be_bytes());
        }
        self.send(b'E', &[])
    }

    /// Gives it all of these, each when it asks for more, and then says that nothing follows. What it makes of them
    /// goes into `rows`.
    pub(crate) fn all(
        &mut self,
        mut next: Next,
        given: impl IntoIterator<Item = Result<Given, Failure>>,
        rows: &mut Vec<RecordBatch>,
    ) -> Result<Next, Failure> {
        for given in given {
            if next == Next::Finished {
                return Ok(next);
            }
            match given? {
                Given::Rows(batch) => self.feed(&batch)?,
                Given::Bytes(bytes) => self.give(&bytes)?,
            }
            next = self.wait(rows)?;
        }
        if next == Next::Wants {
            self.end()?;
            next = self.wait(rows)?;
        }
        Ok(next)
    }

    fn send(&mut self, kind: u8, bytes: &[u8]) -> Result<(), Failure> {
        self.worker.send(kind, &[bytes]).map_err(|_| self.crashed())
    }

    /// Waits until it wants more or has finished; what it gave meanwhile goes into `rows`.
    pub(crate) fn wait(&mut self, rows: &mut Vec<RecordBatch>) -> Result<Next, Failure> {
        let word = self.worker.receive();
        self.heard(word, rows)
    }

    fn heard(
        &mut self,
        mut word: std::io::Result<Word>,
        rows: &mut Vec<RecordBatch>,
    ) -> Result<Next, Failure> {
        loop {
            match word {
                Ok(Word::Wants) => return Ok(Next::Wants),
                Ok(Word::Finished(last)) => {
                    self.last = last;
                    return Ok(Next::Finished);
                }
                Ok(Word::Raised(traceback)) => return Err(Failure::Raised { traceback }),
                Ok(Word::Data(data)) => self.decode(data, rows)?,
                Ok(Word::Measured(update)) => {
                    if let Some(figures) = &self.figures {
                        figures.tell(update);
                    }
                }
                Err(error) => return Err(self.silent(&error)),
            }
            word = self.worker.receive();
        }
    }

    fn decode(&mut self, data: Vec<u8>, rows: &mut Vec<RecordBatch>) -> Result<(), Failure> {
        let mut buffer = Buffer::from_vec(data);
        if !self.started {
            self.started = true;
            if buffer.starts_with(&START_ARROW_STREAM) {
                buffer.advance(START_ARROW_STREAM.len());
            }
        }
        while !buffer.is_empty() {
            let decoded = self.output.decode(&mut buffer);
            rows.extend(decoded.map_err(|error| arrow(&self.function, error))?);
        }
        Ok(())
    }

    /// Why nothing came.
    fn silent(&self, error: &std::io::Error) -> Failure {
        match self.patience {
            Some(patience) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Failure::Idle { seconds: patience.as_secs() }
            }
            _ => self.crashed(),
        }
    }

    fn crashed(&self) -> Failure {
        Failure::Crashed { function: self.function.name.clone(), status: self.worker.status() }
    }

    /// Takes the last words of a task that has finished.
    pub(crate) fn last(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.last)
    }

    /// The worker of a task that has finished.
    pub(crate) fn into_worker(self) -> Worker {
        self.worker
    }

    pub(crate) fn worker(&self) -> &Worker {
        &self.worker
    }
}

fn arrow(function: &Function, source: ArrowError) -> Failure {
    Failure::Arrow { function: function.name.clone(), source }
}
