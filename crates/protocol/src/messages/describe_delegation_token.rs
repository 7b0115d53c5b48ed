//! Tokens that stand for users.

use crate::{Secret, StrBytes};

messages! {
    /// Asks for tokens.
    request DescribeDelegationTokenRequest (DescribeDelegationToken, 0..=3, flexible 2) {
        /// Whose; absent means all.
        owners: Option<Vec<DescribeDelegationTokenOwner>> = 0.., nullable 0..;
    }

    /// A principal.
    part DescribeDelegationTokenOwner {
        /// The kind of the principal: `User`.
        principal_type: StrBytes = 0..;
        /// The principal's name.
        principal_name: StrBytes = 0..;
    }

    /// The tokens.
    response DescribeDelegationTokenResponse (DescribeDelegationToken, 0..=3, flexible 2) {
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// The tokens.
        tokens: Vec<DescribedDelegationToken> = 0..;
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
    }

    /// A token.
    part DescribedDelegationToken {
        /// The kind of the principal: `User`.
        principal_type: StrBytes = 0..;
        /// The principal's name.
        principal_name: StrBytes = 0..;
        /// The kind of the principal that asked for it.
        token_requester_principal_type: StrBytes = 3..;
        /// The name of the principal that asked for it.
        token_requester_principal_name: StrBytes = 3..;
        /// When it was created, in Unix milliseconds.
        issue_timestamp: i64 = 0..;
        /// When it ends unless it is renewed.
        expiry_timestamp: i64 = 0..;
        /// When it ends in any case.
        max_timestamp: i64 = 0..;
        /// Its id.
        token_id: StrBytes = 0..;
        /// The token's secret.
        hmac: Secret = 0..;
        /// Who may renew it.
        renewers: Vec<DescribedDelegationTokenRenewer> = 0..;
    }

    /// Who may renew it.
    part DescribedDelegationTokenRenewer {
        /// The kind of the principal: `User`.
        principal_type: StrBytes = 0..;
        /// The principal's name.
        principal_name: StrBytes = 0..;
    }
}
