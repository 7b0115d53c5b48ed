//! Who writes to a partition with idempotence or in transactions.

use crate::StrBytes;

messages! {
    /// Asks for producers.
    request DescribeProducersRequest (DescribeProducers, 0..=0, flexible 0) {
        /// The topics.
        topics: Vec<TopicRequest> = 0..;
    }

    /// Partitions of one topic.
    part TopicRequest {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions' numbers.
        partition_indexes: Vec<i32> = 0..;
    }

    /// The producers.
    response DescribeProducersResponse (DescribeProducers, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        topics: Vec<TopicResponse> = 0..;
    }

    /// The producers of one topic.
    part TopicResponse {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<PartitionResponse> = 0..;
    }

    /// The producers of one partition.
    part PartitionResponse {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why they cannot be told.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The producers that the partition remembers.
        active_producers: Vec<ProducerState> = 0..;
    }

    /// What a partition remembers of a producer.
    part ProducerState {
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The producer's epoch; of 32 bits here alone.
        producer_epoch: i32 = 0..;
        /// The sequence number of its last record, -1 if none.
        last_sequence: i32 = 0.., default -1;
        /// The timestamp of its last batch, in Unix milliseconds; -1 if none.
        last_timestamp: i64 = 0.., default -1;
        /// The epoch of the coordinator that ended its last transaction, -1 if none did.
        coordinator_epoch: i32 = 0..;
        /// The first offset of its open transaction, -1 if none is open.
        current_txn_start_offset: i64 = 0.., default -1;
    }
}
