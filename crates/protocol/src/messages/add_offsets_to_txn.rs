//! A group whose offsets a transaction will commit.

use crate::StrBytes;

messages! {
    /// A group to add.
    request AddOffsetsToTxnRequest (AddOffsetsToTxn, 0..=4, flexible 3) {
        /// The transactional id.
        transactional_id: StrBytes = 0..;
        /// The producer's id.
        producer_id: i64 = 0..;
        /// The producer's epoch.
        producer_epoch: i16 = 0..;
        /// The group.
        group_id: StrBytes = 0..;
    }

    /// What became of it.
    response AddOffsetsToTxnResponse (AddOffsetsToTxn, 0..=4, flexible 3) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why it is not in the transaction.
        error_code: i16 = 0..;
    }
}
