//! New topics.

use crate::{StrBytes, Uuid};

messages! {
    /// Topics to create.
    request CreateTopicsRequest (CreateTopics, 0..=7, flexible 5) {
        /// The topics.
        topics: Vec<CreatableTopic> = 0..;
        /// How long the broker may take.
        timeout_ms: i32 = 0.., default 60_000;
        /// Whether to check only, and create nothing.
        validate_only: bool = 1..;
    }

    /// A topic to create.
    part CreatableTopic {
        /// Its name.
        name: StrBytes = 0..;
        /// How many partitions; -1 for the broker's default or where `assignments` says it.
        num_partitions: i32 = 0..;
        /// How many copies; -1 for the broker's default or where `assignments` says it.
        replication_factor: i16 = 0..;
        /// The brokers of each partition; empty to let the broker choose.
        assignments: Vec<CreatableReplicaAssignment> = 0..;
        /// Its settings.
        configs: Vec<CreatableTopicConfig> = 0..;
    }

    /// The brokers of one partition.
    part CreatableReplicaAssignment {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The brokers' ids.
        broker_ids: Vec<i32> = 0..;
    }

    /// A setting.
    part CreatableTopicConfig {
        /// Its name.
        name: StrBytes = 0..;
        /// Its value.
        value: Option<StrBytes> = 0.., nullable 0..;
    }

    /// What became of the topics.
    response CreateTopicsResponse (CreateTopics, 0..=7, flexible 5) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 2..;
        /// The topics.
        topics: Vec<CreatableTopicResult> = 0..;
    }

    /// What became of one topic.
    part CreatableTopicResult {
        /// Its name.
        name: StrBytes = 0..;
        /// Its id.
        topic_id: Uuid = 7..;
        /// Why it was not created.
        error_code: i16 = 0..;
        /// Why it was not created, in words.
        error_message: Option<StrBytes> = 1.., nullable 0..;
        /// How many partitions it has, -1 if unknown.
        num_partitions: i32 = 5.., default -1;
        /// How many copies it has, -1 if unknown.
        replication_factor: i16 = 5.., default -1;
        /// Its settings.
        configs: Option<Vec<CreatableTopicConfigs>> = 5.., nullable 5..;
        /// Why the settings are not told.
        topic_config_error_code: i16 = 5.., tag 0;
    }

    /// A setting of the new topic.
    part CreatableTopicConfigs {
        /// Its name.
        name: StrBytes = 5..;
        /// Its value.
        value: Option<StrBytes> = 5.., nullable 5..;
        /// Whether it cannot be changed.
        read_only: bool = 5..;
        /// Where the value comes from.
        config_source: i8 = 5.., default -1;
        /// Whether the value is a secret, and therefore absent.
        is_sensitive: bool = 5..;
    }
}
