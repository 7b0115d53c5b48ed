//! What is written to `__consumer_offsets`, in Kafka's own layout.
//!
//! A record's key starts with a version that also says what it is: 0 and 1 name an offset (`OffsetCommitKey`), 2 names a
//! group (`GroupMetadataKey`), 3 to 8 belong to groups of the consumer protocol. A kind of our own, 0x5001, is an offset
//! that an open transaction will commit; 0x5002 is what was set for a group. The value carries a version of its own; no value means that the thing is gone.
//! Written are `OffsetCommitValue` 3 and `GroupMetadataValue` 3, read are 0 to 3 of both, so that a `__consumer_offsets`
//! of an Apache Kafka can be read, too.

pub(crate) mod codec;
mod consumer;

use bytes::Bytes;

use crate::{CommittedOffset, GroupSettings};
use codec::{Reader, Writer};
pub use consumer::ConsumerEvent;

const OFFSET_KEY_VERSION: i16 = 1;
const GROUP_KEY_VERSION: i16 = 2;
/// Of our own: Kafka keeps such offsets in transactional batches. Its programs skip kinds that they do not know.
const PENDING_OFFSET_KEY_VERSION: i16 = 0x5001;
/// Of our own: Kafka keeps settings with its controller.
const SETTINGS_KEY_VERSION: i16 = 0x5002;
const SETTINGS_VALUE_VERSION: i16 = 0;
const OFFSET_VALUE_VERSION: i16 = 3;
const GROUP_VALUE_VERSION: i16 = 3;
/// `OffsetCommitValue` 1 alone carries an expiry time of its own.
const OFFSET_VALUE_WITH_EXPIRY: i16 = 1;

/// A change that must survive a restart.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An offset was committed, or is forgotten.
    Offset {
        /// The group.
        group_id: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition_index: i32,
        /// The position; `None` forgets it.
        committed: Option<CommittedOffset>,
    },
    /// An offset will be committed when a transaction is, or its transaction is over.
    PendingOffset {
        /// The transaction's producer.
        producer_id: i64,
        /// The group.
        group_id: String,
        /// The topic.
        topic: String,
        /// The partition.
        partition_index: i32,
        /// The position; `None` once the transaction is over.
        committed: Option<CommittedOffset>,
    },
    /// Something was set for a group.
    Settings {
        /// The group.
        group_id: String,
        /// All that is set; `None` if nothing is any more.
        settings: Option<GroupSettings>,
    },
    /// Something changed in a group of the consumer protocol.
    Consumer {
        /// The group.
        group_id: String,
        /// What.
        event: ConsumerEvent,
    },
    /// A group has a new generation, or is gone.
    Group {
        /// The group.
        group_id: String,
        /// Its state; `None` forgets it.
        snapshot: Option<GroupSnapshot>,
    },
}

/// A group as it is written down.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GroupSnapshot {
    /// The protocol type.
    pub protocol_type: String,
    /// The generation.
    pub generation: i32,
    /// The chosen protocol; `None` for an empty group.
    pub protocol: Option<String>,
    /// The leader; `None` for an empty group.
    pub leader: Option<String>,
    /// Since when the group is in its state, unix milliseconds.
    pub state_timestamp_ms: i64,
    /// The members.
    pub members: Vec<MemberSnapshot>,
}

/// A member as it is written down.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MemberSnapshot {
    /// The member.
    pub member_id: String,
    /// Its `group.instance.id`.
    pub instance_id: Option<String>,
    /// The client's own name for itself.
    pub client_id: String,
    /// Where it comes from.
    pub client_host: String,
    /// After this silence it counts as gone.
    pub session_timeout_ms: i32,
    /// How long a rebalance waits for it.
    pub rebalance_timeout_ms: i32,
    /// Its metadata for the chosen protocol.
    pub subscription: Bytes,
    /// Its assignment.
    pub assignment: Bytes,
}

/// A record of `__consumer_offsets` that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The record ends too early.
    #[error("the record ends inside {field}")]
    Truncated {
        /// The field that was being read.
        field: &'static str,
    },
    /// A length is negative or a text is not UTF-8.
    #[error("{field} is malformed")]
    Malformed {
        /// The field that was being read.
        field: &'static str,
    },
    /// The value's version is newer than this program.
    #[error("version {version} of {what} is not known")]
    Version {
        /// Which value.
        what: &'static str,
        /// Its version.
        version: i16,
    },
}

impl Event {
    /// Key and value of the record to write.
    #[must_use]
    pub fn encode(&self) -> (Bytes, Option<Bytes>) {
        match self {
            Self::Offset { group_id, topic, partition_index, committed } => {
                let mut key = Writer::new(OFFSET_KEY_VERSION);
                key.string(group_id);
                key.string(topic);
                key.i32(*partition_index);
                (key.finish(), committed.as_ref().map(encode_offset))
            }
            Self::PendingOffset { producer_id, group_id, topic, partition_index, committed } => {
                let mut key = Writer::new(PENDING_OFFSET_KEY_VERSION);
                key.i64(*producer_id);
                key.string(group_id);
                key.string(topic);
                key.i32(*partition_index);
                (key.finish(), committed.as_ref().map(encode_offset))
            }
            Self::Settings { group_id, settings } => {
                let mut key = Writer::new(SETTINGS_KEY_VERSION);
                key.string(group_id);
                (key.finish(), settings.as_ref().map(encode_settings))
            }
            Self::Consumer { group_id, event } => event.encode(group_id),
            Self::Group { group_id, snapshot } => {
                let mut key = Writer::new(GROUP_KEY_VERSION);
                key.string(group_id);
                (key.finish(), snapshot.as_ref().map(encode_group))
            }
        }
    }

    /// Reads a record back. `Ok(None)` is a record of a kind that this program does not keep.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] when the record is of a known kind but cannot be read.
    pub fn decode(key: &Bytes, value: Option<&Bytes>) -> Result<Option<Self>, DecodeError> {
        let mut reader = Reader::new(key);
        match reader.i16("key version")? {
            0 | OFFSET_KEY_VERSION => Ok(Some(Self::Offset {
                group_id: reader.string("group")?,
                topic: reader.string("topic")?,
                partition_index: reader.i32("partition")?,
                committed: value.map(decode_offset).transpose()?,
            })),
            PENDING_OFFSET_KEY_VERSION => Ok(Some(Self::PendingOffset {
                producer_id: reader.i64("producer id")?,
                group_id: reader.string("group")?,
                topic: reader.string("topic")?,
                partition_index: reader.i32("partition")?,
                committed: value.map(decode_offset).transpose()?,
            })),
            GROUP_KEY_VERSION => Ok(Some(Self::Group {
                group_id: reader.string("group")?,
                snapshot: value.map(decode_group).transpose()?,
            })),
            SETTINGS_KEY_VERSION => Ok(Some(Self::Settings {
                group_id: reader.string("group")?,
                settings: value.map(decode_settings).transpose()?,
            })),
            version => {
                let event = ConsumerEvent::decode(version, &mut reader, value)?;
                Ok(event.map(|(group_id, event)| Self::Consumer { group_id, event }))
            }
        }
    }
}

fn encode_offset(committed: &CommittedOffset) -> Bytes {
    let mut value = Writer::new(OFFSET_VALUE_VERSION);
    value.i64(committed.offset);
    value.i32(committed.leader_epoch);
    value.string(&committed.metadata);
    value.i64(committed.commit_timestamp_ms);
    value.finish()
}

fn decode_offset(value: &Bytes) -> Result<CommittedOffset, DecodeError> {
    let mut reader = Reader::new(value);
    let version = reader.i16("value version")?;
    if !(0..=OFFSET_VALUE_VERSION).contains(&version) {
        return Err(DecodeError::Version { what: "OffsetCommitValue", version });
    }
    let offset = reader.i64("offset")?;
    let leader_epoch = if version >= 3 { reader.i32("leader epoch")? } else { -1 };
    let metadata = reader.string("metadata")?;
    let commit_timestamp_ms = reader.i64("commit timestamp")?;
    if version == OFFSET_VALUE_WITH_EXPIRY {
        reader.i64("expire timestamp")?;
    }
    Ok(CommittedOffset { offset, leader_epoch, metadata, commit_timestamp_ms })
}

/// A value that is not set is -1; none that can be is negative.
fn encode_settings(settings: &GroupSettings) -> Bytes {
    let mut value = Writer::new(SETTINGS_VALUE_VERSION);
    value.i32(settings.session_timeout_ms.unwrap_or(-1));
    value.i32(settings.heartbeat_interval_ms.unwrap_or(-1));
    value.finish()
}

fn decode_settings(value: &Bytes) -> Result<GroupSettings, DecodeError> {
    let mut reader = Reader::new(value);
    let version = reader.i16("value version")?;
    if version != SETTINGS_VALUE_VERSION {
        return Err(DecodeError::Version { what: "group settings", version });
    }
    let is_set = |value: &i32| *value >= 0;
    Ok(GroupSettings {
        session_timeout_ms: Some(reader.i32("session timeout")?).filter(is_set),
        heartbeat_interval_ms: Some(reader.i32("heartbeat interval")?).filter(is_set),
    })
}

fn encode_group(snapshot: &GroupSnapshot) -> Bytes {
    let mut value = Writer::new(GROUP_VALUE_VERSION);
    value.string(&snapshot.protocol_type);
    value.i32(snapshot.generation);
    value.nullable_string(snapshot.protocol.as_deref());
    value.nullable_string(snapshot.leader.as_deref());
    value.i64(snapshot.state_timestamp_ms);
    value.count(snapshot.members.len());
    for member in &snapshot.members {
        value.string(&member.member_id);
        value.nullable_string(member.instance_id.as_deref());
        value.string(&member.client_id);
        value.string(&member.client_host);
        value.i32(member.rebalance_timeout_ms);
        value.i32(member.session_timeout_ms);
        value.bytes(&member.subscription);
        value.bytes(&member.assignment);
    }
    value.finish()
}

fn decode_group(value: &Bytes) -> Result<GroupSnapshot, DecodeError> {
    let mut reader = Reader::new(value);
    let version = reader.i16("value version")?;
    if !(0..=GROUP_VALUE_VERSION).contains(&version) {
        return Err(DecodeError::Version { what: "GroupMetadataValue", version });
    }
    let mut snapshot = GroupSnapshot {
        protocol_type: reader.string("protocol type")?,
        generation: reader.i32("generation")?,
        protocol: reader.nullable_string("protocol")?,
        leader: reader.nullable_string("leader")?,
        state_timestamp_ms: if version >= 2 { reader.i64("state timestamp")? } else { -1 },
        members: Vec::new(),
    };
    for _ in 0..reader.count("members")? {
        snapshot.members.push(decode_member(&mut reader, version)?);
    }
    Ok(snapshot)
}

fn decode_member(reader: &mut Reader<'_>, version: i16) -> Result<MemberSnapshot, DecodeError> {
    let member_id = reader.string("member id")?;
    let instance_id = if version >= 3 { reader.nullable_string("group instance id")? } else { None };
    let client_id = reader.string("client id")?;
    let client_host = reader.string("client host")?;
    let rebalance_timeout_ms = if version >= 1 { Some(reader.i32("rebalance timeout")?) } else { None };
    let session_timeout_ms = reader.i32("session timeout")?;
    Ok(MemberSnapshot {
        member_id,
        instance_id,
        client_id,
        client_host,
        session_timeout_ms,
        rebalance_timeout_ms: rebalance_timeout_ms.unwrap_or(session_timeout_ms),
        subscription: reader.bytes("subscription")?,
        assignment: reader.bytes("assignment")?,
    })
}

#[cfg(test)]
mod tests;
