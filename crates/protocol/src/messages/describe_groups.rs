//! Groups and their members.

use bytes::Bytes;

use crate::StrBytes;

messages! {
    /// Asks for groups.
    request DescribeGroupsRequest (DescribeGroups, 0..=6, flexible 5) {
        /// The groups.
        groups: Vec<StrBytes> = 0..;
        /// Whether to say what the client may do with each group.
        include_authorized_operations: bool = 3..;
    }

    /// The groups.
    response DescribeGroupsResponse (DescribeGroups, 0..=6, flexible 5) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// The groups.
        groups: Vec<DescribedGroup> = 0..;
    }

    /// A group.
    part DescribedGroup {
        /// Why it cannot be described.
        error_code: i16 = 0..;
        /// Why it cannot be described, in words.
        error_message: Option<StrBytes> = 6.., nullable 6..;
        /// Its name.
        group_id: StrBytes = 0..;
        /// `Stable`, `Empty`, `PreparingRebalance`, `CompletingRebalance` or `Dead`.
        group_state: StrBytes = 0..;
        /// What kind of group, empty if it never had members.
        protocol_type: StrBytes = 0..;
        /// The way of assigning, empty without members.
        protocol_data: StrBytes = 0..;
        /// Its members.
        members: Vec<DescribedGroupMember> = 0..;
        /// What the client may do with it, one bit per operation.
        authorized_operations: i32 = 3.., default i32::MIN;
    }

    /// A member.
    part DescribedGroupMember {
        /// The member.
        member_id: StrBytes = 0..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 4.., nullable 4..;
        /// What its client calls itself.
        client_id: StrBytes = 0..;
        /// Where it connects from.
        client_host: StrBytes = 0..;
        /// What the way of assigning needs to know of it.
        member_metadata: Bytes = 0..;
        /// Its part.
        member_assignment: Bytes = 0..;
    }
}
