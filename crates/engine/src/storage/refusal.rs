//! What an object store has not done, and what can be done about it.

use std::io;

use object_store::Error;
use object_store::client::{HttpError, HttpErrorKind};

/// What a store says when the login is none, or may not do that. Listings come without a kind of error.
const LOGIN: [&str; 8] = [
    "<Code>AccessDenied",
    "<Code>ExpiredToken",
    "<Code>InvalidAccessKeyId",
    "<Code>InvalidToken",
    "<Code>SignatureDoesNotMatch",
    "UserNotFound</Code>",
    "status code: 401",
    "status code: 403",
];

/// An answer of an object store, or none, with advice.
#[derive(Debug, thiserror::Error)]
#[error("{advice}: {said}")]
struct Refusal {
    advice: &'static str,
    passing: bool,
    /// With all of its causes, in one line.
    said: String,
}

/// What time mends: nobody answers for now, or too much is asked at once.
fn passes(error: &Error) -> bool {
    let mut cause = Some(error as &dyn std::error::Error);
    while let Some(error) = cause {
        if let Some(http) = error.downcast_ref::<HttpError>() {
            use HttpErrorKind as Kind;
            return matches!(http.kind(), Kind::Connect | Kind::Request | Kind::Timeout | Kind::Interrupted);
        }
        cause = error.source();
    }
    matches!(error, Error::Generic { .. })
        && ["status code: 5", "status code: 429", "SlowDown"]
            .iter()
            .any(|said| error.to_string().contains(said))
}

/// The error in the words of files, so that whoever reads or writes them need not know where they are.
pub(super) fn refused(error: &Error) -> io::Error {
    use io::ErrorKind as Kind;
    let said = error.to_string().split_whitespace().collect::<Vec<_>>().join(" ");
    let passing = passes(error);
    let is_login = matches!(error, Error::PermissionDenied { .. } | Error::Unauthenticated { .. })
        || LOGIN.iter().any(|word| said.contains(word));
    let (kind, advice) = match error {
        _ if said.contains("169.254.") => (
            Kind::PermissionDenied,
            "no login is given, and this machine has no role; set fs.s3a.access.key and fs.s3a.secret.key, or \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        ),
        _ if said.contains("<Code>NoSuchBucket") => {
            (Kind::NotFound, "there is no such bucket; create it there, or correct its name")
        }
        Error::NotFound { .. } if !is_login => (Kind::NotFound, "there is no such object"),
        Error::AlreadyExists { .. } => (Kind::AlreadyExists, "there is such an object already"),
        Error::Precondition { .. } => (Kind::Other, "the object changed while it was read"),
        _ if is_login => (
            Kind::PermissionDenied,
            "the object store refuses the login; check fs.s3a.access.key and fs.s3a.secret.key, or \
             AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and what that user may do",
        ),
        Error::InvalidPath { .. } => (Kind::InvalidInput, "an object has a name that cannot be read"),
        Error::NotImplemented { .. } | Error::NotSupported { .. } => {
            (Kind::Unsupported, "the object store cannot do that")
        }
        _ if said.contains("status code: 501") => {
            (Kind::Unsupported, "the object store cannot do that: it has to know If-None-Match of a PUT")
        }
        _ if passing => {
            (Kind::NotConnected, "the object store does not answer; check fs.s3a.endpoint, and that it runs")
        }
        _ if said.contains("region") => {
            (Kind::Other, "the object store sends elsewhere; check fs.s3a.endpoint.region")
        }
        _ => (Kind::Other, "the object store refuses"),
    };
    let passing = passing && kind == Kind::NotConnected;
    io::Error::new(kind, Refusal { advice, passing, said })
}

/// Nobody has answered in time.
pub(super) fn late() -> io::Error {
    let advice = "the object store does not answer; check fs.s3a.endpoint, and that it runs";
    io::Error::new(
        io::ErrorKind::TimedOut,
        Refusal { advice, passing: true, said: "no answer in time".to_owned() },
    )
}

/// Whether trying again later can help.
pub(crate) fn is_passing(error: &io::Error) -> bool {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Refusal>()).is_some_and(|refusal| refusal.passing)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(text: &str) -> io::Error {
        refused(&Error::Generic { store: "S3", source: text.into() })
    }

    #[test]
    fn what_is_wrong_comes_with_what_to_do() {
        for (said, advice, passing) in [
            (
                "status code: 503 Service Unavailable: <Code>SlowDown</Code>",
                "does not answer; check fs.s3a.endpoint",
                true,
            ),
            ("status code: 501 Not Implemented", "If-None-Match", false),
            ("status code: 404: <Code>NoSuchBucket</Code>", "there is no such bucket", false),
            ("status code: 403 Forbidden", "refuses the login; check fs.s3a.access.key", false),
            ("status code: 404: <Code>XAdminUserNotFound</Code>", "refuses the login", false),
            (
                "this normally indicates an incorrectly configured region",
                "check fs.s3a.endpoint.region",
                false,
            ),
            ("PUT http://169.254.169.254/latest/api/token: status code: 403", "no login is given", false),
            ("status code: 418", "the object store refuses: ", false),
        ] {
            let error = answered(said);
            assert!(error.to_string().contains(advice) && error.to_string().ends_with(said), "{error}");
            assert_eq!(is_passing(&error), passing, "{error}");
        }
    }
}
