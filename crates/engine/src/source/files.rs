//! Files that appear in a directory, each read once.
//!
//! Every file that was ever taken has a number in a list, and a position is a number of it. The list is durable
//! before a batch may stand on it; so a batch that runs again reads the same files, and a restart knows all that
//! was read.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use env::Clock;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};

use crate::error::SourceError;
use crate::query::journal::Ranges;
use crate::source::files::content::Files;
use crate::source::files::listing::Listing;
use crate::source::files::seen::Seen;
use crate::source::files::waiting::Waiting;
use crate::source::{Bounds, Limits, Pinned, Source, Standing};
use crate::sql::options::source::{Clean, FileOptions};
use crate::status::{Offsets, SourceOffset};
use crate::storage::{self, Found, PATIENCE, Place, Store, is_remote, waiting};

mod columns;
mod content;
mod listing;
mod seen;
#[cfg(test)]
mod tests;
mod waiting;

pub(crate) use columns::{below, columns_of, listed, narrowest, partitions_of};
pub(crate) use content::read_through as opened;

/// How soon the directory is looked at again, at first and when nothing has come for a while.
const LOOK_AGAIN: (Duration, Duration) = (Duration::from_millis(50), Duration::from_millis(1_000));

/// The same of a bucket, where each look is a request that costs money.
const ASK_AGAIN: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(5));

/// Between two tries to reach an object store that does not answer.
const PAUSE: Duration = Duration::from_millis(200);

/// A directory as a source.
#[derive(Debug)]
pub(crate) struct FileSource {
    options: FileOptions,
    listing: Listing,
    /// Looked into without patience: the query waits where it can be stopped.
    store: Store,
    clock: Arc<dyn Clock>,
    /// Whether somebody waits for a store that does not answer, rather than for an error.
    patient: bool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    seen: Seen,
    /// Found and not yet taken, the first to take last.
    waiting: Vec<Found>,
    /// There are more of them.
    more: bool,
    /// How long files of the list are, as far as it is known, by their numbers.
    lengths: BTreeMap<i64, u64>,
    /// Files before this one were cleaned up; `None` until it is known where the query stands.
    cleaned: Option<i64>,
}

impl FileSource {
    /// `list` is where the list is kept; without it the source forgets what it has read.
    pub(crate) fn new(
        options: FileOptions,
        store: Store,
        clock: &Arc<dyn Clock>,
        list: Option<Place>,
    ) -> Result<Self, SourceError> {
        let clock = Arc::clone(clock);
        let (listing, patient) = (Listing::new(&options)?, list.is_some());
        let seen = Seen::open(list, options.file_name_only)?;
        let state = State { seen, waiting: Vec::new(), more: false, lengths: BTreeMap::new(), cleaned: None };
        Ok(FileSource { options, listing, store, clock, patient, state: Mutex::new(state) })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn position(&self, positions: &Offsets) -> i64 {
        positions.get(&self.options.path).and_then(|log| log.get(&0)).copied().unwrap_or(0)
    }

    /// Looks for files that are not in the list.
    fn look(&self, state: &mut State) -> Result<(), SourceError> {
        let mut found = Waiting::new(&self.options);
        loop {
            self.listing.each(&self.store, &mut |file| {
                found.meet(&file);
                if !state.seen.has(&file.path) {
                    found.add(file);
                }
            })?;
            if !found.is_misled() {
                break;
            }
        }
        (state.waiting, state.more) = found.done();
        Ok(())
    }

    /// Takes files into the list.
    fn list(&self, state: &mut State, files: Vec<Found>) -> Result<(), SourceError> {
        let numbers = state.seen.len()..;
        state.lengths.extend(numbers.zip(files.iter().map(|file| file.bytes)));
        state.seen.append(files.into_iter().map(|file| file.path).collect())
    }

    /// Tries on while an object store does not answer, for so long: a query waits for it as for another Kafka.
    async fn patiently<T>(
        &self,
        patience: Duration,
        attempt: impl Fn() -> Result<T, SourceError> + Send,
    ) -> Result<T, SourceError> {
        let began = self.clock.monotonic();
        let mut told = false;
        loop {
            let left = || self.patient && self.clock.monotonic().saturating_sub(began) < patience;
            match waiting(&attempt) {
                Err(error) if error.is_passing() && left() => {
                    if !std::mem::replace(&mut told, true) {
                        tracing::warn!(path = self.options.path, %error, "an object store does not answer; trying on");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
                done => return done,
            }
        }
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
            let known = state.lengths.remove(&to);
            let asked = || state.seen.get(to).map_or(0, |path| self.store.len(path).unwrap_or(0));
            bytes += known.unwrap_or_else(asked);
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
                bytes += file.bytes;
                files += 1;
                to += 1;
                taken.push(file);
            }
            self.list(&mut state, taken)?;
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
        let store = if self.patient { self.store.clone().patient() } else { self.store.clone() };
        let content = Files::new(paths, &self.options.format, store);
        Ok(Pinned::new(Ranges::from([(self.options.path.clone(), log)]), content))
    }

    /// Makes the list durable; see [`Seen::sync`].
    fn keep(&self, state: &mut State) -> Result<bool, SourceError> {
        let known = state.seen.len();
        let agreed = state.seen.sync()?;
        if !agreed || state.seen.len() > known {
            // What was found may be in the list by now.
            state.waiting.clear();
            state.lengths.clear();
        }
        Ok(agreed)
    }

    fn clean(&self, path: &Path) -> std::io::Result<()> {
        match &self.options.clean {
            Clean::Off => Ok(()),
            Clean::Delete => self.store.remove(path),
            Clean::Archive(dir) => {
                let path_in = path.to_string_lossy();
                let own = match path_in.split_once("://").filter(|_| is_remote(&path_in)) {
                    // What follows the bucket.
                    Some((_, rest)) => rest.split_once('/').map_or("", |(_, key)| key),
                    None => path_in.strip_prefix('/').unwrap_or(&path_in),
                };
                self.store.rename(path, &Path::new(dir).join(own))
            }
        }
    }
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
            let (mut patience, longest) =
                if matches!(self.store, Store::Local(_)) { LOOK_AGAIN } else { ASK_AGAIN };
            while !self.patiently(Duration::MAX, || self.has_more(self.position(positions))).await? {
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
        async move { self.patiently(PATIENCE, || self.take(positions, limits)).await }.boxed()
    }

    fn reread<'a>(&'a self, ranges: &'a Ranges) -> BoxFuture<'a, Result<Pinned, SourceError>> {
        let range = ranges.get(&self.options.path).and_then(|log| log.get(&0)).copied();
        let (from, to) = range.unwrap_or_default();
        ready(self.pinned(&self.lock(), from, to)).boxed()
    }

    fn secure<'a>(&'a self, _: &'a Pinned) -> BoxFuture<'a, Result<bool, SourceError>> {
        async { waiting(|| self.keep(&mut self.lock())) }.boxed()
    }

    fn bounds(&self) -> BoxFuture<'_, Result<Option<Bounds>, SourceError>> {
        let bounds = || {
            let mut state = self.lock();
            loop {
                self.look(&mut state)?;
                let mut found = std::mem::take(&mut state.waiting);
                found.reverse();
                self.list(&mut state, found)?;
                if !state.more && self.keep(&mut state)? {
                    break;
                }
            }
            let at = |number| Offsets::from([(self.options.path.clone(), BTreeMap::from([(0, number)]))]);
            Ok(Some(Bounds { from: at(0), until: at(state.seen.len()) }))
        };
        async move { self.patiently(PATIENCE, bounds).await }.boxed()
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
                    if storage::is_passing(&error) {
                        break;
                    }
                }
            }
        });
    }
}
