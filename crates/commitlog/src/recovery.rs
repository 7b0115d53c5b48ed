//! Opening a log: believing what a clean stop left, or finding out what is there.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use env::Disk;

use crate::compaction;
use crate::index::Index;
use crate::names::{self, FileKind};
use crate::producer_state::{ProducerState, Snapshot};
use crate::scan::Piece;
use crate::segment::{Segment, failed};
use crate::{Config, Error};

/// How the last owner of a log stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastStop {
    /// By [`Log::close`](crate::Log::close), and its mark was found.
    Clean,
    /// Nobody knows.
    Unclean,
}

/// What opening a log found and did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recovery {
    /// A torn tail that was cut.
    pub cut: Option<CutTail>,
    /// Rotten bytes with sound batches behind them. They stay where they are.
    pub rotten: Vec<Rotten>,
    /// How many bytes of batches were read to find out.
    pub scanned_bytes: u64,
}

/// The end of a segment that was no whole batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CutTail {
    /// The segment file.
    pub path: PathBuf,
    /// Its length now.
    pub position: u64,
    /// How much was cut.
    pub bytes: u64,
}

/// Rotten bytes in the middle of a segment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotten {
    /// The segment file.
    pub path: PathBuf,
    /// Where the rot begins.
    pub position: u64,
    /// How long it is.
    pub bytes: u64,
    /// The first offset behind it.
    pub next_offset: i64,
}

/// A log's parts, as opening found them.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) segments: Vec<Arc<Segment>>,
    pub(crate) next_offset: i64,
    pub(crate) log_start_offset: i64,
    pub(crate) producers: ProducerState,
    pub(crate) recovery: Recovery,
    /// Whether all of this was believed as a clean stop left it.
    pub(crate) from_snapshot: bool,
}

pub(crate) fn open(
    disk: &Arc<dyn Disk>,
    dir: &Path,
    config: &Config,
    last_stop: LastStop,
) -> Result<Opened, Error> {
    let (segments, snapshots) = list(disk, dir, config)?;
    let active = Arc::clone(segments.last().expect("a log has at least one segment"));
    let log_start_offset = read_log_start(&**disk, dir)?.max(segments[0].base_offset());
    if last_stop == LastStop::Clean
        && let Some(snapshot) = clean_snapshot(&**disk, dir, &snapshots, &active, config)
    {
        let (next_offset, producers) = (snapshot.end_offset, snapshot.state);
        let recovery = Recovery::default();
        return Ok(Opened {
            segments,
            next_offset,
            log_start_offset,
            producers,
            recovery,
            from_snapshot: true,
        });
    }
    let mut recovery = Recovery::default();
    let mut producers = producers_before(&**disk, dir, &snapshots, &segments, config)?;
    let next_offset = recover_active(&active, &mut producers, &mut recovery)?;
    Ok(Opened { segments, next_offset, log_start_offset, producers, recovery, from_snapshot: false })
}

/// The segments, oldest first, at least one; and the end offsets of the producers' files, newest first.
fn list(disk: &Arc<dyn Disk>, dir: &Path, config: &Config) -> Result<(Vec<Arc<Segment>>, Vec<i64>), Error> {
    let (mut segments, mut snapshots) = (Vec::new(), Vec::new());
    let mut entries = disk.read_dir(dir).map_err(failed("listing", dir))?;
    if compaction::finish_interrupted(disk, dir, &entries)? {
        entries = disk.read_dir(dir).map_err(failed("listing", dir))?;
    }
    for entry in entries {
        match names::parse(&entry.name) {
            Some((base, FileKind::Log)) => {
                let path = names::path(dir, base, FileKind::Log);
                let size = disk.len(&path).map_err(failed("opening", &path))?;
                let interval = config.index_interval_bytes;
                segments.push(Arc::new(Segment::new(Arc::clone(disk), dir, base, interval, size)));
            }
            Some((end_offset, FileKind::Producers)) => snapshots.push(end_offset),
            _ => {}
        }
    }
    segments.sort_by_key(|segment| segment.base_offset());
    snapshots.sort_unstable_by(|one, other| other.cmp(one));
    if segments.is_empty() {
        let segment = Segment::new(Arc::clone(disk), dir, 0, config.index_interval_bytes, 0);
        segment.create()?;
        disk.sync_dir(dir).map_err(failed("creating a segment in", dir))?;
        segments.push(Arc::new(segment));
    }
    Ok((segments, snapshots))
}

/// The producers' file of a clean stop, if it fits the last segment to the byte.
fn clean_snapshot(
    disk: &dyn Disk,
    dir: &Path,
    snapshots: &[i64],
    active: &Segment,
    config: &Config,
) -> Option<Snapshot> {
    let snapshot = read_snapshot(disk, dir, *snapshots.first()?, config)?;
    let fits = snapshot.segment_base_offset == active.base_offset()
        && snapshot.segment_bytes == active.size()
        && snapshot.end_offset >= active.base_offset();
    fits.then_some(snapshot)
}

fn read_snapshot(disk: &dyn Disk, dir: &Path, end_offset: i64, config: &Config) -> Option<Snapshot> {
    let bytes = disk.read(&names::path(dir, end_offset, FileKind::Producers)).ok()?;
    let snapshot = Snapshot::from_bytes(&bytes, config.producers_max)?;
    (snapshot.end_offset == end_offset).then_some(snapshot)
}

/// The producers as they were when the last segment began: from the newest sound file not past that point, and the
/// batches since.
fn producers_before(
    disk: &dyn Disk,
    dir: &Path,
    snapshots: &[i64],
    segments: &[Arc<Segment>],
    config: &Config,
) -> Result<ProducerState, Error> {
    let (active, older) = segments.split_last().expect("a log has at least one segment");
    let usable = snapshots.iter().filter(|end| **end <= active.base_offset());
    let snapshot = usable
        .filter_map(|end| read_snapshot(disk, dir, *end, config))
        .next()
        .unwrap_or_else(|| Snapshot::empty(config.producers_max));
    let mut producers = snapshot.state;
    let known = snapshot.end_offset;
    for (at, segment) in older.iter().enumerate() {
        if segments[at + 1].base_offset() <= known {
            continue;
        }
        let mut scan = segment.scan_all()?;
        while let Some(piece) = scan.next_piece().map_err(segment.failed("reading"))? {
            match piece {
                Piece::Batch { batch, .. } if batch.header.base_offset >= known => {
                    producers.note_batch(&batch);
                }
                _ => {}
            }
        }
    }
    Ok(producers)
}

/// Walks the last segment: rebuilds its index, learns its producers, cuts its torn tail. Answers the next offset.
///
/// Older segments need no walk: each was flushed before the next one was begun.
fn recover_active(
    active: &Segment,
    producers: &mut ProducerState,
    recovery: &mut Recovery,
) -> Result<i64, Error> {
    let mut index: Index = active.new_index();
    let mut next_offset = active.base_offset();
    let mut cut = None;
    let mut scan = active.scan_all()?;
    while let Some(piece) = scan.next_piece().map_err(active.failed("reading"))? {
        match piece {
            Piece::Batch { position, batch } => {
                index.note(&batch.header, position);
                producers.note_batch(&batch);
                next_offset = batch.header.next_offset();
            }
            Piece::Rot { from, to, resumes: Some(resumed) } => {
                let rotten =
                    Rotten { path: active.path(), position: from, bytes: to - from, next_offset: resumed };
                recovery.rotten.push(rotten);
            }
            Piece::Rot { from, to, resumes: None } => {
                cut = Some(CutTail { path: active.path(), position: from, bytes: to - from });
            }
        }
    }
    recovery.scanned_bytes = active.size();
    if recovery.rotten.is_empty() {
        active.places().note_verified(0, cut.as_ref().map_or(active.size(), |cut| cut.position));
    }
    if let Some(cut) = &cut {
        active.file()?.set_len(cut.position).map_err(active.failed("cutting the torn tail of"))?;
        active.publish(cut.position);
    }
    if recovery.scanned_bytes > 0 {
        // Whoever reads from now on reads what a power cut cannot take back.
        active.file()?.sync_data().map_err(active.failed("flushing"))?;
    }
    recovery.cut = cut;
    active.set_index(index);
    Ok(next_offset)
}

fn read_log_start(disk: &dyn Disk, dir: &Path) -> Result<i64, Error> {
    let path = dir.join(names::LOG_START_FILE);
    if !disk.exists(&path) {
        return Ok(0);
    }
    let bytes = disk.read(&path).map_err(failed("reading", &path))?;
    // An unreadable number shows more than it should, and hides nothing.
    Ok(std::str::from_utf8(&bytes).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0))
}
