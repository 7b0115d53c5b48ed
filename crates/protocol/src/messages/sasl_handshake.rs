//! How a client will say who it is.

use crate::{api_key::NEVER, StrBytes};

messages! {
    /// The mechanism a client chose.
    request SaslHandshakeRequest (SaslHandshake, 0..=1, flexible NEVER) {
        /// Its name: `PLAIN`, `SCRAM-SHA-256` ...
        mechanism: StrBytes = 0..;
    }

    /// What the broker says to that.
    response SaslHandshakeResponse (SaslHandshake, 0..=1, flexible NEVER) {
        /// Why it will not do.
        error_code: i16 = 0..;
        /// The mechanisms the broker knows.
        mechanisms: Vec<StrBytes> = 0..;
    }
}
