//! The command line as a client: it talks to a server through its doors only.

pub(crate) mod http;
pub(crate) mod kafka;
