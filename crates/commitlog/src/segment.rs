//! One segment: a file of batches and its two indexes. Read by many, written by the log that owns it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};

use env::{Disk, DiskFile, OpenMode};
use record::{Batch, BatchHeader};

use crate::Error;
use crate::index::{Index, OffsetIndex, TimeIndex};
use crate::names::{self, FileKind};
use crate::places::Places;
use crate::scan::{Piece, Scan};

/// How much a walk over a whole segment reads at once.
const WALK_BYTES: usize = 256 << 10;
/// How much is read to look at a segment's first batch.
const FIRST_BYTES: usize = 4 << 10;
/// How many index entries are tried before a walk begins at the segment's start.
const ENTRIES_TRIED: usize = 3;

#[derive(Debug)]
pub(crate) struct Segment {
    disk: Arc<dyn Disk>,
    dir: PathBuf,
    base_offset: i64,
    index_interval_bytes: u64,
    /// Opened on first use: a start with many partitions opens few files.
    file: OnceLock<Box<dyn DiskFile>>,
    /// Bytes that readers may look at.
    size: AtomicU64,
    /// Loaded or rebuilt on first use.
    index: RwLock<Option<Index>>,
    /// The greatest timestamp as of the time when the index was not loaded yet, once somebody looked.
    newest_at_rest: OnceLock<i64>,
    places: Places,
}

impl Segment {
    pub(crate) fn new(disk: Arc<dyn Disk>, dir: &Path, base_offset: i64, interval: u64, size: u64) -> Self {
        Self {
            disk,
            dir: dir.to_owned(),
            base_offset,
            index_interval_bytes: interval,
            file: OnceLock::new(),
            size: AtomicU64::new(size),
            index: RwLock::new(None),
            newest_at_rest: OnceLock::new(),
            places: Places::new(size),
        }
    }

    pub(crate) fn base_offset(&self) -> i64 {
        self.base_offset
    }

    pub(crate) fn disk(&self) -> &Arc<dyn Disk> {
        &self.disk
    }

    pub(crate) fn size(&self) -> u64 {
        self.size.load(Ordering::Acquire)
    }

    /// Shows readers what was written up to `size`.
    pub(crate) fn publish(&self, size: u64) {
        self.size.store(size, Ordering::Release);
    }

    pub(crate) fn path(&self) -> PathBuf {
        names::path(&self.dir, self.base_offset, FileKind::Log)
    }

    pub(crate) fn file(&self) -> Result<&dyn DiskFile, Error> {
        if let Some(file) = self.file.get() {
            return Ok(&**file);
        }
        match self.disk.open(&self.path(), OpenMode::ReadWrite) {
            Ok(file) => Ok(&**self.file.get_or_init(|| file)),
            // Whoever removes a segment opens it first, for those who are still reading.
            Err(error) => match self.file.get() {
                Some(file) => Ok(&**file),
                None => Err(self.failed("opening")(error)),
            },
        }
    }

    /// Whether the file is open and the index in memory.
    pub(crate) fn is_at_hand(&self) -> bool {
        self.file.get().is_some() && self.index.read().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// What reading it has taught.
    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// Where the batch begins that has `offset` as its first, if that is known.
    pub(crate) fn place_of(&self, offset: i64) -> Option<u64> {
        if offset == self.base_offset { Some(0) } else { self.places.find(offset) }
    }

    /// The nearest place before the batch with `offset` that the index knows, if the index is in memory.
    pub(crate) fn start_before(&self, offset: i64) -> Option<u64> {
        let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
        Some(index.as_ref()?.starts(offset).next().map_or(0, |(position, _)| position))
    }

    /// Reads what the system has in memory: nothing if it would have to wait for the disk, or the file is not open.
    pub(crate) fn read_now(&self, buffer: &mut [u8], position: u64) -> Option<usize> {
        self.file.get()?.read_at_now(buffer, position).ok()?
    }

    /// The file of a segment that begins; empty, whatever had its name.
    pub(crate) fn create(&self) -> Result<&dyn DiskFile, Error> {
        let file = self.disk.open(&self.path(), OpenMode::Truncate).map_err(self.failed("creating"))?;
        Ok(&**self.file.get_or_init(|| file))
    }

    /// A walk over the segment from its start.
    pub(crate) fn scan_all(&self) -> Result<Scan<'_>, Error> {
        Ok(Scan::new(self.file()?, self.base_offset, (0, self.base_offset), self.size(), WALK_BYTES))
    }

    /// A walk that begins at, or not far before, the batch with `offset`.
    pub(crate) fn scan_from(&self, offset: i64, window_bytes: usize) -> Result<Scan<'_>, Error> {
        let starts: Vec<(u64, i64)> =
            self.with_index(|index| index.starts(offset).take(ENTRIES_TRIED).collect())?;
        let start = (0, self.base_offset);
        let mut scan = Scan::new(self.file()?, self.base_offset, start, self.size(), window_bytes);
        for (position, last_offset) in starts {
            if scan.jump(position, last_offset).map_err(self.failed("reading"))? {
                break;
            }
        }
        Ok(scan)
    }

    /// The first record at or after `timestamp` whose offset is at least `from` and below `up_to`.
    pub(crate) fn find_time(
        &self,
        timestamp: i64,
        (from, up_to): (i64, i64),
        uncompressed_bytes_max: usize,
    ) -> Result<Option<(i64, i64)>, Error> {
        let start = self.with_index(|index| {
            (index.max_timestamp() >= timestamp).then(|| index.offset_before(timestamp))
        })?;
        let Some(start) = start else { return Ok(None) };
        let mut scan = self.scan_from(start.max(from), WALK_BYTES)?;
        while let Some(piece) = scan.next_piece().map_err(self.failed("reading"))? {
            let Piece::Batch { batch, .. } = piece else { continue };
            if batch.header.base_offset >= up_to {
                break;
            }
            if batch.header.max_timestamp >= timestamp {
                let found = first_at(&batch, timestamp, from, uncompressed_bytes_max);
                if found.is_some() {
                    return Ok(found);
                }
            }
        }
        Ok(None)
    }

    /// The greatest timestamp of the segment, -1 if it has none.
    pub(crate) fn max_timestamp(&self) -> Result<i64, Error> {
        self.with_index(Index::max_timestamp)
    }

    /// The same, without keeping a file open or an index in memory for it: for those who look at every segment there
    /// is, again and again.
    pub(crate) fn newest_timestamp(&self) -> Result<i64, Error> {
        if let Some(index) = &*self.index.read().unwrap_or_else(PoisonError::into_inner) {
            return Ok(index.max_timestamp());
        }
        if self.size() == 0 {
            return Ok(-1);
        }
        // Whoever appends loads the index first, so what was seen without one stays true.
        if let Some(newest) = self.newest_at_rest.get() {
            return Ok(*newest);
        }
        let newest = self.aside().max_timestamp()?;
        Ok(*self.newest_at_rest.get_or_init(|| newest))
    }

    /// The header of the first batch, if there is a sound one.
    pub(crate) fn first_batch(&self) -> Result<Option<BatchHeader>, Error> {
        let aside = self.aside();
        let start = (0, self.base_offset);
        let mut scan = Scan::new(aside.file()?, self.base_offset, start, self.size(), FIRST_BYTES);
        match scan.next_piece().map_err(self.failed("reading"))? {
            Some(Piece::Batch { batch, .. }) => Ok(Some(batch.header)),
            _ => Ok(None),
        }
    }

    /// The same segment with nothing open and nothing loaded.
    fn aside(&self) -> Self {
        Self::new(Arc::clone(&self.disk), &self.dir, self.base_offset, self.index_interval_bytes, self.size())
    }

    pub(crate) fn with_index<T>(&self, look: impl FnOnce(&Index) -> T) -> Result<T, Error> {
        {
            let index = self.index.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(index) = &*index {
                return Ok(look(index));
            }
        }
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        if index.is_none() {
            *index = Some(self.load_index()?);
        }
        Ok(look(index.as_ref().expect("it was put there one line above")))
    }

    pub(crate) fn with_index_mut<T>(&self, change: impl FnOnce(&mut Index) -> T) -> Result<T, Error> {
        self.with_index(|_| ())?;
        let mut index = self.index.write().unwrap_or_else(PoisonError::into_inner);
        Ok(change(index.as_mut().expect("with_index has loaded it, and only this log puts it away")))
    }

    pub(crate) fn set_index(&self, index: Index) {
        *self.index.write().unwrap_or_else(PoisonError::into_inner) = Some(index);
    }

    pub(crate) fn new_index(&self) -> Index {
        Index::new(self.base_offset, self.index_interval_bytes)
    }

    /// Writes both index files; `seal` adds the last time entry, when no batch will follow.
    pub(crate) fn write_index(&self, seal: bool) -> Result<(), Error> {
        let (offsets, times) = self.with_index_mut(|index| {
            if seal {
                index.seal();
            }
            (index.offsets.to_bytes(), index.times.to_bytes())
        })?;
        for (kind, bytes) in [(FileKind::OffsetIndex, offsets), (FileKind::TimeIndex, times)] {
            let path = names::path(&self.dir, self.base_offset, kind);
            let written = self.disk.open(&path, OpenMode::Truncate).and_then(|file| {
                file.write_at(&bytes, 0)?;
                file.sync_data()
            });
            written.map_err(failed("writing", &path))?;
        }
        Ok(())
    }

    /// Gives the file of batches a name that nobody looks for, and removes the others. Readers that are in the middle of
    /// it go on. Answers the name.
    pub(crate) fn put_aside(&self) -> Result<PathBuf, Error> {
        self.file()?;
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex] {
            names::remove_if_there(&*self.disk, &names::path(&self.dir, self.base_offset, kind))?;
        }
        let gone = names::deleted(&self.path());
        self.disk.rename(&self.path(), &gone).map_err(self.failed("renaming"))?;
        Ok(gone)
    }

    /// Removes the segment's files. Readers that have the file open keep reading it.
    pub(crate) fn remove(&self) -> Result<(), Error> {
        self.file()?;
        for kind in [FileKind::OffsetIndex, FileKind::TimeIndex, FileKind::Producers, FileKind::Log] {
            names::remove_if_there(&*self.disk, &names::path(&self.dir, self.base_offset, kind))?;
        }
        Ok(())
    }

    /// Reads the index files, and what was appended since their last entry; or rebuilds them from the batches.
    fn load_index(&self) -> Result<Index, Error> {
        if let Some((mut index, last)) = self.read_index_files() {
            let start = (0, self.base_offset);
            let mut scan = Scan::new(self.file()?, self.base_offset, start, self.size(), WALK_BYTES);
            let jumped = match last {
                Some((position, last_offset)) => {
                    scan.jump(position, last_offset).map_err(self.failed("reading"))?
                }
                None => true,
            };
            if jumped {
                self.note_rest(&mut scan, &mut index)?;
                return Ok(index);
            }
        }
        let mut index = self.new_index();
        self.note_rest(&mut self.scan_all()?, &mut index)?;
        Ok(index)
    }

    fn note_rest(&self, scan: &mut Scan<'_>, index: &mut Index) -> Result<(), Error> {
        while let Some(piece) = scan.next_piece().map_err(self.failed("reading"))? {
            if let Piece::Batch { position, batch } = piece {
                index.note(&batch.header, position);
            }
        }
        Ok(())
    }

    /// The index as its files tell it, if they may be believed, and where its last entry points.
    fn read_index_files(&self) -> Option<(Index, Option<(u64, i64)>)> {
        let read = |kind| self.disk.read(&names::path(&self.dir, self.base_offset, kind)).ok();
        let offsets = OffsetIndex::from_bytes(&read(FileKind::OffsetIndex)?, self.size())?;
        let times = TimeIndex::from_bytes(&read(FileKind::TimeIndex)?)?;
        let last = offsets.last();
        if last.is_some() && times.is_empty() {
            // Records without times, or a time index that lost its content: only the batches can tell.
            return None;
        }
        let last = last.map(|last| (u64::from(last.position), self.base_offset + i64::from(last.relative)));
        let index = Index::from_parts(self.base_offset, self.index_interval_bytes, offsets, times);
        Some((index, last))
    }

    pub(crate) fn failed(&self, action: &'static str) -> impl Fn(io::Error) -> Error + '_ {
        move |source| disk_error(action, &self.path(), source)
    }
}

/// Turns what a disk answered into what the log answers.
pub(crate) fn failed<'a>(action: &'static str, path: &'a Path) -> impl Fn(io::Error) -> Error + 'a {
    move |source| disk_error(action, path, source)
}

fn disk_error(action: &'static str, path: &Path, source: io::Error) -> Error {
    match source.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
            Error::DiskFull { path: path.to_owned() }
        }
        _ => Error::Io { action, path: path.to_owned(), source: Arc::new(source) },
    }
}

fn first_at(batch: &Batch, timestamp: i64, from: i64, uncompressed_bytes_max: usize) -> Option<(i64, i64)> {
    let records = batch.records(uncompressed_bytes_max).ok()?;
    records
        .map_while(Result::ok)
        .find(|record| record.timestamp >= timestamp && record.offset >= from)
        .map(|record| (record.offset, record.timestamp))
}
