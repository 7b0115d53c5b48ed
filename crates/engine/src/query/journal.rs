//! A query's memory: intents and dones in one append-only file.
//!
//! Every byte is described in `docs/formats/checkpoint.md`. A frame is durable when `append` returns. A
//! frame that was being written when the power went is cut off; a damaged frame with good ones after it is
//! reported and nothing is cut.

mod frame;
mod recovery;

use std::io;

use crate::storage::Place;
use crate::storage::log::Log;

pub(crate) use frame::{Done, Frame, Intent, ModelRecord, Numbers, Ranges, Snapshot, Start};
pub(crate) use recovery::{JournalError, Progress, Recovered};

/// Versions of a model that outlive a rewrite, beside the pinned ones.
pub(crate) const VERSIONS_KEPT: usize = 100;

/// How many bytes the versions may have together that outlive a rewrite; the last two do in any case.
pub(crate) const VERSION_BYTES_KEPT: usize = 64 << 20;

/// Refused rows that outlive a rewrite, and are shown.
pub(crate) const SAMPLES_KEPT: usize = 20;

/// Written at the beginning of each journal: what it is, and the format's version.
const MAGIC: &[u8; 8] = b"PELTONJ\x01";

/// An open journal.
#[derive(Debug)]
pub(crate) struct Journal {
    log: Log,
}

impl Journal {
    /// Writes a new journal whose first frames are `frames`; see [`Log::create`].
    pub(crate) fn create(place: Place, frames: &[Frame]) -> io::Result<Self> {
        Log::create(place, &encoded(frames)).map(|log| Journal { log })
    }

    /// Reads a journal, cuts a torn end off and continues it; nothing if there is none.
    pub(crate) fn find(place: Place) -> Result<Option<(Self, Recovered)>, JournalError> {
        let path = place.path().to_owned();
        let io = |source| JournalError::Io { path: path.clone(), source };
        let Some((mut log, bytes)) = Log::open(place).map_err(io)? else { return Ok(None) };
        let (recovered, end) = recovery::replay(&path, &bytes)?;
        if log.end() > end {
            if bytes[usize::try_from(end).unwrap_or(usize::MAX)..].iter().any(|byte| *byte != 0) {
                tracing::warn!(file = %path.display(), at = end, bytes = log.end() - end, "cut a torn frame");
            }
            log.cut(end).map_err(io)?;
        }
        Ok(Some((Journal { log }, recovered)))
    }

    /// As [`find`](Self::find), of a query that has one.
    pub(crate) fn open(place: Place) -> Result<(Self, Recovered), JournalError> {
        let path = place.path().to_owned();
        let gone = || JournalError::Io { path, source: io::ErrorKind::NotFound.into() };
        Journal::find(place)?.ok_or_else(gone)
    }

    /// Adds a frame and waits until it is durable; see [`Log::append`].
    pub(crate) fn append(&mut self, frame: &Frame) -> io::Result<()> {
        self.log.append(&frame.encode())
    }

    /// Whether it has grown by `bytes`, and is worth to be rewritten; see [`Log::is_long`].
    pub(crate) fn is_long(&self, bytes: u64) -> bool {
        self.log.is_long(bytes)
    }

    /// Puts a journal of `frames` in the place of this one.
    pub(crate) fn rewrite(&mut self, frames: &[Frame]) -> io::Result<()> {
        self.log.replace(&encoded(frames))
    }
}

fn encoded(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for frame in frames {
        bytes.extend_from_slice(&frame.encode());
    }
    bytes
}

#[cfg(test)]
mod tests;
