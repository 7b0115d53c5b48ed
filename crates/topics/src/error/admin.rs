//! What changing a topic can answer besides success.

use std::io;
use std::path::PathBuf;

use super::ErrorKind;
use crate::SettingError;

/// Why settings were not changed. None of them was.
#[derive(Debug, thiserror::Error)]
pub enum AlterError {
    /// There is no topic of that name.
    #[error("topic {name} does not exist")]
    NotFound {
        /// The name.
        name: String,
    },
    /// A setting that Kafka does not know, or a value that cannot hold.
    #[error(transparent)]
    Setting(#[from] SettingError),
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
    /// The store is closing.
    #[error("the log is closing")]
    Closed,
}

/// Why no partitions were added.
#[derive(Debug, thiserror::Error)]
pub enum CreatePartitionsError {
    /// There is no topic of that name.
    #[error("topic {name} does not exist")]
    NotFound {
        /// The name.
        name: String,
    },
    /// Partitions are only ever added, and not without end.
    #[error("topic {name} has {current} partitions: it can have more of them, up to {max}, but not {total}")]
    InvalidPartitions {
        /// The topic.
        name: String,
        /// How many it should have.
        total: u32,
        /// How many it has.
        current: u32,
        /// The limit.
        max: u32,
    },
    /// The disk refused; the topic has as many as before.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the disk answered.
        source: io::Error,
    },
    /// A new partition's log could not be opened.
    #[error("opening a partition")]
    Log(#[from] commitlog::Error),
    /// The store is closing.
    #[error("the log is closing")]
    Closed,
}

impl AlterError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::Setting(_) => ErrorKind::Invalid,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Closed => ErrorKind::Closed,
        }
    }
}

impl CreatePartitionsError {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NotFound { .. } => ErrorKind::NotFound,
            Self::InvalidPartitions { .. } => ErrorKind::Invalid,
            Self::Io { .. } => ErrorKind::Internal,
            Self::Log(error) => error.kind(),
            Self::Closed => ErrorKind::Closed,
        }
    }
}
