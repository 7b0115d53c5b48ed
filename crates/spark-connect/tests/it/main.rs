//! The door as a client sees it, by bytes on a socket. `compat/suites/pyspark` has the real client.

mod call;
mod execution;
mod message;
mod session;
