//! Why a producer is refused.

use crate::Kind;

/// Why a producer is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The transactional id is empty.
    #[error("the transactional id is empty")]
    InvalidRequest,
    /// The transaction's time-out is not positive, or longer than allowed.
    #[error("the transaction's time-out is outside of what is allowed")]
    InvalidTimeout,
    /// The transactional id is not known, or belongs to another producer id.
    #[error("the producer id is not the one of this transactional id")]
    InvalidProducerIdMapping,
    /// A newer producer has the transactional id, or the transaction was aborted by its time-out.
    #[error("another producer of this transactional id has a newer epoch")]
    ProducerFenced,
    /// The transaction is not in a state in which this can be asked.
    #[error("the transaction is not in a state for this")]
    InvalidState,
    /// The last transaction is still being ended: try again.
    #[error("the last transaction is still being ended")]
    Concurrent,
    /// The partition was not added to the transaction, so it can only be aborted.
    #[error("the partition is not part of the transaction")]
    NotInTransaction,
    /// There are too many transactional ids, or the transaction has too many partitions.
    #[error("there is no room for more")]
    Full,
    /// No producer id is at hand: supply one and try again.
    #[error("no producer id is at hand")]
    NoProducerId,
}

impl Error {
    /// What the caller should do.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::InvalidRequest | Self::InvalidTimeout | Self::NotInTransaction => Kind::Invalid,
            Self::InvalidProducerIdMapping => Kind::NotFound,
            Self::ProducerFenced | Self::InvalidState | Self::Full => Kind::Conflict,
            Self::Concurrent | Self::NoProducerId => Kind::Retry,
        }
    }
}
