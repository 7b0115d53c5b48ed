//! One partition on disk.

mod error;

pub use error::{Error, ErrorKind};
