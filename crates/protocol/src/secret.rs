//! Bytes that nobody but the other side may see.

use std::fmt;

use bytes::Bytes;

/// Bytes that nobody but the other side may see: a password, a proof of one, a key. Whoever prints the message that they
/// are in, as a log does, sees how many they are and no more.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(Bytes);

impl Secret {
    /// The bytes themselves.
    #[must_use]
    pub fn expose(&self) -> &Bytes {
        &self.0
    }
}

impl From<Bytes> for Secret {
    fn from(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{} secret bytes>", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use crate::messages::alter_user_scram_credentials::ScramCredentialUpsertion;
    use crate::messages::create_delegation_token::CreateDelegationTokenResponse;
    use crate::messages::{SaslAuthenticateRequest, SaslAuthenticateResponse};

    /// As bytes and as text a secret might appear in print.
    const PASSWORD: &[u8] = b"hunter2";

    fn secret() -> super::Secret {
        Bytes::from_static(PASSWORD).into()
    }

    #[test]
    fn what_is_printed_tells_no_secret() {
        let printed = [
            format!("{:?}", SaslAuthenticateRequest { auth_bytes: secret() }),
            format!("{:#?}", SaslAuthenticateResponse { auth_bytes: secret(), ..Default::default() }),
            format!(
                "{:?}",
                ScramCredentialUpsertion { salt: secret(), salted_password: secret(), ..Default::default() }
            ),
            format!("{:?}", CreateDelegationTokenResponse { hmac: secret(), ..Default::default() }),
        ];
        for text in printed {
            assert!(text.contains("<7 secret bytes>"), "{text}");
            assert!(!text.contains("hunter2") && !text.contains("104"), "{text}");
        }
    }
}
