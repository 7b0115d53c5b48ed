//! Why state could not be kept, written or brought back.

use datafusion::arrow::error::ArrowError;

/// Why an operation on operator state failed. The state is as it was before.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StateError {
    /// The batch is not newer than what was committed.
    #[error("batch {batch} comes after batch {last} was committed")]
    Old {
        /// The batch that came.
        batch: u64,
        /// The newest committed one.
        last: u64,
    },
    /// The bytes are not a state record, or not the one that was written.
    #[error("state record is damaged at byte {position}: {reason}")]
    Corrupt {
        /// Where in the record.
        position: usize,
        /// What was met there.
        reason: &'static str,
    },
    /// A newer program wrote the record.
    #[error("state record has format version {version}; this program reads up to {known}")]
    Version {
        /// The version it states.
        version: u16,
        /// The newest version known here.
        known: u16,
    },
    /// The record belongs to another query or operator.
    #[error("state record belongs to {found}, not to {expected}")]
    Foreign {
        /// Whose it is.
        found: String,
        /// Who asked.
        expected: String,
    },
    /// The query's keys or functions are not those that wrote the record.
    #[error(
        "the stored state does not fit the query: {part} was `{stored}` and is now `{wanted}`; \
         start the query anew, under another name, or bring the old definition back"
    )]
    Layout {
        /// Which part of a state row changed.
        part: String,
        /// As stored.
        stored: String,
        /// As the query wants it now.
        wanted: String,
    },
    /// Records were given out of order.
    #[error("changelog of batch {found} follows batch {last}")]
    Order {
        /// The batch of the last record taken.
        last: u64,
        /// The batch of the record that cannot follow it.
        found: u64,
    },
    /// The state would grow beyond its limit.
    #[error(
        "the state needs {needed} bytes and may hold {limit}: raise the limit, or group by a key with \
         fewer values"
    )]
    Full {
        /// What it would take.
        needed: usize,
        /// What is allowed.
        limit: usize,
    },
    /// Another batch is staged and not yet decided.
    #[error("batch {staged} is staged: commit or abort it before batch {asked}")]
    Staged {
        /// The undecided batch.
        staged: u64,
        /// The batch that came.
        asked: u64,
    },
    /// Arrow refused.
    #[error("handle state rows")]
    Arrow(#[from] ArrowError),
}
