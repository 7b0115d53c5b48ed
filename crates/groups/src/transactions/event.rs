//! What is written to `__transaction_state`, in Kafka's own layout.
//!
//! The key is `TransactionLogKey` 0, the value `TransactionLogValue` 1, whose tagged fields older programs skip; 0 is read,
//! too. Tag 0x5001 is of our own: the epoch before, which Kafka forgets with a restart.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::transaction::{NO_EPOCH, NO_ID};
use super::{Partitions, State, Transaction, Version};
use crate::event::codec::{Reader, Writer};
use crate::{DecodeError, TransactionalProducer};

const KEY_VERSION: i16 = 0;
const VALUE_VERSION: i16 = 1;
const FIRST_FLEXIBLE: i16 = 1;

const TAG_PREVIOUS_PRODUCER_ID: u32 = 0;
const TAG_NEXT_PRODUCER_ID: u32 = 1;
const TAG_TRANSACTION_VERSION: u32 = 2;
const TAG_LAST_EPOCH: u32 = 0x5001;

/// A change that must survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Whose.
    pub transactional_id: String,
    /// Where it stands; `None` forgets it.
    pub transaction: Option<Transaction>,
}

impl Event {
    /// Key and value of the record to write.
    #[must_use]
    pub fn encode(&self) -> (Bytes, Option<Bytes>) {
        let mut key = Writer::new(KEY_VERSION);
        key.string(&self.transactional_id);
        (key.finish(), self.transaction.as_ref().map(encode))
    }

    /// Reads a record back. `Ok(None)` is a record of a kind that this program does not keep.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the record is of a known kind but cannot be read.
    pub fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(key);
        if reader.i16("key version")? != KEY_VERSION {
            return Ok(None);
        }
        let transactional_id = reader.string("transactional id")?;
        Ok(Some(Self { transactional_id, transaction: value.map(decode).transpose()? }))
    }
}

fn encode(transaction: &Transaction) -> Bytes {
    let mut value = Writer::new(VALUE_VERSION);
    value.i64(transaction.producer.id);
    value.i16(transaction.producer.epoch);
    value.i32(transaction.timeout_ms);
    value.i8(transaction.state.code());
    encode_partitions(&transaction.partitions, &mut value);
    value.i64(transaction.updated_ms);
    value.i64(transaction.started_ms);
    value.unsigned_varint(4);
    for (tag, id) in [
        (TAG_PREVIOUS_PRODUCER_ID, transaction.previous_producer_id),
        (TAG_NEXT_PRODUCER_ID, transaction.next_producer_id),
    ] {
        value.unsigned_varint(tag);
        value.unsigned_varint(8);
        value.i64(id);
    }
    for (tag, short) in
        [(TAG_TRANSACTION_VERSION, transaction.version.level()), (TAG_LAST_EPOCH, transaction.last_epoch)]
    {
        value.unsigned_varint(tag);
        value.unsigned_varint(2);
        value.i16(short);
    }
    value.finish()
}

/// Kafka writes no array at all where there is nothing, null, not an empty one.
fn encode_partitions(partitions: &Partitions, value: &mut Writer) {
    value.compact_count((!partitions.is_empty()).then_some(partitions.len()));
    for (topic, indexes) in partitions {
        value.compact_string(topic);
        value.compact_count(Some(indexes.len()));
        indexes.iter().for_each(|index| value.i32(*index));
        value.unsigned_varint(0);
    }
}

fn decode(value: &Bytes) -> Result<Transaction, DecodeError> {
    let mut reader = Reader::new(value);
    let version = reader.i16("value version")?;
    if !(0..=VALUE_VERSION).contains(&version) {
        return Err(DecodeError::Version { what: "TransactionLogValue", version });
    }
    let flexible = version >= FIRST_FLEXIBLE;
    let id = reader.i64("producer id")?;
    let epoch = reader.i16("producer epoch")?;
    let timeout_ms = reader.i32("timeout")?;
    let field = "transaction status";
    let state = State::from_code(reader.i8(field)?).ok_or(DecodeError::Malformed { field })?;
    let mut transaction = Transaction {
        producer: TransactionalProducer { id, epoch },
        previous_producer_id: NO_ID,
        next_producer_id: NO_ID,
        last_epoch: NO_EPOCH,
        timeout_ms,
        state,
        partitions: decode_partitions(&mut reader, flexible)?,
        updated_ms: reader.i64("last update")?,
        started_ms: reader.i64("start")?,
        version: Version::V1,
    };
    if flexible {
        decode_tags(&mut reader, &mut transaction)?;
    }
    Ok(transaction)
}

fn decode_partitions(reader: &mut Reader<'_>, flexible: bool) -> Result<Partitions, DecodeError> {
    let count = |reader: &mut Reader<'_>| {
        if flexible { reader.compact_count("partitions") } else { reader.nullable_count("partitions") }
    };
    let mut partitions = Partitions::new();
    for _ in 0..count(reader)?.unwrap_or_default() {
        let topic = if flexible { reader.compact_string("topic")? } else { reader.string("topic")? };
        let mut indexes = BTreeSet::new();
        for _ in 0..count(reader)?.unwrap_or_default() {
            indexes.insert(reader.i32("partition")?);
        }
        if flexible {
            skip_tags(reader)?;
        }
        partitions.insert(topic, indexes);
    }
    Ok(partitions)
}

fn skip_tags(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    for _ in 0..reader.unsigned_varint("tags")? {
        reader.unsigned_varint("tag")?;
        reader.tagged("tagged field")?;
    }
    Ok(())
}

fn decode_tags(reader: &mut Reader<'_>, transaction: &mut Transaction) -> Result<(), DecodeError> {
    for _ in 0..reader.unsigned_varint("tags")? {
        let tag = reader.unsigned_varint("tag")?;
        let field = reader.tagged("tagged field")?;
        let mut field = Reader::new(&field);
        match tag {
            TAG_PREVIOUS_PRODUCER_ID => {
                transaction.previous_producer_id = field.i64("previous producer id")?;
            }
            TAG_NEXT_PRODUCER_ID => {
                transaction.next_producer_id = field.i64("next producer id")?;
            }
            TAG_TRANSACTION_VERSION => {
                transaction.version = Version::from_level(field.i16("transaction version")?);
            }
            TAG_LAST_EPOCH => {
                transaction.last_epoch = field.i16("last epoch")?;
            }
            _ => {}
        }
    }
    Ok(())
}
