//! What each operation can answer besides success, one enum per operation.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

pub use commitlog::ErrorKind;

pub use admin::{AlterError, CreatePartitionsError};

mod admin;

/// Why the data directory could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it, or the lock file cannot be written.
    #[error(transparent)]
    Lock(#[from] env::LockError),
    /// The list of topics cannot be read.
    #[error("reading the list of topics in {}", path.display())]
    Metadata {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// The disk refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the disk answered.
        source: io::Error,
    },
    /// A partition cannot be opened.
    #[error("opening a partition")]
    Log(#[from] commitlog::Error),
}

/// Why a topic was not created.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The name breaks a rule.
    #[error("topic name {name:?} is not allowed: {rule}")]
    InvalidName {
        /// The name.
        name: String,
        /// The rule it breaks.
        rule: &'static str,
    },
    /// Too few or too many partitions.
    #[error("{partitions} partitions are not allowed: between 1 and {max} are")]
    InvalidPartitions {
        /// What was asked for.
        partitions: u32,
        /// The limit.
        max: u32,
    },
    /// A setting that Kafka does not know, or a value that cannot hold.
    #[error(transparent)]
    Setting(#[from] crate::SettingError),
    /// There is one already.
    #[error("topic {name} exists")]
    Exists {
        /// The name.
        name: String,
    },
    /// The disk refused; the topic does not exist.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the disk answered.
        source: io::Error,
    },
    /// The partition's log could not be opened.
    #[error("opening a partition")]
    Log(#[from] commitlog::Error),
    /// The store is closing.
    #[error("the log is closing")]
    Closed,
}

/// Why a topic was not deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// There is none of that name.
    #[error("topic {name} does not exist")]
    NotFound {
        /// The name.
        name: String,
    },
    /// The disk refused. The topic is gone if its name is; left-over files go at the next start.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the disk answered.
        source: io::Error,
    },
    /// The store is closing.
    #[error("the log is closing")]
    Closed,
}

/// Why no producer id was given.
#[derive(Debug, thiserror::Error)]
#[error("reserving producer ids in {}", path.display())]
pub struct ProducerIdError {
    /// The file that says which are taken.
    pub path: PathBuf,
    /// What the disk answered.
    pub source: io::Error,
}

/// Why batches were not appended.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AppendError {
    /// A batch is larger than the topic allows.
    #[error("a batch of {bytes} bytes is larger than the {max} that topic {topic} takes (max.message.bytes)")]
    TooLarge {
        /// The batch.
        bytes: usize,
        /// The limit.
        max: usize,
        /// The topic.
        topic: String,
    },
    /// The bytes are not a sequence of sound batches; their checksum may be wrong.
    #[error("the batches are not sound")]
    Corrupt(#[source] Arc<record::Error>),
    /// The batches are sound but ask for something that is not allowed.
    #[error("the batches are not allowed: {rule}")]
    Invalid {
        /// The rule they break.
        rule: &'static str,
        /// Where exactly, if a batch's inside breaks it.
        source: Option<Arc<record::Error>>,
    },
    /// A record's time is too far from the present (`message.timestamp.before.max.ms`, `.after.max.ms`).
    #[error("a record's timestamp {timestamp} is not between {earliest} and {latest}")]
    Timestamp {
        /// The record's, in Unix milliseconds.
        timestamp: i64,
        /// The earliest that is taken now.
        earliest: i64,
        /// The latest.
        latest: i64,
    },
    /// A batch of this producer is missing before this one.
    #[error("producer {producer_id} sent sequence {sequence} where {expected} was expected")]
    OutOfOrderSequence {
        /// The producer.
        producer_id: i64,
        /// The first sequence number of the refused batch.
        sequence: i32,
        /// The one that would have been taken.
        expected: i32,
    },
    /// A newer instance of this producer exists.
    #[error("producer {producer_id} has epoch {epoch}, but epoch {current} was seen")]
    ProducerFenced {
        /// The producer.
        producer_id: i64,
        /// Its epoch.
        epoch: i16,
        /// The newest.
        current: i16,
    },
    /// The producer is in the middle of a transaction, and the batch says that it belongs to none.
    #[error("producer {producer_id} is in a transaction since offset {first_offset}, the batch in none")]
    InTransaction {
        /// The producer.
        producer_id: i64,
        /// Where its transaction begins.
        first_offset: i64,
    },
    /// A newer instance of the transaction coordinator exists.
    #[error("the coordinator of producer {producer_id} has epoch {epoch}, but epoch {current} was seen")]
    CoordinatorFenced {
        /// The producer.
        producer_id: i64,
        /// The coordinator's epoch.
        epoch: i32,
        /// The newest.
        current: i32,
    },
    /// Too many bytes wait to be written already.
    #[error("{waiting} bytes wait for the disk already: send again later")]
    Busy {
        /// How many.
        waiting: usize,
    },
    /// There is no space left; nothing was kept and the partition can still be read.
    #[error(
        "the disk that holds {} is full: free space there, delete topics or shorten their retention, then send again",
        path.display()
    )]
    DiskFull {
        /// The partition's directory.
        path: PathBuf,
    },
    /// A write or flush failed earlier or now; this partition takes no more writes until a restart.
    #[error(
        "writing to {} failed, and the partition takes no more writes: check that disk, then restart",
        path.display()
    )]
    Failed {
        /// The partition's directory.
        path: PathBuf,
        /// What the disk answered, when it did.
        source: Arc<io::Error>,
    },
    /// The topic was deleted.
    #[error("topic {topic} was deleted")]
    Deleted {
        /// The topic.
        topic: String,
    },
    /// The store is closing.
    #[error("the log is closing")]
    Closed,
}

/// Why nothing was read.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ReadError {
    /// The offset is not between the log's start and its high watermark.
    #[error("offset {offset} is outside of {start}..={end}")]
    OutOfRange {
        /// What was asked for.
        offset: i64,
        /// The first offset there is.
        start: i64,
        /// The high watermark.
        end: i64,
    },
    /// The bytes at this offset are rotten. Reading goes on at `next_offset`.
    #[error("{} is rotten at byte {position}; readable again from offset {next_offset}", path.display())]
    Corrupt {
        /// The segment file.
        path: PathBuf,
        /// Where the rot begins.
        position: u64,
        /// The first readable offset behind it.
        next_offset: i64,
    },
    /// The disk refused.
    #[error("reading {}", path.display())]
    Io {
        /// The segment file.
        path: PathBuf,
        /// What the disk answered.
        source: Arc<io::Error>,
    },
    /// The topic was deleted.
    #[error("topic {topic} was deleted")]
    Deleted {
        /// The topic.
        topic: String,
    },
}

/// Why the stop was not a clean one. What was acknowledged is safe; the next start takes a closer look.
#[derive(Debug, thiserror::Error)]
pub enum CloseError {
    /// A partition could not be flushed, or its files for a fast start not written.
    #[error("closing a partition")]
    Log(#[from] commitlog::Error),
    /// The mark of a clean stop could not be left.
    #[error("leaving the mark of a clean stop in {}", path.display())]
    Marker {
        /// The data directory.
        path: PathBuf,
        /// What the disk answered.
        source: io::Error,
    },
    /// A writer thread did not come to its end.
    #[error("a writer thread panicked")]
    Panicked,
}

impl OpenError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Lock(_) => ErrorKind::Conflict,
            Self::Metadata { .. } => ErrorKind::Corrupt,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Log(error) => error.kind(),
        }
    }
}

impl CreateError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::InvalidName { .. } | Self::InvalidPartitions { .. } | Self::Setting(_) => {
                ErrorKind::Invalid
            }
            Self::Exists { .. } => ErrorKind::Conflict,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Log(error) => error.kind(),
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl DeleteError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl AppendError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::TooLarge { .. }
            | Self::Invalid { .. }
            | Self::Timestamp { .. }
            | Self::InTransaction { .. } => ErrorKind::Invalid,
            Self::Corrupt(_) => ErrorKind::Corrupt,
            Self::OutOfOrderSequence { .. }
            | Self::ProducerFenced { .. }
            | Self::CoordinatorFenced { .. } => ErrorKind::Conflict,
            Self::Busy { .. } | Self::DiskFull { .. } => ErrorKind::Retry,
            Self::Failed { .. } => ErrorKind::Internal,
            Self::Deleted { .. } => ErrorKind::NotFound,
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl ReadError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::OutOfRange { .. } => ErrorKind::Invalid,
            Self::Corrupt { .. } => ErrorKind::Corrupt,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Deleted { .. } => ErrorKind::NotFound,
        }
    }
}
