//! Transactions of one partition, for whoever coordinates them and for readers of committed records.

use std::sync::Arc;

use bytes::Bytes;
use commitlog::{AbortedTransaction, ProducerStatus};
use tokio::sync::oneshot;

use crate::partition::{AppendFuture, Partition, ReadBatches};
use crate::writer::{Job, Marker};
use crate::{AppendError, ReadError};

impl Partition {
    /// Ends the transaction that a producer is in the middle of, or none, by a durable marker; the high watermark moves
    /// with it. From then on the producer's older epochs are refused.
    ///
    /// # Errors
    /// When the topic was deleted or the store is closing; the future carries what the owner finds, as
    /// [`AppendError::ProducerFenced`] and [`AppendError::CoordinatorFenced`].
    pub fn end_transaction(
        &self,
        producer_id: i64,
        epoch: i16,
        commit: bool,
        coordinator_epoch: i32,
    ) -> Result<AppendFuture, AppendError> {
        if self.core.is_deleted() {
            return Err(self.core.deleted());
        }
        let marker = Marker { producer_id, epoch, commit, coordinator_epoch };
        let (sender, answer) = oneshot::channel();
        self.core.queue.push(Job::EndTransaction(Arc::clone(&self.core), marker, sender))?;
        Ok(AppendFuture::new(answer))
    }

    /// Up to where every transaction has ended: what readers of committed records may see.
    #[must_use]
    pub fn last_stable_offset(&self) -> i64 {
        self.core.reader.last_stable_offset(self.high_watermark())
    }

    /// As [`read`](Self::read), but up to the last stable offset only. Records of aborted transactions are among them;
    /// [`aborted_transactions`](Self::aborted_transactions) over the offsets that were read tells which.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_committed(
        &self,
        from: i64,
        max_bytes: usize,
        min_one: bool,
    ) -> Result<ReadBatches, ReadError> {
        let high_watermark = self.checked_high_watermark()?;
        let last_stable_offset = self.core.reader.last_stable_offset(high_watermark);
        if last_stable_offset <= from && from <= high_watermark && from >= self.log_start_offset() {
            return Ok(self.read_out(Bytes::new(), high_watermark, last_stable_offset));
        }
        let read = self.core.reader.read(from, last_stable_offset, max_bytes, min_one);
        let bytes = read.map_err(|error| self.core.read_error(error))?;
        Ok(self.read_out(bytes, high_watermark, last_stable_offset))
    }

    /// As [`read_now`](Self::read_now), but up to the last stable offset only, see
    /// [`read_committed`](Self::read_committed).
    ///
    /// # Errors
    /// As [`read`](Self::read).
    pub fn read_committed_now(
        &self,
        from: i64,
        max_bytes: usize,
        min_one: bool,
    ) -> Result<Option<ReadBatches>, ReadError> {
        let high_watermark = self.checked_high_watermark()?;
        let last_stable_offset = self.core.reader.last_stable_offset(high_watermark);
        if last_stable_offset <= from && from <= high_watermark && from >= self.log_start_offset() {
            return Ok(Some(self.read_out(Bytes::new(), high_watermark, last_stable_offset)));
        }
        let read = self.core.reader.read_now(from, last_stable_offset, max_bytes, min_one);
        let bytes = read.map_err(|error| self.core.read_error(error))?;
        Ok(bytes.map(|bytes| self.read_out(bytes, high_watermark, last_stable_offset)))
    }

    /// Every aborted transaction that has a batch, or its marker, in `[from, to)`.
    #[must_use]
    pub fn aborted_transactions(&self, from: i64, to: i64) -> Vec<AbortedTransaction> {
        self.core.reader.aborted(from, to)
    }

    /// What is known of the producers of this partition, by id.
    #[must_use]
    pub fn producers(&self) -> Vec<ProducerStatus> {
        self.core.reader.producers()
    }

    /// Where the transaction begins that a producer is in the middle of in this partition.
    #[must_use]
    pub fn ongoing_transaction(&self, producer_id: i64) -> Option<i64> {
        self.core.reader.ongoing_transaction(producer_id)
    }
}
