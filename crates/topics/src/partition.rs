//! The handle of one partition: append, read, watch.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use tokio::sync::{oneshot, watch};

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
    inner: Arc<Simple>,
}

/// The answer to an append, when it comes. Dropping it does not take the append back.
#[derive(Debug)]
pub struct AppendFuture {
    answer: oneshot::Receiver<Result<Appended, AppendError>>,
}

impl Future for AppendFuture {
    type Output = Result<Appended, AppendError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.answer).poll(context).map(|answer| answer.unwrap_or(Err(AppendError::Closed)))
    }
}

#[derive(Debug)]
struct Simple {
    index: u32,
    end: watch::Sender<i64>,
    batches: Mutex<Vec<record::Batch>>,
}

impl Partition {
    pub(crate) fn new(index: u32) -> Self {
        Self { inner: Arc::new(Simple { index, end: watch::Sender::new(0), batches: Mutex::default() }) }
    }

    /// Which partition of its topic this is, from 0.
    #[must_use]
    pub fn index(&self) -> u32 {
        self.inner.index
    }

    /// Hands batches over to the partition's owner, in the order of the calls. Headers and checksums are checked
    /// here, on the caller's thread; the answer comes from the owner.
    ///
    /// # Errors
    /// When the batches are refused at once; the future carries what the owner finds.
    pub fn enqueue(&self, batches: Bytes, _acks: Acks) -> Result<AppendFuture, AppendError> {
        let mut stored = self.inner.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let first = *self.inner.end.borrow();
        let mut end = first;
        for batch in record::batches(&batches) {
            let batch = batch.map_err(|error| AppendError::Corrupt(Arc::new(error)))?;
            batch.verify_crc().map_err(|error| AppendError::Corrupt(Arc::new(error)))?;
            let mut bytes = BytesMut::from(&batch.bytes[..]);
            record::assign_offsets(&mut bytes, end, 0);
            let batch = record::Batch::parse(&bytes.freeze())
                .map_err(|error| AppendError::Corrupt(Arc::new(error)))?;
            end = batch.header.next_offset();
            stored.push(batch);
        }
        drop(stored);
        self.inner.end.send_replace(end);
        let (sender, answer) = oneshot::channel();
        let appended =
            Appended { base_offset: first, log_append_time: -1, log_start_offset: 0, duplicate: false };
        drop(sender.send(Ok(appended)));
        Ok(AppendFuture { answer })
    }

    /// Reads whole batches from the one that contains `from`, together no more than `max_bytes`; with `min_one`
    /// the first batch comes however large it is. Empty at the high watermark.
    ///
    /// # Errors
    /// When `from` is outside of the log, or its bytes are rotten or unreadable.
    pub fn read(&self, from: i64, max_bytes: usize, min_one: bool) -> Result<ReadBatches, ReadError> {
        let end = self.high_watermark();
        if from < 0 || from > end {
            return Err(ReadError::OutOfRange { offset: from, start: 0, end });
        }
        let mut bytes = BytesMut::new();
        let stored = self.inner.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for batch in stored.iter().filter(|batch| batch.header.last_offset() >= from) {
            if bytes.len() + batch.bytes.len() > max_bytes && !(min_one && bytes.is_empty()) {
                break;
            }
            bytes.extend_from_slice(&batch.bytes);
        }
        Ok(ReadBatches { bytes: bytes.freeze(), high_watermark: end, log_start_offset: 0 })
    }

    /// The offset after the last one that may be read.
    #[must_use]
    pub fn high_watermark(&self) -> i64 {
        *self.inner.end.borrow()
    }

    /// The first offset of the log.
    #[must_use]
    pub fn log_start_offset(&self) -> i64 {
        0
    }

    /// Follows the high watermark.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.inner.end.subscribe()
    }

    /// The first record at or after a time.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn offset_for_timestamp(&self, timestamp: i64) -> Result<Option<TimestampedOffset>, ReadError> {
        let stored = self.inner.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for batch in stored.iter().filter(|batch| batch.header.max_timestamp >= timestamp) {
            for record in batch.records(1 << 20).into_iter().flatten().flatten() {
                if record.timestamp >= timestamp {
                    return Ok(Some(TimestampedOffset {
                        offset: record.offset,
                        timestamp: record.timestamp,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// The record with the greatest timestamp; the first of them.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn max_timestamp(&self) -> Result<Option<TimestampedOffset>, ReadError> {
        let stored = self.inner.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let max = stored.iter().map(|batch| batch.header.max_timestamp).max();
        drop(stored);
        max.map_or(Ok(None), |max| self.offset_for_timestamp(max))
    }

    /// The epoch and last sequence number of an idempotent producer, as far as this partition remembers.
    #[must_use]
    pub fn last_sequence(&self, producer_id: i64) -> Option<(i16, i32)> {
        let stored = self.inner.batches.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let last = stored.iter().rev().find(|batch| batch.header.producer_id == producer_id)?;
        Some((last.header.producer_epoch, last.header.last_sequence()))
    }
}
