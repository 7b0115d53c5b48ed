//! A query's memory: intents and dones in one append-only file.
//!
//! Every byte is described in `docs/formats/checkpoint.md`. A frame is durable when `append` returns. A
//! frame that was being written when the power went is cut off; a damaged frame with good ones after it is
//! reported and nothing is cut.

mod frame;
mod recovery;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Disk, DiskFile, OpenMode, write_atomically};

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
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    end: u64,
    /// Where the file ended when it was last rewritten.
    trimmed_end: u64,
    /// A write failed: what the file holds is not known any more, until it is read again.
    poisoned: bool,
}

impl Journal {
    /// Writes a new journal whose first frames are `frames`.
    pub(crate) fn create(disk: &Arc<dyn Disk>, path: &Path, frames: &[Frame]) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            disk.create_dir_all(parent)?;
        }
        write_atomically(disk.as_ref(), path, &encoded(frames))?;
        Journal::at_end(Arc::clone(disk), path)
    }

    /// Reads a journal, cuts a torn end off and continues it.
    pub(crate) fn open(disk: &Arc<dyn Disk>, path: &Path) -> Result<(Self, Recovered), JournalError> {
        let io = |source| JournalError::Io { path: path.to_owned(), source };
        let bytes = disk.read(path).map_err(io)?;
        let (recovered, end) = recovery::replay(path, &bytes.into())?;
        let mut journal = Journal::at_end(Arc::clone(disk), path).map_err(io)?;
        if journal.end > end {
            tracing::warn!(file = %path.display(), at = end, bytes = journal.end - end, "cut a torn frame");
            journal.file.set_len(end).and_then(|()| journal.file.sync_data()).map_err(io)?;
            (journal.end, journal.trimmed_end) = (end, end);
        }
        Ok((journal, recovered))
    }

    fn at_end(disk: Arc<dyn Disk>, path: &Path) -> io::Result<Self> {
        let file = disk.open(path, OpenMode::ReadWrite)?;
        let end = file.len()?;
        Ok(Journal { disk, path: path.to_owned(), file, end, trimmed_end: end, poisoned: false })
    }

    /// Adds a frame and waits until it is durable.
    ///
    /// # Errors
    /// If that is not certain. Nothing can be added any more then.
    pub(crate) fn append(&mut self, frame: &Frame) -> io::Result<()> {
        if self.poisoned {
            return Err(io::Error::other("an earlier write to this journal failed"));
        }
        let bytes = frame.encode();
        self.poisoned = true;
        self.file.write_at(&bytes, self.end)?;
        self.file.sync_data()?;
        self.poisoned = false;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Whether it has grown by `bytes`, and to twice of what the last rewriting left.
    pub(crate) fn is_long(&self, bytes: u64) -> bool {
        self.end - self.trimmed_end > bytes.max(self.trimmed_end)
    }

    /// Puts a journal of `frames` in the place of this one.
    pub(crate) fn rewrite(&mut self, frames: &[Frame]) -> io::Result<()> {
        write_atomically(self.disk.as_ref(), &self.path, &encoded(frames))?;
        *self = Journal::at_end(Arc::clone(&self.disk), &self.path)?;
        Ok(())
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
