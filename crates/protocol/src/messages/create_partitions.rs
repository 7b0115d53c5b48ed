//! More partitions for a topic.

use crate::StrBytes;

messages! {
    /// Topics that grow.
    request CreatePartitionsRequest (CreatePartitions, 0..=3, flexible 2) {
        /// The topics.
        topics: Vec<CreatePartitionsTopic> = 0..;
        /// How long the broker may take.
        timeout_ms: i32 = 0..;
        /// Whether to check only, and create nothing.
        validate_only: bool = 0..;
    }

    /// A topic that grows.
    part CreatePartitionsTopic {
        /// Its name.
        name: StrBytes = 0..;
        /// How many partitions it shall have in the end.
        count: i32 = 0..;
        /// The brokers of each new partition; absent to let the broker choose.
        assignments: Option<Vec<CreatePartitionsAssignment>> = 0.., nullable 0..;
    }

    /// The brokers of one partition.
    part CreatePartitionsAssignment {
        /// Their ids.
        broker_ids: Vec<i32> = 0..;
    }

    /// What became of the topics.
    response CreatePartitionsResponse (CreatePartitions, 0..=3, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        results: Vec<CreatePartitionsTopicResult> = 0..;
    }

    /// What became of one topic.
    part CreatePartitionsTopicResult {
        /// Its name.
        name: StrBytes = 0..;
        /// Why it did not grow.
        error_code: i16 = 0..;
        /// Why it did not grow, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}
