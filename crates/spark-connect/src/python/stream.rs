//! Functions that take the batches of a streaming query: `foreachBatch` and `foreach`.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, Weak};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use engine::streaming::Receiver;
use futures::FutureExt;
use futures::future::BoxFuture;
use serde_json::{Value, json};

use crate::error::{Class, Result, SparkError};
use crate::plan::frame::Stored;
use crate::plan::local_relation;
use crate::python::failure::Failure;
use crate::python::run::Run;
use crate::python::worker::{Word, Worker};
use crate::session::{Session, lock};
use crate::wire::expression::PythonUdf;
use crate::wire::streaming::{ForeachFunction, StreamingForeachFunction, WriteStreamOperationStart};

/// What the function takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Takes {
    /// A frame for each batch.
    Frames,
    /// Row after row.
    Rows,
}

impl Takes {
    fn word(self) -> &'static str {
        match self {
            Takes::Frames => "foreachBatch",
            Takes::Rows => "foreach",
        }
    }
}

/// The function of a query. Its worker ends with the Python of the query.
#[derive(Debug)]
pub(crate) struct Batches(Arc<Work>);

#[derive(Debug)]
struct Work {
    /// Not to keep a session that keeps the query.
    session: Weak<Session>,
    session_id: String,
    takes: Takes,
    code: PythonUdf,
    schema: SchemaRef,
    run: Arc<Run>,
    worker: Mutex<Option<Worker>>,
}

impl Batches {
    /// Who takes the rows of this query, if a function of the script does; `schema` is what it writes.
    pub(crate) fn of(
        session: &Arc<Session>,
        run: &Arc<Run>,
        start: &WriteStreamOperationStart,
        schema: Schema,
    ) -> Result<Option<Arc<dyn Receiver>>> {
        let (takes, message) = match (&start.foreach_batch, &start.foreach_writer) {
            (Some(message), _) => (Takes::Frames, message),
            (None, Some(message)) => (Takes::Rows, message),
            (None, None) => return Ok(None),
        };
        let StreamingForeachFunction { function: Some(ForeachFunction::PythonFunction(code)) } = message
        else {
            return Err(SparkError::unsupported("functions of Scala and Java"));
        };
        let work = Work {
            session: Arc::downgrade(session),
            session_id: session.id.clone(),
            takes,
            code: code.clone(),
            schema: Arc::new(schema),
            run: Arc::clone(run),
            worker: Mutex::default(),
        };
        if takes == Takes::Frames {
            work.initialized()?;
        }
        Ok(Some(Arc::new(Batches(Arc::new(work)))))
    }
}

impl Receiver for Batches {
    fn description(&self) -> String {
        match self.0.takes {
            Takes::Frames => "ForeachBatchSink".to_owned(),
            Takes::Rows => "ForeachWriterTable".to_owned(),
        }
    }

    fn take<'a>(
        &'a self,
        batch: u64,
        rows: &'a [RecordBatch],
    ) -> BoxFuture<'a, std::result::Result<(), Box<dyn Error + Send + Sync>>> {
        async move {
            let session = self.0.session.upgrade().ok_or(Failure::Stopped)?;
            let rows = self.0.rows(rows).map_err(|error| self.0.arrow(error))?;
            let mut about = json!({"batch": batch});
            let (mut frame, mut data) = (None, Vec::new());
            match self.0.takes {
                Takes::Frames => {
                    let relation =
                        Arc::new(local_relation(&self.0.schema, &rows).map_err(|error| error.to_string())?);
                    let held = session.hold(Stored::Relation { relation, views: session.views() });
                    about["frame"] = Value::from(held.as_str());
                    frame = Some(held);
                }
                Takes::Rows => data = self.0.written(&rows).map_err(|error| self.0.arrow(error))?,
            }
            let work = Arc::clone(&self.0);
            let asked = tokio::task::spawn_blocking(move || work.batch(&about, &data)).await;
            if let Some(frame) = frame {
                session.let_go(&frame);
            }
            Ok(asked.map_err(|error| Box::new(error) as Box<dyn Error + Send + Sync>)??)
        }
        .boxed()
    }
}

impl Work {
    /// The rows in the types and under the names that the script knows.
    fn rows(&self, rows: &[RecordBatch]) -> std::result::Result<Vec<RecordBatch>, ArrowError> {
        let settled = |batch: &RecordBatch| {
            let columns = batch.columns().iter().zip(self.schema.fields());
            let columns = columns.map(|(column, field)| cast(column, field.data_type()));
            RecordBatch::try_new(Arc::clone(&self.schema), columns.collect::<std::result::Result<_, _>>()?)
        };
        rows.iter().map(settled).collect()
    }

    fn written(&self, rows: &[RecordBatch]) -> std::result::Result<Vec<u8>, ArrowError> {
        let mut writer = StreamWriter::try_new(Vec::new(), &self.schema)?;
        rows.iter().try_for_each(|batch| writer.write(batch))?;
        writer.into_inner()
    }

    /// Has the function take a batch, in the worker of the batch before.
    fn batch(&self, about: &Value, data: &[u8]) -> std::result::Result<(), Failure> {
        let kept = lock(&self.worker).take();
        let mut worker = match kept {
            Some(worker) => worker,
            None => self.begin()?,
        };
        let about = about.to_string();
        let length = i32::try_from(about.len()).unwrap_or(i32::MAX).to_be_bytes();
        let sent = worker.send(b'D', &[&length, about.as_bytes(), data]);
        let heard = sent.and_then(|()| worker.receive());
        self.heard(heard, worker)
    }

    /// Reads the function, in the worker that will take the batches. As in Spark, a function that cannot be read is an
    /// error of the start. Makes the thread wait.
    fn initialized(&self) -> Result<()> {
        match tokio::task::block_in_place(|| self.begin()) {
            Ok(worker) => {
                *lock(&self.worker) = Some(worker);
                Ok(())
            }
            Err(Failure::Raised { traceback }) => {
                let cause = traceback.trim_end().lines().last().unwrap_or_default();
                let text = format!("Streaming Runner initialization failed, returned -2. Cause: {cause}");
                Err(SparkError::new(
                    Class::Runner,
                    "STREAMING_PYTHON_RUNNER_INITIALIZATION_FAILURE",
                    "XXKST",
                    text,
                )
                .with("resFromPython", "-2")
                .with("msg", cause))
            }
            Err(failure) => Err(SparkError::from(datafusion::error::DataFusionError::from(failure))),
        }
    }

    /// A worker that has the function.
    fn begin(&self) -> std::result::Result<Worker, Failure> {
        let about = json!({
            "kind": self.takes.word(), "python": self.code.python_ver, "session": self.session_id,
            "connect": self.run.door().to_string(), "paths": self.run.paths(), "files": self.run.files(),
        });
        let (worker, first) = self.run.open(&about, &self.code.command)?;
        self.heard(first, worker)?;
        lock(&self.worker).take().ok_or(Failure::Stopped)
    }

    /// Keeps a worker that wants more; lets go of one that does not.
    fn heard(&self, word: std::io::Result<Word>, worker: Worker) -> std::result::Result<(), Failure> {
        let failure = match word {
            Ok(Word::Wants) => {
                *lock(&self.worker) = Some(worker);
                return Ok(());
            }
            Ok(Word::Raised(traceback)) => Failure::Raised { traceback },
            _ => Failure::Crashed { function: self.takes.word().to_owned(), status: worker.status() },
        };
        self.run.end(worker);
        Err(self.run.reason(failure))
    }

    fn arrow(&self, source: ArrowError) -> Failure {
        Failure::Arrow { function: self.takes.word().to_owned(), source }
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        if let Some(worker) = lock(&self.worker).take() {
            self.run.end(worker);
        }
    }
}

/// Where a worker on this machine finds the door.
pub(crate) fn reachable(addr: SocketAddr) -> SocketAddr {
    if addr.ip().is_unspecified() {
        return SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), addr.port());
    }
    addr
}
