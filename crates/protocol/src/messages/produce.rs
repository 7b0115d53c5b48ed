//! Appends records to partitions.

use bytes::Bytes;

use crate::{StrBytes, Uuid};

messages! {
    /// Records to append. Versions 0 and 1 carry message sets of format 0, version 2 those of
    /// format 1, later ones record batches.
    request ProduceRequest (Produce, 0..=13, flexible 9) {
        /// The transaction the records belong to, if any.
        transactional_id: Option<StrBytes> = 3.., nullable 3..;
        /// Who must have the records before the answer: -1 all replicas, 1 the leader, 0 nobody,
        /// and then there is no answer.
        acks: i16 = 0..;
        /// How long the broker may take.
        timeout_ms: i32 = 0..;
        /// The topics.
        topic_data: Vec<TopicProduceData> = 0..;
    }

    /// What goes to one topic.
    part TopicProduceData {
        /// The topic's name.
        name: StrBytes = 0..=12;
        /// The topic's id.
        topic_id: Uuid = 13..;
        /// The partitions.
        partition_data: Vec<PartitionProduceData> = 0..;
    }

    /// What goes to one partition.
    part PartitionProduceData {
        /// The partition's number.
        index: i32 = 0..;
        /// The records, not looked into.
        records: Option<Bytes> = 0.., nullable 0..;
    }

    /// What became of the records.
    response ProduceResponse (Produce, 0..=13, flexible 9) {
        /// The topics.
        responses: Vec<TopicProduceResponse> = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 1..;
        /// The addresses of the leaders that are named in `current_leader`.
        node_endpoints: Vec<NodeEndpoint> = 10.., tag 0;
    }

    /// What became of the records of one topic.
    part TopicProduceResponse {
        /// The topic's name.
        name: StrBytes = 0..=12;
        /// The topic's id.
        topic_id: Uuid = 13..;
        /// The partitions.
        partition_responses: Vec<PartitionProduceResponse> = 0..;
    }

    /// What became of the records of one partition.
    part PartitionProduceResponse {
        /// The partition's number.
        index: i32 = 0..;
        /// Why nothing was appended.
        error_code: i16 = 0..;
        /// The offset of the first record, -1 if nothing was appended.
        base_offset: i64 = 0..;
        /// The time of appending if the broker stamps this topic's records, -1 otherwise.
        log_append_time_ms: i64 = 2.., default -1;
        /// The partition's first offset, -1 if unknown.
        log_start_offset: i64 = 5.., default -1;
        /// The records that are to blame.
        record_errors: Vec<BatchIndexAndErrorMessage> = 8..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 8.., nullable 8..;
        /// Who leads the partition, if it is not this broker.
        current_leader: LeaderIdAndEpoch = 10.., tag 0;
    }

    /// A record that is to blame.
    part BatchIndexAndErrorMessage {
        /// Its place in the batch.
        batch_index: i32 = 8..;
        /// What is wrong with it, in words.
        batch_index_error_message: Option<StrBytes> = 8.., nullable 8..;
    }

    /// A leader.
    part LeaderIdAndEpoch {
        /// The broker's id, -1 if unknown.
        leader_id: i32 = 10.., default -1;
        /// The leader's epoch, -1 if unknown.
        leader_epoch: i32 = 10.., default -1;
    }

    /// A broker's address.
    part NodeEndpoint {
        /// The broker's id.
        node_id: i32 = 10..;
        /// Its host.
        host: StrBytes = 10..;
        /// Its port.
        port: i32 = 10..;
        /// Where it stands, if that was said.
        rack: Option<StrBytes> = 10.., nullable 10..;
    }
}
