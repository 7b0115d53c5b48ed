//! SyncGroup, key 14, versions 0 to 5.
//!
//! The leader brings everybody's assignment, everybody gets their own, after it is durable.

use groups::{MemberIdentity, SyncRequest};
use protocol::messages::{SyncGroupRequest, SyncGroupResponse};

use crate::context::Context;
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: SyncGroupRequest,
) -> impl Future<Output = SyncGroupResponse> + Send + use<> {
    let syncing = context.coordinator().sync(SyncRequest {
        group_id: request.group_id.to_string(),
        member: MemberIdentity {
            member_id: request.member_id.to_string(),
            instance_id: request.group_instance_id.as_deref().map(str::to_owned),
            generation: request.generation_id,
        },
        protocol_type: request.protocol_type.as_deref().map(str::to_owned),
        protocol: request.protocol_name.as_deref().map(str::to_owned),
        assignments: request
            .assignments
            .into_iter()
            .map(|one| (one.member_id.to_string(), one.assignment))
            .collect(),
    });
    let waiting = context.until_closing(syncing);
    async move {
        match error_code::coordinated(waiting.await) {
            Ok(reply) => SyncGroupResponse {
                protocol_type: Some(reply.protocol_type.into()),
                protocol_name: Some(reply.protocol.into()),
                assignment: reply.assignment,
                ..Default::default()
            },
            Err(error) => SyncGroupResponse { error_code: error.code(), ..Default::default() },
        }
    }
}
