//! Drops the oldest records of partitions.

use crate::StrBytes;

messages! {
    /// Where partitions shall begin.
    request DeleteRecordsRequest (DeleteRecords, 0..=2, flexible 2) {
        /// The topics.
        topics: Vec<DeleteRecordsTopic> = 0..;
        /// How long the broker may take.
        timeout_ms: i32 = 0..;
    }

    /// Where the partitions of one topic shall begin.
    part DeleteRecordsTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<DeleteRecordsPartition> = 0..;
    }

    /// Where one partition shall begin.
    part DeleteRecordsPartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// The first offset to keep; -1 drops everything.
        offset: i64 = 0..;
    }

    /// Where partitions begin.
    response DeleteRecordsResponse (DeleteRecords, 0..=2, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        topics: Vec<DeleteRecordsTopicResult> = 0..;
    }

    /// Where the partitions of one topic begin.
    part DeleteRecordsTopicResult {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<DeleteRecordsPartitionResult> = 0..;
    }

    /// Where one partition begins.
    part DeleteRecordsPartitionResult {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Its first offset.
        low_watermark: i64 = 0..;
        /// Why nothing was dropped.
        error_code: i16 = 0..;
    }
}
