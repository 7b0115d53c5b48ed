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
        let (log, files) = read(&place)?;
        files.into_iter().for_each(|file| seen.add(file));
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

    /// Makes the list durable; false if another program that goes on from the same place has listed other files under
    /// the numbers of ours: the list is now what that one says, and ours are not in it. Which of the two goes on is for
    /// the journal to say, and for nothing else: if each could end the other, none would be left.
    pub(super) fn sync(&mut self) -> Result<bool, SourceError> {
        while let Some(stored) = &mut self.stored {
            match stored.write(&self.files) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    if !self.follow()? {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(failed("write", stored.place.path())(error)),
            }
        }
        Ok(true)
    }

    /// Reads what another program has written: whether what we have listed goes on from there.
    fn follow(&mut self) -> Result<bool, SourceError> {
        let Some(stored) = &mut self.stored else { return Ok(true) };
        let (log, files) = read(&stored.place)?;
        stored.log = log;
        stored.lines.clear();
        let agreed = files.iter().zip(&self.files).all(|(theirs, ours)| theirs == ours);
        if agreed {
            self.files.iter().skip(files.len()).try_for_each(|file| line(&mut stored.lines, file))?;
        } else {
            (self.files, self.known) = (Vec::new(), BTreeSet::new());
        }
        let known = self.files.len();
        files.into_iter().skip(known).for_each(|file| self.add(file));
        Ok(agreed)
    }
}

impl Stored {
    fn write(&mut self, files: &[PathBuf]) -> io::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        match &mut self.log {
            None => self.log = Some(Log::create(self.place.clone(), &self.lines)?),
            Some(log) => log.append(&self.lines)?,
        }
        self.lines.clear();
        match &mut self.log {
            Some(log) if log.is_long(LONG) => {
                let mut all = Vec::new();
                files.iter().try_for_each(|file| line(&mut all, file)).map_err(io::Error::other)?;
                log.replace(&all)
            }
            _ => Ok(()),
        }
    }
}

/// The list as it is stored.
fn read(place: &Place) -> Result<(Option<Log>, Vec<PathBuf>), SourceError> {
    let mut files = Vec::new();
    let opened = Log::open(place.clone()).map_err(failed("read", place.path()))?;
    let Some((mut log, bytes)) = opened else { return Ok((None, files)) };
    let mut length = 0;
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        let Ok(file) = serde_json::from_slice::<PathBuf>(line) else { break };
        if !line.ends_with(b"\n") {
            break;
        }
        length += line.len() as u64;
        files.push(file);
    }
    if log.end() > length {
        log.cut(length).map_err(failed("write", place.path()))?;
    }
    Ok((Some(log), files))
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
