//! Which users have SCRAM credentials.

use crate::StrBytes;

messages! {
    /// Asks for users.
    request DescribeUserScramCredentialsRequest (DescribeUserScramCredentials, 0..=0, flexible 0) {
        /// The users; absent or empty means all.
        users: Option<Vec<UserName>> = 0.., nullable 0..;
    }

    /// A user.
    part UserName {
        /// The user's name.
        name: StrBytes = 0..;
    }

    /// The users.
    response DescribeUserScramCredentialsResponse (DescribeUserScramCredentials, 0..=0, flexible 0) {
        /// How long the client should wait before its next request.
        throttle_time_ms: i32 = 0..;
        /// Why there is no answer.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The users.
        results: Vec<DescribeUserScramCredentialsResult> = 0..;
    }

    /// A user.
    part DescribeUserScramCredentialsResult {
        /// The user's name.
        user: StrBytes = 0..;
        /// Why the user cannot be described.
        error_code: i16 = 0..;
        /// What is wrong, in words.
        error_message: Option<StrBytes> = 0.., nullable 0..;
        /// The credentials.
        credential_infos: Vec<CredentialInfo> = 0..;
    }

    /// A credential, without its secret.
    part CredentialInfo {
        /// 1 for SCRAM-SHA-256, 2 for SCRAM-SHA-512.
        mechanism: i8 = 0..;
        /// How often the password was hashed.
        iterations: i32 = 0..;
    }
}
