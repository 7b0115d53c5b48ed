//! Which files of a directory count: Spark's own log, so that Spark reads the directory as its own.
//!
//! `_spark_metadata/N` lists the files that batch N added: a line `v1`, then one JSON object per file. Every tenth
//! is `N.compact` and lists all files so far; what lies before the compact one of before is removed then.

use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::storage::Store;

/// The directory within the directory.
const DIRECTORY: &str = "_spark_metadata";

/// The first line of each file.
const VERSION: &str = "v1";

/// Every so many batches the log is compacted, as Spark does unless it is told otherwise.
const COMPACT_EVERY: u64 = 10;

/// A file that counts, in Spark's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Entry {
    path: String,
    size: u64,
    is_dir: bool,
    modification_time: i64,
    block_replication: u32,
    block_size: u64,
    action: String,
}

impl Entry {
    pub(super) fn added(path: String, size: u64, modification_time: i64) -> Self {
        Entry {
            path,
            size,
            is_dir: false,
            modification_time,
            block_replication: 1,
            block_size: 32 * 1024 * 1024,
            action: "add".to_owned(),
        }
    }
}

/// The log of a directory.
#[derive(Debug)]
pub(super) struct Manifest {
    directory: PathBuf,
}

impl Manifest {
    pub(super) fn open(directory: &Path) -> Self {
        Manifest { directory: directory.join(DIRECTORY) }
    }

    /// The number of the last batch that is in.
    pub(super) fn last(&self, store: &Store) -> io::Result<Option<u64>> {
        Ok(self.numbers(store)?.into_iter().map(|(number, _)| number).max())
    }

    pub(super) fn has(&self, store: &Store, number: u64) -> io::Result<bool> {
        Ok(self.last(store)?.is_some_and(|last| last >= number))
    }

    /// Says that a batch's files count, and is durable when it returns.
    pub(super) fn add(&self, store: &Store, number: u64, added: Vec<Entry>) -> io::Result<()> {
        let compacts = (number + 1).is_multiple_of(COMPACT_EVERY);
        let entries = if compacts {
            let mut all = self.entries(store)?;
            all.extend(added);
            all
        } else {
            added
        };
        let mut text = VERSION.to_owned();
        for entry in &entries {
            text.push('\n');
            text.push_str(&serde_json::to_string(entry).map_err(io::Error::other)?);
        }
        store.claim(&self.file(number, compacts), text.into_bytes())?;
        if compacts {
            self.forget(store, (number + 1).saturating_sub(COMPACT_EVERY))?;
        }
        Ok(())
    }

    /// Every file that counts.
    fn entries(&self, store: &Store) -> io::Result<Vec<Entry>> {
        let numbers = self.numbers(store)?;
        let compact = numbers.iter().filter(|(_, compact)| *compact).map(|(number, _)| *number).max();
        let mut entries = Vec::new();
        for (number, compact) in numbers.into_iter().filter(|(number, _)| Some(*number) >= compact) {
            let file = self.file(number, compact);
            let bytes = store.read(&file, u64::MAX)?.bytes;
            let damaged = |reason: String| {
                io::Error::new(io::ErrorKind::InvalidData, format!("{} {reason}", file.display()))
            };
            let text = std::str::from_utf8(&bytes).map_err(|_| damaged("is not text".to_owned()))?;
            let mut lines = text.lines();
            if lines.next() != Some(VERSION) {
                return Err(damaged("is not of version v1".to_owned()));
            }
            for line in lines {
                let entry = serde_json::from_str(line).map_err(|error| damaged(format!("holds {error}")))?;
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Removes what lies before a batch.
    fn forget(&self, store: &Store, before: u64) -> io::Result<()> {
        // The compact file at the end of those before is the one that readers may be at.
        let kept = before.saturating_sub(1);
        for (number, compact) in self.numbers(store)?.into_iter().filter(|(number, _)| *number < kept) {
            store.remove(&self.file(number, compact))?;
        }
        Ok(())
    }

    /// The batches that have a file, in order, and whether it is a compact one.
    fn numbers(&self, store: &Store) -> io::Result<Vec<(u64, bool)>> {
        let number = |name: &str| match name.strip_suffix(".compact") {
            Some(number) => Some((number.parse().ok()?, true)),
            None => Some((name.parse().ok()?, false)),
        };
        let names = store.names(&self.directory)?;
        let mut numbers: Vec<_> = names.iter().filter_map(|name| number(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    fn file(&self, number: u64, compact: bool) -> PathBuf {
        self.directory.join(format!("{number}{}", if compact { ".compact" } else { "" }))
    }
}

/// The names of the files of a directory that count; `None` if it has no manifest, and all of them do.
///
/// # Errors
/// If the manifest cannot be read.
pub(crate) fn committed(store: &Store, directory: &Path) -> io::Result<Option<Vec<String>>> {
    let manifest = Manifest::open(directory);
    if manifest.last(store)?.is_none() {
        return Ok(None);
    }
    let name = |entry: Entry| entry.path.rsplit('/').next().map(str::to_owned);
    Ok(Some(manifest.entries(store)?.into_iter().filter_map(name).collect()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use env::SimDisk;

    use super::*;

    #[test]
    fn every_tenth_batch_lists_all_files_and_old_lists_go() {
        let store = Store::Local(Arc::new(SimDisk::new()));
        let directory = Path::new("/out");
        store.prepare(directory).unwrap();
        assert_eq!(committed(&store, directory).unwrap(), None);
        let manifest = Manifest::open(directory);
        for number in 0..35 {
            assert!(!manifest.has(&store, number).unwrap());
            // Every third batch has no rows.
            let added = (number % 3 > 0).then(|| Entry::added(format!("file:///out/{number}.json"), 1, 2));
            manifest.add(&store, number, added.into_iter().collect()).unwrap();
            assert!(manifest.has(&store, number).unwrap());
            let expected: Vec<_> = (0..=number).filter(|n| n % 3 > 0).map(|n| format!("{n}.json")).collect();
            assert_eq!(committed(&store, directory).unwrap(), Some(expected));
        }
        let names: Vec<_> = manifest.numbers(&store).unwrap().into_iter().map(|(number, _)| number).collect();
        assert_eq!(names, (19..35).collect::<Vec<_>>());
    }

    #[test]
    fn an_entry_is_written_as_spark_reads_it() {
        let entry = Entry::added("file:///out/a.json".to_owned(), 5, 1_700_000_000_000);
        assert_eq!(
            serde_json::to_string(&entry).unwrap(),
            r#"{"path":"file:///out/a.json","size":5,"isDir":false,"modificationTime":1700000000000,"blockReplication":1,"blockSize":33554432,"action":"add"}"#
        );
    }
}
