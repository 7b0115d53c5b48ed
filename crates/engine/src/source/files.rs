//! Files that appear in a directory, each read once.
//!
//! Every file that was ever taken has a number in a list, and a position is a number of it. The list is durable
//! before a batch may stand on it; so a batch that runs again reads the same files, and a restart knows all that
//! was read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use env::Disk;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use crate::error::SourceError;
use crate::query::journal::Ranges;
use crate::source::files::content::Files;
use crate::source::files::listing::{Found, Listing};
use crate::source::files::seen::Seen;
use crate::source::{Bounds, Limits, Pinned, Source, Standing};
use crate::sql::options::source::{Clean, FileOptions};
use crate::status::{Offsets, SourceOffset};

mod columns;
mod content;
mod listing;
mod seen;
#[cfg(test)]
mod tests;

pub(crate) use columns::{columns_of, partitions_of};

/// How soon the directory is looked at again, at first and when nothing has come for a while.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(1_000));

/// A directory as a source.
#[derive(Debug)]
pub(crate) struct FileSource {
    options: FileOptions,
    listing: Listing,
    disk: Arc<dyn Disk>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seen: Seen,
    /// Found and not yet taken, the first to take last.
    waiting: Vec<Found>,
    /// Files before this one were cleaned up; `None` until it is known where the query stands.
    cleaned: Option<i64>,
}

impl FileSource {
    /// `list` is where the list is kept; without it the source forgets what it has read.
    pub(crate) fn new(
        options: FileOptions,
        disk: &Arc<dyn Disk>,
        list: Option<PathBuf>,
    ) -> Result<Self, SourceError> {
        let listing = Listing::new(&options)?;
        let seen = Seen::open(disk, list, options.file_name_only)?;
        let state = Mutex::new(State { seen, waiting: Vec::new(), cleaned: None });
        Ok(FileSource { options, listing, disk: Arc::clone(disk), state })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, positions: &Offsets) -> i64 {
        positions.get(&self.options.path).and_then(|log| log.get(&0)).copied().unwrap_or(0)
    }

    /// Looks for files that are not in the list.
    fn look(&self, state: &mut State) -> Result<(), SourceError> {
        let mut found = self.listing.files(self.disk.as_ref())?;
        let newest = found.iter().map(|file| file.modified_ms).max().unwrap_or(0);
        if let Some(age) = self.options.age_max_ms.filter(|_| !self.options.latest_first) {
            let age = i64::try_from(age).unwrap_or(i64::MAX);
            found.retain(|file| newest.saturating_sub(file.modified_ms) <= age);
        }
        found.retain(|file| !state.seen.has(&file.path));
        // The first to take stands last.
        found.sort_by(|a, b| (b.modified_ms, &b.path).cmp(&(a.modified_ms, &a.path)));
        if self.options.latest_first {
            found.reverse();
        }
        if self.options.file_name_only {
            let mut names = std::collections::BTreeSet::new();
            found.retain(|file| names.insert(file.path.file_name().map(ToOwned::to_owned)));
        }
        state.waiting = found;
        Ok(())
    }

    /// Whether there is something to take after the position.
    fn has_more(&self, position: i64) -> Result<bool, SourceError> {
        let mut state = self.lock();
        state.cleaned.get_or_insert(position);
        if state.seen.len() > position || !state.waiting.is_empty() {
            return Ok(true);
        }
        self.look(&mut state)?;
        Ok(!state.waiting.is_empty())
    }

    fn take(&self, positions: &Offsets, limits: &Limits) -> Result<Pinned, SourceError> {
        let from = self.position(positions);
        let mut state = self.lock();
        state.cleaned.get_or_insert(from);
        let files_max = self.options.files_max.unwrap_or(u64::MAX);
        let bytes_max = self.options.bytes_max.unwrap_or(limits.bytes as u64);
        let (mut files, mut bytes) = (0, 0);
        let mut to = from;
        // A crash may have come between list and intent: what is in the list goes first.
        while to < state.seen.len() && files < files_max && (files == 0 || bytes < bytes_max) {
            bytes += state.seen.get(to).map_or(0, |path| self.disk.len(path).unwrap_or(0));
            files += 1;
            to += 1;
        }
        if to == state.seen.len() && limits.until.is_none() {
            if state.waiting.is_empty() {
                self.look(&mut state)?;
            }
            let mut taken = Vec::new();
            while files < files_max
                && (files == 0 || bytes < bytes_max)
                && let Some(file) = state.waiting.pop()
            {
                bytes += self.disk.len(&file.path).unwrap_or(0);
                files += 1;
                to += 1;
                taken.push(file.path);
            }
            state.seen.append(self.disk.as_ref(), taken)?;
        }
        if let Some(until) = &limits.until {
            to = to.min(self.position(until)).max(from);
        }
        self.pinned(&state, from, to)
    }

    fn pinned(&self, state: &State, from: i64, to: i64) -> Result<Pinned, SourceError> {
        let path = |number: i64| {
            let gone = || SourceError::BadFile {
                path: self.options.path.clone().into(),
                reason: format!("file number {number} is not in the list of the query any more"),
            };
            state.seen.get(number).cloned().ok_or_else(gone)
        };
        let paths = (from..to).map(path).collect::<Result<Vec<PathBuf>, _>>()?;
        let log = if from < to { BTreeMap::from([(0, (from, to))]) } else { BTreeMap::new() };
        let content = Files::new(paths, &self.options.format, &self.disk);
        Ok(Pinned::new(Ranges::from([(self.options.path.clone(), log)]), content))
    }

    fn clean(&self, path: &Path) -> std::io::Result<()> {
        match &self.options.clean {
            Clean::Off => Ok(()),
            Clean::Delete => self.disk.remove_file(path),
            Clean::Archive(dir) => {
                let target = Path::new(dir).join(path.strip_prefix("/").unwrap_or(path));
                self.disk.create_dir_all(target.parent().unwrap_or(Path::new(dir)))?;
                self.disk.rename(path, &target)
            }
        }
    }
}

/// Files and directories make a thread wait: others take over its tasks meanwhile.
fn waiting<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

impl Source for FileSource {
    fn name(&self) -> &str {
        &self.options.path
    }

    fn start(&self) -> BoxFuture<'_, Result<Offsets, SourceError>> {
        ready(Ok(Offsets::from([(self.options.path.clone(), BTreeMap::from([(0, 0)]))]))).boxed()
    }

    fn ready<'a>(&'a self, positions: &'a Offsets) -> BoxFuture<'a, Result<(), SourceError>> {
        async move {
            let (mut patience, longest) = LOOK_AGAIN;
            while !waiting(|| self.has_more(self.position(positions)))? {
                tokio::time::sleep(patience).await;
                patience = (patience * 2).min(longest);
            }
            Ok(())
        }
        .boxed()
    }

    fn pin<'a>(
        &'a self,
        positions: &'a Offsets,
        limits: &'a Limits,
        _: u64,
    ) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        async move { waiting(|| self.take(positions, limits)) }.boxed()
    }

    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let range = ranges.get(&self.options.path).and_then(|log| log.get(&0)).copied();
        let (from, to) = range.unwrap_or_default();
        ready(self.pinned(&self.lock(), from, to)).boxed()
    }

    fn secure<'a>(&'a self, _: &'a Pinned) -> BoxFuture<'a, Result<(), SourceError>> {
        async { waiting(|| self.lock().seen.sync()) }.boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        let bounds = || {
            let mut state = self.lock();
            self.look(&mut state)?;
            let mut found = std::mem::take(&mut state.waiting);
            found.reverse();
            state.seen.append(self.disk.as_ref(), found.into_iter().map(|file| file.path).collect())?;
            state.seen.sync()?;
            let at = |number| Offsets::from([(self.options.path.clone(), BTreeMap::from([(0, number)]))]);
            Ok(Some(Bounds { from: at(0), until: at(state.seen.len()) }))
        };
        async move { waiting(bounds) }.boxed()
    }

    fn progress(&self, positions: &Offsets) -> Standing {
        let offset = self.position(positions);
        let state = self.lock();
        let end = state.seen.len() + i64::try_from(state.waiting.len()).unwrap_or(0);
        let standing = BTreeMap::from([(0, SourceOffset { offset, end: end.max(offset) })]);
        Standing::from([(self.options.path.clone(), standing)])
    }

    fn commit(&self, positions: &Offsets) {
        if self.options.clean == Clean::Off {
            return;
        }
        let position = self.position(positions);
        let mut state = self.lock();
        let from = state.cleaned.replace(position).unwrap_or(position);
        let paths: Vec<PathBuf> =
            (from..position).filter_map(|number| state.seen.get(number).cloned()).collect();
        drop(state);
        waiting(|| {
            for path in paths {
                if let Err(error) = self.clean(&path) {
                    tracing::warn!(path = %path.display(), %error, "left a file that was read");
                }
            }
        });
    }
}
