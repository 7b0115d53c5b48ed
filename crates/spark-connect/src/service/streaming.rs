//! Commands of streaming queries: they are started, asked and stopped.

use std::sync::Arc;
use std::time::Duration;

use engine::streaming::is_streaming;

use crate::error::{Class, Result, SparkError};
use crate::operation::Operation;
use crate::plan::frame::Stored;
use crate::plan::{Planner, not_too_deep};
use crate::python::Batches;
use crate::service::tables;
use crate::session::Session;
use crate::streaming::{NewTable, Query, Wanted, check, counted, learned, progress, started, writing};
use crate::wire::execute::ResponseType;
use crate::wire::streaming::{
    ActiveResult, AwaitAnyTerminationResult, AwaitTerminationResult, BusAsk, ExceptionResult, ExplainResult,
    ManagerAsk, ManagerResult, QueryAsk, QueryResult, RecentProgressResult, StatusResult,
    StreamingQueryCommand, StreamingQueryCommandResult, StreamingQueryInstance, StreamingQueryInstanceId,
    StreamingQueryListenerBusCommand, StreamingQueryListenerEvent, StreamingQueryListenerEventsResult,
    StreamingQueryManagerCommand, StreamingQueryManagerCommandResult, WriteStreamOperationStart,
    WriteStreamOperationStartResult,
};

/// Events told at once.
const EVENTS_MAX: usize = 100;

/// `df.writeStream...start()`.
pub(crate) async fn start(
    session: &Arc<Session>,
    operation: &Operation,
    start: WriteStreamOperationStart,
) -> Result<()> {
    let mut planner = Planner::new(session);
    let mut frame = planner.relation(crate::plan::input(&start.input, "input")?).await?;
    if !is_streaming(&frame.plan) {
        let text = "`writeStream` can be called only on streaming Dataset/DataFrame.";
        return Err(SparkError::new(Class::Analysis, "WRITE_STREAM_NOT_ALLOWED", "42601", text));
    }
    not_too_deep(&frame.plan)?;
    let Wanted { columns, mut writing, new_table, lesson } = writing(session, &frame, &start)?;
    if let Some(name) = &writing.name {
        session.streams.check_name(name)?;
    }
    writing.mode = check(&frame.plan, writing.mode)?;
    frame.plan = counted(frame.plan, writing.mode, &planner.frames)?;
    writing.receiver = Batches::of(session, &planner.python, &start, frame.schema())?;
    if let (Some(new), Some(name)) = (&new_table, &writing.table) {
        let NewTable { format, options, path, partition_by } = new;
        let columns = &frame.schema();
        tables::NewTable { name, format, path, options, columns, partition_by }.create(session).await?;
    }
    if let Some(lesson) = &lesson {
        lesson.prepare(session, &frame.schema()).await?;
    }
    let memory = writing.name.clone().filter(|_| writing.format == "memory" && writing.table.is_none());
    let Planner { frames, python, figures, .. } = planner;
    let handle = frames.start(frame.plan, &columns, writing).await?;
    let query = session.streams.add(handle, python, lesson.map(|lesson| lesson.model), figures);
    if let Some(name) = memory {
        session.create_view(&name, Stored::Stream(Arc::clone(&query)), true)?;
    }
    let listened = session.streams.is_listening();
    let time = session.env.clock.now_ms();
    let result = WriteStreamOperationStartResult {
        query_id: Some(id_of(&query)),
        name: query.handle.name().unwrap_or_default().to_owned(),
        query_started_event_json: listened.then(|| started(&query, &engine::streaming::timestamp(time))),
    };
    operation.tell(session, ResponseType::WriteStreamOperationStartResult(result)).await;
    Ok(())
}

fn id_of(query: &Query) -> StreamingQueryInstanceId {
    StreamingQueryInstanceId { id: query.id.clone(), run_id: query.run_id.clone() }
}

fn instance(query: &Query) -> StreamingQueryInstance {
    StreamingQueryInstance { id: Some(id_of(query)), name: query.handle.name().map(str::to_owned) }
}

/// What is asked of one query.
pub(crate) async fn query(
    session: &Arc<Session>,
    operation: &Operation,
    command: StreamingQueryCommand,
) -> Result<()> {
    let id = command.query_id.ok_or_else(|| SparkError::missing("query_id"))?;
    let asked = command.command.ok_or_else(|| SparkError::missing("command"))?;
    let query = session.streams.run(&id.id, &id.run_id)?;
    let result_type = answer(session, &query, asked).await?;
    let result = StreamingQueryCommandResult { query_id: Some(id), result_type };
    operation.tell(session, ResponseType::StreamingQueryCommandResult(result)).await;
    Ok(())
}

async fn answer(session: &Session, query: &Query, asked: QueryAsk) -> Result<Option<QueryResult>> {
    Ok(Some(match asked {
        QueryAsk::Status(_) => {
            let condition = query.handle.condition();
            QueryResult::Status(StatusResult {
                status_message: condition.message,
                is_data_available: condition.data_available,
                is_trigger_active: condition.trigger_active,
                is_active: condition.active,
            })
        }
        QueryAsk::LastProgress(_) => told(query, 1),
        QueryAsk::RecentProgress(_) => told(query, usize::MAX),
        QueryAsk::Stop(_) => {
            query.stop().await;
            return Ok(None);
        }
        QueryAsk::ProcessAllAvailable(_) => {
            query.handle.process_all_available().await?;
            learned(session, query).await?;
            return query.failure().map_or(Ok(None), Err);
        }
        QueryAsk::Explain(explain) => {
            QueryResult::Explain(ExplainResult { result: query.handle.explain(explain.extended) })
        }
        QueryAsk::Exception(_) => QueryResult::Exception(match query.failure() {
            None => ExceptionResult::default(),
            Some(failure) => ExceptionResult {
                exception_message: Some(format!("{}: {}", failure.class.hierarchy()[0], failure.message())),
                error_class: Some(failure.condition.to_owned()),
                stack_trace: None,
            },
        }),
        QueryAsk::AwaitTermination(asked) => {
            let terminated = within(asked.timeout_ms, query.handle.ended()).await.is_some();
            if terminated && let Some(failure) = query.failure() {
                return Err(failure);
            }
            if terminated {
                learned(session, query).await?;
            }
            QueryResult::AwaitTermination(AwaitTerminationResult { terminated })
        }
    }))
}

/// The last batches.
fn told(query: &Query, last: usize) -> QueryResult {
    let batches = query.handle.progress();
    let skipped = batches.len().saturating_sub(last);
    let json = |batch| progress(query, batch).to_string();
    let recent_progress_json = batches[skipped..].iter().map(json).collect();
    QueryResult::RecentProgress(RecentProgressResult { recent_progress_json })
}

/// What comes in time.
async fn within<T>(timeout_ms: Option<i64>, work: impl Future<Output = T>) -> Option<T> {
    match timeout_ms {
        None => Some(work.await),
        Some(timeout) => {
            let timeout = Duration::from_millis(u64::try_from(timeout).unwrap_or(0));
            tokio::time::timeout(timeout, work).await.ok()
        }
    }
}

/// What is asked of all queries of the session.
pub(crate) async fn manager(
    session: &Arc<Session>,
    operation: &Operation,
    command: StreamingQueryManagerCommand,
) -> Result<()> {
    let asked = command.command.ok_or_else(|| SparkError::missing("command"))?;
    let streams = &session.streams;
    let result_type = match asked {
        ManagerAsk::Active(_) => {
            let active_queries = streams.active().iter().map(|query| instance(query)).collect();
            Some(ManagerResult::Active(ActiveResult { active_queries }))
        }
        ManagerAsk::GetQuery(id) => {
            let found = streams.active().into_iter().find(|query| query.id == id);
            found.map(|query| ManagerResult::Query(instance(&query)))
        }
        ManagerAsk::AwaitAnyTermination(asked) => {
            let ended = within(asked.timeout_ms, streams.any_ended()).await;
            if let Some(failure) = ended.as_ref().and_then(|query| query.failure()) {
                return Err(failure);
            }
            let terminated = ended.is_some();
            Some(ManagerResult::AwaitAnyTermination(AwaitAnyTerminationResult { terminated }))
        }
        ManagerAsk::ResetTerminated(_) => {
            streams.reset();
            Some(ManagerResult::ResetTerminated(true))
        }
        ManagerAsk::AddListener(_) | ManagerAsk::RemoveListener(_) | ManagerAsk::ListListeners(_) => {
            return Err(SparkError::unsupported("listeners on the server; those of the client are called"));
        }
    };
    let result = StreamingQueryManagerCommandResult { result_type };
    operation.tell(session, ResponseType::StreamingQueryManagerCommandResult(result)).await;
    Ok(())
}

/// A client's listeners: events are told until they are taken off.
pub(crate) async fn listeners(
    session: &Arc<Session>,
    operation: &Operation,
    command: StreamingQueryListenerBusCommand,
) -> Result<()> {
    let tell = async |result: StreamingQueryListenerEventsResult| {
        operation.tell(session, ResponseType::StreamingQueryListenerEventsResult(result)).await;
    };
    if matches!(command.command, Some(BusAsk::RemoveListenerBusListener(_))) {
        session.streams.stop_listening().await;
        return Ok(());
    }
    let Some(mut events) = session.streams.listen() else {
        return Err(SparkError::argument("The session has a listener bus already."));
    };
    operation.stay();
    let listener_bus_listener_added = Some(true);
    tell(StreamingQueryListenerEventsResult { events: Vec::new(), listener_bus_listener_added }).await;
    let mut taken = Vec::new();
    while events.recv_many(&mut taken, EVENTS_MAX).await > 0 {
        let event = |event: crate::streaming::Event| StreamingQueryListenerEvent {
            event_json: event.json,
            event_type: event.kind,
        };
        let events = taken.drain(..).map(event).collect();
        tell(StreamingQueryListenerEventsResult { events, listener_bus_listener_added: None }).await;
    }
    Ok(())
}
