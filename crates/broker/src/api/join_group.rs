//! JoinGroup, key 11, versions 0 to 9.
//!
//! The answer comes when the group's next generation is complete; the first of a group is not delayed.
//!
//! Version 0 has no rebalance time-out of its own, the session's is taken. From version 4 a member without an id is
//! given one and must join again with it (KIP-394). From version 5 members may be static (KIP-345), from 9 a returning
//! static leader may be told to leave the assignment as it is (KIP-814).

use groups::{JoinRefusal, JoinReply, JoinRequest};
use protocol::messages::join_group::JoinGroupResponseMember;
use protocol::messages::{JoinGroupRequest, JoinGroupResponse};
use protocol::{ErrorCode, StrBytes};
use uuid::Uuid;

use crate::context::Context;
use crate::error_code;

const FIRST_WITH_HANDSHAKE: i16 = 4;
const FIRST_WITH_SKIPPING: i16 = 9;
const FIRST_WITH_ABSENT_PROTOCOL: i16 = 7;

pub(crate) fn handle(
    context: &Context,
    request: JoinGroupRequest,
) -> impl Future<Output = JoinGroupResponse> + Send + use<> {
    let version = context.api_version;
    let member_id = request.member_id.clone();
    let joining = context.coordinator().join(to_groups(context, request));
    let waiting = context.until_closing(joining);
    async move {
        match waiting.await {
            Ok(Ok(reply)) => joined(reply),
            Ok(Err(JoinRefusal { error, member_id })) => {
                refused(error_code::group(error), member_id.into(), version)
            }
            Err(_) => refused(ErrorCode::CoordinatorNotAvailable, member_id, version),
        }
    }
}

fn to_groups(context: &Context, request: JoinGroupRequest) -> JoinRequest {
    let stem = request.group_instance_id.as_deref().map_or_else(|| context.client_name(), str::to_owned);
    let id = Uuid::from_bytes(context.shared.env.random.next_16_bytes());
    let rebalance_timeout_ms = match request.rebalance_timeout_ms {
        -1 if context.api_version == 0 => request.session_timeout_ms,
        given => given,
    };
    JoinRequest {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        instance_id: request.group_instance_id.as_deref().map(str::to_owned),
        new_member_id: format!("{stem}-{id}"),
        client_id: context.client_name(),
        client_host: format!("/{}", context.client.peer.ip()),
        session_timeout_ms: request.session_timeout_ms,
        rebalance_timeout_ms,
        protocol_type: request.protocol_type.to_string(),
        protocols: request.protocols.into_iter().map(|one| (one.name.to_string(), one.metadata)).collect(),
        requires_known_member_id: context.api_version >= FIRST_WITH_HANDSHAKE
            && request.group_instance_id.is_none(),
        supports_skipping_assignment: context.api_version >= FIRST_WITH_SKIPPING,
    }
}

fn joined(reply: JoinReply) -> JoinGroupResponse {
    let members = reply.members.into_iter().map(|member| JoinGroupResponseMember {
        member_id: member.member_id.into(),
        group_instance_id: member.instance_id.map(StrBytes::from),
        metadata: member.metadata,
    });
    JoinGroupResponse {
        generation_id: reply.generation,
        protocol_type: Some(reply.protocol_type.into()),
        protocol_name: Some(reply.protocol.into()),
        leader: reply.leader.into(),
        skip_assignment: reply.skip_assignment,
        member_id: reply.member_id.into(),
        members: members.collect(),
        ..Default::default()
    }
}

fn refused(error: ErrorCode, member_id: StrBytes, version: i16) -> JoinGroupResponse {
    let protocol_name = (version < FIRST_WITH_ABSENT_PROTOCOL).then(StrBytes::default);
    JoinGroupResponse { error_code: error.code(), protocol_name, member_id, ..Default::default() }
}
