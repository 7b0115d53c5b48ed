//! Leaves a group.

use crate::StrBytes;

messages! {
    /// Members that leave.
    request LeaveGroupRequest (LeaveGroup, 0..=5, flexible 4) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The member.
        member_id: StrBytes = 0..=2;
        /// The members.
        members: Vec<MemberIdentity> = 3..;
    }

    /// A member that leaves.
    part MemberIdentity {
        /// The member; may be empty if its name is given.
        member_id: StrBytes = 3..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 3.., nullable 3..;
        /// Why it leaves, in words.
        reason: Option<StrBytes> = 5.., nullable 5..;
    }

    /// What became of the members.
    response LeaveGroupResponse (LeaveGroup, 0..=5, flexible 4) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// Why nobody left.
        error_code: i16 = 0..;
        /// The members.
        members: Vec<MemberResponse> = 3..;
    }

    /// What became of one member.
    part MemberResponse {
        /// The member.
        member_id: StrBytes = 3..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 3.., nullable 3..;
        /// Why it is still there.
        error_code: i16 = 3..;
    }
}
