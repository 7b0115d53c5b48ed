//! What is written of groups of the consumer protocol, in the layout of Kafka's group coordinator.

use bytes::Bytes;

use super::DecodeError;
use super::codec::{Reader, Writer};
use crate::{Assignment, ClassicProtocols, CurrentAssignment, MemberProfile, MemberState};

const GROUP_KEY: i16 = 3;
const MEMBER_KEY: i16 = 5;
const TARGET_EPOCH_KEY: i16 = 6;
const TARGET_KEY: i16 = 7;
const CURRENT_KEY: i16 = 8;
/// The version of all values.
const VALUE_VERSION: i16 = 0;
/// `ConsumerGroupMetadataValue` carries a digest of the topics in this tagged field.
const DIGEST_TAG: u32 = 0;
/// `ConsumerGroupMemberMetadataValue` carries what members of the classic protocol bring along in this one. It is written
/// for the others, too: to Apache Kafka a member without it is one of the classic protocol that brings nothing.
const CLASSIC_TAG: u32 = 0;

/// A change of a group of the consumer protocol. What is `None` is gone.
#[derive(Clone, Debug, PartialEq)]
pub enum ConsumerEvent {
    /// `ConsumerGroupMetadata`: a new group epoch.
    Group {
        /// The epoch, and a digest of the topics that the members want.
        epoch: Option<(i32, i64)>,
    },
    /// `ConsumerGroupMemberMetadata`: what a member says of itself.
    Member {
        /// The member.
        member_id: String,
        /// What it says.
        profile: Option<MemberProfile>,
    },
    /// `ConsumerGroupTargetAssignmentMetadata`: there is a target for a new epoch.
    TargetEpoch {
        /// The epoch.
        epoch: Option<i32>,
    },
    /// `ConsumerGroupTargetAssignmentMember`: what a member is to own.
    Target {
        /// The member.
        member_id: String,
        /// Its part.
        assignment: Option<Assignment>,
    },
    /// `ConsumerGroupCurrentMemberAssignment`: what a member owns.
    Current {
        /// The member.
        member_id: String,
        /// Its part and epoch.
        current: Option<CurrentAssignment>,
    },
}

impl ConsumerEvent {
    pub(crate) fn is_tombstone_of_group(&self) -> bool {
        matches!(self, Self::Group { epoch: None })
    }

    pub(crate) fn is_tombstone(&self) -> bool {
        match self {
            Self::Group { epoch } => epoch.is_none(),
            Self::Member { profile, .. } => profile.is_none(),
            Self::TargetEpoch { epoch } => epoch.is_none(),
            Self::Target { assignment, .. } => assignment.is_none(),
            Self::Current { current, .. } => current.is_none(),
        }
    }

    pub(super) fn encode(&self, group_id: &str) -> (Bytes, Option<Bytes>) {
        let of_group = |version| {
            let mut key = Writer::new(version);
            key.string(group_id);
            key
        };
        let of_member = |version, member_id: &str| {
            let mut key = of_group(version);
            key.string(member_id);
            key.finish()
        };
        match self {
            Self::Group { epoch } => (of_group(GROUP_KEY).finish(), epoch.map(encode_group)),
            Self::Member { member_id, profile } => {
                (of_member(MEMBER_KEY, member_id), profile.as_ref().map(encode_profile))
            }
            Self::TargetEpoch { epoch } => {
                (of_group(TARGET_EPOCH_KEY).finish(), epoch.map(encode_target_epoch))
            }
            Self::Target { member_id, assignment } => {
                (of_member(TARGET_KEY, member_id), assignment.as_ref().map(encode_target))
            }
            Self::Current { member_id, current } => {
                (of_member(CURRENT_KEY, member_id), current.as_ref().map(encode_current))
            }
        }
    }

    /// Reads what follows the key's version, and the value. `Ok(None)` is of a kind that is not kept.
    pub(super) fn decode(
        version: i16,
        key: &mut Reader<'_>,
        value: Option<&Bytes>,
    ) -> Result<Option<(String, Self)>, DecodeError> {
        if ![GROUP_KEY, MEMBER_KEY, TARGET_EPOCH_KEY, TARGET_KEY, CURRENT_KEY].contains(&version) {
            return Ok(None);
        }
        let group_id = key.string("group")?;
        let mut member_id = || key.string("member");
        let event = match version {
            GROUP_KEY => Self::Group { epoch: value.map(decode_group).transpose()? },
            MEMBER_KEY => {
                Self::Member { member_id: member_id()?, profile: value.map(decode_profile).transpose()? }
            }
            TARGET_EPOCH_KEY => Self::TargetEpoch { epoch: value.map(decode_target_epoch).transpose()? },
            TARGET_KEY => {
                Self::Target { member_id: member_id()?, assignment: value.map(decode_target).transpose()? }
            }
            _ => Self::Current { member_id: member_id()?, current: value.map(decode_current).transpose()? },
        };
        Ok(Some((group_id, event)))
    }
}

fn open<'a>(value: &'a Bytes, what: &'static str) -> Result<Reader<'a>, DecodeError> {
    let mut reader = Reader::new(value);
    let version = reader.i16("value version")?;
    if version == VALUE_VERSION { Ok(reader) } else { Err(DecodeError::Version { what, version }) }
}

fn count(reader: &mut Reader<'_>, field: &'static str) -> Result<usize, DecodeError> {
    reader.compact_count(field)?.ok_or(DecodeError::Malformed { field })
}

fn encode_group((epoch, digest): (i32, i64)) -> Bytes {
    let mut value = Writer::new(VALUE_VERSION);
    value.i32(epoch);
    value.tagged(DIGEST_TAG, &digest.to_be_bytes());
    value.finish()
}

fn decode_group(value: &Bytes) -> Result<(i32, i64), DecodeError> {
    let mut reader = open(value, "ConsumerGroupMetadataValue")?;
    let epoch = reader.i32("epoch")?;
    let digest = reader.find_tag(DIGEST_TAG, "metadata hash")?;
    let digest = digest.map(|bytes| Reader::new(&bytes).i64("metadata hash")).transpose()?;
    Ok((epoch, digest.unwrap_or_default()))
}

fn encode_profile(profile: &MemberProfile) -> Bytes {
    let mut value = Writer::new(VALUE_VERSION);
    value.compact_nullable_string(profile.instance_id.as_deref());
    value.compact_nullable_string(profile.rack_id.as_deref());
    value.compact_string(&profile.client_id);
    value.compact_string(&profile.client_host);
    value.compact_count(Some(profile.topic_names.len()));
    profile.topic_names.iter().for_each(|name| value.compact_string(name));
    value.compact_nullable_string(profile.topic_pattern.as_deref());
    value.i32(profile.rebalance_timeout_ms);
    value.compact_nullable_string(profile.assignor.as_deref());
    value.tagged(CLASSIC_TAG, &encode_classic(profile.classic.as_ref()));
    value.finish()
}

fn decode_profile(value: &Bytes) -> Result<MemberProfile, DecodeError> {
    let mut reader = open(value, "ConsumerGroupMemberMetadataValue")?;
    let mut profile = MemberProfile {
        instance_id: reader.compact_nullable_string("instance id")?,
        rack_id: reader.compact_nullable_string("rack id")?,
        client_id: reader.compact_string("client id")?,
        client_host: reader.compact_string("client host")?,
        ..MemberProfile::default()
    };
    for _ in 0..count(&mut reader, "topic names")? {
        profile.topic_names.insert(reader.compact_string("topic name")?);
    }
    profile.topic_pattern = reader.compact_nullable_string("topic pattern")?;
    profile.rebalance_timeout_ms = reader.i32("rebalance timeout")?;
    profile.assignor = reader.compact_nullable_string("assignor")?;
    let classic = reader.find_tag(CLASSIC_TAG, "classic member metadata")?;
    profile.classic = classic.as_ref().map(decode_classic).transpose()?.flatten();
    Ok(profile)
}

/// A structure that may be null: 1 before what it holds, or 0.
fn encode_classic(classic: Option<&ClassicProtocols>) -> Bytes {
    let mut value = Writer::default();
    let Some(classic) = classic else {
        value.i8(0);
        return value.finish();
    };
    value.i8(1);
    value.i32(classic.session_timeout_ms);
    value.compact_count(Some(classic.protocols.len()));
    for (name, metadata) in &classic.protocols {
        value.compact_string(name);
        value.compact_bytes(metadata);
        value.no_tags();
    }
    value.no_tags();
    value.finish()
}

fn decode_classic(value: &Bytes) -> Result<Option<ClassicProtocols>, DecodeError> {
    let mut reader = Reader::new(value);
    if reader.i8("classic member metadata")? == 0 {
        return Ok(None);
    }
    let mut classic =
        ClassicProtocols { session_timeout_ms: reader.i32("session timeout")?, protocols: Vec::new() };
    for _ in 0..count(&mut reader, "protocols")? {
        let name = reader.compact_string("protocol")?;
        classic.protocols.push((name, reader.compact_bytes("metadata")?));
        reader.skip_tags()?;
    }
    reader.skip_tags()?;
    Ok(Some(classic))
}

fn encode_target_epoch(epoch: i32) -> Bytes {
    let mut value = Writer::new(VALUE_VERSION);
    value.i32(epoch);
    value.no_tags();
    value.finish()
}

fn decode_target_epoch(value: &Bytes) -> Result<i32, DecodeError> {
    let mut reader = open(value, "ConsumerGroupTargetAssignmentMetadataValue")?;
    let epoch = reader.i32("epoch")?;
    reader.skip_tags()?;
    Ok(epoch)
}

fn encode_target(assignment: &Assignment) -> Bytes {
    let mut value = Writer::new(VALUE_VERSION);
    write_assignment(&mut value, assignment);
    value.no_tags();
    value.finish()
}

fn decode_target(value: &Bytes) -> Result<Assignment, DecodeError> {
    let mut reader = open(value, "ConsumerGroupTargetAssignmentMemberValue")?;
    let assignment = read_assignment(&mut reader)?;
    reader.skip_tags()?;
    Ok(assignment)
}

fn encode_current(current: &CurrentAssignment) -> Bytes {
    let mut value = Writer::new(VALUE_VERSION);
    value.i32(current.epoch);
    value.i32(current.previous_epoch);
    value.i8(match current.state {
        MemberState::Stable => 0,
        MemberState::Unrevoked => 1,
        MemberState::Unreleased => 2,
    });
    write_assignment(&mut value, &current.assigned);
    write_assignment(&mut value, &current.revoking);
    value.no_tags();
    value.finish()
}

fn decode_current(value: &Bytes) -> Result<CurrentAssignment, DecodeError> {
    let mut reader = open(value, "ConsumerGroupCurrentMemberAssignmentValue")?;
    let current = CurrentAssignment {
        epoch: reader.i32("epoch")?,
        previous_epoch: reader.i32("previous epoch")?,
        state: match reader.i8("state")? {
            0 => MemberState::Stable,
            1 => MemberState::Unrevoked,
            2 => MemberState::Unreleased,
            _ => return Err(DecodeError::Malformed { field: "state" }),
        },
        assigned: read_assignment(&mut reader)?,
        revoking: read_assignment(&mut reader)?,
    };
    reader.skip_tags()?;
    Ok(current)
}

fn write_assignment(value: &mut Writer, assignment: &Assignment) {
    value.compact_count(Some(assignment.topics().count()));
    for (topic_id, indexes) in assignment.topics() {
        value.uuid(topic_id);
        value.compact_count(Some(indexes.len()));
        indexes.iter().for_each(|index| value.i32(*index));
        value.no_tags();
    }
}

fn read_assignment(reader: &mut Reader<'_>) -> Result<Assignment, DecodeError> {
    let mut assignment = Assignment::default();
    for _ in 0..count(reader, "topics")? {
        let topic_id = reader.uuid("topic id")?;
        for _ in 0..count(reader, "partitions")? {
            assignment.insert(topic_id, reader.i32("partition")?);
        }
        reader.skip_tags()?;
    }
    Ok(assignment)
}
