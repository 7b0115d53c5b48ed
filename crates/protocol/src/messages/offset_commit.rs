//! Remembers how far a group has read.

use crate::{StrBytes, Uuid};

messages! {
    /// Offsets to remember.
    request OffsetCommitRequest (OffsetCommit, 0..=10, flexible 8) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The generation, or the member's epoch in newer groups; -1 without membership.
        generation_id_or_member_epoch: i32 = 1.., default -1;
        /// The member, empty without membership.
        member_id: StrBytes = 1..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 7.., nullable 7..;
        /// How long to remember, -1 for the broker's default.
        retention_time_ms: i64 = 2..=4, default -1;
        /// The topics.
        topics: Vec<OffsetCommitRequestTopic> = 0..;
    }

    /// The offsets of one topic.
    part OffsetCommitRequestTopic {
        /// The topic's name.
        name: StrBytes = 0..=9;
        /// The topic's id.
        topic_id: Uuid = 10..;
        /// The partitions.
        partitions: Vec<OffsetCommitRequestPartition> = 0..;
    }

    /// The offset of one partition.
    part OffsetCommitRequestPartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The offset to read next.
        committed_offset: i64 = 0..;
        /// The leader's epoch of the last record read, -1 if unknown.
        committed_leader_epoch: i32 = 6.., default -1;
        /// When it was committed, -1 for now.
        commit_timestamp: i64 = 1..=1, default -1;
        /// Whatever the client wants to find again beside the offset.
        committed_metadata: Option<StrBytes> = 0.., nullable 0..;
    }

    /// What became of the offsets.
    response OffsetCommitResponse (OffsetCommit, 0..=10, flexible 8) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 3..;
        /// The topics.
        topics: Vec<OffsetCommitResponseTopic> = 0..;
    }

    /// What became of the offsets of one topic.
    part OffsetCommitResponseTopic {
        /// The topic's name.
        name: StrBytes = 0..=9;
        /// The topic's id.
        topic_id: Uuid = 10..;
        /// The partitions.
        partitions: Vec<OffsetCommitResponsePartition> = 0..;
    }

    /// What became of the offset of one partition.
    part OffsetCommitResponsePartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it is not remembered.
        error_code: i16 = 0..;
    }
}
