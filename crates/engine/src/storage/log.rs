//! Bytes that only grow, and are all there again after a crash: what a query remembers.
//!
//! On this machine they are a file, with room for the next additions behind its end: zeros, which whoever opens it
//! [cuts off](Log::cut): a flush takes about half as long where the file system has nothing to note but the bytes. In a
//! bucket, where nothing grows, every addition is an object of its own, under the next number, and begins with who wrote
//! it; whoever finds that number taken is not the only writer, and ends. `docs/formats/checkpoint.md` has the names.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use env::{Disk, DiskFile, OpenMode, write_atomically};

use crate::storage::bucket::WRITER_BYTES;
use crate::storage::place::{Place, WHOLE_BYTES_MAX};
use crate::storage::{Bucket, Store};

/// An object that amounts to all before it and itself has this behind its number.
const ALL: &str = ".all";

/// So many additions are brought together, even if they are short: each is a request when they are read.
const PIECES_MAX: u64 = 1_000;

/// A writer that has written nothing for so long looks first whether somebody else has: what it would find taken
/// may be gone already.
const SILENCE: Duration = Duration::from_secs(60);

/// So many zeros are written behind an addition that has no room any more.
const ROOM_BYTES: usize = 64 * 1024;

/// A longer addition makes no room: it would hold few of its kind.
const ROOM_ADDITION_MAX: usize = ROOM_BYTES / 16;

/// An open log.
#[derive(Debug)]
pub(crate) struct Log {
    place: Place,
    kept: Kept,
    end: u64,
    /// Where it ended when it was last replaced by what it amounts to.
    trimmed_end: u64,
    /// A write failed: what is there is not known any more, until it is read again.
    poisoned: bool,
}

#[derive(Debug)]
enum Kept {
    File { disk: Arc<dyn Disk>, file: Box<dyn DiskFile>, length: u64 },
    Objects(Objects),
}

#[derive(Debug)]
struct Objects {
    bucket: Bucket,
    /// The number of the last addition.
    newest: u64,
    /// How many of them are not brought together.
    pieces: u64,
    /// Names that mean nothing any more. They stay until the next time: a writer that lags behind finds them taken.
    old: Vec<String>,
    /// When something was last written or read.
    seen: Duration,
}

impl Log {
    /// Makes a log that begins with `bytes`; durable on return.
    ///
    /// # Errors
    /// `AlreadyExists` if somebody else just made it, in a bucket.
    pub(crate) fn create(place: Place, bytes: &[u8]) -> io::Result<Self> {
        let bucket = match &place.store {
            Store::Bucket(bucket) => bucket.clone().patient(),
            Store::Local(disk) => {
                let disk = Arc::clone(disk);
                if let Some(parent) = place.path().parent() {
                    disk.create_dir_all(parent)?;
                }
                write_atomically(disk.as_ref(), place.path(), bytes)?;
                return Log::at_end(place, disk);
            }
        };
        let seen = bucket.now();
        let objects = Objects { bucket, newest: 0, pieces: 0, old: Vec::new(), seen };
        let mut log = Log { place, kept: Kept::Objects(objects), end: 0, trimmed_end: 0, poisoned: false };
        log.append(bytes)?;
        log.trimmed_end = log.end;
        Ok(log)
    }

    /// Opens a log and reads all of it; nothing if there is none. Before anything is added, what stands behind its last
    /// addition, and be it zeros, has to be [cut off](Self::cut).
    ///
    /// # Errors
    /// `InvalidData` if a part of it is missing.
    pub(crate) fn open(place: Place) -> io::Result<Option<(Self, Bytes)>> {
        match place.store.clone() {
            Store::Bucket(bucket) => Log::open_objects(place, bucket),
            Store::Local(disk) => match disk.read(place.path()) {
                Ok(bytes) => Ok(Some((Log::at_end(place, disk)?, bytes.into()))),
                Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
                Err(error) => Err(error),
            },
        }
    }

    fn at_end(place: Place, disk: Arc<dyn Disk>) -> io::Result<Self> {
        let file = disk.open(place.path(), OpenMode::ReadWrite)?;
        let length = file.len()?;
        let kept = Kept::File { disk, file, length };
        Ok(Log { place, kept, end: length, trimmed_end: length, poisoned: false })
    }

    fn open_objects(place: Place, bucket: Bucket) -> io::Result<Option<(Self, Bytes)>> {
        let seen = bucket.now();
        let names = Names::of(place.names()?);
        if names.pieces.is_empty() && names.all.is_none() {
            return Ok(None);
        }
        let (parts, newest) = names.to_read(&place)?;
        let mut bytes = BytesMut::new();
        let mut trimmed_end = 0;
        for chunk in parts.chunks(place.store.side_by_side()) {
            let paths: Vec<_> = chunk.iter().map(|name| place.path().join(name)).collect();
            for (name, read) in chunk.iter().zip(place.store.read_all(&paths, WHOLE_BYTES_MAX)) {
                let held = read?.bytes;
                let own = held
                    .get(WRITER_BYTES..)
                    .ok_or_else(|| damaged(&place, &format!("{name} is too short")))?;
                bytes.extend_from_slice(own);
                if name.ends_with(ALL) {
                    trimmed_end = bytes.len() as u64;
                }
            }
        }
        let pieces = newest - names.all.unwrap_or(0);
        let bucket = bucket.patient();
        let objects = Objects { bucket, newest, pieces, old: names.old(), seen };
        let (kept, end) = (Kept::Objects(objects), bytes.len() as u64);
        Ok(Some((Log { place, kept, end, trimmed_end, poisoned: false }, bytes.freeze())))
    }

    /// How many bytes it has, of which those that it was opened with may have been room.
    pub(crate) fn end(&self) -> u64 {
        self.end
    }

    /// Forgets what lies behind `end`: room, or what was being written when the power went. An object has neither.
    ///
    /// # Errors
    /// `InvalidData` in a bucket.
    pub(crate) fn cut(&mut self, end: u64) -> io::Result<()> {
        match &mut self.kept {
            Kept::File { file, length, .. } => {
                file.set_len(end)?;
                file.sync_data()?;
                *length = end;
            }
            Kept::Objects(_) => {
                return Err(damaged(&self.place, &format!("what follows byte {end} is incomplete")));
            }
        }
        (self.end, self.trimmed_end) = (end, self.trimmed_end.min(end));
        Ok(())
    }

    /// Adds bytes and waits until they are durable.
    ///
    /// # Errors
    /// If that is not certain; nothing can be added any more then. `AlreadyExists` if another writer has gone on, in a
    /// bucket.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        if self.poisoned {
            return Err(io::Error::other("an earlier write to this journal failed"));
        }
        self.poisoned = true;
        match &mut self.kept {
            Kept::File { file, length, .. } => {
                let end = self.end + bytes.len() as u64;
                if end > *length && bytes.len() <= ROOM_ADDITION_MAX {
                    file.write_at(&[bytes, &[0; ROOM_BYTES]].concat(), self.end)?;
                    *length = end + ROOM_BYTES as u64;
                } else {
                    file.write_at(bytes, self.end)?;
                    *length = end.max(*length);
                }
                file.sync_data()?;
            }
            Kept::Objects(objects) => objects.append(&self.place, bytes)?,
        }
        self.poisoned = false;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Whether it has grown by `bytes`, and to twice of what the last replacement left; or in too many pieces.
    pub(crate) fn is_long(&self, bytes: u64) -> bool {
        let many = match &self.kept {
            Kept::File { .. } => false,
            Kept::Objects(objects) => objects.pieces > PIECES_MAX.max(self.trimmed_end >> 20),
        };
        many || self.end - self.trimmed_end > bytes.max(self.trimmed_end)
    }

    /// Puts `bytes` in the place of all that is there.
    pub(crate) fn replace(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.kept {
            Kept::File { disk, file, length } => {
                write_atomically(disk.as_ref(), self.place.path(), bytes)?;
                *file = disk.open(self.place.path(), OpenMode::ReadWrite)?;
                *length = bytes.len() as u64;
            }
            Kept::Objects(objects) => objects.replace(&self.place, bytes)?,
        }
        (self.end, self.trimmed_end) = (bytes.len() as u64, bytes.len() as u64);
        Ok(())
    }
}

impl Objects {
    fn append(&mut self, place: &Place, bytes: &[u8]) -> io::Result<()> {
        let number = self.newest + 1;
        if self.bucket.now().saturating_sub(self.seen) > SILENCE {
            let names = Names::of(self.bucket.names(place.path())?);
            if names.newest() != self.newest {
                return Err(taken(place));
            }
        }
        let object = place.join(&piece(number));
        self.bucket.claim(object.path(), self.signed(bytes)).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => taken(place),
            _ => error,
        })?;
        (self.newest, self.seen) = (number, self.bucket.now());
        self.pieces += 1;
        Ok(())
    }

    fn replace(&mut self, place: &Place, bytes: &[u8]) -> io::Result<()> {
        let whole = piece(self.newest) + ALL;
        self.bucket.put(place.join(&whole).path(), self.signed(bytes))?;
        self.seen = self.bucket.now();
        if self.pieces == 0 {
            return Ok(());
        }
        for name in std::mem::take(&mut self.old) {
            let object = place.join(&name);
            if let Err(error) = self.bucket.remove(object.path()) {
                // The next one who opens the log finds it, and tries again.
                tracing::warn!(object = %object.path().display(), %error, "left an object of a journal");
            }
        }
        let before = self.newest - self.pieces;
        let all_before = (before > 0).then(|| piece(before) + ALL);
        self.old = (before + 1..=self.newest).map(piece).chain(all_before).collect();
        self.pieces = 0;
        Ok(())
    }

    fn signed(&self, bytes: &[u8]) -> Bytes {
        [self.bucket.writer().as_slice(), bytes].concat().into()
    }
}

/// The objects of a log.
#[derive(Debug, Default)]
struct Names {
    /// The additions, in order.
    pieces: Vec<u64>,
    /// The last addition of the newest that amounts to all before it, and of older ones.
    all: Option<u64>,
    replaced: Vec<u64>,
}

impl Names {
    fn of(names: Vec<String>) -> Self {
        let mut found = Names::default();
        for name in names {
            let (number, all) =
                name.strip_suffix(ALL).map_or((name.as_str(), false), |number| (number, true));
            match number.parse::<u64>() {
                Ok(number) if all => found.replaced.push(number),
                Ok(number) => found.pieces.push(number),
                Err(_) => {}
            }
        }
        found.pieces.sort_unstable();
        found.replaced.sort_unstable();
        found.all = found.replaced.pop();
        found
    }

    fn newest(&self) -> u64 {
        self.all.max(self.pieces.last().copied()).unwrap_or(0)
    }

    /// What has to be read, in order, and the last number.
    fn to_read(&self, place: &Place) -> io::Result<(Vec<String>, u64)> {
        let mut newest = self.all.unwrap_or(0);
        let mut parts: Vec<String> = self.all.map(|number| piece(number) + ALL).into_iter().collect();
        for number in self.pieces.iter().copied().filter(|number| *number > newest).collect::<Vec<_>>() {
            if number != newest + 1 {
                return Err(damaged(place, &format!("{} is missing", piece(newest + 1))));
            }
            parts.push(piece(number));
            newest = number;
        }
        Ok((parts, newest))
    }

    /// What the newest that amounts to all before it makes superfluous.
    fn old(&self) -> Vec<String> {
        let Some(all) = self.all else { return Vec::new() };
        let pieces = self.pieces.iter().filter(|number| **number <= all).map(|number| piece(*number));
        pieces.chain(self.replaced.iter().map(|number| piece(*number) + ALL)).collect()
    }
}

fn piece(number: u64) -> String {
    format!("{number:020}")
}

fn taken(place: &Place) -> io::Error {
    let reason =
        format!("another program goes on from {}: one query remembers there", place.path().display());
    io::Error::new(io::ErrorKind::AlreadyExists, reason)
}

fn damaged(place: &Place, reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("{}: {reason}", place.path().display()))
}

#[cfg(test)]
mod tests;
