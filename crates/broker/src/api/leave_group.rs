//! LeaveGroup, key 13, versions 0 to 5.
//!
//! Versions 0 to 2 name one member, whose result is the answer's; later ones name several, each with a result, also by
//! `group.instance.id` alone.

use groups::{LeaveRequest, LeavingMember};
use protocol::ErrorCode;
use protocol::messages::leave_group::{MemberIdentity, MemberResponse};
use protocol::messages::{LeaveGroupRequest, LeaveGroupResponse};

use crate::context::Context;
use crate::error_code;

const FIRST_WITH_SEVERAL: i16 = 3;

pub(crate) fn handle(
    context: &Context,
    request: LeaveGroupRequest,
) -> impl Future<Output = LeaveGroupResponse> + Send + use<> {
    let several = context.api_version >= FIRST_WITH_SEVERAL;
    let members = if several {
        request.members
    } else {
        vec![MemberIdentity { member_id: request.member_id, ..Default::default() }]
    };
    let leaving = |member: &MemberIdentity| LeavingMember {
        member_id: member.member_id.to_string(),
        instance_id: member.group_instance_id.as_deref().map(str::to_owned),
    };
    let leaving = context.coordinator().leave(LeaveRequest {
        group_id: request.group_id.to_string(),
        members: members.iter().map(leaving).collect(),
    });
    async move {
        let Ok(outcomes) = leaving.await else {
            let error_code = ErrorCode::CoordinatorNotAvailable.code();
            return LeaveGroupResponse { error_code, ..Default::default() };
        };
        let codes = outcomes.iter().map(|one| one.err().map_or(0, |error| error_code::group(error).code()));
        if several {
            let members = members.into_iter().zip(codes).map(|(member, error_code)| MemberResponse {
                member_id: member.member_id,
                group_instance_id: member.group_instance_id,
                error_code,
            });
            LeaveGroupResponse { members: members.collect(), ..Default::default() }
        } else {
            LeaveGroupResponse { error_code: codes.sum(), ..Default::default() }
        }
    }
}
