//! All partitions, one owner each: append, read, watch.

mod config;
mod error;
mod metadata;
mod partition;
mod store;
mod topic;

pub use config::Config;
pub use error::{AppendError, CreateError, DeleteError, ErrorKind, OpenError, ProducerIdError, ReadError};
pub use partition::{Acks, AppendFuture, Appended, Partition, ReadBatches, TimestampedOffset};
pub use store::{RecoveryReport, Topics};
pub use topic::Topic;
