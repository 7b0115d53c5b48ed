//! Moves partitions to other directories of a broker.

use crate::StrBytes;

messages! {
    /// Partitions to move.
    request AlterReplicaLogDirsRequest (AlterReplicaLogDirs, 0..=2, flexible 2) {
        /// The directories they are to go to.
        dirs: Vec<AlterReplicaLogDir> = 0..;
    }

    /// What goes to one directory.
    part AlterReplicaLogDir {
        /// Its absolute path.
        path: StrBytes = 0..;
        /// The topics.
        topics: Vec<AlterReplicaLogDirTopic> = 0..;
    }

    /// Partitions of one topic.
    part AlterReplicaLogDirTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }

    /// What became of the moves.
    response AlterReplicaLogDirsResponse (AlterReplicaLogDirs, 0..=2, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The topics.
        results: Vec<AlterReplicaLogDirTopicResult> = 0..;
    }

    /// What became of the moves of one topic.
    part AlterReplicaLogDirTopicResult {
        /// The topic's name.
        topic_name: StrBytes = 0..;
        /// The partitions.
        partitions: Vec<AlterReplicaLogDirPartitionResult> = 0..;
    }

    /// What became of the move of one partition.
    part AlterReplicaLogDirPartitionResult {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it did not begin.
        error_code: i16 = 0..;
    }
}
