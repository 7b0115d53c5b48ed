//! What can go wrong with one partition's log.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

/// What a caller can do about an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorKind {
    /// The request is wrong and stays wrong.
    Invalid,
    /// What was asked for does not exist.
    NotFound,
    /// Somebody else was there first.
    Conflict,
    /// Later it may work.
    Retry,
    /// Stored or sent bytes are damaged.
    Corrupt,
    /// It was closed, or closed itself after a failure.
    Closed,
    /// The disk or the program failed.
    Internal,
}

/// Why the log did not do what it was asked to do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The disk refused.
    #[error("{action} {}", path.display())]
    Io {
        /// What was attempted.
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// What the disk answered.
        source: Arc<io::Error>,
    },
    /// There is no space left. Nothing of the append was kept.
    #[error("the disk that holds {} is full: free space there, then send again", path.display())]
    DiskFull {
        /// The segment file.
        path: PathBuf,
    },
    /// An earlier write or flush failed; the log can be read but takes no more writes until it is opened again.
    #[error("{} takes no more writes after a failure: check that disk, then restart", path.display())]
    Poisoned {
        /// The partition's directory.
        path: PathBuf,
        /// The failure.
        source: Arc<io::Error>,
    },
    /// The bytes from `position` on are rotten; whole batches follow, the first at `next_offset`.
    #[error("{} is rotten at byte {position}; readable again from offset {next_offset}", path.display())]
    Corrupt {
        /// The segment file.
        path: PathBuf,
        /// Where the rot begins.
        position: u64,
        /// The first readable offset behind it.
        next_offset: i64,
    },
    /// The offset is not in the log.
    #[error("offset {offset} is outside of {start}..={end}")]
    OutOfRange {
        /// What was asked for.
        offset: i64,
        /// The first offset there is.
        start: i64,
        /// The end that was given.
        end: i64,
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
    /// The producer is in the middle of a transaction, and the batch is not of it: it says that it belongs to none, or is
    /// of a newer epoch, which begins behind the marker that ends it.
    #[error(
        "producer {producer_id} is in a transaction since offset {first_offset} that the batch is no part of"
    )]
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
    /// The request is not a sequence of whole batches; the caller should have checked.
    #[error("the batches are not sound")]
    Batch(#[source] Arc<record::Error>),
}

impl Error {
    /// What the caller can do about it.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { .. } => ErrorKind::Internal,
            Self::DiskFull { .. } => ErrorKind::Retry,
            Self::Poisoned { .. } => ErrorKind::Closed,
            Self::Corrupt { .. } | Self::Batch(_) => ErrorKind::Corrupt,
            Self::OutOfRange { .. } | Self::InTransaction { .. } => ErrorKind::Invalid,
            Self::OutOfOrderSequence { .. }
            | Self::ProducerFenced { .. }
            | Self::CoordinatorFenced { .. } => ErrorKind::Conflict,
        }
    }
}
