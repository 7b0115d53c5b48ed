//! The owner's side of one partition: append, flush, roll, close.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use bytes::Bytes;
use env::{Disk, write_atomically};
use record::Batch;

use crate::names::{self, FileKind};
use crate::producer_state::{Snapshot, Verdict};
use crate::reader::{Shared, UNKNOWN_MS, lock};
use crate::recovery::{self, LastStop, Opened, Recovery};
use crate::segment::{Segment, failed};
use crate::stage::Stage;
use crate::tail::Tail;
use crate::{Config, Error, LogReader};

/// Index positions have 31 bits, for Kafka's sake.
const SEGMENT_BYTES_LIMIT: u64 = i32::MAX as u64;

/// Where one request's batches lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the first record.
    pub base_offset: i64,
    /// The offset of the last record.
    pub last_offset: i64,
    /// The time of appending, -1 where batches keep their producer's times.
    pub log_append_time: i64,
    /// Whether they lay there already.
    pub duplicate: bool,
}

/// One partition's log, as its only writer has it.
#[derive(Debug)]
pub struct Log {
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) config: Config,
    pub(crate) active: Arc<Segment>,
    pub(crate) size: u64,
    pub(crate) next_offset: i64,
    /// Everything before it was flushed.
    pub(crate) flushed_offset: i64,
    /// Whether a close has anything to add to what a clean stop left.
    pub(crate) touched: bool,
    poison: Option<Arc<io::Error>>,
}

impl Log {
    /// Opens the log in `dir`, which must exist; an empty directory becomes an empty log.
    ///
    /// # Errors
    /// When the disk refuses. Damaged batches are told in [`Recovery`] and never prevent a start; derived files are
    /// rebuilt.
    pub fn open(
        disk: Arc<dyn Disk>,
        dir: &Path,
        config: Config,
        last_stop: LastStop,
    ) -> Result<(Self, Recovery), Error> {
        let Opened { segments, next_offset, log_start_offset, producers, recovery, from_snapshot } =
            recovery::open(&disk, dir, &config, last_stop)?;
        let active = Arc::clone(segments.last().expect("a log has at least one segment"));
        let tail = Mutex::new(Tail::new(config.tail_bytes, config.tail_budget.clone()));
        let shared = Shared {
            dir: dir.to_owned(),
            uncompressed_bytes_max: config.uncompressed_bytes_max,
            segments: RwLock::new(Arc::new(segments)),
            log_start_offset: AtomicI64::new(log_start_offset),
            active_since_ms: AtomicI64::new(UNKNOWN_MS),
            cleaned: Mutex::new(None),
            tail,
            buffers: Arc::clone(&config.tail_budget.buffers),
            producers: Mutex::new(producers),
        };
        // Who was killed may have left records that only the system's memory holds. Older segments were flushed when
        // the next one was begun.
        let flushed_offset = match last_stop {
            LastStop::Clean => next_offset,
            LastStop::Unclean => active.base_offset().min(next_offset),
        };
        let log = Self {
            disk,
            size: active.size(),
            shared: Arc::new(shared),
            config,
            active,
            next_offset,
            flushed_offset,
            touched: !from_snapshot,
            poison: None,
        };
        // Whoever appends will hear of a disk that is full.
        drop(log.reserve_in(&log.active));
        Ok((log, recovery))
    }

    /// A handle to read with.
    #[must_use]
    pub fn reader(&self) -> LogReader {
        LogReader { shared: Arc::clone(&self.shared) }
    }

    /// The offset that the next record gets.
    #[must_use]
    pub fn next_offset(&self) -> i64 {
        self.next_offset
    }

    /// The partition's directory.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.shared.dir
    }

    /// Changes the settings. Those of memory and of producers stay as they were at the start; the others hold from the
    /// next append on.
    pub fn set_config(&mut self, config: Config) {
        self.config = config;
    }

    /// Whether a request of so many bytes can be appended by one short write: no segment ends for it, and nothing has to
    /// be read first.
    #[must_use]
    pub fn is_ready(&self, request_bytes: usize, now_ms: i64) -> bool {
        let stage = Stage::new(self.next_offset, 0);
        // There cannot be more records than bytes.
        let records = i64::try_from(request_bytes).unwrap_or(i64::MAX);
        self.poison.is_none()
            && self.active.is_at_hand()
            && !self.is_full(&stage, request_bytes as u64, records, now_ms)
    }

    /// Appends one request, as [`append`](Self::append) does.
    ///
    /// # Errors
    /// As [`append`](Self::append).
    pub fn append_one(&mut self, request: &Bytes, now_ms: i64) -> Result<Appended, Error> {
        let mut answers = [None];
        let mut stage = Stage::new(self.next_offset, request.len());
        match self.admit(&mut stage, &mut answers, 0, request, now_ms)? {
            Some(duplicate) => Ok(duplicate),
            None => {
                self.write(&mut stage, &mut answers);
                let [answer] = answers;
                answer.expect("what was staged was answered")
            }
        }
    }

    /// Appends requests, each of one or more whole and already checked batches, in order, by as few writes as
    /// a buffer and a segment allow. Each request succeeds or fails as a whole; there is one answer per request.
    pub fn append(&mut self, requests: &[Bytes], now_ms: i64) -> Vec<Result<Appended, Error>> {
        let mut answers: Vec<Option<Result<Appended, Error>>> = vec![None; requests.len()];
        let mut stage = Stage::new(self.next_offset, requests.iter().map(Bytes::len).sum());
        for (at, request) in requests.iter().enumerate() {
            match self.admit(&mut stage, &mut answers, at, request, now_ms) {
                Ok(Some(duplicate)) => answers[at] = Some(Ok(duplicate)),
                Ok(None) => {}
                Err(error) => answers[at] = Some(Err(error)),
            }
        }
        self.write(&mut stage, &mut answers);
        answers.into_iter().map(|answer| answer.expect("every request was answered")).collect()
    }

    /// Flushes, and writes what makes the next start fast: index files and the producers' file.
    ///
    /// # Errors
    /// When something could not be written; the caller must not leave the mark of a clean stop then.
    pub fn close(mut self) -> Result<(), Error> {
        self.release()?;
        self.flush()?;
        if !self.touched {
            return Ok(());
        }
        self.active.write_index(false)?;
        self.write_producers()?;
        self.disk.sync_dir(self.dir()).map_err(failed("flushing", self.dir()))
    }

    /// Lets the log begin at `offset`: earlier records are gone for readers at once, and whole segments before it
    /// are removed. Answers the offset the log begins at now. `offset` is limited to `up_to`.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn delete_before(&mut self, offset: i64, up_to: i64) -> Result<i64, Error> {
        let start = offset.min(up_to).min(self.next_offset);
        for segment in self.begin_at(start)? {
            segment.remove()?;
        }
        Ok(self.shared.log_start_offset.load(Ordering::Acquire))
    }

    /// Lets the log begin at `start`, durably, if it does not begin later already; answers the segments that lie before
    /// it. Nobody finds them any more, and their files are the caller's to remove.
    pub(crate) fn begin_at(&mut self, start: i64) -> Result<Vec<Arc<Segment>>, Error> {
        if start <= self.shared.log_start_offset.load(Ordering::Acquire) {
            return Ok(Vec::new());
        }
        let path = self.dir().join(names::LOG_START_FILE);
        write_atomically(&*self.disk, &path, format!("{start}\n").as_bytes())
            .map_err(failed("writing", &path))?;
        self.shared.log_start_offset.store(start, Ordering::Release);
        lock(&self.shared.producers).transactions_mut().forget_before(start);
        let segments = self.shared.segments();
        let dead = segments.windows(2).take_while(|pair| pair[1].base_offset() <= start).count();
        if dead > 0 {
            self.replace_segments(segments[dead..].to_vec());
        }
        Ok(segments[..dead].to_vec())
    }

    /// Judges one request and puts it on the stage. Answers where a repeated request lies.
    fn admit(
        &mut self,
        stage: &mut Stage,
        answers: &mut [Option<Result<Appended, Error>>],
        at: usize,
        request: &Bytes,
        now_ms: i64,
    ) -> Result<Option<Appended>, Error> {
        self.check_poison()?;
        let batches: Vec<Batch> = record::batches(request)
            .collect::<Result<_, _>>()
            .map_err(|error| Error::Batch(Arc::new(error)))?;
        let records: i64 = batches.iter().map(|batch| i64::from(batch.header.last_offset_delta) + 1).sum();
        let mut known = self.known(&batches)?;
        if known.is_some_and(|known| known.base_offset >= self.next_offset) {
            // It repeats a batch that is still on the stage: whether it lies there depends on that write.
            self.write(stage, answers);
            self.check_poison()?;
            known = self.known(&batches)?;
        }
        if known.is_some() {
            return Ok(known);
        }
        if self.is_full(stage, request.len() as u64, records, now_ms) {
            self.write(stage, answers);
            self.check_poison()?;
            self.roll()?;
        } else if stage.is_full(request.len()) {
            self.write(stage, answers);
            self.check_poison()?;
        }
        let log_append_time = if self.config.log_append_time { now_ms } else { -1 };
        self.shared.note_append(now_ms);
        stage.add(at, &batches, log_append_time, &mut lock(&self.shared.producers));
        Ok(None)
    }

    /// Where the batches lie, if their producer sent them before.
    fn known(&self, batches: &[Batch]) -> Result<Option<Appended>, Error> {
        let producers = lock(&self.shared.producers);
        for batch in batches {
            if let Verdict::Duplicate(known) = producers.check(&batch.header)? {
                let (base_offset, last_offset) = (known.base_offset, known.last_offset);
                return Ok(Some(Appended { base_offset, last_offset, log_append_time: -1, duplicate: true }));
            }
        }
        Ok(None)
    }

    pub(crate) fn is_full(&self, stage: &Stage, bytes: u64, records: i64, now_ms: i64) -> bool {
        let (staged, config) = (stage.len(), &self.config);
        if self.size + staged == 0 {
            return false;
        }
        let limit = config.segment_bytes.min(SEGMENT_BYTES_LIMIT);
        let old =
            self.shared.active_since().is_some_and(|since| now_ms.saturating_sub(since) >= self.segment_ms());
        let span = stage.next_offset() + records - self.active.base_offset();
        self.size + staged + bytes > limit || span > i64::from(i32::MAX) || old
    }

    /// Writes what is on the stage, answers its requests, and clears it.
    pub(crate) fn write(&mut self, stage: &mut Stage, answers: &mut [Option<Result<Appended, Error>>]) {
        if stage.len() == 0 {
            return;
        }
        let bytes = stage.take_bytes();
        let outcome = self.active.with_index(|_| ()).and_then(|()| {
            self.active.file()?.write_at(&bytes, self.size).map_err(self.active.failed("writing"))
        });
        match outcome {
            Ok(()) => {
                self.accept(stage, bytes);
                stage.answer(answers);
            }
            Err(error) => {
                let error = self.take_back(error);
                stage.refuse(answers, &error, self.next_offset, &mut lock(&self.shared.producers));
            }
        }
    }

    fn accept(&mut self, stage: &Stage, bytes: Bytes) {
        let (base_offset, start) = (self.next_offset, self.size);
        let noted = self.active.with_index_mut(|index| {
            for (header, at) in stage.headers() {
                index.note(header, start + at);
            }
        });
        debug_assert!(noted.is_ok(), "the index was loaded before the write");
        self.touched = true;
        self.size += bytes.len() as u64;
        self.next_offset = stage.next_offset();
        self.active.publish(self.size);
        lock(&self.shared.tail).push(base_offset, self.next_offset, bytes);
    }

    /// After a failed write: cuts off what part of it arrived. Only a full disk is forgiven.
    fn take_back(&mut self, error: Error) -> Error {
        let cut = self
            .active
            .file()
            .and_then(|file| file.set_len(self.size).map_err(self.active.failed("cutting")));
        match (error, cut) {
            (Error::DiskFull { path }, Ok(())) => Error::DiskFull { path },
            (Error::Io { source, .. }, _) | (_, Err(Error::Io { source, .. })) => self.poison_shared(source),
            (error, _) => self.poison_shared(Arc::new(io::Error::other(error))),
        }
    }

    /// Closes the active segment and begins the next one. Everything of the old one is durable first, so that
    /// recovery never has to look at it.
    pub(crate) fn roll(&mut self) -> Result<(), Error> {
        self.release()?;
        self.flush()?;
        self.active.write_index(true)?;
        self.write_producers()?;
        let interval = self.config.index_interval_bytes;
        let next = Segment::new(Arc::clone(&self.disk), self.dir(), self.next_offset, interval, 0);
        // A file of this name that holds something, or whose name may get lost, would be mistaken for the log's end.
        next.create()?;
        self.reserve_in(&next)?;
        if let Err(error) = self.disk.sync_dir(self.dir()) {
            return Err(self.poison(error));
        }
        next.set_index(next.new_index());
        let next = Arc::new(next);
        let mut segments = self.shared.segments().to_vec();
        segments.push(Arc::clone(&next));
        self.replace_segments(segments);
        self.active = next;
        self.size = 0;
        self.shared.active_since_ms.store(UNKNOWN_MS, Ordering::Release);
        Ok(())
    }

    /// Sets space aside for all of a segment, where that is wanted.
    fn reserve_in(&self, segment: &Segment) -> Result<(), Error> {
        if !self.config.preallocate {
            return Ok(());
        }
        let bytes = self.config.segment_bytes.min(SEGMENT_BYTES_LIMIT);
        segment.file()?.reserve(bytes).map_err(segment.failed("reserving"))
    }

    /// Gives back what was set aside for the active segment and not used.
    fn release(&self) -> Result<(), Error> {
        if !self.config.preallocate || self.poison.is_some() {
            return Ok(());
        }
        self.active.file()?.set_len(self.size).map_err(self.active.failed("cutting"))
    }

    pub(crate) fn replace_segments(&self, segments: Vec<Arc<Segment>>) {
        *self.shared.segments.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(segments);
    }

    /// Writes the producers' file of this moment, and removes all but the one before it.
    fn write_producers(&self) -> Result<(), Error> {
        let snapshot = Snapshot {
            end_offset: self.next_offset,
            segment_base_offset: self.active.base_offset(),
            segment_bytes: self.size,
            state: lock(&self.shared.producers).clone(),
        };
        let path = self.producers_path(self.next_offset);
        write_atomically(&*self.disk, &path, &snapshot.to_bytes()).map_err(failed("writing", &path))?;
        let entries = self.disk.read_dir(self.dir()).map_err(failed("listing", self.dir()))?;
        let ends = entries.iter().filter_map(|entry| names::parse(&entry.name));
        let mut ends: Vec<i64> =
            ends.filter(|(_, kind)| *kind == FileKind::Producers).map(|(end, _)| end).collect();
        ends.sort_unstable();
        for end in ends.iter().rev().skip(2) {
            let path = self.producers_path(*end);
            self.disk.remove_file(&path).map_err(failed("removing", &path))?;
        }
        Ok(())
    }

    fn producers_path(&self, end_offset: i64) -> PathBuf {
        names::path(self.dir(), end_offset, FileKind::Producers)
    }

    /// Whether an earlier write or flush failed, so that nobody knows what of the end is durable.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.poison.is_some()
    }

    pub(crate) fn check_poison(&self) -> Result<(), Error> {
        match &self.poison {
            Some(source) => Err(Error::Poisoned { path: self.dir().to_owned(), source: Arc::clone(source) }),
            None => Ok(()),
        }
    }

    pub(crate) fn poison(&mut self, error: io::Error) -> Error {
        self.poison_shared(Arc::new(error))
    }

    fn poison_shared(&mut self, source: Arc<io::Error>) -> Error {
        tracing::error!(dir = %self.dir().display(), error = %source, "partition takes no more writes");
        self.poison = Some(Arc::clone(&source));
        Error::Poisoned { path: self.dir().to_owned(), source }
    }
}
