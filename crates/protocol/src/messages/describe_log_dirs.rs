//! The directories partitions are kept in, and their sizes.

use crate::StrBytes;

messages! {
    /// Asks for directories.
    request DescribeLogDirsRequest (DescribeLogDirs, 0..=5, flexible 2) {
        /// The topics to tell of; absent means all.
        topics: Option<Vec<DescribableLogDirTopic>> = 0.., nullable 0..;
    }

    /// Partitions of one topic.
    part DescribableLogDirTopic {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }

    /// The directories.
    response DescribeLogDirsResponse (DescribeLogDirs, 0..=5, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 3..;
        /// The directories.
        results: Vec<DescribeLogDirsResult> = 0..;
    }

    /// A directory.
    part DescribeLogDirsResult {
        /// Why it cannot be used.
        error_code: i16 = 0..;
        /// Its absolute path.
        log_dir: StrBytes = 0..;
        /// The topics.
        topics: Vec<DescribeLogDirsTopic> = 0..;
        /// The size of the volume it is on, -1 if unknown.
        total_bytes: i64 = 4.., default -1;
        /// What the volume has left, -1 if unknown.
        usable_bytes: i64 = 4.., default -1;
        /// Whether it takes no new partitions.
        is_cordoned: bool = 5..;
    }

    /// What a topic takes.
    part DescribeLogDirsTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// Its partitions.
        partitions: Vec<DescribeLogDirsPartition> = 0..;
    }

    /// What a partition takes.
    part DescribeLogDirsPartition {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Its bytes.
        partition_size: i64 = 0..;
        /// How many offsets it is behind the high watermark, or, as a copy on its way, behind the
        /// partition itself.
        offset_lag: i64 = 0..;
        /// Whether this is a copy on its way from another directory.
        is_future_key: bool = 0..;
    }
}
