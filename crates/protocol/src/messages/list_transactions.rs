//! All transactions.

use crate::StrBytes;

messages! {
    /// Asks for transactions.
    request ListTransactionsRequest (ListTransactions, 0..=2, flexible 0) {
        /// Only transactions in these states; empty means all.
        state_filters: Vec<StrBytes> = 0..;
        /// Only transactions of these producers; empty means all.
        producer_id_filters: Vec<i64> = 0..;
        /// Only transactions open for longer than this, in milliseconds; -1 means all.
        duration_filter: i64 = 1.., default -1;
        /// Only transactional ids that match this regular expression; absent or empty means all.
        transactional_id_pattern: Option<StrBytes> = 2.., nullable 2..;
    }

    /// The transactions.
    response ListTransactionsResponse (ListTransactions, 0..=2, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// The states of the request that do not exist.
        unknown_state_filters: Vec<StrBytes> = 0..;
        /// The transactions.
        transaction_states: Vec<TransactionState> = 0..;
    }

    /// A transaction.
    part TransactionState {
        /// The transactional id.
        transactional_id: StrBytes = 0..;
        /// The producer's id.
        producer_id: i64 = 0..;
        /// Its state: `Empty`, `Ongoing`, `PrepareCommit`, `CompleteAbort` ...
        transaction_state: StrBytes = 0..;
    }
}
