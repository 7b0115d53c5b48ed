//! A group member says that it is alive.

use crate::StrBytes;

messages! {
    /// A member that is alive.
    request HeartbeatRequest (Heartbeat, 0..=4, flexible 4) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The generation.
        generation_id: i32 = 0..;
        /// The member.
        member_id: StrBytes = 0..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 3.., nullable 3..;
    }

    /// Whether the group goes on as it is.
    response HeartbeatResponse (Heartbeat, 0..=4, flexible 4) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// `REBALANCE_IN_PROGRESS` asks the member to join again.
        error_code: i16 = 0..;
    }
}
