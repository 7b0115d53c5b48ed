//! Remembers how far a group has read, as part of a transaction.

use crate::StrBytes;

messages! {
    /// Offsets that hold once the transaction commits.
    request TxnOffsetCommitRequest (TxnOffsetCommit, 0..=5, flexible 3) {
        /// The transactional id.
        transactional_id: StrBytes = 0..;
        /// The group.
        group_id: StrBytes = 0..;
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The producer's epoch.
        producer_epoch: i16 = 0..;
        /// The generation of the group the client knows, or its epoch in newer groups; -1 without
        /// one.
        generation_id: i32 = 3.., default -1;
        /// The member.
        member_id: StrBytes = 3..;
        /// The name of a member that outlives restarts.
        group_instance_id: Option<StrBytes> = 3.., nullable 3..;
        /// The topics.
        topics: Vec<TxnOffsetCommitRequestTopic> = 0..;
    }

    /// Offsets of one topic.
    part TxnOffsetCommitRequestTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<TxnOffsetCommitRequestPartition> = 0..;
    }

    /// The offset of one partition.
    part TxnOffsetCommitRequestPartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The offset to read next.
        committed_offset: i64 = 0..;
        /// The leader's epoch of the last record read, -1 if unknown.
        committed_leader_epoch: i32 = 2.., default -1;
        /// What the client wants to find again.
        committed_metadata: Option<StrBytes> = 0.., nullable 0..;
    }

    /// What became of the offsets.
    response TxnOffsetCommitResponse (TxnOffsetCommit, 0..=5, flexible 3) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        topics: Vec<TxnOffsetCommitResponseTopic> = 0..;
    }

    /// What became of the offsets of one topic.
    part TxnOffsetCommitResponseTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<TxnOffsetCommitResponsePartition> = 0..;
    }

    /// What became of the offset of one partition.
    part TxnOffsetCommitResponsePartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it was not kept.
        error_code: i16 = 0..;
    }
}
