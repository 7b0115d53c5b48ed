//! All groups.

use crate::StrBytes;

messages! {
    /// Asks for groups.
    request ListGroupsRequest (ListGroups, 0..=5, flexible 3) {
        /// Only groups in these states; empty means all.
        states_filter: Vec<StrBytes> = 4..;
        /// Only groups of these types; empty means all.
        types_filter: Vec<StrBytes> = 5..;
    }

    /// The groups.
    response ListGroupsResponse (ListGroups, 0..=5, flexible 3) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// The groups.
        groups: Vec<ListedGroup> = 0..;
    }

    /// A group.
    part ListedGroup {
        /// Its name.
        group_id: StrBytes = 0..;
        /// What kind of group: `consumer`, `connect` ...
        protocol_type: StrBytes = 0..;
        /// Its state.
        group_state: StrBytes = 4..;
        /// Its type: `classic`, `consumer` ...
        group_type: StrBytes = 5..;
    }
}
