//! Replacing a small file so that a reader, or a power cut, sees the old one or the new one and nothing else.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Disk, OpenMode};

/// Writes `bytes` to `path`: into `<path>.tmp`, synced, renamed over `path`, directory synced.
///
/// When this returns, the new content survives a power cut. When it fails, `path` holds either content whole;
/// a `.tmp` file may be left behind and is overwritten next time.
///
/// # Errors
/// Whatever the disk answers.
pub fn write_atomically(disk: &dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    let file = disk.open(&temporary, OpenMode::Truncate)?;
    file.write_at(bytes, 0)?;
    file.sync_data()?;
    drop(file);
    disk.rename(&temporary, path)?;
    disk.sync_dir(path.parent().unwrap_or(Path::new("/")))
}

fn temporary_name(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".tmp");
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SimDisk;

    #[test]
    fn a_cut_at_any_moment_leaves_the_old_or_the_new_content() {
        let path = Path::new("/d/file");
        let prepare = || {
            let disk = SimDisk::new();
            disk.create_dir_all(Path::new("/d")).unwrap();
            write_atomically(&disk, path, b"old").unwrap();
            disk
        };
        let rehearsal = prepare();
        let before = rehearsal.operations();
        write_atomically(&rehearsal, path, b"new").unwrap();
        let steps = rehearsal.operations() - before;
        assert!(steps >= 4, "write, sync, rename, sync_dir");
        for step in 0..=steps {
            let disk = prepare();
            disk.cut_after(step);
            let outcome = write_atomically(&disk, path, b"new");
            let left = disk.crash().read(path).unwrap();
            if outcome.is_ok() {
                assert_eq!(left, b"new");
            } else {
                assert!(left == b"old" || left == b"new", "step {step} left {left:?}");
            }
        }
    }
}
