//! Brokers, topics and partitions; also how clients create topics by asking for them.

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for topics.
    request MetadataRequest (Metadata, 0..=13, flexible 9) {
        /// The topics; absent means all. In version 0 an empty list means all.
        topics: Option<Vec<MetadataRequestTopic>> = 0.., nullable 1..;
        /// Whether a topic that is not there may be created.
        allow_auto_topic_creation: bool = 4.., default true;
        /// Whether to say what the client may do with the cluster.
        include_cluster_authorized_operations: bool = 8..=10;
        /// Whether to say what the client may do with each topic.
        include_topic_authorized_operations: bool = 8..;
    }

    /// A topic that is asked for, by name or by id.
    part MetadataRequestTopic {
        /// The topic's id; zero if it is asked for by name.
        topic_id: Uuid = 10..;
        /// The topic's name; absent if it is asked for by id.
        name: Option<StrBytes> = 0.., nullable 10..;
    }

    /// What there is.
    response MetadataResponse (Metadata, 0..=13, flexible 9) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 3..;
        /// The brokers.
        brokers: Vec<MetadataResponseBroker> = 0..;
        /// The cluster's id.
        cluster_id: Option<StrBytes> = 2.., nullable 2..;
        /// The broker that creates and deletes topics, -1 if unknown.
        controller_id: i32 = 1.., default -1;
        /// The topics.
        topics: Vec<MetadataResponseTopic> = 0..;
        /// What the client may do with the cluster, one bit per operation.
        cluster_authorized_operations: i32 = 8..=10, default i32::MIN;
        /// Why nothing could be answered at all.
        error_code: i16 = 13..;
    }

    /// A broker.
    part MetadataResponseBroker {
        /// Its id.
        node_id: i32 = 0..;
        /// The host that clients connect to.
        host: StrBytes = 0..;
        /// The port that clients connect to.
        port: i32 = 0..;
        /// Where it stands, if that was said.
        rack: Option<StrBytes> = 1.., nullable 1..;
    }

    /// A topic.
    part MetadataResponseTopic {
        /// Why the topic cannot be described.
        error_code: i16 = 0..;
        /// Its name; absent if it was asked for by an id that names none.
        name: Option<StrBytes> = 0.., nullable 12..;
        /// Its id.
        topic_id: Uuid = 10..;
        /// Whether the broker keeps its own state in it.
        is_internal: bool = 1..;
        /// Its partitions.
        partitions: Vec<MetadataResponsePartition> = 0..;
        /// What the client may do with it, one bit per operation.
        topic_authorized_operations: i32 = 8.., default i32::MIN;
    }

    /// A partition.
    part MetadataResponsePartition {
        /// Why the partition cannot be described.
        error_code: i16 = 0..;
        /// Its number.
        partition_index: i32 = 0..;
        /// The broker that leads it.
        leader_id: i32 = 0..;
        /// How often the leader has changed, -1 if unknown.
        leader_epoch: i32 = 7.., default -1;
        /// The brokers that keep it.
        replica_nodes: Vec<i32> = 0..;
        /// Those of them that have all of it.
        isr_nodes: Vec<i32> = 0..;
        /// Those of them that are not reachable.
        offline_replicas: Vec<i32> = 5..;
    }
}
