//! Calls about executions and sessions themselves: `Interrupt`, `ReleaseSession`, `CloneSession`, `GetStatus`,
//! `FetchErrorDetails`.

use std::sync::Arc;

use tonic::Status;

use crate::session::Sessions;
use crate::wire::session::{
    CloneSessionRequest, CloneSessionResponse, DetailedError, DetailedQueryContext, DetailedSparkThrowable,
    FetchErrorDetailsRequest, FetchErrorDetailsResponse, GetStatusRequest, GetStatusResponse,
    GetStatusResponseOperationStatus, InterruptBy, InterruptRequest, InterruptResponse,
    ReleaseSessionRequest, ReleaseSessionResponse,
};
use crate::wire::types::PythonOrigin;

/// Ends executions: all, with the queries over streams; those with a tag; or one.
pub(crate) async fn interrupt(
    sessions: &Arc<Sessions>,
    request: InterruptRequest,
) -> Result<InterruptResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let mut operations = session.operations();
    operations.retain(|operation| {
        let meant = match &request.interrupt {
            None => !operation.stays(),
            Some(InterruptBy::OperationTag(tag)) => operation.tags.contains(tag),
            Some(InterruptBy::OperationId(id)) => operation.id == *id,
        };
        meant && !operation.ended()
    });
    operations.iter().for_each(|operation| operation.interrupt());
    if request.interrupt.is_none() {
        // As in Spark, whose queries end when their batch is cut off; here after it, so nobody waits.
        for query in session.streams.active() {
            tokio::spawn(async move { query.stop().await });
        }
    }
    Ok(InterruptResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        interrupted_ids: operations.iter().map(|operation| operation.id.clone()).collect(),
    })
}

/// Forgets the session.
pub(crate) async fn release_session(
    sessions: &Arc<Sessions>,
    request: ReleaseSessionRequest,
) -> Result<ReleaseSessionResponse, Status> {
    let released = sessions.release(&request.session_id);
    let server_side_session_id = released.map(|session| session.server_id.clone()).unwrap_or_default();
    Ok(ReleaseSessionResponse { session_id: request.session_id, server_side_session_id })
}

/// A new session with the settings and views of this one.
pub(crate) async fn clone_session(
    sessions: &Arc<Sessions>,
    request: CloneSessionRequest,
) -> Result<CloneSessionResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let new = sessions.clone_session(&session, request.new_session_id.as_deref());
    Ok(CloneSessionResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        new_session_id: new.id.clone(),
        new_server_side_session_id: new.server_id.clone(),
    })
}

/// How executions stand.
pub(crate) async fn get_status(
    sessions: &Arc<Sessions>,
    request: GetStatusRequest,
) -> Result<GetStatusResponse, Status> {
    const UNKNOWN: i32 = 1;
    const RUNNING: i32 = 2;
    const SUCCEEDED: i32 = 4;
    let session = sessions.session(&request.session_id)?;
    let asked = request.operation_status.map(|asked| asked.operation_ids).unwrap_or_default();
    let status = |operation_id: String| {
        let state = match session.operation(&operation_id) {
            None => UNKNOWN,
            Some(operation) if operation.ended() => SUCCEEDED,
            Some(_) => RUNNING,
        };
        GetStatusResponseOperationStatus { operation_id, state }
    };
    Ok(GetStatusResponse {
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
        operation_statuses: asked.into_iter().map(status).collect(),
    })
}

/// The call of a script that made what is wrong.
fn context(origin: &PythonOrigin) -> DetailedQueryContext {
    const DATAFRAME: i32 = 1;
    let PythonOrigin { fragment, call_site } = origin.clone();
    let summary = format!("== DataFrame ==\n\"{fragment}\" was called from\n{call_site}\n");
    DetailedQueryContext { context_type: DATAFRAME, fragment, call_site, summary, ..Default::default() }
}

/// More of an error than its status could carry.
pub(crate) async fn fetch_error_details(
    sessions: &Arc<Sessions>,
    request: FetchErrorDetailsRequest,
) -> Result<FetchErrorDetailsResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let found = session.error(&request.error_id);
    let errors: Vec<DetailedError> = found
        .map(|error| DetailedError {
            error_type_hierarchy: error.class.hierarchy().iter().map(|&class| class.to_owned()).collect(),
            message: error.message(),
            spark_throwable: Some(DetailedSparkThrowable {
                error_class: Some(error.condition.to_owned()).filter(|condition| !condition.is_empty()),
                message_parameters: error.parameters,
                sql_state: Some(error.sql_state.to_owned()).filter(|state| !state.is_empty()),
                query_contexts: error.origin.iter().map(|origin| context(origin)).collect(),
                ..Default::default()
            }),
            ..Default::default()
        })
        .into_iter()
        .collect();
    Ok(FetchErrorDetailsResponse {
        server_side_session_id: session.server_id.clone(),
        session_id: session.id.clone(),
        root_error_idx: (!errors.is_empty()).then_some(0),
        errors,
    })
}
