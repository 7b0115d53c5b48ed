//! The list of all files that a query has taken, in the order in which it did.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::{Disk, DiskFile, OpenMode};

use crate::error::SourceError;

/// The list, in memory and on disk: a JSON string per line.
#[derive(Debug)]
pub(super) struct Seen {
    files: Vec<PathBuf>,
    known: BTreeSet<OsString>,
    name_only: bool,
    stored: Option<Stored>,
}

#[derive(Debug)]
struct Stored {
    path: PathBuf,
    /// Made when there is something to write.
    file: Option<Box<dyn DiskFile>>,
    length: u64,
}

impl Seen {
    /// Reads the list; there is none yet for a new query. A line that a crash has torn was never stood on.
    pub(super) fn open(
        disk: &Arc<dyn Disk>,
        path: Option<PathBuf>,
        name_only: bool,
    ) -> Result<Self, SourceError> {
        let mut seen = Seen { files: Vec::new(), known: BTreeSet::new(), name_only, stored: None };
        let Some(path) = path else { return Ok(seen) };
        let mut length = 0;
        if disk.exists(&path) {
            let bytes = disk.read(&path).map_err(failed("read", &path))?;
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let Ok(file) = serde_json::from_slice::<PathBuf>(line) else { break };
                if !line.ends_with(b"\n") {
                    break;
                }
                length += line.len() as u64;
                seen.add(file);
            }
        }
        seen.stored = Some(Stored { path, file: None, length });
        Ok(seen)
    }

    fn key(&self, path: &Path) -> OsString {
        let name = if self.name_only { path.file_name() } else { None };
        name.unwrap_or(path.as_os_str()).to_owned()
    }

    fn add(&mut self, path: PathBuf) {
        self.known.insert(self.key(&path));
        self.files.push(path);
    }

    pub(super) fn has(&self, path: &Path) -> bool {
        self.known.contains(&self.key(path))
    }

    pub(super) fn len(&self) -> i64 {
        i64::try_from(self.files.len()).unwrap_or(i64::MAX)
    }

    pub(super) fn get(&self, number: i64) -> Option<&PathBuf> {
        self.files.get(usize::try_from(number).ok()?)
    }

    /// Takes files into the list; [`sync`](Self::sync) makes it durable.
    pub(super) fn append(&mut self, disk: &dyn Disk, files: Vec<PathBuf>) -> Result<(), SourceError> {
        if let Some(stored) = self.stored.as_mut().filter(|_| !files.is_empty()) {
            let mut lines = Vec::new();
            for file in &files {
                let named = |error: serde_json::Error| SourceError::BadFile {
                    path: file.clone(),
                    reason: format!("its name cannot be kept: {error}"),
                };
                serde_json::to_writer(&mut lines, file).map_err(named)?;
                lines.push(b'\n');
            }
            stored.write(disk, &lines).map_err(failed("write", &stored.path))?;
        }
        files.into_iter().for_each(|file| self.add(file));
        Ok(())
    }

    pub(super) fn sync(&self) -> Result<(), SourceError> {
        let Some(Stored { path, file: Some(file), .. }) = &self.stored else { return Ok(()) };
        file.sync_data().map_err(failed("make durable", path))
    }
}

impl Stored {
    fn write(&mut self, disk: &dyn Disk, lines: &[u8]) -> io::Result<()> {
        if self.file.is_none() {
            let dir = self.path.parent().unwrap_or(Path::new(""));
            disk.create_dir_all(dir)?;
            let file = disk.open(&self.path, OpenMode::Create)?;
            file.set_len(self.length)?;
            disk.sync_dir(dir)?;
            self.file = Some(file);
        }
        if let Some(file) = &self.file {
            file.write_at(lines, self.length)?;
        }
        self.length += lines.len() as u64;
        Ok(())
    }
}

pub(super) fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::File { attempt, path, source }
}
