//! Transactions, as their coordinator knows them.

use crate::StrBytes;

messages! {
    /// Asks for transactions.
    request DescribeTransactionsRequest (DescribeTransactions, 0..=0, flexible 0) {
        /// The transactional ids.
        transactional_ids: Vec<StrBytes> = 0..;
    }

    /// The transactions.
    response DescribeTransactionsResponse (DescribeTransactions, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The transactions.
        transaction_states: Vec<TransactionState> = 0..;
    }

    /// A transaction.
    part TransactionState {
        /// Why it cannot be described.
        error_code: i16 = 0..;
        /// The transactional id.
        transactional_id: StrBytes = 0..;
        /// Its state: `Empty`, `Ongoing`, `PrepareCommit`, `CompleteAbort` ...
        transaction_state: StrBytes = 0..;
        /// How long it may stay open.
        transaction_timeout_ms: i32 = 0..;
        /// When it began, in Unix milliseconds; -1 if none is open.
        transaction_start_time_ms: i64 = 0..;
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The producer's epoch.
        producer_epoch: i16 = 0..;
        /// The partitions in it, by topic.
        topics: Vec<TopicData> = 0..;
    }

    /// Partitions of one topic.
    part TopicData {
        /// The topic's name.
        topic: StrBytes = 0..;
        /// The partitions' numbers.
        partitions: Vec<i32> = 0..;
    }
}
