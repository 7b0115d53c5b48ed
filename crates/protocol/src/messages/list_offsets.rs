//! Offsets by time: the first, the last, or the first at or after a moment.

use crate::StrBytes;

messages! {
    /// Asks for offsets.
    request ListOffsetsRequest (ListOffsets, 0..=11, flexible 6) {
        /// The id of a follower; -1 for a consumer.
        replica_id: i32 = 0.., default -1;
        /// 1 to stop at the first open transaction.
        isolation_level: i8 = 2..;
        /// The topics.
        topics: Vec<ListOffsetsTopic> = 0..;
        /// How long the broker may ask remote storage.
        timeout_ms: i32 = 10..;
    }

    /// What is asked of one topic.
    part ListOffsetsTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<ListOffsetsPartition> = 0..;
    }

    /// What is asked of one partition.
    part ListOffsetsPartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The leader's epoch the client knows, -1 if none.
        current_leader_epoch: i32 = 4.., default -1;
        /// The moment; -1 asks for the end, -2 for the beginning, -3 for the greatest timestamp,
        /// -4 and below for tiers of storage.
        timestamp: i64 = 0..;
        /// How many offsets to answer.
        max_num_offsets: i32 = 0..=0, default 1;
    }

    /// The offsets.
    response ListOffsetsResponse (ListOffsets, 0..=11, flexible 6) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 2..;
        /// The topics.
        topics: Vec<ListOffsetsTopicResponse> = 0..;
    }

    /// The offsets of one topic.
    part ListOffsetsTopicResponse {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<ListOffsetsPartitionResponse> = 0..;
    }

    /// The offset of one partition.
    part ListOffsetsPartitionResponse {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// Beginnings of segments, newest first.
        old_style_offsets: Vec<i64> = 0..=0;
        /// The timestamp of the record found, -1 if there is none.
        timestamp: i64 = 1.., default -1;
        /// The offset found, -1 if there is none.
        offset: i64 = 1.., default -1;
        /// The leader's epoch of the record found, -1 if unknown.
        leader_epoch: i32 = 4.., default -1;
    }
}
