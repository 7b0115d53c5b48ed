//! Changes the SCRAM credentials of users.

use crate::{Secret, StrBytes};

messages! {
    /// Credentials to change.
    request AlterUserScramCredentialsRequest (AlterUserScramCredentials, 0..=0, flexible 0) {
        /// Those to drop.
        deletions: Vec<ScramCredentialDeletion> = 0..;
        /// Those to set.
        upsertions: Vec<ScramCredentialUpsertion> = 0..;
    }

    /// A credential to drop.
    part ScramCredentialDeletion {
        /// The user's name.
        name: StrBytes = 0..;
        /// 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        mechanism: i8 = 0..;
    }

    /// A credential to set.
    part ScramCredentialUpsertion {
        /// The user's name.
        name: StrBytes = 0..;
        /// 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        mechanism: i8 = 0..;
        /// How often the password was hashed.
        iterations: i32 = 0..;
        /// The salt of the hash.
        salt: Secret = 0..;
        /// The hash.
        salted_password: Secret = 0..;
    }

    /// What became of the credentials.
    response AlterUserScramCredentialsResponse (AlterUserScramCredentials, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// The users.
        results: Vec<AlterUserScramCredentialsResult> = 0..;
    }

    /// What became of the credentials of one user.
    part AlterUserScramCredentialsResult {
        /// The user's name.
        user: StrBytes = 0..;
        /// Why they were not changed.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
    }
}
