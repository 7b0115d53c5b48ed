//! Forgets empty groups.

use crate::StrBytes;

messages! {
    /// Groups to forget.
    request DeleteGroupsRequest (DeleteGroups, 0..=2, flexible 2) {
        /// The groups.
        groups_names: Vec<StrBytes> = 0..;
    }

    /// What became of the groups.
    response DeleteGroupsResponse (DeleteGroups, 0..=2, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The groups.
        results: Vec<DeletableGroupResult> = 0..;
    }

    /// What became of one group.
    part DeletableGroupResult {
        /// The group.
        group_id: StrBytes = 0..;
        /// Why it is still there.
        error_code: i16 = 0..;
    }
}
