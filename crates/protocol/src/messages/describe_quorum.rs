//! The voters that keep the cluster's metadata.

use crate::{StrBytes, Uuid};

messages! {
    /// Asks for voters.
    request DescribeQuorumRequest (DescribeQuorum, 0..=2, flexible 0) {
        /// The topics.
        topics: Vec<TopicData> = 0..;
    }

    /// Partitions of one topic.
    part TopicData {
        /// The topic's name.
        topic_name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<PartitionData> = 0..;
    }

    /// A partition.
    part PartitionData {
        /// The partition's number.
        partition_index: i32 = 0..;
    }

    /// The voters.
    response DescribeQuorumResponse (DescribeQuorum, 0..=2, flexible 0) {
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 2.., nullable 2..;
        /// The topics.
        topics: Vec<TopicResult> = 0..;
        /// Where the voters are reached.
        nodes: Vec<Node> = 2..;
    }

    /// The voters of one topic.
    part TopicResult {
        /// The topic's name.
        topic_name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<PartitionResult> = 0..;
    }

    /// The voters of one partition.
    part PartitionResult {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why they cannot be told.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 2.., nullable 2..;
        /// The voter that leads, -1 if there is none.
        leader_id: i32 = 0..;
        /// How often the leader has changed.
        leader_epoch: i32 = 0..;
        /// The offset that most voters have reached.
        high_watermark: i64 = 0..;
        /// The voters.
        current_voters: Vec<ReplicaState> = 0..;
        /// Those that follow without a vote.
        observers: Vec<ReplicaState> = 0..;
    }

    /// A voter or observer.
    part ReplicaState {
        /// Its id.
        replica_id: i32 = 0..;
        /// The directory it keeps the partition in.
        replica_directory_id: Uuid = 2..;
        /// The offset it has reached, -1 if unknown.
        log_end_offset: i64 = 0..;
        /// When it last asked, by the leader's clock; -1 if unknown.
        last_fetch_timestamp: i64 = 1.., default -1;
        /// When it last had everything, by the leader's clock; -1 if unknown.
        last_caught_up_timestamp: i64 = 1.., default -1;
    }

    /// A voter's addresses.
    part Node {
        /// Its id.
        node_id: i32 = 2..;
        /// The addresses.
        listeners: Vec<Listener> = 2..;
    }

    /// An address.
    part Listener {
        /// The listener's name.
        name: StrBytes = 2..;
        /// Its host.
        host: StrBytes = 2..;
        /// Its port.
        port: u16 = 2..;
    }
}
