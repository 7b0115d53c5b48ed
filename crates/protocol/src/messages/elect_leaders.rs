//! Elects the leaders of partitions anew.

use crate::StrBytes;

messages! {
    /// Partitions to elect a leader for.
    request ElectLeadersRequest (ElectLeaders, 0..=2, flexible 2) {
        /// 0 for the preferred replica, 1 for any replica, even one that lacks records.
        election_type: i8 = 1..;
        /// The partitions; absent means all.
        topic_partitions: Option<Vec<TopicPartitions>> = 0.., nullable 0..;
        /// How long the broker may take.
        timeout_ms: i32 = 0.., default 60_000;
    }

    /// Partitions of one topic.
    part TopicPartitions {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }

    /// What became of the elections.
    response ElectLeadersResponse (ElectLeaders, 0..=2, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there was none.
        error_code: i16 = 1..;
        /// The topics.
        replica_election_results: Vec<ReplicaElectionResult> = 0..;
    }

    /// What became of the elections of one topic.
    part ReplicaElectionResult {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions.
        partition_result: Vec<PartitionResult> = 0..;
    }

    /// What became of one election.
    part PartitionResult {
        /// The partition's number.
        partition_id: i32 = 0..;
        /// Why there was none.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}
