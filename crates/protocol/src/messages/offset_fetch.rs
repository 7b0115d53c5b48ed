//! How far a group has read.

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for offsets: of one group up to version 7, of several from version 8 on.
    request OffsetFetchRequest (OffsetFetch, 0..=10, flexible 6) {
        /// The group.
        group_id: StrBytes = 0..=7;
        /// The topics; absent means all.
        topics: Option<Vec<OffsetFetchRequestTopic>> = 0..=7, nullable 2..=7;
        /// The groups.
        groups: Vec<OffsetFetchRequestGroup> = 8..;
        /// Whether to refuse offsets that an open transaction may still change.
        require_stable: bool = 7..;
    }

    /// What is asked of one topic.
    part OffsetFetchRequestTopic {
        /// The topic's name.
        name: StrBytes = 0..=7;
        /// The partitions' numbers.
        partition_indexes: Vec<i32> = 0..=7;
    }

    /// What is asked of one group.
    part OffsetFetchRequestGroup {
        /// The group.
        group_id: StrBytes = 8..;
        /// The member that asks, in newer groups.
        member_id: Option<StrBytes> = 9.., nullable 9..;
        /// That member's epoch, -1 without one.
        member_epoch: i32 = 9.., default -1;
        /// The topics; absent means all.
        topics: Option<Vec<OffsetFetchRequestTopics>> = 8.., nullable 8..;
    }

    /// What is asked of one topic of a group.
    part OffsetFetchRequestTopics {
        /// The topic's name.
        name: StrBytes = 8..=9;
        /// The topic's id.
        topic_id: Uuid = 10..;
        /// The partitions' numbers.
        partition_indexes: Vec<i32> = 8..;
    }

    /// The offsets.
    response OffsetFetchResponse (OffsetFetch, 0..=10, flexible 6) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 3..;
        /// The topics.
        topics: Vec<OffsetFetchResponseTopic> = 0..=7;
        /// Why the group cannot be answered.
        error_code: i16 = 2..=7;
        /// The groups.
        groups: Vec<OffsetFetchResponseGroup> = 8..;
    }

    /// The offsets of one topic.
    part OffsetFetchResponseTopic {
        /// The topic's name.
        name: StrBytes = 0..=7;
        /// The partitions.
        partitions: Vec<OffsetFetchResponsePartition> = 0..=7;
    }

    /// The offset of one partition.
    part OffsetFetchResponsePartition {
        /// The partition's number.
        partition_index: i32 = 0..=7;
        /// The offset to read next, -1 if none is known.
        committed_offset: i64 = 0..=7;
        /// The leader's epoch of the last record read, -1 if unknown.
        committed_leader_epoch: i32 = 5..=7, default -1;
        /// What the client wanted to find again.
        metadata: Option<StrBytes> = 0..=7, nullable 0..=7;
        /// Why there is no answer.
        error_code: i16 = 0..=7;
    }

    /// The offsets of one group.
    part OffsetFetchResponseGroup {
        /// The group.
        group_id: StrBytes = 8..;
        /// The topics.
        topics: Vec<OffsetFetchResponseTopics> = 8..;
        /// Why the group cannot be answered.
        error_code: i16 = 8..;
    }

    /// The offsets of one topic of a group.
    part OffsetFetchResponseTopics {
        /// The topic's name.
        name: StrBytes = 8..=9;
        /// The topic's id.
        topic_id: Uuid = 10..;
        /// The partitions.
        partitions: Vec<OffsetFetchResponsePartitions> = 8..;
    }

    /// The offset of one partition of a group.
    part OffsetFetchResponsePartitions {
        /// The partition's number.
        partition_index: i32 = 8..;
        /// The offset to read next, -1 if none is known.
        committed_offset: i64 = 8..;
        /// The leader's epoch of the last record read, -1 if unknown.
        committed_leader_epoch: i32 = 8.., default -1;
        /// What the client wanted to find again.
        metadata: Option<StrBytes> = 8.., nullable 8..;
        /// Why there is no answer.
        error_code: i16 = 8..;
    }
}
