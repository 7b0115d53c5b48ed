//! Putting a rewritten segment in the place of those it was written from, whatever crash comes in between.
//!
//! 1. The new segment's file is whole and durable under a name that nobody looks for (`.cleaned`).
//! 2. It is renamed to `.swap`, durably. From here on the change happens, by the next start if need be.
//! 3. The old segments' indexes, and all old segments but the one of the same first offset, are removed, durably.
//! 4. The new file takes its own name, and with it the place of that last old one.

use std::path::Path;
use std::sync::Arc;

use env::{Disk, DiskEntry, OpenMode, write_atomically};

use super::rewrite::{Rewritten, WALK_BYTES};
use crate::names::{self, FileKind, LeftOver};
use crate::producer_state::Snapshot;
use crate::reader::lock;
use crate::scan::{Piece, Scan};
use crate::segment::{Segment, failed};
use crate::{Error, Log};

impl Log {
    /// Lets a rewritten segment take the place of those it was written from. False, and the new one is gone, if they
    /// are not all there any more.
    ///
    /// # Errors
    /// When the disk refuses. If it does so half way, the log takes no more writes: the next start finishes the change.
    pub fn swap(&mut self, rewritten: Rewritten) -> Result<bool, Error> {
        self.check_poison()?;
        let segments = self.shared.segments();
        let first = segments.iter().position(|segment| Arc::ptr_eq(segment, &rewritten.old[0]));
        let count = rewritten.old.len();
        let there = first.filter(|first| {
            let present = segments[*first..].iter().zip(&rewritten.old);
            first + count < segments.len()
                && present.clone().count() == count
                && present.clone().all(|(one, other)| Arc::ptr_eq(one, other))
        });
        let Some(first) = there else {
            names::remove_if_there(&*self.disk, &rewritten.path)?;
            return Ok(false);
        };
        for old in &rewritten.old {
            // Readers that have it go on with it when its name leads somewhere else, or nowhere.
            old.file()?;
        }
        self.forget_markers(&rewritten.markers_gone)?;
        let base_offset = rewritten.old[0].base_offset();
        let dir = self.dir().to_owned();
        let swap = names::swap(&dir, base_offset);
        self.disk.rename(&rewritten.path, &swap).map_err(failed("renaming", &rewritten.path))?;
        let covered: Vec<i64> = rewritten.old.iter().map(|old| old.base_offset()).collect();
        let finished = self.disk.sync_dir(&dir).map_err(failed("flushing", &dir));
        if let Err(error) = finished.and_then(|()| finish(&*self.disk, &dir, &covered)) {
            return Err(self.poison(std::io::Error::other(error)));
        }
        let interval = rewritten.index_interval_bytes;
        let new = Segment::new(Arc::clone(&self.disk), &dir, base_offset, interval, rewritten.size);
        new.set_index(rewritten.index);
        let new = Arc::new(new);
        let mut changed = segments.to_vec();
        changed.splice(first..first + count, [Arc::clone(&new)]);
        let end = changed[first + 1].base_offset();
        self.replace_segments(changed);
        // Otherwise it would depend on a reader's luck what it sees.
        lock(&self.shared.tail).forget_before(end);
        // Only makes the next use faster, and can be made again.
        new.write_index(true)?;
        Ok(true)
    }
}

impl Log {
    /// Forgets aborted transactions with these markers, in memory and in the producers' files, before the markers are
    /// gone: a reader that was told of one would pass over its producer's records until it meets the marker. Of their
    /// own records none is left.
    fn forget_markers(&self, markers: &[i64]) -> Result<(), Error> {
        if markers.is_empty() {
            return Ok(());
        }
        lock(&self.shared.producers).transactions_mut().forget_markers(markers);
        for entry in self.disk.read_dir(self.dir()).map_err(failed("listing", self.dir()))? {
            let Some((end_offset, FileKind::Producers)) = names::parse(&entry.name) else { continue };
            let path = names::path(self.dir(), end_offset, FileKind::Producers);
            let bytes = self.disk.read(&path).map_err(failed("reading", &path))?;
            // A file that cannot be read is not believed at the next start either.
            let Some(mut snapshot) = Snapshot::from_bytes(&bytes, self.config.producers_max) else {
                continue;
            };
            if snapshot.state.transactions_mut().forget_markers(markers) {
                write_atomically(&*self.disk, &path, &snapshot.to_bytes())
                    .map_err(failed("writing", &path))?;
            }
        }
        Ok(())
    }
}

/// Steps 3 and 4 for the segments with these first offsets.
fn finish(disk: &dyn Disk, dir: &Path, covered: &[i64]) -> Result<(), Error> {
    for base_offset in covered {
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
            names::remove_if_there(disk, &names::path(dir, *base_offset, kind))?;
        }
    }
    for base_offset in &covered[1..] {
        names::remove_if_there(disk, &names::path(dir, *base_offset, FileKind::Log))?;
    }
    disk.sync_dir(dir).map_err(failed("flushing", dir))?;
    let swap = names::swap(dir, covered[0]);
    disk.rename(&swap, &names::path(dir, covered[0], FileKind::Log)).map_err(failed("renaming", &swap))?;
    disk.sync_dir(dir).map_err(failed("flushing", dir))
}

/// Finishes, before a log is opened, what a crash interrupted, and removes what nobody wants. Says whether there was
/// anything of that kind among `entries`, the directory's.
pub(crate) fn finish_interrupted(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    entries: &[DiskEntry],
) -> Result<bool, Error> {
    let (mut bases, mut swaps, mut rubbish) = (Vec::new(), Vec::new(), false);
    for entry in entries {
        match names::left_over(&entry.name) {
            Some(LeftOver::Rubbish) => {
                names::remove_if_there(&**disk, &dir.join(&entry.name))?;
                rubbish = true;
            }
            Some(LeftOver::Swap(base_offset)) => swaps.push(base_offset),
            None => {
                if let Some((base_offset, FileKind::Log)) = names::parse(&entry.name) {
                    bases.push(base_offset);
                }
            }
        }
    }
    let found = rubbish || !swaps.is_empty();
    for swap in swaps {
        let end = end_of(disk, dir, swap)?;
        let mut covered = vec![swap];
        covered.extend(bases.iter().filter(|base| **base > swap && **base < end));
        finish(&**disk, dir, &covered)?;
    }
    Ok(found)
}

/// The offset behind a segment that waits to take its place.
fn end_of(disk: &Arc<dyn Disk>, dir: &Path, base_offset: i64) -> Result<i64, Error> {
    let path = names::swap(dir, base_offset);
    let size = disk.len(&path).map_err(failed("opening", &path))?;
    let file = disk.open(&path, OpenMode::Read).map_err(failed("opening", &path))?;
    let mut scan = Scan::new(&*file, base_offset, (0, base_offset), size, WALK_BYTES);
    let mut end = base_offset;
    while let Some(piece) = scan.next_piece().map_err(failed("reading", &path))? {
        if let Piece::Batch { batch, .. } = piece {
            end = batch.header.next_offset();
        }
    }
    Ok(end)
}
