//! A path with the files that it leads to: where a query remembers, on this machine or in a bucket.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::Disk;

use crate::storage::Store;

/// Where a query remembers.
#[derive(Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// A directory, of this machine or of an object store.
    pub path: String,
    /// How the object store is reached, by Hadoop's names.
    pub storage: BTreeMap<String, String>,
}

impl fmt::Debug for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checkpoint").field("path", &self.path).finish_non_exhaustive()
    }
}

/// The longest file that is read as a whole by who remembers, in bytes.
pub(super) const WHOLE_BYTES_MAX: u64 = 4 << 30;

/// A path at a [`Store`]. A cheap handle.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(super) store: Store,
    path: PathBuf,
}

impl Place {
    pub(crate) fn new(store: Store, path: PathBuf) -> Self {
        Place { store, path }
    }

    /// A path of this machine.
    pub(crate) fn here(disk: &Arc<dyn Disk>, path: PathBuf) -> Self {
        Place { store: Store::Local(Arc::clone(disk)), path }
    }

    /// What is called so below.
    pub(crate) fn join(&self, name: &str) -> Self {
        Place { store: self.store.clone(), path: self.path.join(name) }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The names of what is below; none if there is nothing.
    pub(crate) fn names(&self) -> io::Result<Vec<String>> {
        self.store.names(&self.path)
    }

    /// What is written here; nothing if nobody has written yet.
    pub(crate) fn read(&self) -> io::Result<Option<Vec<u8>>> {
        match self.store.read(&self.path, WHOLE_BYTES_MAX) {
            Ok(held) => Ok(Some(held.bytes.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Writes what nobody else may have written; see [`Store::claim`].
    pub(crate) fn claim(&self, bytes: Vec<u8>) -> io::Result<()> {
        self.store.claim(&self.path, bytes)
    }
}
