//! The mark of a clean stop: written last, removed first, believed once.

use std::io;
use std::path::Path;

use env::{Disk, write_atomically};

const MARKER: &str = ".clean-shutdown";

/// Leaves the mark in `dir`, after everything else is on disk.
///
/// # Errors
/// Whatever the disk answers; the next start then recovers as after a crash.
pub fn leave_clean_marker(disk: &dyn Disk, dir: &Path) -> io::Result<()> {
    write_atomically(disk, &dir.join(MARKER), b"1\n")
}

/// Removes the mark from `dir`, durably, before anything else is touched; says whether it was there.
///
/// # Errors
/// Whatever the disk answers. Nothing may be written then: a mark that stays would be believed.
pub fn take_clean_marker(disk: &dyn Disk, dir: &Path) -> io::Result<bool> {
    match disk.remove_file(&dir.join(MARKER)) {
        Ok(()) => disk.sync_dir(dir).map(|()| true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
