//! File names, as Kafka's: the first offset in 20 digits, and what the file is.

use std::io;
use std::path::{Path, PathBuf};

use env::Disk;

use crate::Error;
use crate::segment::failed;

/// What a file of a partition's directory is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileKind {
    /// Record batches.
    Log,
    /// Offset to position.
    OffsetIndex,
    /// Timestamp to offset.
    TimeIndex,
    /// What is known of producers before this offset.
    Producers,
}

impl FileKind {
    const ALL: [Self; 4] = [Self::Log, Self::OffsetIndex, Self::TimeIndex, Self::Producers];

    fn extension(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::OffsetIndex => "index",
            Self::TimeIndex => "timeindex",
            Self::Producers => "producers",
        }
    }
}

/// Where the log start offset stands when it is not the first segment's.
pub(crate) const LOG_START_FILE: &str = "log-start-offset";

/// How far compaction came.
pub(crate) const CLEANED_FILE: &str = "cleaner-offset";

/// A file of batches that nobody reads any more.
const DELETED: &str = "deleted";
/// A segment that is being written from older ones.
const CLEANED: &str = "cleaned";
/// The same, whole and durable, about to take their place.
const SWAP: &str = "swap";

/// What an unfinished change of segments left behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeftOver {
    /// Not wanted any more, or not finished.
    Rubbish,
    /// A segment, named by its first offset, that is to take the place of others.
    Swap(i64),
}

pub(crate) fn deleted(log: &Path) -> PathBuf {
    log.with_added_extension(DELETED)
}

pub(crate) fn cleaned(dir: &Path, base_offset: i64) -> PathBuf {
    path(dir, base_offset, FileKind::Log).with_added_extension(CLEANED)
}

pub(crate) fn swap(dir: &Path, base_offset: i64) -> PathBuf {
    path(dir, base_offset, FileKind::Log).with_added_extension(SWAP)
}

pub(crate) fn left_over(name: &str) -> Option<LeftOver> {
    let (log, suffix) = name.rsplit_once('.')?;
    let (base_offset, kind) = parse(log)?;
    match suffix {
        DELETED | CLEANED => Some(LeftOver::Rubbish),
        SWAP if kind == FileKind::Log => Some(LeftOver::Swap(base_offset)),
        _ => None,
    }
}

/// Removes a file that may be gone already.
pub(crate) fn remove_if_there(disk: &dyn Disk, path: &Path) -> Result<(), Error> {
    match disk.remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("removing", path)(error)),
        _ => Ok(()),
    }
}

pub(crate) fn path(dir: &Path, base_offset: i64, kind: FileKind) -> PathBuf {
    dir.join(format!("{base_offset:020}.{}", kind.extension()))
}

pub(crate) fn parse(name: &str) -> Option<(i64, FileKind)> {
    let (digits, extension) = name.split_once('.')?;
    let kind = FileKind::ALL.into_iter().find(|kind| kind.extension() == extension)?;
    if digits.len() != 20 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some((digits.parse().ok()?, kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_kafkas() {
        let path = path(Path::new("/t-0"), 1234, FileKind::TimeIndex);
        assert_eq!(path, Path::new("/t-0/00000000000000001234.timeindex"));
        assert_eq!(parse("00000000000000001234.timeindex"), Some((1234, FileKind::TimeIndex)));
    }

    #[test]
    fn what_a_crash_leaves_is_known() {
        let log = path(Path::new("/t-0"), 5, FileKind::Log);
        let name = |path: PathBuf| path.file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(left_over(&name(deleted(&log))), Some(LeftOver::Rubbish));
        assert_eq!(left_over(&name(cleaned(Path::new("/t-0"), 5))), Some(LeftOver::Rubbish));
        assert_eq!(left_over(&name(swap(Path::new("/t-0"), 5))), Some(LeftOver::Swap(5)));
        assert_eq!(left_over(&name(log)), None);
        assert_eq!(parse(&name(swap(Path::new("/t-0"), 5))), None);
    }

    #[test]
    fn other_names_are_nobodys() {
        for name in
            ["1234.log", "0000000000000000123x.log", "00000000000000001234.logs", "99999999999999999999.log"]
        {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
