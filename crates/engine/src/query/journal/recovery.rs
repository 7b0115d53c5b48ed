//! From a journal's bytes to where the query stands.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::frame::{Done, Frame, HEAD_BYTES, Intent, ModelRecord, PAYLOAD_BYTES_MAX, Snapshot};
use super::{MAGIC, SAMPLES_KEPT};
use crate::models::surplus;

/// Why a journal cannot be continued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum JournalError {
    #[error("read {path}", path = path.display())]
    Io { path: PathBuf, source: io::Error },
    #[error("{path} is damaged at byte {position}: {reason}", path = path.display())]
    Corrupt { path: PathBuf, position: u64, reason: String },
    #[error("{path} has format version {version}; this program reads version {known}", path = path.display())]
    Version { path: PathBuf, version: u8, known: u8 },
}

/// Where a query stands: what a snapshot holds and what came after.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Progress {
    pub(crate) query: u64,
    pub(crate) producer_id: i64,
    pub(crate) log: Option<String>,
    pub(crate) standing: Snapshot,
}

/// Everything a journal tells.
#[derive(Debug, Default)]
pub(crate) struct Recovered {
    pub(crate) progress: Progress,
    /// The batch that has to run again.
    pub(crate) undone: Option<Intent>,
    /// The whole state at the last snapshot, and the changes of each batch since.
    pub(crate) state: Option<Bytes>,
    pub(crate) changes: Vec<Bytes>,
    /// The model's versions, the oldest first.
    pub(crate) versions: Vec<(ModelRecord, Bytes)>,
}

/// Folds the frames; also says where the last good one ends.
pub(super) fn replay(path: &Path, bytes: &Bytes) -> Result<(Recovered, u64), JournalError> {
    let corrupt = |position: usize, reason: String| JournalError::Corrupt {
        path: path.to_owned(),
        position: position as u64,
        reason,
    };
    match bytes.first_chunk::<8>() {
        Some(magic) if magic == MAGIC => {}
        Some(magic) if magic[..7] == MAGIC[..7] => {
            let (version, known) = (magic[7], MAGIC[7]);
            return Err(JournalError::Version { path: path.to_owned(), version, known });
        }
        _ => return Err(corrupt(0, "this is not a query's journal".to_owned())),
    }
    let mut recovered = Recovered::default();
    let mut position = MAGIC.len();
    while position < bytes.len() {
        match frame_at(bytes, position) {
            Found::Frame { kind, payload, end } => {
                let frame = Frame::decode(kind, &payload).map_err(|reason| corrupt(position, reason))?;
                recovered.fold(frame).map_err(|reason| corrupt(position, reason))?;
                position = end;
            }
            // It was being written when the writing stopped.
            Found::Torn => break,
            Found::Rotten => return Err(corrupt(position, "the checksum is wrong".to_owned())),
        }
    }
    Ok((recovered, position as u64))
}

enum Found {
    Frame { kind: u8, payload: Bytes, end: usize },
    Torn,
    Rotten,
}

fn frame_at(bytes: &Bytes, position: usize) -> Found {
    let Some((end, crc)) = head_at(bytes, position) else { return Found::Torn };
    if crc32c::crc32c(&bytes[position + 8..end]) == crc {
        return Found::Frame {
            kind: bytes[position + 8],
            payload: bytes.slice(position + HEAD_BYTES..end),
            end,
        };
    }
    // A good frame right behind means that this one had once been complete.
    match head_at(bytes, end) {
        Some((next_end, next)) if crc32c::crc32c(&bytes[end + 8..next_end]) == next => Found::Rotten,
        _ => Found::Torn,
    }
}

/// Where the frame at `position` ends, and its checksum.
fn head_at(bytes: &[u8], position: usize) -> Option<(usize, u32)> {
    let (length, rest) = bytes.get(position..)?.split_first_chunk::<4>()?;
    let crc = rest.first_chunk::<4>()?;
    let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
    let end = position.checked_add(HEAD_BYTES)?.checked_add(length)?;
    (length <= PAYLOAD_BYTES_MAX && end <= bytes.len()).then(|| (end, u32::from_le_bytes(*crc)))
}

impl Recovered {
    fn fold(&mut self, frame: Frame) -> Result<(), String> {
        match frame {
            Frame::Start(start) => {
                self.progress.query = start.query;
                self.progress.producer_id = start.producer_id;
                self.progress.log = start.log;
                self.progress.standing.offsets = start.offsets;
                // Rows are counted for a producer, in the log that it writes to.
                self.progress.standing.numbers.clear();
            }
            Frame::Intent(intent) if intent.batch == self.progress.standing.batch + 1 => {
                self.undone = Some(intent);
            }
            Frame::Intent(intent) => {
                return Err(format!("batch {} follows batch {}", intent.batch, self.progress.standing.batch));
            }
            Frame::Done(done, blob) => self.done(done, blob)?,
            Frame::Version(version, model) => self.keep(version, model),
            Frame::Snapshot(snapshot, state) => {
                self.progress.standing = snapshot;
                self.state = Some(state);
                self.changes.clear();
            }
        }
        Ok(())
    }

    fn done(&mut self, done: Done, blob: Bytes) -> Result<(), String> {
        let intent = self.undone.take().filter(|intent| intent.batch == done.batch);
        let intent = intent.ok_or_else(|| format!("batch {} is done without having begun", done.batch))?;
        self.progress.standing.apply(&intent, &done);
        let mut state = blob;
        if let Some(version) = done.model {
            let bytes = usize::try_from(done.state_bytes.unwrap_or(0)).unwrap_or(usize::MAX);
            if bytes > state.len() {
                return Err(format!("batch {} has {} bytes, and {bytes} of state", done.batch, state.len()));
            }
            self.keep(version, state.split_off(bytes));
        }
        if !state.is_empty() {
            self.changes.push(state);
        }
        done.next.map_or(Ok(()), |next| self.fold(Frame::Intent(next)))
    }

    /// Versions beyond those kept are held until all pins are known.
    fn keep(&mut self, version: ModelRecord, model: Bytes) {
        self.versions.push((version, model));
    }

    /// Forgets old versions that no batch asks for.
    pub(crate) fn trim_versions(&mut self, pinned: &dyn Fn(u64) -> bool) {
        let recent = surplus(self.versions.iter().map(|(_, snapshot)| snapshot.len()));
        let mut index = 0;
        self.versions.retain(|(version, _)| {
            index += 1;
            index > recent || pinned(version.version)
        });
    }
}

impl Snapshot {
    /// The standing after the batch.
    pub(crate) fn apply(&mut self, intent: &Intent, done: &Done) {
        self.batch = done.batch;
        for (topic, partitions) in &intent.ranges {
            let offsets: &mut BTreeMap<u32, i64> = self.offsets.entry(topic.clone()).or_default();
            offsets.extend(partitions.iter().map(|(partition, (_, end))| (*partition, *end)));
        }
        self.numbers.clone_from(&done.numbers);
        self.rows_read += done.rows_read;
        self.rows_written += done.rows_written;
        self.refused += done.refused;
        self.late += done.late;
        self.event_times.clone_from(&done.event_times);
        self.earlier_watermark = std::mem::replace(&mut self.watermark, done.watermark);
        self.samples.extend(done.samples.iter().cloned());
        let surplus = self.samples.len().saturating_sub(SAMPLES_KEPT);
        self.samples.drain(..surplus);
    }
}
