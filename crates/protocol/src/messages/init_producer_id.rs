//! An id for an idempotent producer.

use crate::StrBytes;

messages! {
    /// A producer that wants an id.
    request InitProducerIdRequest (InitProducerId, 0..=5, flexible 2) {
        /// The producer's own name, if it writes transactions.
        transactional_id: Option<StrBytes> = 0.., nullable 0..;
        /// How long a transaction may stay open.
        transaction_timeout_ms: i32 = 0..;
        /// The id it has, to get a higher epoch; -1 for none.
        producer_id: i64 = 3.., default -1;
        /// The epoch it has, -1 for none.
        producer_epoch: i16 = 3.., default -1;
    }

    /// The id.
    response InitProducerIdResponse (InitProducerId, 0..=5, flexible 2) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is none.
        error_code: i16 = 0..;
        /// The id.
        producer_id: i64 = 0.., default -1;
        /// Its epoch.
        producer_epoch: i16 = 0..;
    }
}
