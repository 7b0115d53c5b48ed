//! Heartbeat, key 12, versions 0 to 4.
//!
//! Keeps a member in its group, and tells it when to join again.

use groups::MemberIdentity;
use protocol::ErrorCode;
use protocol::messages::{HeartbeatRequest, HeartbeatResponse};

use crate::context::Context;
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: HeartbeatRequest,
) -> impl Future<Output = HeartbeatResponse> + Send + use<> {
    let HeartbeatRequest { group_id, generation_id, member_id, group_instance_id } = request;
    let member = MemberIdentity {
        member_id: member_id.to_string(),
        instance_id: group_instance_id.as_deref().map(str::to_owned),
        generation: generation_id,
    };
    let beating = context.coordinator().heartbeat(group_id.to_string(), member);
    async move {
        let error_code = error_code::coordinated(beating.await).err().map_or(0, ErrorCode::code);
        HeartbeatResponse { error_code, ..Default::default() }
    }
}
