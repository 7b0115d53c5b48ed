//! A new token that stands for a user.

use crate::{Secret, StrBytes};

messages! {
    /// A token to create.
    request CreateDelegationTokenRequest (CreateDelegationToken, 0..=3, flexible 2) {
        /// The kind of the principal it stands for; absent for the one that asks.
        owner_principal_type: Option<StrBytes> = 3.., nullable 3..;
        /// The name of the principal it stands for; absent for the one that asks.
        owner_principal_name: Option<StrBytes> = 3.., nullable 3..;
        /// Who may renew it.
        renewers: Vec<CreatableRenewers> = 0..;
        /// How long it may be renewed, -1 for the broker's limit.
        max_lifetime_ms: i64 = 0..;
    }

    /// Who may renew it.
    part CreatableRenewers {
        /// The kind of the principal: `User`.
        principal_type: StrBytes = 0..;
        /// The principal's name.
        principal_name: StrBytes = 0..;
    }

    /// The token.
    response CreateDelegationTokenResponse (CreateDelegationToken, 0..=3, flexible 2) {
        /// Why there is none.
        error_code: i16 = 0..;
        /// The kind of the principal: `User`.
        principal_type: StrBytes = 0..;
        /// The principal's name.
        principal_name: StrBytes = 0..;
        /// The kind of the principal that asked for it.
        token_requester_principal_type: StrBytes = 3..;
        /// The name of the principal that asked for it.
        token_requester_principal_name: StrBytes = 3..;
        /// When it was created, in Unix milliseconds.
        issue_timestamp_ms: i64 = 0..;
        /// When it ends unless it is renewed.
        expiry_timestamp_ms: i64 = 0..;
        /// When it ends in any case.
        max_timestamp_ms: i64 = 0..;
        /// Its id.
        token_id: StrBytes = 0..;
        /// The token's secret.
        hmac: Secret = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
    }
}
