//! `ExecutePlan`, `ReattachExecute`, `ReleaseExecute`: plans run, and their answers wait until they are released.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use datafusion::arrow::array::{Array, ArrayRef, RecordBatch, RecordBatchOptions, StringArray};
use datafusion::arrow::compute::cast;
use datafusion::arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::ipc::writer::StreamWriter;
use futures::Stream;
use prost::Message;
use tonic::Status;

use engine::show::Shown;

use crate::error::{Result, SparkError};
use crate::operation::{DETACHED_MAX, Operation};
use crate::plan::frame::Frame;
use crate::plan::{Planner, limited, observing};
use crate::schema::message;
use crate::schema::unique::{renamed, unique};
use crate::schema::zone::zoned;
use crate::service::command;
use crate::session::{Session, Sessions};
use crate::show::shown;
use crate::wire::command::Command;
use crate::wire::execute::{
    ArrowBatch, CompressedOperation, ExecutePlanRequest, ExecutePlanResponse, OpType, Plan,
    ReattachExecuteRequest, Release, ReleaseExecuteRequest, ReleaseExecuteResponse, RequestOptionKind,
    ResponseType,
};
use crate::wire::relation::{RelType, Relation};

/// Rows and bytes of one message, about.
const MESSAGE_ROWS: usize = 10_000;
const MESSAGE_BYTES: usize = 4 << 20;
/// The longest plan after decompression.
const PLAN_BYTES_MAX: usize = 512 << 20;

pub(crate) type Answers = Pin<Box<dyn Stream<Item = Result<ExecutePlanResponse, Status>> + Send>>;

/// Runs a plan.
pub(crate) async fn execute_plan(
    sessions: &Arc<Sessions>,
    request: ExecutePlanRequest,
) -> Result<Answers, Status> {
    let session = sessions.session(&request.session_id)?;
    let reattachable = request.request_options.iter().any(|option| {
        matches!(&option.request_option, Some(RequestOptionKind::ReattachOptions(options)) if options.reattachable)
    });
    let id = request.operation_id.unwrap_or_else(|| session.new_id());
    let operation = Arc::new(Operation::new(id, request.tags));
    session.begin(Arc::clone(&operation)).map_err(|error| session.refuse(&error))?;
    let answers = operation.stream(None)?;
    // A client that cannot come back has gone when it has gone.
    let patience = if reattachable { DETACHED_MAX } else { Duration::ZERO };
    tokio::spawn(async move {
        let outcome = outcome(&session, &operation, request.plan.unwrap_or_default(), patience).await;
        let outcome = outcome.map_err(|error| session.refuse(&error));
        operation.end(&session, outcome);
        if !reattachable {
            session.forget(&operation.id);
        }
    });
    Ok(Box::pin(answers))
}

async fn outcome(
    session: &Arc<Session>,
    operation: &Arc<Operation>,
    plan: Plan,
    patience: Duration,
) -> Result<()> {
    let work = {
        let (session, operation) = (Arc::clone(session), Arc::clone(operation));
        tokio::spawn(async move { observing(&session, &operation, run(&session, &operation, plan)).await })
    };
    let stop = work.abort_handle();
    tokio::select! {
        done = work => match done {
            Ok(outcome) => outcome,
            Err(error) => Err(SparkError::internal(format!("the operation broke off: {error}"))),
        },
        () = operation.interrupted() => {
            stop.abort();
            Err(SparkError::cancelled())
        }
        () = operation.left(patience) => {
            stop.abort();
            session.forget(&operation.id);
            Err(SparkError::cancelled())
        }
    }
}

async fn run(session: &Arc<Session>, operation: &Operation, plan: Plan) -> Result<()> {
    match plan.op_type {
        Some(OpType::Root(relation)) => query(session, operation, &relation).await,
        Some(OpType::Command(command)) => command::run(session, operation, command).await,
        Some(OpType::CompressedOperation(packed)) => match unpack(&packed)? {
            OpType::Root(relation) => query(session, operation, &relation).await,
            OpType::Command(command) => command::run(session, operation, command).await,
            OpType::CompressedOperation(_) => Err(SparkError::argument("A plan is packed twice.")),
        },
        None => Err(SparkError::missing("plan")),
    }
}

/// A plan as it was before it was packed.
pub(crate) fn unpack(packed: &CompressedOperation) -> Result<OpType> {
    const RELATION: i32 = 1;
    let wrong = |error: &dyn std::fmt::Display| SparkError::argument(format!("The packed plan: {error}."));
    let data = zstd::bulk::decompress(&packed.data, PLAN_BYTES_MAX).map_err(|error| wrong(&error))?;
    let data = Bytes::from(data);
    if packed.op_type == RELATION {
        return Ok(OpType::Root(Box::new(Relation::decode(data).map_err(|error| wrong(&error))?)));
    }
    Ok(OpType::Command(Command::decode(data).map_err(|error| wrong(&error))?))
}

/// Answers with the rows of a relation.
async fn query(session: &Arc<Session>, operation: &Operation, relation: &Relation) -> Result<()> {
    match &relation.rel_type {
        Some(RelType::ShowString(show)) => {
            let input = crate::plan::input(&show.input, "input")?;
            let draw = if show.vertical { engine::show::vertical } else { engine::show::table };
            let text = drawn(session, input, shown(show.num_rows, show.truncate, session), draw).await?;
            one_text(session, operation, "show_string", text).await
        }
        Some(RelType::HtmlString(show)) => {
            let input = crate::plan::input(&show.input, "input")?;
            let shown = shown(show.num_rows, show.truncate, session);
            let text = drawn(session, input, shown, engine::show::html).await?;
            one_text(session, operation, "html_string", text).await
        }
        _ => {
            let mut planner = Planner::new(session);
            let frame = planner.relation(relation).await?;
            rows(session, operation, planner, frame).await
        }
    }
}

type Draw = fn(&[String], &[RecordBatch], Shown) -> datafusion::error::Result<String>;

async fn drawn(session: &Arc<Session>, input: &Relation, shown: Shown, draw: Draw) -> Result<String> {
    let mut planner = Planner::new(session);
    let frame = planner.relation(input).await?;
    let names = frame.names();
    let batches = collected(planner, limited(frame, 0, Some(shown.rows + 1))?).await?;
    Ok(draw(&names, &batches, shown)?)
}

/// All rows of a frame.
pub(crate) async fn collected(planner: Planner<'_>, frame: Frame) -> Result<Vec<RecordBatch>> {
    let mut rows = planner.run(frame).await?;
    let mut batches = Vec::new();
    while let Some(batch) = rows.next().await {
        batches.push(batch?);
    }
    Ok(batches)
}

async fn one_text(session: &Session, operation: &Operation, name: &str, text: String) -> Result<()> {
    let schema = Arc::new(Schema::new(vec![Field::new(name, DataType::Utf8, false)]));
    let column: ArrayRef = Arc::new(StringArray::from(vec![text]));
    let batch = RecordBatch::try_new(Arc::clone(&schema), vec![column]).map_err(broken)?;
    head(session, operation, &schema).await;
    Writer::new(session, operation, &schema).write(&batch).await
}

/// Answers with rows that are there already.
pub(crate) async fn head(session: &Session, operation: &Operation, schema: &Schema) {
    let schema = Some(Box::new(message::write_schema(schema)));
    operation.answer(session, ExecutePlanResponse { schema, ..Default::default() }).await;
}

async fn rows(
    session: &Arc<Session>,
    operation: &Operation,
    planner: Planner<'_>,
    frame: Frame,
) -> Result<()> {
    let schema = Arc::new(frame.schema());
    let mut rows = planner.run(frame).await?;
    head(session, operation, &schema).await;
    let mut writer = Writer::new(session, operation, &schema);
    while let Some(batch) = rows.next().await {
        let batch = batch?;
        let size = batch.get_array_memory_size() / batch.num_rows().max(1);
        let step = (MESSAGE_BYTES / size.max(1)).clamp(1, MESSAGE_ROWS);
        for start in (0..batch.num_rows()).step_by(step) {
            writer.write(&batch.slice(start, step.min(batch.num_rows() - start))).await?;
        }
    }
    if writer.offset == 0 {
        writer.write(&RecordBatch::new_empty(Arc::clone(&schema))).await?;
    }
    Ok(())
}

/// Writes rows as messages.
struct Writer<'a> {
    session: &'a Session,
    operation: &'a Operation,
    schema: SchemaRef,
    offset: i64,
}

impl<'a> Writer<'a> {
    fn new(session: &'a Session, operation: &'a Operation, schema: &Schema) -> Self {
        let zone = session.zone();
        let field = |field: &Arc<Field>| Field::new(field.name(), zoned(field.data_type(), &zone), true);
        let schema = Arc::new(Schema::new(schema.fields().iter().map(field).collect::<Vec<_>>()));
        Writer { session, operation, schema, offset: 0 }
    }

    async fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        let columns = batch.columns().iter().zip(self.schema.fields()).map(|(column, field)| {
            let same = column.data_type() == field.data_type();
            let column = if same { Arc::clone(column) } else { cast(column, field.data_type())? };
            let wanted = unique(field.data_type());
            if wanted == *field.data_type() { Ok(column) } else { renamed(&column, &wanted) }
        });
        let columns = columns.collect::<Result<Vec<_>, ArrowError>>().map_err(broken)?;
        let count = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
        let field = |field: &Arc<Field>| Field::clone(field).with_data_type(unique(field.data_type()));
        let schema = Arc::new(Schema::new(self.schema.fields().iter().map(field).collect::<Vec<_>>()));
        let batch = RecordBatch::try_new_with_options(schema, columns, &count).map_err(broken)?;
        let mut stream = StreamWriter::try_new(Vec::new(), batch.schema_ref()).map_err(broken)?;
        stream.write(&batch).map_err(broken)?;
        let data = Bytes::from(stream.into_inner().map_err(broken)?);
        let row_count = i64::try_from(batch.num_rows()).unwrap_or(i64::MAX);
        let start_offset = Some(self.offset);
        self.offset += row_count;
        let rows = ArrowBatch { row_count, data, start_offset, ..Default::default() };
        self.operation.tell(self.session, ResponseType::ArrowBatch(rows)).await;
        Ok(())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "handed to `map_err`")]
fn broken(error: ArrowError) -> SparkError {
    SparkError::internal(format!("write rows: {error}"))
}

/// Goes on where the client lost the answers.
pub(crate) async fn reattach_execute(
    sessions: &Arc<Sessions>,
    request: ReattachExecuteRequest,
) -> Result<Answers, Status> {
    let session = sessions.session(&request.session_id)?;
    let Some(operation) = session.operation(&request.operation_id) else {
        return Err(Status::not_found(format!(
            "[INVALID_HANDLE.OPERATION_NOT_FOUND] The handle {} is invalid. Operation not found. SQLSTATE: HY000",
            request.operation_id
        )));
    };
    Ok(Box::pin(operation.stream(request.last_response_id.as_deref())?))
}

/// Lets go of answers.
pub(crate) async fn release_execute(
    sessions: &Arc<Sessions>,
    request: ReleaseExecuteRequest,
) -> Result<ReleaseExecuteResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let operation = match &request.release {
        Some(Release::ReleaseUntil(until)) => {
            let operation = session.operation(&request.operation_id);
            if let Some(operation) = &operation {
                operation.release_until(&until.response_id);
            }
            operation
        }
        _ => {
            let operation = session.forget(&request.operation_id);
            if let Some(operation) = &operation
                && !operation.ended()
            {
                operation.interrupt();
            }
            operation
        }
    };
    Ok(ReleaseExecuteResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        operation_id: operation.map(|operation| operation.id.clone()),
    })
}
