//! Walking the batches of one segment file, every checksum verified, around whatever is rotten.

use std::io;

use bytes::Bytes;
use env::DiskFile;
use record::{Batch, BatchHeader, HEADER_BYTES};

/// Epochs that this program writes. Another value means that these four bytes, which no checksum covers, rotted.
pub(crate) const LEADER_EPOCH: i32 = 0;
/// Where the magic byte of a batch stands.
const MAGIC_AT: usize = 16;
/// How much a search for the next sound batch looks at in one read.
const SEARCH_BYTES: usize = 1 << 20;

/// A walk over `[position, end)` of a file.
#[derive(Debug)]
pub(crate) struct Scan<'f> {
    file: &'f dyn DiskFile,
    end: u64,
    position: u64,
    expected: i64,
    offset_limit: i64,
    window: Bytes,
    window_at: u64,
    window_bytes: usize,
}

/// What a walk finds next.
#[derive(Debug)]
pub(crate) enum Piece {
    /// A sound batch.
    Batch { position: u64, batch: Batch },
    /// Bytes that are no sound batch, up to the next one, or to the end if there is none.
    Rot { from: u64, to: u64, resumes: Option<i64> },
}

/// How a batch must be numbered to be the right one.
#[derive(Debug, Clone, Copy)]
enum Numbering {
    Base(i64),
    Last(i64),
    AtLeast(i64),
}

impl<'f> Scan<'f> {
    /// From the batch at `position`, whose base offset must be `expected`. Offsets of this segment are below
    /// `base_offset` + 2^31.
    pub(crate) fn new(
        file: &'f dyn DiskFile,
        base_offset: i64,
        (position, expected): (u64, i64),
        end: u64,
        window_bytes: usize,
    ) -> Self {
        Self {
            file,
            end,
            position,
            expected,
            offset_limit: base_offset.saturating_add(i64::from(i32::MAX)),
            window: Bytes::new(),
            window_at: 0,
            window_bytes: window_bytes.max(HEADER_BYTES),
        }
    }

    /// Moves to `position` if the batch there is sound and ends with `last_offset`, as an index entry claims.
    pub(crate) fn jump(&mut self, position: u64, last_offset: i64) -> io::Result<bool> {
        let Some(batch) = self.batch_at(position, Numbering::Last(last_offset))? else {
            return Ok(false);
        };
        self.position = position;
        self.expected = batch.header.base_offset;
        Ok(true)
    }

    /// The next piece, or nothing at the end.
    pub(crate) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        if self.position >= self.end {
            return Ok(None);
        }
        let position = self.position;
        if let Some(batch) = self.batch_at(position, Numbering::Base(self.expected))? {
            self.position += batch.bytes.len() as u64;
            self.expected = batch.header.next_offset();
            return Ok(Some(Piece::Batch { position, batch }));
        }
        let resumes = self.search(position + 1)?;
        if resumes.is_none() {
            self.position = self.end;
        }
        Ok(Some(Piece::Rot { from: position, to: self.position, resumes }))
    }

    /// Finds the next sound batch that may follow, and moves there.
    fn search(&mut self, from: u64) -> io::Result<Option<i64>> {
        let mut at = from;
        while at + HEADER_BYTES as u64 <= self.end {
            let chunk = self.view(at, SEARCH_BYTES)?;
            if chunk.len() < HEADER_BYTES {
                break;
            }
            let starts = chunk.len() - HEADER_BYTES + 1;
            for start in 0..starts {
                if chunk[start + MAGIC_AT] != 2 {
                    continue;
                }
                let position = at + start as u64;
                if let Some(batch) = self.batch_at(position, Numbering::AtLeast(self.expected))? {
                    self.position = position;
                    self.expected = batch.header.base_offset;
                    return Ok(Some(batch.header.base_offset));
                }
            }
            at += starts as u64;
        }
        Ok(None)
    }

    fn batch_at(&mut self, position: u64, numbering: Numbering) -> io::Result<Option<Batch>> {
        let head = self.view(position, HEADER_BYTES)?;
        let Ok(header) = BatchHeader::parse(&head) else {
            return Ok(None);
        };
        let total = header.total_bytes();
        if !self.plausible(&header, numbering) || position + total as u64 > self.end {
            return Ok(None);
        }
        let bytes = self.view(position, total)?;
        let Ok(batch) = Batch::parse(&bytes) else {
            return Ok(None);
        };
        Ok(batch.verify_crc().is_ok().then_some(batch))
    }

    fn plausible(&self, header: &BatchHeader, numbering: Numbering) -> bool {
        let numbered = match numbering {
            Numbering::Base(offset) => header.base_offset == offset,
            Numbering::Last(offset) => header.last_offset() == offset,
            Numbering::AtLeast(offset) => header.base_offset >= offset,
        };
        numbered
            && header.base_offset >= 0
            && header.last_offset() <= self.offset_limit
            && header.partition_leader_epoch == LEADER_EPOCH
            // Compaction takes records out of batches.
            && i64::from(header.records_count) <= i64::from(header.last_offset_delta) + 1
    }

    /// Bytes from `position` on: `wanted`, or fewer at the end.
    fn view(&mut self, position: u64, wanted: usize) -> io::Result<Bytes> {
        let left = usize::try_from(self.end.saturating_sub(position)).unwrap_or(usize::MAX);
        let wanted = wanted.min(left);
        let inside = position.checked_sub(self.window_at).and_then(|start| usize::try_from(start).ok());
        if let Some(start) = inside
            && start + wanted <= self.window.len()
        {
            return Ok(self.window.slice(start..start + wanted));
        }
        let mut window = vec![0; wanted.max(self.window_bytes).min(left)];
        let read = self.file.read_full_at(&mut window, position)?;
        window.truncate(read);
        self.window = Bytes::from(window);
        self.window_at = position;
        Ok(self.window.slice(..wanted.min(read)))
    }
}
