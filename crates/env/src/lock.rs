//! One process per data directory.

use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};

use crate::{Disk, OpenMode};

const LOCK_FILE: &str = ".lock";

/// The exclusive right to a directory, held until it is dropped or the process ends, however it ends.
#[derive(Debug)]
pub struct DirLock {
    path: PathBuf,
    _held: Box<dyn FileGuard>,
}

/// What a disk hands out while a file is locked: dropping it unlocks.
pub trait FileGuard: Send + Sync + Debug {}
impl<T: Send + Sync + Debug> FileGuard for T {}

/// Why a directory could not be locked.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another process has it.
    #[error(
        "{} is in use by process {holder}: stop that process, or choose another data directory",
        dir.display()
    )]
    Held {
        /// The directory that was asked for.
        dir: PathBuf,
        /// The process id found in the lock file, or "unknown".
        holder: String,
    },
    /// The lock file could not be opened or locked at all.
    #[error("locking {}", path.display())]
    Io {
        /// The lock file.
        path: PathBuf,
        /// What the disk answered.
        source: io::Error,
    },
}

impl DirLock {
    /// Locks `dir`, which must exist, and leaves this process's id in `<dir>/.lock` for whoever comes second.
    ///
    /// # Errors
    /// [`LockError::Held`] when another holder is alive; [`LockError::Io`] when the disk refuses.
    pub fn acquire(disk: &dyn Disk, dir: &Path) -> Result<Self, LockError> {
        let path = dir.join(LOCK_FILE);
        let held = match disk.try_lock(&path) {
            Ok(held) => held,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(LockError::Held { dir: dir.to_owned(), holder: holder(disk, &path) });
            }
            Err(source) => return Err(LockError::Io { path, source }),
        };
        leave_name(disk, &path).map_err(|source| LockError::Io { path: path.clone(), source })?;
        Ok(Self { path, _held: held })
    }

    /// The lock file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// The file keeps its inode: the lock belongs to the inode, so a replaced file would not be locked.
fn leave_name(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let file = disk.open(path, OpenMode::Create)?;
    let name = format!("{}\n", std::process::id());
    file.set_len(0)?;
    file.write_at(name.as_bytes(), 0)
}

fn holder(disk: &dyn Disk, path: &Path) -> String {
    let name = disk.read(path).ok().and_then(|bytes| String::from_utf8(bytes).ok()).unwrap_or_default();
    let name = name.trim();
    if name.is_empty() { "unknown".to_owned() } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{RealDisk, SimDisk};

    fn excludes_a_second_holder(disk: &dyn Disk, dir: &Path) {
        let first = DirLock::acquire(disk, dir).unwrap();
        let refused = DirLock::acquire(disk, dir).unwrap_err().to_string();
        assert!(refused.contains(&dir.display().to_string()), "{refused}");
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        assert!(refused.contains("choose another data directory"), "{refused}");
        drop(first);
        DirLock::acquire(disk, dir).unwrap();
    }

    #[test]
    fn a_real_directory_has_one_holder() {
        let dir = tempfile::tempdir().unwrap();
        excludes_a_second_holder(&RealDisk::new(), dir.path());
    }

    #[test]
    fn a_simulated_directory_has_one_holder() {
        let disk = SimDisk::new();
        disk.create_dir_all(Path::new("/data")).unwrap();
        excludes_a_second_holder(&disk, Path::new("/data"));
    }
}
