//! `AddArtifacts` and `ArtifactStatus`: what a client uploads, such as rows too many for one message.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures::StreamExt;
use tonic::{Status, Streaming};

use crate::session::Sessions;
use crate::wire::session::{
    AddArtifactsRequest, AddArtifactsResponse, ArtifactChunk, ArtifactStatus, ArtifactStatusesRequest,
    ArtifactStatusesResponse, ArtifactSummary, Payload,
};

/// Says which artifacts are there.
pub(crate) async fn artifact_status(
    sessions: &Arc<Sessions>,
    request: ArtifactStatusesRequest,
) -> Result<ArtifactStatusesResponse, Status> {
    let session = sessions.session(&request.session_id)?;
    let status = |name: String| {
        let exists = session.artifact(&name).is_some();
        (name, ArtifactStatus { exists })
    };
    Ok(ArtifactStatusesResponse {
        statuses: request.names.into_iter().map(status).collect(),
        session_id: session.id.clone(),
        server_side_session_id: session.server_id.clone(),
    })
}

/// Takes artifacts, whole ones and those that come in chunks.
pub(crate) async fn add_artifacts(
    sessions: &Arc<Sessions>,
    mut requests: Streaming<AddArtifactsRequest>,
) -> Result<AddArtifactsResponse, Status> {
    let mut artifacts = Vec::new();
    let mut session = None;
    let mut begun: Option<Begun> = None;
    while let Some(request) = requests.next().await.transpose()? {
        let session = match &session {
            Some(session) => session,
            None => session.insert(sessions.session(&request.session_id)?),
        };
        let mut whole = Vec::new();
        match request.payload {
            Some(Payload::Batch(batch)) => {
                for artifact in batch.artifacts {
                    let (data, right) = checked(artifact.data);
                    whole.push((artifact.name, data, right));
                }
            }
            Some(Payload::BeginChunk(begin)) => {
                let mut started = Begun { name: begin.name, left: begin.num_chunks, ..Begun::default() };
                started.take(begin.initial_chunk);
                begun = Some(started);
            }
            Some(Payload::Chunk(chunk)) => {
                let begun = begun.as_mut().ok_or_else(|| Status::invalid_argument("a chunk of nothing"))?;
                begun.take(Some(chunk));
            }
            None => {}
        }
        if let Some(done) = begun.take_if(|begun| begun.left <= 0) {
            whole.push((done.name, done.data.freeze(), !done.broken));
        }
        for (name, data, is_crc_successful) in whole {
            if is_crc_successful {
                session.add_artifact(&name, data).map_err(|error| session.refuse(&error))?;
            }
            artifacts.push(ArtifactSummary { name, is_crc_successful });
        }
    }
    let Some(session) = session else { return Err(Status::invalid_argument("no artifact")) };
    let (session_id, server_side_session_id) = (session.id.clone(), session.server_id.clone());
    Ok(AddArtifactsResponse { artifacts, session_id, server_side_session_id })
}

#[derive(Default)]
struct Begun {
    name: String,
    data: BytesMut,
    left: i64,
    broken: bool,
}

impl Begun {
    fn take(&mut self, chunk: Option<ArtifactChunk>) {
        let (data, right) = checked(chunk);
        self.data.extend_from_slice(&data);
        self.broken |= !right;
        self.left -= 1;
    }
}

fn checked(chunk: Option<ArtifactChunk>) -> (Bytes, bool) {
    let Some(chunk) = chunk else { return (Bytes::new(), false) };
    let right = i64::from(crc32fast::hash(&chunk.data)) == chunk.crc;
    (chunk.data, right)
}
