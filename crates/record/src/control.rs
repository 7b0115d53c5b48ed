//! Control batches: what the broker itself writes between the records of a partition.
//!
//! A control batch has one record. Its key says what it is, its value the rest, both with a
//! version in front (Kafka's `ControlRecordType` and `EndTransactionMarker`):
//!
//! ```text
//! key:   version i16 = 0 | type i16: 0 abort, 1 commit
//! value: version i16 = 0 | coordinator epoch i32
//! ```
//!
//! Later versions only append fields, so what is newer is read as far as it is known.

use bytes::Bytes;

use crate::cursor::Cursor;
use crate::{Batch, BatchBuilder, Compression, Error, Producer, Record};

/// The version of key and value that is written.
const VERSION: i16 = 0;
const ABORT: i16 = 0;
const COMMIT: i16 = 1;
/// More than any control record takes; they are never compressed.
const RECORD_BYTES_MAX: usize = 1 << 16;

/// What a control batch says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlRecord {
    /// The end of a producer's transaction in this partition: a transaction marker.
    EndTransaction {
        /// Whether its records count; otherwise they were aborted.
        commit: bool,
        /// The epoch of the transaction coordinator that decided, so that an old one is known.
        coordinator_epoch: i32,
    },
}

impl ControlRecord {
    /// The control batch of this record, with base offset 0. The sequence is absent: markers stand
    /// outside of the producer's own numbering.
    #[must_use]
    pub fn to_batch(self, producer_id: i64, producer_epoch: i16, timestamp_ms: i64) -> Bytes {
        let ControlRecord::EndTransaction { commit, coordinator_epoch } = self;
        let kind = if commit { COMMIT } else { ABORT };
        let key = [VERSION.to_be_bytes(), kind.to_be_bytes()].concat();
        let value = [&VERSION.to_be_bytes()[..], &coordinator_epoch.to_be_bytes()].concat();
        let producer = Producer { id: producer_id, epoch: producer_epoch, base_sequence: -1 };
        let mut builder = BatchBuilder::new(Compression::None, producer).transactional().control();
        builder.push(timestamp_ms, Some(&key), Some(&value), &[]);
        builder.build()
    }

    /// Reads the one record of a control batch.
    ///
    /// # Errors
    /// [`Error::Range`] if the batch is no control batch or holds another kind of control record
    /// (partitions of a Kafka controller have some), and any other [`Error`] of a broken batch.
    pub fn from_batch(batch: &Batch) -> Result<ControlRecord, Error> {
        if !batch.header.is_control() {
            let value = i64::from(batch.header.attributes);
            return Err(Error::Range { what: "control batch attributes", position: 0, value });
        }
        match batch.records(RECORD_BYTES_MAX)?.next() {
            Some(record) => Self::from_record(&record?),
            None => Err(Error::Range { what: "control batch records count", position: 57, value: 0 }),
        }
    }

    /// Reads a record that came out of a control batch.
    ///
    /// # Errors
    /// [`Error::Range`] for another kind of control record, [`Error::Truncated`] for too few bytes;
    /// positions count from the key's, or the value's, first byte.
    pub fn from_record(record: &Record) -> Result<ControlRecord, Error> {
        let mut key = Cursor::new(record.key.as_deref().unwrap_or_default(), 0);
        version(&mut key, "control key version")?;
        let at = key.position();
        let commit = match key.i16("control record type")? {
            ABORT => false,
            COMMIT => true,
            other => {
                let value = i64::from(other);
                return Err(Error::Range { what: "control record type", position: at, value });
            }
        };
        let mut value = Cursor::new(record.value.as_deref().unwrap_or_default(), 0);
        version(&mut value, "transaction marker version")?;
        let coordinator_epoch = value.i32("coordinator epoch")?;
        Ok(ControlRecord::EndTransaction { commit, coordinator_epoch })
    }
}

fn version(cursor: &mut Cursor<'_>, what: &'static str) -> Result<(), Error> {
    match cursor.i16(what)? {
        version if version < VERSION => Err(Error::Range { what, position: 0, value: i64::from(version) }),
        _ => Ok(()),
    }
}
