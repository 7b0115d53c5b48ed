//! Where a leader's epoch ends, for clients that check whether their log was cut.

use crate::StrBytes;

messages! {
    /// Asks for the ends of epochs.
    request OffsetForLeaderEpochRequest (OffsetForLeaderEpoch, 0..=4, flexible 4) {
        /// The id of a follower; -1 for a consumer, -2 for older ones.
        replica_id: i32 = 3.., default -2;
        /// The topics.
        topics: Vec<OffsetForLeaderTopic> = 0..;
    }

    /// What is asked of one topic.
    part OffsetForLeaderTopic {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<OffsetForLeaderPartition> = 0..;
    }

    /// What is asked of one partition.
    part OffsetForLeaderPartition {
        /// The partition's number.
        partition: i32 = 0..;
        /// The leader's epoch the client knows, -1 if none.
        current_leader_epoch: i32 = 2.., default -1;
        /// The epoch whose end is wanted.
        leader_epoch: i32 = 0..;
    }

    /// The ends of epochs.
    response OffsetForLeaderEpochResponse (OffsetForLeaderEpoch, 0..=4, flexible 4) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 2..;
        /// The topics.
        topics: Vec<OffsetForLeaderTopicResult> = 0..;
    }

    /// The ends of epochs of one topic.
    part OffsetForLeaderTopicResult {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<EpochEndOffset> = 0..;
    }

    /// The end of an epoch in one partition.
    part EpochEndOffset {
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// The partition's number.
        partition: i32 = 0..;
        /// The epoch, -1 for none.
        leader_epoch: i32 = 1.., default -1;
        /// The offset behind its last record, -1 for none.
        end_offset: i64 = 0.., default -1;
    }
}
