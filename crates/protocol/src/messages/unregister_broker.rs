//! Forgets a broker that will not come back.

use crate::StrBytes;

messages! {
    /// A broker to forget.
    request UnregisterBrokerRequest (UnregisterBroker, 0..=0, flexible 0) {
        /// The broker's id.
        broker_id: i32 = 0..;
    }

    /// What became of it.
    response UnregisterBrokerResponse (UnregisterBroker, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why it was not forgotten.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}
