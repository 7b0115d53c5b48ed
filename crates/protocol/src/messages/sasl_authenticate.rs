//! A client says who it is.

use crate::{Secret, StrBytes};

messages! {
    /// What the mechanism has the client say.
    request SaslAuthenticateRequest (SaslAuthenticate, 0..=2, flexible 2) {
        /// Bytes of the mechanism.
        auth_bytes: Secret = 0..;
    }

    /// What the mechanism has the broker say.
    response SaslAuthenticateResponse (SaslAuthenticate, 0..=2, flexible 2) {
        /// Why the client is not believed.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// Bytes of the mechanism.
        auth_bytes: Secret = 0..;
        /// How long the client is believed, 0 without an end.
        session_lifetime_ms: i64 = 1..;
    }
}
