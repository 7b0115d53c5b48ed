//! Partitions that a transaction will write to.

use crate::StrBytes;

messages! {
    /// Partitions to add: of one transaction up to version 3, of several, as brokers ask, from
    /// version 4 on.
    request AddPartitionsToTxnRequest (AddPartitionsToTxn, 0..=5, flexible 3) {
        /// The transactions.
        transactions: Vec<AddPartitionsToTxnTransaction> = 4..;
        /// The transactional id.
        transactional_id: StrBytes = 0..=3;
        /// The producer's id.
        producer_id: i64 = 0..=3;
        /// The producer's epoch.
        producer_epoch: i16 = 0..=3;
        /// The topics.
        topics: Vec<AddPartitionsToTxnTopic> = 0..=3;
    }

    /// What is added to one transaction.
    part AddPartitionsToTxnTransaction {
        /// The transactional id.
        transactional_id: StrBytes = 4..;
        /// The producer's id.
        producer_id: i64 = 4..;
        /// The producer's epoch.
        producer_epoch: i16 = 4..;
        /// Whether to check only that the partitions are in the transaction.
        verify_only: bool = 4..;
        /// The topics.
        topics: Vec<AddPartitionsToTxnTopic> = 4..;
    }

    /// Partitions of one topic.
    part AddPartitionsToTxnTopic {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }

    /// What became of the partitions.
    response AddPartitionsToTxnResponse (AddPartitionsToTxn, 0..=5, flexible 3) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why nothing could be answered at all.
        error_code: i16 = 4..;
        /// The transactions.
        results_by_transaction: Vec<AddPartitionsToTxnResult> = 4..;
        /// The topics.
        results_by_topic: Vec<AddPartitionsToTxnTopicResult> = 0..=3;
    }

    /// What became of the partitions of one transaction.
    part AddPartitionsToTxnResult {
        /// The transactional id.
        transactional_id: StrBytes = 4..;
        /// The topics.
        topic_results: Vec<AddPartitionsToTxnTopicResult> = 4..;
    }

    /// What became of the partitions of one topic.
    part AddPartitionsToTxnTopicResult {
        /// The topic's name.
        name: StrBytes = 0..;
        /// The partitions.
        results_by_partition: Vec<AddPartitionsToTxnPartitionResult> = 0..;
    }

    /// What became of one partition.
    part AddPartitionsToTxnPartitionResult {
        /// The partition's number.
        partition_index: i32 = 0..;
        /// Why it is not in the transaction.
        partition_error_code: i16 = 0..;
    }
}
