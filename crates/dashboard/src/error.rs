//! What can go wrong, and how a client is told.

use std::error::Error as StdError;
use std::io;
use std::net::SocketAddr;

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorKind {
    /// Change the request or the configuration.
    Invalid,
    /// What it names does not exist.
    NotFound,
    /// It contradicts what exists.
    Conflict,
    /// The same request may work later.
    Retry,
    /// Stored bytes are damaged.
    Corrupt,
    /// The server is stopping.
    Closed,
    /// A defect or an outside failure.
    Internal,
}

/// Why the door was not opened.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// The address is not this machine's own, and nobody said that this is meant.
    #[error(
        "the page asks nobody for a password, so {addr} is refused: other machines could reach it. \
         Use a loopback address, or allow the network in the configuration and put a proxy that checks in front"
    )]
    Exposed {
        /// The address.
        addr: SocketAddr,
    },
    /// The operating system refused.
    #[error("listen on {addr}")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// What it said.
        source: io::Error,
    },
}

impl BindError {
    /// What the caller can do.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            BindError::Exposed { .. } => ErrorKind::Invalid,
            BindError::Listen { source, .. } if source.kind() == io::ErrorKind::AddrInUse => {
                ErrorKind::Conflict
            }
            BindError::Listen { .. } => ErrorKind::Internal,
        }
    }
}

/// An answer that is not what was asked for: a status, and JSON that says why.
#[derive(Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    kind: ErrorKind,
    message: String,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Detail<'a>,
}

#[derive(Serialize)]
struct Detail<'a> {
    kind: ErrorKind,
    message: &'a str,
}

impl ApiError {
    pub(crate) fn new(status: StatusCode, kind: ErrorKind, message: impl Into<String>) -> Self {
        ApiError { status, kind, message: message.into() }
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorKind::Invalid, message)
    }

    pub(crate) fn not_found(message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorKind::NotFound, message)
    }

    pub(crate) fn stopping() -> Self {
        Self::of(ErrorKind::Closed, "the server is stopping")
    }

    /// The status that belongs to the kind.
    pub(crate) fn of(kind: ErrorKind, message: impl Into<String>) -> Self {
        let status = match kind {
            ErrorKind::Invalid => StatusCode::BAD_REQUEST,
            ErrorKind::NotFound => StatusCode::NOT_FOUND,
            ErrorKind::Conflict => StatusCode::CONFLICT,
            ErrorKind::Retry | ErrorKind::Closed => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Corrupt | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, kind, message)
    }
}

impl From<engine::SqlError> for ApiError {
    fn from(error: engine::SqlError) -> Self {
        let kind = match error.kind() {
            engine::ErrorKind::Invalid => ErrorKind::Invalid,
            engine::ErrorKind::NotFound => ErrorKind::NotFound,
            engine::ErrorKind::Conflict => ErrorKind::Conflict,
            engine::ErrorKind::Retry => ErrorKind::Retry,
            engine::ErrorKind::Corrupt => ErrorKind::Corrupt,
            engine::ErrorKind::Closed => ErrorKind::Closed,
            engine::ErrorKind::Internal => ErrorKind::Internal,
        };
        Self::of(kind, chain(&error))
    }
}

impl From<topics::AppendError> for ApiError {
    fn from(error: topics::AppendError) -> Self {
        let kind = match error.kind() {
            topics::ErrorKind::Invalid => ErrorKind::Invalid,
            topics::ErrorKind::NotFound => ErrorKind::NotFound,
            topics::ErrorKind::Conflict => ErrorKind::Conflict,
            topics::ErrorKind::Retry => ErrorKind::Retry,
            topics::ErrorKind::Corrupt => ErrorKind::Corrupt,
            topics::ErrorKind::Closed => ErrorKind::Closed,
            topics::ErrorKind::Internal => ErrorKind::Internal,
        };
        let too_large = matches!(error, topics::AppendError::TooLarge { .. });
        let mut answer = Self::of(kind, chain(&error));
        if too_large {
            answer.status = StatusCode::PAYLOAD_TOO_LARGE;
        }
        answer
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        if self.kind == ErrorKind::Internal || self.kind == ErrorKind::Corrupt {
            tracing::warn!(status = self.status.as_u16(), message = self.message, "a request failed");
        }
        let body = Body { error: Detail { kind: self.kind, message: &self.message } };
        (self.status, Json(body)).into_response()
    }
}

/// The error and its causes, in one line.
fn chain(error: &dyn StdError) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        // Some errors repeat their cause in their own words.
        if !text.ends_with(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}
