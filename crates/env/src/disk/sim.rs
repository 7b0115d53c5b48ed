//! A disk in memory that tells written from durable, fails on demand, and survives or loses a power cut exactly
//! as strictly as POSIX allows.

use std::collections::HashSet;
use std::fmt::Debug;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::{Disk, DiskEntry, DiskFile, DiskSpace, OpenMode};
use crate::lock::FileGuard;
use faults::{Faults, Verdict};
use tree::{FileId, Tree};

mod faults;
#[cfg(test)]
mod tests;
mod tree;

/// What a disk holds that was given no capacity.
const CAPACITY: u64 = 1 << 40;

/// A simulated disk. Clones share it. Paths are absolute or relative to one root that always exists.
///
/// Faults are armed by [`fail_write`](Self::fail_write) and its neighbours; counts start at 1 and count from the
/// moment of arming.
#[derive(Debug, Clone, Default)]
pub struct SimDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    tree: Tree,
    faults: Faults,
    locks: HashSet<PathBuf>,
}

#[derive(Debug)]
struct SimFile {
    disk: SimDisk,
    id: FileId,
    writable: bool,
}

/// Unlocks when dropped.
#[derive(Debug)]
struct SimLock {
    disk: SimDisk,
    path: PathBuf,
}

impl SimDisk {
    /// An empty disk without limits.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The disk as a power cut leaves it: only what was synced. This disk goes on living.
    #[must_use]
    pub fn crash(&self) -> Self {
        self.successor(self.lock().tree.after_power_cut(None))
    }

    /// As [`crash`](Self::crash), but of everything that was not synced some part, chosen by `seed`, had reached
    /// the disk: single 512-byte sectors of single writes, in any order, and some names.
    #[must_use]
    pub fn crash_partly(&self, seed: u64) -> Self {
        self.successor(self.lock().tree.after_power_cut(Some(seed)))
    }

    /// The disk as the end of the process leaves it: all that was written, no locks, no faults.
    #[must_use]
    pub fn process_crash(&self) -> Self {
        self.successor(self.lock().tree.clone())
    }

    /// How many operations changed the disk or synced it so far: writes, length changes, syncs, new names,
    /// renames, removals.
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.lock().faults.operations()
    }

    /// After `operations` more operations every further one fails: run to here, then look at [`crash`](Self::crash).
    pub fn cut_after(&self, operations: u64) {
        self.lock().faults.cut_after(operations);
    }

    /// The `nth` write from now fails and writes nothing.
    pub fn fail_write(&self, nth: u64) {
        self.tear_write(nth, 0);
    }

    /// The `nth` write from now fails after its first `kept` bytes.
    pub fn tear_write(&self, nth: u64, kept: usize) {
        self.lock().faults.tear_write(nth, kept);
    }

    /// The `nth` sync (of a file or a directory) from now fails, and nothing of it is durable.
    pub fn fail_sync(&self, nth: u64) {
        self.lock().faults.fail_sync(nth);
    }

    /// Lets the files together hold `bytes` and no more, as a disk that fills up; `None` lifts it.
    pub fn set_capacity(&self, bytes: Option<u64>) {
        self.lock().faults.set_capacity(bytes);
    }

    /// How many bytes all files hold.
    #[must_use]
    pub fn used(&self) -> u64 {
        self.lock().tree.used()
    }

    /// Flips the bits of `mask` in one byte, in memory and on the platter: bit rot.
    ///
    /// # Errors
    /// `NotFound`, or `UnexpectedEof` when the file is shorter.
    pub fn flip(&self, path: &Path, position: u64, mask: u8) -> io::Result<()> {
        let mut state = self.lock();
        let id = state.tree.file(path)?;
        state.tree.flip(id, position, mask)
    }

    fn successor(&self, tree: Tree) -> Self {
        let state = State { tree, faults: Faults::default(), locks: HashSet::new() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk for SimDisk {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Box<dyn DiskFile>> {
        let mut state = self.lock();
        let id = match (state.tree.file(path), mode) {
            (Ok(id), OpenMode::Truncate) => {
                state.faults.operation()?;
                state.tree.set_len(id, 0);
                id
            }
            (Ok(id), _) => id,
            (Err(error), OpenMode::Create | OpenMode::Truncate)
                if error.kind() == io::ErrorKind::NotFound =>
            {
                state.faults.operation()?;
                state.tree.create_file(path)?
            }
            (Err(error), _) => return Err(error),
        };
        Ok(Box::new(SimFile { disk: self.clone(), id, writable: mode != OpenMode::Read }))
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        if state.tree.is_dir(path) {
            return Ok(());
        }
        state.faults.operation()?;
        state.tree.create_dir_all(path)
    }

    fn read_dir(&self, path: &Path) -> io::Result<Vec<DiskEntry>> {
        self.lock().tree.read_dir(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.faults.operation()?;
        state.tree.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.faults.operation()?;
        state.tree.file(path)?;
        state.tree.remove(path)
    }

    fn remove_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.faults.operation()?;
        state.tree.remove(path)
    }

    fn sync_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.lock();
        state.faults.sync()?;
        state.tree.sync_dir(path)
    }

    fn space(&self, path: &Path) -> io::Result<DiskSpace> {
        if !self.exists(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let state = self.lock();
        let total = state.faults.capacity().unwrap_or(CAPACITY);
        Ok(DiskSpace { total, usable: total.saturating_sub(state.tree.used()) })
    }

    fn exists(&self, path: &Path) -> bool {
        let state = self.lock();
        state.tree.is_dir(path) || state.tree.file(path).is_ok()
    }

    fn len(&self, path: &Path) -> io::Result<u64> {
        let state = self.lock();
        let id = state.tree.file(path)?;
        Ok(state.tree.content(id).len() as u64)
    }

    fn try_lock(&self, path: &Path) -> io::Result<Box<dyn FileGuard>> {
        self.open(path, OpenMode::Create)?;
        if !self.lock().locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(SimLock { disk: self.clone(), path: path.to_owned() }))
    }
}

impl DiskFile for SimFile {
    fn read_at(&self, buffer: &mut [u8], position: u64) -> io::Result<usize> {
        let state = self.disk.lock();
        let content = state.tree.content(self.id);
        let start = usize::try_from(position).unwrap_or(usize::MAX).min(content.len());
        let read = buffer.len().min(content.len() - start);
        buffer[..read].copy_from_slice(&content[start..start + read]);
        Ok(read)
    }

    fn write_at(&self, bytes: &[u8], position: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.disk.lock();
        let grows = (position + bytes.len() as u64).saturating_sub(state.tree.taken(self.id));
        let used = state.tree.used();
        match state.faults.write(bytes.len(), grows, used) {
            Verdict::All => {
                state.tree.write(self.id, bytes, position);
                Ok(())
            }
            Verdict::Part(kept, error) => {
                state.tree.write(self.id, &bytes[..kept.min(bytes.len())], position);
                Err(error)
            }
        }
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.faults.sync()?;
        state.tree.sync_file(self.id);
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.disk.lock();
        state.faults.operation()?;
        state.tree.set_len(self.id, length);
        Ok(())
    }

    fn reserve(&self, bytes: u64) -> io::Result<()> {
        self.check_writable()?;
        let mut state = self.disk.lock();
        state.faults.operation()?;
        let grows = bytes.saturating_sub(state.tree.taken(self.id));
        if state.faults.capacity().is_some_and(|capacity| state.tree.used() + grows > capacity) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        state.tree.reserve(self.id, bytes);
        Ok(())
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.lock().tree.content(self.id).len() as u64)
    }
}

impl SimFile {
    fn check_writable(&self) -> io::Result<()> {
        if self.writable { Ok(()) } else { Err(io::ErrorKind::PermissionDenied.into()) }
    }
}

impl Drop for SimLock {
    fn drop(&mut self) {
        self.disk.lock().locks.remove(&self.path);
    }
}
