//! File names, as Kafka's: the first offset in 20 digits, and what the file is.

use std::path::{Path, PathBuf};

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
    fn other_names_are_nobodys() {
        for name in
            ["1234.log", "0000000000000000123x.log", "00000000000000001234.logs", "99999999999999999999.log"]
        {
            assert_eq!(parse(name), None, "{name}");
        }
    }
}
