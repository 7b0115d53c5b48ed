//! Reading keys out of segments, and writing segments anew.

use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use env::{Disk, DiskFile, OpenMode};
use record::{Batch, BatchHeader, HEADER_BYTES};

use super::aborted::Aborted;
use super::filter::{Fate, Filter};
use super::key_map::KeyMap;
use super::{Assistant, Bounded, CompactionConfig};
use crate::index::Index;
use crate::reader::Shared;
use crate::scan::Piece;
use crate::segment::{Segment, failed};
use crate::{Error, names};

/// How much is read at once.
pub(super) const WALK_BYTES: usize = 256 << 10;
/// How much is written at once.
const WRITE_BYTES: usize = 256 << 10;
/// How much is written before it is made durable: one large flush would hold up everybody else's.
const SYNC_BYTES: u64 = 8 << 20;

/// How far reading keys came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Learnt {
    All,
    /// There is no room for the keys from this offset on.
    FullAt(i64),
    Stopped,
}

/// What became of segments.
#[derive(Debug)]
pub(super) enum Outcome {
    Written(Rewritten),
    /// Nothing to leave out, or rot that nobody should tidy away.
    Untouched,
    Stopped,
}

/// A segment written from others, durable, under a name that nobody looks for. Only [`Log::swap`](crate::Log::swap)
/// puts it in their place.
#[derive(Debug)]
pub struct Rewritten {
    pub(super) path: PathBuf,
    pub(super) old: Vec<Arc<Segment>>,
    pub(super) size: u64,
    pub(super) index: Index,
    pub(super) index_interval_bytes: u64,
    /// Where markers stood that are not in it any more.
    pub(super) markers_gone: Vec<i64>,
}

impl Rewritten {
    /// Its bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of those it was written from.
    #[must_use]
    pub fn bytes_before(&self) -> u64 {
        self.old.iter().map(|segment| segment.size()).sum()
    }
}

/// Reads the keys of a segment from `from` on. Keys of aborted records do not count: what stood there before them still
/// holds. What is rotten has no keys that could be read, and takes none of its older records along.
pub(super) fn learn_keys(
    segment: &Segment,
    from: i64,
    map: &mut KeyMap,
    (aborted, uncompressed_bytes_max): (&mut Aborted, usize),
    assistant: &mut dyn Assistant,
) -> Result<Learnt, Error> {
    let mut scan = segment.scan_from(from.max(segment.base_offset()), WALK_BYTES)?;
    while let Some(piece) = scan.next_piece().map_err(segment.failed("reading"))? {
        let Piece::Batch { batch, .. } = piece else { continue };
        let header = &batch.header;
        if header.last_offset() < from {
            continue;
        }
        if !assistant.pace(batch.bytes.len()) {
            return Ok(Learnt::Stopped);
        }
        if aborted.includes(&batch) || header.is_control() || header.records_count == 0 {
            continue;
        }
        let Ok(records) = batch.records(uncompressed_bytes_max) else { continue };
        for record in records.map_while(Result::ok) {
            let Some(key) = record.key.filter(|_| record.offset >= from) else { continue };
            if !map.put(&key, record.offset) {
                return Ok(Learnt::FullAt(record.offset));
            }
        }
    }
    Ok(Learnt::All)
}

/// Writes as many of the segments, from the first on, as fit into one; answers how many. A failure leaves no file
/// behind: the disk may be full.
pub(super) fn rewrite(
    shared: &Shared,
    segments: &[Bounded],
    config: &CompactionConfig,
    filter: &mut Filter,
    assistant: &mut dyn Assistant,
) -> Result<(usize, Outcome), Error> {
    let outcome = try_rewrite(shared, segments, config, filter, assistant);
    if outcome.is_err() {
        let first = &segments[0].0;
        // The failure itself is what the caller must hear of; a start removes what is left.
        names::remove_if_there(&**first.disk(), &names::cleaned(&shared.dir, first.base_offset()))
            .unwrap_or_default();
    }
    outcome
}

fn try_rewrite(
    shared: &Shared,
    segments: &[Bounded],
    config: &CompactionConfig,
    filter: &mut Filter,
    assistant: &mut dyn Assistant,
) -> Result<(usize, Outcome), Error> {
    let first = &segments[0].0;
    let path = names::cleaned(&shared.dir, first.base_offset());
    let mut output = Output::new(first, path.clone(), config)?;
    filter.take_markers_gone();
    let (mut count, mut sound) = (0, true);
    for (segment, end) in segments {
        if count > 0 && !output.has_room(segment.size(), *end, config.segment_bytes) {
            break;
        }
        count += 1;
        // Opened as long as its name leads to it: readers of the old segment keep that file.
        let mut scan = segment.scan_all()?;
        while let Some(piece) = scan.next_piece().map_err(segment.failed("reading"))? {
            let Piece::Batch { batch, .. } = piece else {
                sound = false;
                continue;
            };
            if !assistant.pace(batch.bytes.len()) {
                return output.discard().map(|()| (count, Outcome::Stopped));
            }
            // Behind rot, offsets may jump anywhere, and nothing is written; but the filter has to meet every batch.
            let fate = filter.judge(&batch)?;
            if sound {
                output.take(&batch, fate)?;
            }
        }
    }
    if !sound {
        tracing::warn!(dir = %shared.dir.display(), offset = first.base_offset(), "not compacted: rotten batches");
    }
    if !sound || (count == 1 && !output.changed) {
        return output.discard().map(|()| (count, Outcome::Untouched));
    }
    let (size, index) = output.finish(segments[count - 1].1)?;
    let old = segments[..count].iter().map(|(segment, _)| Arc::clone(segment)).collect();
    let index_interval_bytes = config.index_interval_bytes;
    let markers_gone = filter.take_markers_gone();
    Ok((count, Outcome::Written(Rewritten { path, old, size, index, index_interval_bytes, markers_gone })))
}

/// A segment on its way to the disk.
#[derive(Debug)]
struct Output {
    disk: Arc<dyn Disk>,
    path: PathBuf,
    file: Box<dyn DiskFile>,
    buffer: Vec<u8>,
    written: u64,
    synced: u64,
    index: Index,
    base_offset: i64,
    /// The offset that the next batch begins with, unless there is a gap to fill.
    next_offset: i64,
    /// Whether anything differs from what was read.
    changed: bool,
}

impl Output {
    fn new(first: &Segment, path: PathBuf, config: &CompactionConfig) -> Result<Self, Error> {
        let disk = Arc::clone(first.disk());
        let file = disk.open(&path, OpenMode::Truncate).map_err(failed("creating", &path))?;
        Ok(Self {
            disk,
            path,
            file,
            buffer: Vec::with_capacity(WRITE_BYTES),
            written: 0,
            synced: 0,
            index: Index::new(first.base_offset(), config.index_interval_bytes),
            base_offset: first.base_offset(),
            next_offset: first.base_offset(),
            changed: false,
        })
    }

    /// Whether a segment of this size, that ends before `end`, fits in even if all of it stays.
    fn has_room(&self, bytes: u64, end: i64, limit: u64) -> bool {
        let size = self.written + self.buffer.len() as u64 + HEADER_BYTES as u64;
        size + bytes <= limit && end - self.base_offset < i64::from(i32::MAX)
    }

    fn take(&mut self, batch: &Batch, fate: Fate) -> Result<(), Error> {
        self.changed |= !matches!(fate, Fate::Stays);
        match fate {
            Fate::Stays => self.push(&batch.bytes, &batch.header),
            Fate::Becomes(bytes) => {
                let header = BatchHeader::parse(&bytes).map_err(|error| Error::Batch(Arc::new(error)))?;
                self.push(&bytes, &header)
            }
            Fate::Goes => Ok(()),
        }
    }

    fn push(&mut self, bytes: &Bytes, header: &BatchHeader) -> Result<(), Error> {
        self.fill_up_to(header.base_offset)?;
        self.put(bytes, header)
    }

    /// Lets an empty batch stand for the offsets before `offset` that nothing stands for.
    fn fill_up_to(&mut self, offset: i64) -> Result<(), Error> {
        if self.next_offset >= offset {
            return Ok(());
        }
        let bytes = record::empty_batch(self.next_offset, offset - 1);
        let header = BatchHeader::parse(&bytes).map_err(|error| Error::Batch(Arc::new(error)))?;
        self.put(&bytes, &header)
    }

    fn put(&mut self, bytes: &Bytes, header: &BatchHeader) -> Result<(), Error> {
        self.index.note(header, self.written + self.buffer.len() as u64);
        self.buffer.extend_from_slice(bytes);
        self.next_offset = header.next_offset();
        if self.buffer.len() >= WRITE_BYTES { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), Error> {
        self.file.write_at(&self.buffer, self.written).map_err(failed("writing", &self.path))?;
        self.written += self.buffer.len() as u64;
        self.buffer.clear();
        if self.written - self.synced >= SYNC_BYTES { self.sync() } else { Ok(()) }
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.file.sync_data().map_err(failed("flushing", &self.path))?;
        self.synced = self.written;
        Ok(())
    }

    /// Completes the segment up to `end`, durably.
    fn finish(mut self, end: i64) -> Result<(u64, Index), Error> {
        self.fill_up_to(end)?;
        self.write()?;
        self.sync()?;
        self.index.seal();
        Ok((self.written, self.index))
    }

    fn discard(self) -> Result<(), Error> {
        names::remove_if_there(&*self.disk, &self.path)
    }
}
