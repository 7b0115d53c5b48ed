//! Files and directories behind two small traits.

use std::fmt::Debug;
use std::io;
use std::path::Path;

pub use real::RealDisk;
pub use sim::SimDisk;

use crate::lock::FileGuard;

mod real;
mod sim;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// For reading; it must exist.
    Read,
    /// For reading and writing; it must exist.
    ReadWrite,
    /// For reading and writing; created when missing, kept when there.
    Create,
    /// For reading and writing; created when missing, emptied when there.
    Truncate,
}

/// One name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskEntry {
    /// The last component of the path. Names that are not UTF-8 are left out: we never make such.
    pub name: String,
    /// Whether it is a directory.
    pub is_dir: bool,
}

/// How large a file system is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// All of it, in bytes.
    pub total: u64,
    /// What this program may still write, in bytes.
    pub usable: u64,
}

/// A file system.
///
/// Three states matter: *written* (survives the process), *durable* (survives a power cut), and neither. Writing
/// makes bytes written. [`DiskFile::sync_data`] makes a file's bytes and length durable, but not its name: a new,
/// renamed or removed name is durable after [`Disk::sync_dir`] on its directory.
pub trait Disk: Send + Sync + Debug {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound` when it must exist and does not, or when its directory does not exist.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>>;

    /// Creates a directory and its missing parents; their names are durable on return.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// The names in a directory, sorted.
    ///
    /// # Errors
    /// `NotFound` when there is no such directory.
    fn read_dir(&self, path: &Path) -> io::Result<Vec<DiskEntry>>;

    /// Gives a file or directory another name, replacing a file that has that name.
    ///
    /// # Errors
    /// `NotFound` when `from` does not exist.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes a directory and all below it.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    fn remove_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn sync_dir(&self, path: &Path) -> io::Result<()>;

    /// Whether a file or directory has this name.
    fn exists(&self, path: &Path) -> bool;

    /// The length of a file.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    fn len(&self, path: &Path) -> io::Result<u64>;

    /// When a file was last written, in Unix milliseconds; 0 from a disk that does not keep it.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    fn modified_ms(&self, path: &Path) -> io::Result<i64> {
        self.len(path).map(|_| 0)
    }

    /// How large the file system is that holds `path`, and how much of it is free.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    fn space(&self, path: &Path) -> io::Result<DiskSpace>;

    /// Locks a file, created when missing, against every other holder; dropping the answer unlocks it.
    ///
    /// # Errors
    /// `WouldBlock` when somebody holds it.
    fn try_lock(&self, path: &Path) -> io::Result<Box<dyn FileGuard>>;

    /// The whole content of a file. For small files only: the caller knows that it is one.
    ///
    /// # Errors
    /// `NotFound` when it does not exist.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let length = usize::try_from(file.len()?).map_err(io::Error::other)?;
        let mut bytes = vec![0; length];
        let read = file.read_full_at(&mut bytes, 0)?;
        bytes.truncate(read);
        Ok(bytes)
    }
}

/// An open file. Positions are always given: there is no cursor, so reads and writes may run side by side.
#[expect(clippy::len_without_is_empty, reason = "a fallible length, as std's Metadata::len")]
pub trait DiskFile: Send + Sync + Debug {
    /// Reads up to `buffer.len()` bytes at `position`; 0 at the end of the file.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize>;

    /// As [`read_at`](Self::read_at), from memory alone: `None` where a disk would have to be waited for, or nobody can
    /// tell.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn read_at_now(&self, buffer: &mut [u8], position: u64) -> io::Result<Option<usize>> {
        self.read_at(buffer, position).map(Some)
    }

    /// Writes all of `bytes` at `position`.
    ///
    /// # Errors
    /// Whatever the file system answers; some of the bytes may have been written.
    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()>;

    /// Makes content and length durable (`fdatasync`). After a failure, nobody knows what is durable, and asking
    /// again may claim success falsely: stop writing to this file.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn sync_data(&self) -> io::Result<()>;

    /// Cuts the file, or extends it with zeros. What was reserved beyond its end is given back.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn set_len(&self, length: u64) -> io::Result<()>;

    /// Sets space aside, so that the file can grow to so many bytes whatever else fills the disk. Its length stays.
    /// Where the file system knows nothing of the kind, nothing happens.
    ///
    /// # Errors
    /// When there is not so much space, and whatever else the file system answers.
    fn reserve(&self, bytes: u64) -> io::Result<()>;

    /// How long the file is.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn len(&self) -> io::Result<u64>;

    /// Reads until `buffer` is full or the file ends; answers how much was read.
    ///
    /// # Errors
    /// Whatever the file system answers.
    fn read_full_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            match self.read_at(&mut buffer[filled..], position + filled as u64)? {
                0 => break,
                read => filled += read,
            }
        }
        Ok(filled)
    }
}
