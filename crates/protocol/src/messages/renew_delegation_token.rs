//! Makes a token last longer.

use crate::Secret;

messages! {
    /// A token to renew.
    request RenewDelegationTokenRequest (RenewDelegationToken, 0..=2, flexible 2) {
        /// The token's secret.
        hmac: Secret = 0..;
        /// For how long, -1 for the broker's default.
        renew_period_ms: i64 = 0..;
    }

    /// What became of the token.
    response RenewDelegationTokenResponse (RenewDelegationToken, 0..=2, flexible 2) {
        /// Why it was not renewed.
        error_code: i16 = 0..;
        /// When it ends, in Unix milliseconds.
        expiry_timestamp_ms: i64 = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
    }
}
