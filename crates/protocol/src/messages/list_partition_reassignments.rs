//! Partitions that are on their way to other brokers.

use crate::StrBytes;

messages! {
    /// Asks for moves.
    request ListPartitionReassignmentsRequest (ListPartitionReassignments, 0..=0, flexible 0) {
        /// How long the broker may take.
        timeout_ms: i32 = 0.., default 60_000;
        /// The partitions to tell of; absent means all.
        topics: Option<Vec<ListPartitionReassignmentsTopics>> = 0.., nullable 0..;
    }

    /// Partitions of one topic.
    part ListPartitionReassignmentsTopics {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions' numbers.
        partition_indexes: Vec<i32> = 0..;
    }

    /// The moves.
    response ListPartitionReassignmentsResponse (ListPartitionReassignments, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The topics.
        topics: Vec<OngoingTopicReassignment> = 0..;
    }

    /// The moves of one topic.
    part OngoingTopicReassignment {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<OngoingPartitionReassignment> = 0..;
    }

    /// The move of one partition.
    part OngoingPartitionReassignment {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The brokers that keep it now.
        replicas: Vec<i32> = 0..;
        /// Those that will.
        adding_replicas: Vec<i32> = 0..;
        /// Those that will no longer.
        removing_replicas: Vec<i32> = 0..;
    }
}
