//! Moves partitions to other brokers.

use crate::StrBytes;

messages! {
    /// Partitions to move.
    request AlterPartitionReassignmentsRequest (AlterPartitionReassignments, 0..=1, flexible 0) {
        /// How long the broker may take.
        timeout_ms: i32 = 0.., default 60_000;
        /// Whether a partition may have more or fewer copies afterwards.
        allow_replication_factor_change: bool = 1.., default true;
        /// The topics.
        topics: Vec<ReassignableTopic> = 0..;
    }

    /// Partitions of one topic.
    part ReassignableTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<ReassignablePartition> = 0..;
    }

    /// A partition to move.
    part ReassignablePartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The brokers that are to keep it; absent to stop a move.
        replicas: Option<Vec<i32>> = 0.., nullable 0..;
    }

    /// What became of the moves.
    response AlterPartitionReassignmentsResponse (AlterPartitionReassignments, 0..=1, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Whether a partition may have more or fewer copies afterwards.
        allow_replication_factor_change: bool = 1.., default true;
        /// Why none began.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The topics.
        responses: Vec<ReassignableTopicResponse> = 0..;
    }

    /// What became of the moves of one topic.
    part ReassignableTopicResponse {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<ReassignablePartitionResponse> = 0..;
    }

    /// What became of the move of one partition.
    part ReassignablePartitionResponse {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it did not begin.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}
