//! Enters a group, or enters it again for a new generation.

use bytes::Bytes;

use crate::StrBytes;

messages! {
    /// A member that wants to be in the next generation.
    request JoinGroupRequest (JoinGroup, 0..=9, flexible 6) {
        /// The group.
        group_id: StrBytes = 0..;
        /// How long the member may be silent.
        session_timeout_ms: i32 = 0..;
        /// How long the group waits for its members, -1 for the session's timeout.
        rebalance_timeout_ms: i32 = 1.., default -1;
        /// The member, empty if it is new.
        member_id: StrBytes = 0..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 5.., nullable 5..;
        /// What kind of group: `consumer`, `connect` ...
        protocol_type: StrBytes = 0..;
        /// The ways of assigning that the member can take part in, best first.
        protocols: Vec<JoinGroupRequestProtocol> = 0..;
        /// Why it joins, in words.
        reason: Option<StrBytes> = 8.., nullable 8..;
    }

    /// A way of assigning.
    part JoinGroupRequestProtocol {
        /// Its name.
        name: StrBytes = 0..;
        /// What it needs to know of the member; only clients understand it.
        metadata: Bytes = 0..;
    }

    /// The new generation.
    response JoinGroupResponse (JoinGroup, 0..=9, flexible 6) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 2..;
        /// Why the member is not in it.
        error_code: i16 = 0..;
        /// The generation's number, -1 without one.
        generation_id: i32 = 0.., default -1;
        /// What kind of group.
        protocol_type: Option<StrBytes> = 7.., nullable 7..;
        /// The way of assigning that all members know.
        protocol_name: Option<StrBytes> = 0.., nullable 7..;
        /// The member that assigns.
        leader: StrBytes = 0..;
        /// Whether the leader need not assign.
        skip_assignment: bool = 9..;
        /// The member that is answered.
        member_id: StrBytes = 0..;
        /// All members; only the leader is told.
        members: Vec<JoinGroupResponseMember> = 0..;
    }

    /// A member, as the leader is told.
    part JoinGroupResponseMember {
        /// The member.
        member_id: StrBytes = 0..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 5.., nullable 5..;
        /// What the chosen way of assigning needs to know of it.
        metadata: Bytes = 0..;
    }
}
