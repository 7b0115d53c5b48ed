//! Changes when a token ends.

use crate::Secret;

messages! {
    /// A token to end.
    request ExpireDelegationTokenRequest (ExpireDelegationToken, 0..=2, flexible 2) {
        /// The token's secret.
        hmac: Secret = 0..;
        /// In how long, below 0 for at once.
        expiry_time_period_ms: i64 = 0..;
    }

    /// What became of the token.
    response ExpireDelegationTokenResponse (ExpireDelegationToken, 0..=2, flexible 2) {
        /// Why it was not changed.
        error_code: i16 = 0..;
        /// When it ends, in Unix milliseconds.
        expiry_timestamp_ms: i64 = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
    }
}
