//! Forgets how far a group has read.

use crate::{api_key::NEVER, StrBytes};

messages! {
    /// Offsets to forget.
    request OffsetDeleteRequest (OffsetDelete, 0..=0, flexible NEVER) {
        /// The group.
        group_id: StrBytes = 0..;
        /// The topics.
        topics: Vec<OffsetDeleteRequestTopic> = 0..;
    }

    /// Partitions of one topic.
    part OffsetDeleteRequestTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<OffsetDeleteRequestPartition> = 0..;
    }

    /// A partition.
    part OffsetDeleteRequestPartition {
        /// The partition's number.
        partition_index: i32 = 0..;
    }

    /// What became of the offsets.
    response OffsetDeleteResponse (OffsetDelete, 0..=0, flexible NEVER) {
        /// Why none was forgotten.
        error_code: i16 = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        topics: Vec<OffsetDeleteResponseTopic> = 0..;
    }

    /// What became of the offsets of one topic.
    part OffsetDeleteResponseTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<OffsetDeleteResponsePartition> = 0..;
    }

    /// What became of the offset of one partition.
    part OffsetDeleteResponsePartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it was not forgotten.
        error_code: i16 = 0..;
    }
}
