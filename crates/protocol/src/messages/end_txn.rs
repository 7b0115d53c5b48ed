//! Commits or aborts a transaction.

use crate::StrBytes;

messages! {
    /// The end of a transaction.
    request EndTxnRequest (EndTxn, 0..=5, flexible 3) {
        /// The transactional id.
        transactional_id: StrBytes = 0..;
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The producer's epoch.
        producer_epoch: i16 = 0..;
        /// Whether its records count.
        committed: bool = 0..;
    }

    /// What became of the transaction.
    response EndTxnResponse (EndTxn, 0..=5, flexible 3) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why it did not end.
        error_code: i16 = 0..;
        /// The producer's id for its next transaction, -1 if it keeps the one it has.
        producer_id: i64 = 5.., default -1;
        /// The producer's epoch for its next transaction, -1 if it keeps the one it has.
        producer_epoch: i16 = 5.., default -1;
    }
}
