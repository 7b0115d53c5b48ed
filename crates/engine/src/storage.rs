//! Where files are: directories of this machine, or a bucket of an object store. One type for sources and sinks,
//! which need not know which of the two it is.
//!
//! A path says it: `s3://bucket/prefix` and `s3a://bucket/prefix` are objects, everything else is a file. In a bucket
//! there are no directories and nothing is renamed: an object appears whole, and is durable when its PUT is answered.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use env::{Clock, Disk, DiskFile, Env, OpenMode, write_atomically};
use tokio::runtime::Handle;

mod bucket;
pub(crate) mod log;
mod place;
mod refusal;
mod settings;
#[cfg(test)]
pub(crate) mod tests;

pub(crate) use bucket::{Bucket, PATIENCE};
pub use place::Checkpoint;
pub(crate) use place::Place;
pub(crate) use refusal::is_passing;
pub(crate) use settings::{PREFIX, Settings};
pub use settings::{StorageError, check, is_known, shown};

/// Connections that are kept for who comes next.
const BUCKETS_MAX: usize = 16;

/// So many objects are asked for at once.
const READ_TOGETHER: usize = 8;

/// The schemes of an object store.
const SCHEMES: [&str; 2] = ["s3://", "s3a://"];

/// Whether a path is one of an object store.
#[must_use]
pub fn is_remote(path: &str) -> bool {
    SCHEMES.iter().any(|scheme| path.starts_with(scheme))
}

/// A file that was found.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Found {
    /// In Unix milliseconds.
    pub(crate) modified_ms: i64,
    pub(crate) path: PathBuf,
    pub(crate) bytes: u64,
}

/// What a file holds.
#[derive(Debug, Clone)]
pub(crate) struct Held {
    pub(crate) bytes: Bytes,
    /// In Unix milliseconds; 0 if nobody knows.
    pub(crate) modified_ms: i64,
}

/// Says what is looked at on the way down: of a directory or file its name, and how many directories lie between it
/// and the base.
pub(crate) trait Wanted {
    fn enters(&self, depth: usize, directory: &str) -> bool;
    fn takes(&self, depth: usize, file: &str) -> bool;
}

/// Opens places of files, and keeps the connections to object stores.
#[derive(Debug)]
pub(crate) struct Storage {
    disk: Arc<dyn Disk>,
    clock: Arc<dyn Clock>,
    /// What holds unless a table says otherwise.
    settings: Settings,
    handle: Handle,
    /// See [`Bucket`].
    writer: [u8; bucket::WRITER_BYTES],
    buckets: Mutex<Vec<(Settings, Bucket)>>,
}

impl Storage {
    pub(crate) fn new(env: &Env, settings: Settings, handle: Handle) -> Self {
        let (disk, clock) = (Arc::clone(&env.disk), Arc::clone(&env.clock));
        let writer = env.random.next_16_bytes();
        Storage { disk, clock, settings, handle, writer, buckets: Mutex::default() }
    }

    /// Where a path leads; `told` are the settings of whoever names it, which win over the usual ones.
    pub(crate) fn at(&self, path: &str, told: &Settings) -> Result<Store, StorageError> {
        if !is_remote(path) {
            return Ok(Store::Local(Arc::clone(&self.disk)));
        }
        let (scheme, name) = bucket::named(path)?;
        let settings = self.settings.with(told);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |(known, bucket): &&(Settings, Bucket)| *known == settings && bucket.is(scheme, name);
        if let Some((_, bucket)) = buckets.iter().find(same) {
            return Ok(Store::Bucket(bucket.clone()));
        }
        let store = Arc::new(settings.connect(name)?);
        let bucket = Bucket::new(store, (scheme, name), &self.clock, self.handle.clone(), self.writer);
        if buckets.len() == BUCKETS_MAX {
            buckets.remove(0);
        }
        buckets.push((settings, bucket.clone()));
        Ok(Store::Bucket(bucket))
    }
}

/// A file of a disk, read from its start.
struct Opened {
    file: Box<dyn DiskFile>,
    position: u64,
}

impl io::Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.position)?;
        self.position += read as u64;
        Ok(read)
    }
}

/// A place of files. All of it makes the calling thread wait.
#[derive(Debug, Clone)]
pub(crate) enum Store {
    Local(Arc<dyn Disk>),
    Bucket(Bucket),
}

impl Store {
    /// The same place, for who rather waits for an object store that does not answer than gives up.
    pub(crate) fn patient(self) -> Self {
        match self {
            Store::Bucket(bucket) => Store::Bucket(bucket.patient()),
            local @ Store::Local(_) => local,
        }
    }

    /// Shows every file below `base` that is wanted, in no order; `base` itself if it is a file. Nothing if there is
    /// no such place yet. At most a page of names is held.
    pub(crate) fn walk(
        &self,
        base: &Path,
        wanted: &dyn Wanted,
        show: &mut dyn FnMut(Found),
    ) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.walk(base, wanted, show),
            Store::Local(disk) if !disk.exists(base) => Ok(()),
            Store::Local(disk) => match disk.read_dir(base) {
                Ok(_) => descend(disk.as_ref(), base, 0, wanted, show),
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Err(error),
                // It is no directory, but the file itself.
                Err(_) => {
                    found(disk.as_ref(), base.to_owned()).into_iter().for_each(show);
                    Ok(())
                }
            },
        }
    }

    /// The names of what is in a directory; none if it is not there, or a file.
    pub(crate) fn names(&self, directory: &Path) -> io::Result<Vec<String>> {
        match self {
            Store::Bucket(bucket) => bucket.names(directory),
            Store::Local(disk) => match disk.read_dir(directory) {
                Err(error)
                    if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) =>
                {
                    Ok(Vec::new())
                }
                names => Ok(names?.into_iter().map(|entry| entry.name).collect()),
            },
        }
    }

    /// How long a file is.
    pub(crate) fn len(&self, path: &Path) -> io::Result<u64> {
        match self {
            Store::Bucket(bucket) => bucket.len(path),
            Store::Local(disk) => disk.len(path),
        }
    }

    /// A whole file.
    ///
    /// # Errors
    /// `FileTooLarge` if it has more than `bytes_max`.
    pub(crate) fn read(&self, path: &Path, bytes_max: u64) -> io::Result<Held> {
        match self {
            Store::Bucket(bucket) => bucket.read(path, bytes_max),
            Store::Local(disk) => {
                if disk.len(path)? > bytes_max {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
                let bytes = disk.read(path)?.into();
                Ok(Held { bytes, modified_ms: disk.modified_ms(path).unwrap_or(0) })
            }
        }
    }

    /// A file as a stream of bytes. What is in a bucket is read at once.
    ///
    /// # Errors
    /// `FileTooLarge` if a bucket's has more than `bytes_max`.
    pub(crate) fn open(&self, path: &Path, bytes_max: u64) -> io::Result<Box<dyn io::Read + Send>> {
        match self {
            Store::Bucket(bucket) => Ok(Box::new(io::Cursor::new(bucket.read(path, bytes_max)?.bytes))),
            Store::Local(disk) => {
                Ok(Box::new(Opened { file: disk.open(path, OpenMode::Read)?, position: 0 }))
            }
        }
    }

    /// How many files are worth to be read or written at once.
    pub(crate) fn side_by_side(&self) -> usize {
        if matches!(self, Store::Bucket(_)) { READ_TOGETHER } else { 1 }
    }

    /// Whole files, in a bucket side by side: no more than [`side_by_side`](Self::side_by_side) says.
    pub(crate) fn read_all(&self, paths: &[PathBuf], bytes_max: u64) -> Vec<io::Result<Held>> {
        match self {
            Store::Bucket(bucket) => bucket.read_all(paths, bytes_max),
            Store::Local(_) => paths.iter().map(|path| self.read(path, bytes_max)).collect(),
        }
    }

    /// Writes a file, in the place of one that has its name. Readers see all of it or nothing; it is durable when this
    /// returns.
    pub(crate) fn put(&self, path: &Path, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.put(path, bytes.into()),
            Store::Local(disk) => {
                if let Some(directory) = path.parent().filter(|directory| !disk.exists(directory)) {
                    disk.create_dir_all(directory)?;
                }
                write_atomically(disk.as_ref(), path, &bytes)
            }
        }
    }

    /// Several files as [`put`](Self::put) does it, in a bucket side by side. After an error nobody knows which of them
    /// are there.
    pub(crate) fn put_all(&self, files: Vec<(PathBuf, Vec<u8>)>) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.put_all(files),
            Store::Local(_) => files.into_iter().try_for_each(|(path, bytes)| self.put(&path, bytes)),
        }
    }

    /// As [`put`](Self::put), for who must be the only one: in a bucket, another content under this name is an error.
    /// A directory of this machine has one writer, because its data directory is locked.
    ///
    /// # Errors
    /// `AlreadyExists` if somebody else was faster.
    pub(crate) fn claim(&self, path: &Path, bytes: Vec<u8>) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.claim(path, bytes.into()),
            Store::Local(_) => self.put(path, bytes),
        }
    }

    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.remove(path),
            Store::Local(disk) => disk.remove_file(path),
        }
    }

    /// Gives a file another name; in a bucket, by a copy.
    pub(crate) fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.rename(from, to),
            Store::Local(disk) => {
                disk.create_dir_all(to.parent().unwrap_or(Path::new("")))?;
                disk.rename(from, to)
            }
        }
    }

    /// Makes a directory ready for files; in a bucket, asks whether it can be reached at all.
    pub(crate) fn prepare(&self, directory: &Path) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.names(directory).map(drop),
            Store::Local(disk) => disk.create_dir_all(directory),
        }
    }

    /// Whether there is anything at or below a path.
    pub(crate) fn exists(&self, path: &Path) -> io::Result<bool> {
        match self {
            Store::Bucket(bucket) => bucket.exists(path),
            Store::Local(disk) => Ok(disk.exists(path)),
        }
    }

    /// Removes all below a directory.
    pub(crate) fn clear(&self, directory: &Path) -> io::Result<()> {
        match self {
            Store::Bucket(bucket) => bucket.clear(directory),
            Store::Local(disk) if disk.exists(directory) => disk.remove_dir_all(directory),
            Store::Local(_) => Ok(()),
        }
    }
}

fn descend(
    disk: &dyn Disk,
    directory: &Path,
    depth: usize,
    wanted: &dyn Wanted,
    show: &mut dyn FnMut(Found),
) -> io::Result<()> {
    for entry in disk.read_dir(directory)? {
        let path = directory.join(&entry.name);
        if !entry.is_dir && wanted.takes(depth, &entry.name) {
            found(disk, path).into_iter().for_each(&mut *show);
        } else if entry.is_dir && wanted.enters(depth, &entry.name) {
            descend(disk, &path, depth + 1, wanted, show)?;
        }
    }
    Ok(())
}

/// Who lists may come between a file's coming and its going.
fn found(disk: &dyn Disk, path: PathBuf) -> Option<Found> {
    Some(Found { modified_ms: disk.modified_ms(&path).ok()?, bytes: disk.len(&path).ok()?, path })
}

/// Files make a thread wait: others take over its tasks meanwhile.
pub(crate) fn waiting<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}
