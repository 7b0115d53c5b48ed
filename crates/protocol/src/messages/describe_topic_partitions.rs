//! Topics and their partitions, in pages.

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for topics.
    request DescribeTopicPartitionsRequest (DescribeTopicPartitions, 0..=0, flexible 0) {
        /// The topics; empty means all.
        topics: Vec<TopicRequest> = 0..;
        /// How many partitions the answer may have.
        response_partition_limit: i32 = 0.., default 2000;
        /// Where to go on; absent for the first page.
        cursor: Option<Cursor> = 0.., nullable 0..;
    }

    /// A topic.
    part TopicRequest {
        /// The topic's name.
        name: StrBytes = 0..;
    }

    /// The first partition of a page.
    part Cursor {
        /// The topic's name.
        topic_name: StrBytes = 0..;
        /// The partition's number.
        partition_index: i32 = 0..;
    }

    /// One page of topics, by name.
    response DescribeTopicPartitionsResponse (DescribeTopicPartitions, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        topics: Vec<DescribeTopicPartitionsResponseTopic> = 0..;
        /// Where the next page begins; absent after the last.
        next_cursor: Option<Cursor> = 0.., nullable 0..;
    }

    /// A topic.
    part DescribeTopicPartitionsResponseTopic {
        /// Why the topic cannot be described.
        error_code: i16 = 0..;
        /// Its name.
        name: Option<StrBytes> = 0.., nullable 0..;
        /// Its id.
        topic_id: Uuid = 0..;
        /// Whether the broker keeps its own state in it.
        is_internal: bool = 0..;
        /// Its partitions on this page.
        partitions: Vec<DescribeTopicPartitionsResponsePartition> = 0..;
        /// What the client may do with it, one bit per operation.
        topic_authorized_operations: i32 = 0.., default i32::MIN;
    }

    /// A partition.
    part DescribeTopicPartitionsResponsePartition {
        /// Why the partition cannot be described.
        error_code: i16 = 0..;
        /// Its number.
        partition_index: i32 = 0..;
        /// The broker that leads it.
        leader_id: i32 = 0..;
        /// How often the leader has changed, -1 if unknown.
        leader_epoch: i32 = 0.., default -1;
        /// The brokers that keep it.
        replica_nodes: Vec<i32> = 0..;
        /// Those of them that have all of it.
        isr_nodes: Vec<i32> = 0..;
        /// Those that may lead it without loss although they do not follow now (KIP-966).
        eligible_leader_replicas: Option<Vec<i32>> = 0.., nullable 0..;
        /// Those that were such when the last of them went.
        last_known_elr: Option<Vec<i32>> = 0.., nullable 0..;
        /// The brokers that keep it and are not reachable.
        offline_replicas: Vec<i32> = 0..;
    }
}
