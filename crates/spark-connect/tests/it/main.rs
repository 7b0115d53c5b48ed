//! The door as a client sees it, by bytes on a socket. `compat/suites/pyspark` has the real client.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod call;
mod execution;
mod functions;
mod message;
mod python;
mod session;
mod session_sql;
mod streaming;
