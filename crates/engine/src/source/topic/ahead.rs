//! Reading a partition in order. What the log gave at once and a batch did not take waits for the next one: batches of
//! a few records over a log of large ones cost what they take, not what lies there.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use bytes::{Buf, Bytes};
use record::{Batch, BatchHeader, Located, Records};
use topics::AbortedTransaction;

use crate::error::SourceError;
use crate::source::records::SourceRecords;
use crate::source::topic::Member;

/// Bytes asked from a partition at once.
const READ_BYTES: usize = 1024 * 1024;

/// Room for so many records is made ahead.
const RECORDS_AT_ONCE: usize = 1024;

/// A record batch may not unpack to more.
const UNCOMPRESSED_BYTES_MAX: usize = 256 * 1024 * 1024;

/// What waits of one partition: a read of the log and one open batch, unpacked.
const WAITING_BYTES_MAX: usize = 8 * 1024 * 1024;

/// So many partitions may have something waiting.
const WAITING_MAX: usize = 64;

/// What was read of each partition and not taken. A topic that is made anew has another id.
#[derive(Debug, Default)]
pub(super) struct Ahead(BTreeMap<(u128, u32), Reader>);

impl Ahead {
    /// The reader that stands at this offset, if one does; otherwise a new one.
    pub(super) fn reader(&mut self, member: &Member, from: i64) -> Reader {
        let waiting = self.0.remove(&member.key()).filter(|reader| reader.next == from);
        waiting.unwrap_or_else(|| Reader { next: from, unread: Bytes::new(), open: None })
    }

    /// Keeps a reader for the next batch, if there is something in it.
    pub(super) fn keep(&mut self, member: &Member, reader: Reader) {
        let waiting = reader.waiting_bytes();
        if (1..=WAITING_BYTES_MAX).contains(&waiting) && self.0.len() < WAITING_MAX {
            self.0.insert(member.key(), reader);
        }
    }

    /// Forgets what belongs to partitions that are not read any more.
    pub(super) fn retain(&mut self, members: &[Member]) {
        if !self.0.is_empty() {
            let known: BTreeSet<_> = members.iter().map(Member::key).collect();
            self.0.retain(|key, _| known.contains(key));
        }
    }
}

/// Where reading a partition stands.
#[derive(Debug)]
pub(super) struct Reader {
    /// The offset after the last record that was taken.
    pub(super) next: i64,
    /// Whole batches that follow the open one.
    unread: Bytes,
    open: Option<Open>,
}

/// A batch with records left.
#[derive(Debug)]
struct Open {
    header: BatchHeader,
    records: Records,
    /// Read, but not wanted yet.
    pending: Option<Located>,
}

impl Reader {
    /// Takes the records before `to`, until there are `bytes` of them; says how many bytes there were.
    pub(super) fn take(
        &mut self,
        member: &Member,
        to: i64,
        bytes: usize,
        taken: &mut SourceRecords,
    ) -> Result<usize, SourceError> {
        taken.reserve(usize::try_from(to - self.next).unwrap_or(0).min(RECORDS_AT_ONCE));
        let mut aborted = Aborted::new(member.partition.aborted_transactions(self.next, to));
        let mut read = 0;
        while self.next < to && read < bytes {
            if self.open.is_none() && !self.open_next(member)? {
                // Offsets without records: they were compacted away.
                self.next = to;
                break;
            }
            let Some(open) = &mut self.open else { break };
            let end = open.header.next_offset();
            if aborted.covers(&open.header) {
                self.next = end.min(to);
            } else {
                read += open.take(&mut self.next, to, bytes - read, member, taken)?;
            }
            if self.next >= end {
                self.open = None;
            }
        }
        Ok(read)
    }

    /// Goes on to the next batch; false if the log has none.
    fn open_next(&mut self, member: &Member) -> Result<bool, SourceError> {
        let mut asked = false;
        loop {
            if self.unread.is_empty() {
                if std::mem::replace(&mut asked, true) {
                    return Ok(false);
                }
                let read = member.partition.read_committed(self.next, READ_BYTES, true);
                self.unread = read.map_err(|source| member.unreadable(source))?.bytes;
                if self.unread.is_empty() {
                    return Ok(false);
                }
            }
            let batch = Batch::parse(&self.unread)?;
            self.unread.advance(batch.bytes.len());
            if batch.header.next_offset() > self.next {
                let records = batch.records(UNCOMPRESSED_BYTES_MAX)?;
                self.open = Some(Open { header: batch.header, records, pending: None });
                return Ok(true);
            }
        }
    }

    fn waiting_bytes(&self) -> usize {
        self.unread.len() + self.open.as_ref().map_or(0, |open| open.records.bytes_left().max(1))
    }
}

impl Open {
    /// As [`Reader::take`], from this batch.
    fn take(
        &mut self,
        next: &mut i64,
        to: i64,
        bytes: usize,
        member: &Member,
        taken: &mut SourceRecords,
    ) -> Result<usize, SourceError> {
        taken.begin(&member.topic, member.partition.index(), self.records.payload().clone());
        let mut read = 0;
        while read < bytes {
            let record = match self.pending.take() {
                None => self.records.next_located().transpose()?,
                pending => pending,
            };
            let Some(record) = record else {
                // Its last records may have been compacted away.
                *next = self.header.next_offset().min(to);
                break;
            };
            if record.offset >= to {
                self.pending = Some(record);
                *next = to;
                break;
            }
            if record.offset < *next {
                continue;
            }
            *next = record.offset + 1;
            let bytes_of = |part: &Option<Range<usize>>| part.as_ref().map_or(0, ExactSizeIterator::len);
            read += bytes_of(&record.key) + bytes_of(&record.value) + 1;
            taken.push(record);
        }
        Ok(read)
    }
}

/// Which batches were taken back by their producers.
struct Aborted {
    /// Transactions that begin further on, those that begin last first.
    ahead: Vec<AbortedTransaction>,
    /// Whose transaction the reader is in.
    producers: BTreeSet<i64>,
}

impl Aborted {
    fn new(mut ahead: Vec<AbortedTransaction>) -> Self {
        ahead.sort_unstable_by_key(|transaction| std::cmp::Reverse(transaction.first_offset));
        Aborted { ahead, producers: BTreeSet::new() }
    }

    /// Whether the records of this batch are none: because its transaction was aborted, or because they only tell how
    /// one ended. Batches have to come in their order.
    fn covers(&mut self, batch: &BatchHeader) -> bool {
        while let Some(begun) = self.ahead.pop_if(|begun| begun.first_offset < batch.next_offset()) {
            self.producers.insert(begun.producer_id);
        }
        if batch.is_control() {
            // The transaction has ended; the producer may have begun another one.
            self.producers.remove(&batch.producer_id);
            return true;
        }
        batch.is_transactional() && self.producers.contains(&batch.producer_id)
    }
}
