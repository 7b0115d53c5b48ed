//! Hands out a group's assignment: the leader brings it, everyone takes a part.

use bytes::Bytes;

use crate::StrBytes;

messages! {
    /// A member that waits for its part.
    request SyncGroupRequest (SyncGroup, 0..=5, flexible 4) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The generation.
        generation_id: i32 = 0..;
        /// The member.
        member_id: StrBytes = 0..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 3.., nullable 3..;
        /// What kind of group.
        protocol_type: Option<StrBytes> = 5.., nullable 5..;
        /// The way of assigning.
        protocol_name: Option<StrBytes> = 5.., nullable 5..;
        /// The parts; only the leader brings them.
        assignments: Vec<SyncGroupRequestAssignment> = 0..;
    }

    /// The part of one member.
    part SyncGroupRequestAssignment {
        /// The member.
        member_id: StrBytes = 0..;
        /// Its part; only clients understand it.
        assignment: Bytes = 0..;
    }

    /// The member's part.
    response SyncGroupResponse (SyncGroup, 0..=5, flexible 4) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// Why there is none.
        error_code: i16 = 0..;
        /// What kind of group.
        protocol_type: Option<StrBytes> = 5.., nullable 5..;
        /// The way of assigning.
        protocol_name: Option<StrBytes> = 5.., nullable 5..;
        /// The part; only clients understand it.
        assignment: Bytes = 0..;
    }
}
