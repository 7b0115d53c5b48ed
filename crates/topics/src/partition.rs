//! The handle of one partition: append, read, watch.

use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::Bytes;
use commitlog::LogReader;
use env::Clock;
use record::Built;
use tokio::sync::{oneshot, watch};

use crate::owner::Owner;
use crate::queue::Queue;
use crate::topic::LiveSettings;
use crate::writer::Job;
use crate::{AppendError, ReadError};

/// When an append is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acks {
    /// Nobody waits for it (`acks=0`).
    None,
    /// When it is written: it survives the process (`acks=1`).
    Leader,
    /// When it is flushed: it survives a power cut (`acks=all`).
    All,
}

/// Where appended batches lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// The offset of the first record.
    pub base_offset: i64,
    /// The broker's time of appending, -1 where records keep their producer's time.
    pub log_append_time: i64,
    /// The first offset of the log.
    pub log_start_offset: i64,
    /// Whether these batches lay there already: a repetition by an idempotent producer.
    pub duplicate: bool,
}

/// Batches, and where the log begins and ends.
#[derive(Debug, Clone)]
pub struct ReadBatches {
    /// Whole batches, one after the other; the first one contains the offset that was asked for.
    pub bytes: Bytes,
    /// The offset after the last one that may be read.
    pub high_watermark: i64,
    /// The first offset of the log.
    pub log_start_offset: i64,
    /// Up to where every transaction has ended; at most the high watermark.
    pub last_stable_offset: i64,
}

/// A record's place, found by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimestampedOffset {
    /// The record's offset.
    pub offset: i64,
    /// The record's timestamp.
    pub timestamp: i64,
}

/// One partition. Cheap to clone; every clone is the same partition.
#[derive(Debug, Clone)]
pub struct Partition {
    pub(crate) core: Arc<Core>,
}

/// The answer to an append, when it comes. Dropping it does not take the append back.
#[derive(Debug)]
pub struct AppendFuture {
    state: State,
}

#[derive(Debug)]
enum State {
    Ready(Appended),
    Waiting(oneshot::Receiver<Result<Appended, AppendError>>),
}

impl AppendFuture {
    pub(crate) fn new(answer: oneshot::Receiver<Result<Appended, AppendError>>) -> Self {
        Self { state: State::Waiting(answer) }
    }

    pub(crate) fn ready(appended: Appended) -> Self {
        Self { state: State::Ready(appended) }
    }
}

impl Future for AppendFuture {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match &mut self.state {
            State::Ready(appended) => Poll::Ready(Ok(*appended)),
            State::Waiting(answer) => {
                Pin::new(answer).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
            }
        }
    }
}

/// What all handles of a partition, and its owner, share.
#[derive(Debug)]
pub(crate) struct Core {
    /// Unique in this process.
    pub(crate) slot: u64,
    pub(crate) topic: Arc<str>,
    pub(crate) index: u32,
    pub(crate) dir: PathBuf,
    pub(crate) queue: Arc<Queue>,
    pub(crate) reader: LogReader,
    pub(crate) high_watermark: watch::Sender<i64>,
    pub(crate) deleted: AtomicBool,
    pub(crate) settings: Arc<LiveSettings>,
    pub(crate) uncompressed_bytes_max: usize,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) owner: Mutex<Owner>,
    /// How many appends wait for the writer thread.
    pub(crate) handed_over: AtomicUsize,
    /// Everything before it was flushed.
    pub(crate) flushed_to: AtomicI64,
}

impl Partition {
    /// Which partition of its topic this is, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.core.index
    }

    /// Appends batches, in the order of the calls. Headers, checksums and records are checked, and the batches written, on
    /// the caller's thread, if no other thread has the partition at that moment; a flush happens on another one.
    ///
    /// # Errors
    /// When the batches are refused at once; the future carries what another thread finds.
    pub fn enqueue(&self, batches: Bytes, acks: Acks) -> Result<AppendFuture, AppendError> {
        let batches = self.admit(batches, false)?;
        self.core.append(batches, acks)
    }

    /// As [`enqueue`](Self::enqueue), of a batch that this program made: its bytes are not looked at again.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue).
    pub fn enqueue_built(&self, batch: Built, acks: Acks) -> Result<AppendFuture, AppendError> {
        let batch = self.admit(batch.into_bytes(), true)?;
        self.core.append(batch, acks)
    }

    /// As [`enqueue_built`](Self::enqueue_built) with [`Acks::All`], for a caller that may wait for the disk: if no other
    /// thread has the partition, the flush too happens here, and the answer is there when this returns.
    ///
    /// # Errors
    /// As [`enqueue`](Self::enqueue), and when the flush fails: the partition then takes no more writes.
    pub fn append_built(&self, batch: Built) -> Result<AppendFuture, AppendError> {
        let batch = self.admit(batch.into_bytes(), true)?;
        self.core.append_flushed(batch)
    }

    /// Checks what is to be appended.
    pub(crate) fn admit(&self, batches: Bytes, built: bool) -> Result<Bytes, AppendError> {
        if self.core.is_deleted() {
            return Err(self.core.deleted());
        }
        self.core.admit(batches, built)
    }

    /// Reads whole batches from the one that contains `from`, together no more than `max_bytes`; with `min_one`
    /// the first batch comes however large it is. Empty at the high watermark. May read a file: a caller that
    /// must not wait for a disk asks on another thread.
    ///
    /// # Errors
    /// When `from` is outside of the log, or its bytes are rotten or unreadable.
    pub fn read(&self, from: i64, max_bytes: usize, min_one: bool) -> Result<ReadBatches, ReadError> {
        let high_watermark = self.checked_high_watermark()?;
        let read = self.core.reader.read(from, high_watermark, max_bytes, min_one);
        let bytes = read.map_err(|error| self.core.read_error(error))?;
        let last_stable_offset = self.core.reader.last_stable_offset(high_watermark);
        Ok(self.read_out(bytes, high_watermark, last_stable_offset))
    }

    /// What [`read`](Self::read) answers, if that takes no waiting for a disk and no long work. `None`: ask `read`, on a
    /// thread that may wait.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_now(
        &self,
        from: i64,
        max_bytes: usize,
        min_one: bool,
    ) -> Result<Option<ReadBatches>, ReadError> {
        let high_watermark = self.checked_high_watermark()?;
        let read = self.core.reader.read_now(from, high_watermark, max_bytes, min_one);
        let Some(bytes) = read.map_err(|error| self.core.read_error(error))? else { return Ok(None) };
        let last_stable_offset = self.core.reader.last_stable_offset(high_watermark);
        Ok(Some(self.read_out(bytes, high_watermark, last_stable_offset)))
    }

    pub(crate) fn read_out(&self, bytes: Bytes, high_watermark: i64, last_stable_offset: i64) -> ReadBatches {
        ReadBatches { bytes, high_watermark, log_start_offset: self.log_start_offset(), last_stable_offset }
    }

    /// The offset after the last one that may be read.
    #[must_use]
    pub fn high_watermark(&self) -> i64 {
        self.core.high_watermark()
    }

    /// The first offset of the log.
    #[must_use]
    pub fn log_start_offset(&self) -> i64 {
        self.core.log_start_offset()
    }

    /// How many bytes the partition's batches take on disk.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.core.reader.size_bytes()
    }

    /// Follows the high watermark. Also wakes when the topic is deleted.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.core.high_watermark.subscribe()
    }

    /// The first record at or after a time.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimestampedOffset>, ReadError> {
        let up_to = self.checked_high_watermark()?;
        let found = self.core.reader.offset_for_timestamp(timestamp, up_to);
        self.place(found)
    }

    /// The record with the greatest timestamp; the first of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn max_timestamp(&self) -> Result<Option<TimestampedOffset>, ReadError> {
        let up_to = self.checked_high_watermark()?;
        let found = self.core.reader.max_timestamp(up_to);
        self.place(found)
    }

    /// The epoch and last sequence number of an idempotent producer, as far as this partition remembers.
    #[must_use]
    pub fn last_sequence(&self, producer_id: i64) -> Option<(i16, i32)> {
        self.core.reader.last_sequence(producer_id)
    }

    /// Makes everything durable that was appended before this call, however it was acknowledged. Whoever stores how
    /// far it has read asks for this first: otherwise a power cut may leave a log that ends before that place.
    ///
    /// # Errors
    /// When the flush fails (the partition then takes no more writes), the topic was deleted, or the store is
    /// closing.
    pub async fn flush(&self) -> Result<(), AppendError> {
        if !self.core.is_deleted() && !self.core.has_unflushed() {
            return Ok(());
        }
        let (sender, answer) = oneshot::channel();
        self.core.queue.push(Job::Flush(Arc::clone(&self.core), sender))?;
        answer.await.unwrap_or(Err(AppendError::Closed))
    }

    /// Removes the records before `offset`, at most up to the high watermark. Answers where the log begins then.
    ///
    /// # Errors
    /// When the disk refuses, the topic was deleted, or the store is closing.
    pub async fn delete_before(&self, offset: i64) -> Result<i64, AppendError> {
        let (sender, answer) = oneshot::channel();
        self.core.queue.push(Job::DeleteBefore(Arc::clone(&self.core), offset, sender))?;
        answer.await.unwrap_or(Err(AppendError::Closed))
    }

    pub(crate) fn checked_high_watermark(&self) -> Result<i64, ReadError> {
        if self.core.is_deleted() {
            return Err(ReadError::Deleted { topic: self.core.topic.to_string() });
        }
        Ok(self.high_watermark())
    }

    fn place(
        &self,
        found: Result<Option<(i64, i64)>, commitlog::Error>,
    ) -> Result<Option<TimestampedOffset>, ReadError> {
        let found = found.map_err(|error| self.core.read_error(error))?;
        Ok(found.map(|(offset, timestamp)| TimestampedOffset { offset, timestamp }))
    }
}

impl Core {
    pub(crate) fn high_watermark(&self) -> i64 {
        *self.high_watermark.borrow()
    }

    pub(crate) fn log_start_offset(&self) -> i64 {
        self.reader.log_start_offset()
    }

    /// Shows readers everything before `offset`, if they do not see it yet.
    pub(crate) fn publish(&self, offset: i64) {
        self.high_watermark.send_if_modified(|shown| {
            let higher = offset > *shown;
            if higher {
                *shown = offset;
            }
            higher
        });
    }

    /// Whether something is readable that no flush covers.
    pub(crate) fn has_unflushed(&self) -> bool {
        self.flushed_to.load(Ordering::Relaxed) < self.high_watermark()
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.deleted.load(Ordering::Acquire)
    }

    /// From now on every call answers that the topic is gone; whoever waits wakes up.
    pub(crate) fn mark_deleted(&self) {
        self.deleted.store(true, Ordering::Release);
        self.high_watermark.send_modify(|_| ());
    }

    pub(crate) fn deleted(&self) -> AppendError {
        AppendError::Deleted { topic: self.topic.to_string() }
    }

    pub(crate) fn append_error(&self, error: commitlog::Error) -> AppendError {
        use commitlog::Error;
        match error {
            Error::DiskFull { .. } => AppendError::DiskFull { path: self.dir.clone() },
            Error::Io { source, .. } | Error::Poisoned { source, .. } => {
                AppendError::Failed { path: self.dir.clone(), source }
            }
            Error::OutOfOrderSequence { producer_id, sequence, expected } => {
                AppendError::OutOfOrderSequence { producer_id, sequence, expected }
            }
            Error::ProducerFenced { producer_id, epoch, current } => {
                AppendError::ProducerFenced { producer_id, epoch, current }
            }
            Error::InTransaction { producer_id, first_offset } => {
                AppendError::InTransaction { producer_id, first_offset }
            }
            Error::CoordinatorFenced { producer_id, epoch, current } => {
                AppendError::CoordinatorFenced { producer_id, epoch, current }
            }
            Error::Batch(source) => AppendError::Corrupt(source),
            Error::Corrupt { .. } | Error::OutOfRange { .. } => {
                let source = Arc::new(std::io::Error::other(error));
                AppendError::Failed { path: self.dir.clone(), source }
            }
        }
    }

    pub(crate) fn read_error(&self, error: commitlog::Error) -> ReadError {
        use commitlog::Error;
        match error {
            Error::OutOfRange { offset, start, end } => ReadError::OutOfRange { offset, start, end },
            Error::Corrupt { path, position, next_offset } => {
                tracing::error!(path = %path.display(), position, next_offset, "rotten batch");
                ReadError::Corrupt { path, position, next_offset }
            }
            Error::Io { path, source, .. } | Error::Poisoned { path, source } => {
                ReadError::Io { path, source }
            }
            other => ReadError::Io { path: self.dir.clone(), source: Arc::new(std::io::Error::other(other)) },
        }
    }
}
