//! The list of all files that a query has taken, in the order in which it did.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::SourceError;
use crate::storage::Place;
use crate::storage::log::Log;

/// A list that grows by so many bytes, and to twice of what it was, is written anew where its pieces are many.
const LONG: u64 = 64 << 20;

/// The list, in memory and where the query remembers: a JSON string per line.
#[derive(Debug)]
pub(super) struct Seen {
    files: Vec<PathBuf>,
    known: BTreeSet<OsString>,
    name_only: bool,
    stored: Option<Stored>,
}

#[derive(Debug)]
struct Stored {
    place: Place,
    /// Made when there is something to write.
    log: Option<Log>,
    /// Lines that are not written yet.
    lines: Vec<u8>,
}

impl Seen {
    /// Reads the list; there is none yet for a new query. A line that a crash has torn was never stood on.
    pub(super) fn open(place: Option<Place>, name_only: bool) -> Result<Self, SourceError> {
        let mut seen = Seen { files: Vec::new(), known: BTreeSet::new(), name_only, stored: None };
        let Some(place) = place else { return Ok(seen) };
        let mut log = None;
        if let Some((mut found, bytes)) = Log::open(place.clone()).map_err(failed("read", place.path()))? {
            let mut length = 0;
            for line in bytes.split_inclusive(|byte| *byte == b'\n') {
                let Ok(file) = serde_json::from_slice::<PathBuf>(line) else { break };
                if !line.ends_with(b"\n") {
                    break;
                }
                length += line.len() as u64;
                seen.add(file);
            }
            if found.end() > length {
                found.cut(length).map_err(failed("write", place.path()))?;
            }
            log = Some(found);
        }
        seen.stored = Some(Stored { place, log, lines: Vec::new() });
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
    pub(super) fn append(&mut self, files: Vec<PathBuf>) -> Result<(), SourceError> {
        if let Some(stored) = &mut self.stored {
            files.iter().try_for_each(|file| line(&mut stored.lines, file))?;
        }
        files.into_iter().for_each(|file| self.add(file));
        Ok(())
    }

    pub(super) fn sync(&mut self) -> Result<(), SourceError> {
        let Some(Stored { place, log, lines }) = &mut self.stored else { return Ok(()) };
        let wrong = failed("write", place.path());
        match log {
            _ if lines.is_empty() => return Ok(()),
            None => *log = Some(Log::create(place.clone(), lines).map_err(wrong)?),
            Some(log) if log.is_long(LONG) => {
                lines.clear();
                self.files.iter().try_for_each(|file| line(lines, file))?;
                log.replace(lines).map_err(wrong)?;
            }
            Some(log) => log.append(lines).map_err(wrong)?,
        }
        lines.clear();
        Ok(())
    }
}

fn line(lines: &mut Vec<u8>, file: &Path) -> Result<(), SourceError> {
    let named = |error: serde_json::Error| SourceError::BadFile {
        path: file.to_owned(),
        reason: format!("its name cannot be kept: {error}"),
    };
    serde_json::to_writer(&mut *lines, file).map_err(named)?;
    lines.push(b'\n');
    Ok(())
}

pub(super) fn failed(attempt: &'static str, path: &Path) -> impl FnOnce(io::Error) -> SourceError {
    let path = path.to_owned();
    move |source| SourceError::File { attempt, path, source }
}
