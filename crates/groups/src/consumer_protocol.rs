//! What consumers of the classic protocol put into their metadata and are given as their assignments:
//! `ConsumerProtocolSubscription` and `ConsumerProtocolAssignment`, versions 0 to 3.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use uuid::Uuid;

use crate::event::codec::{Reader, Writer};
use crate::{Assignment, DecodeError, TopicsView};

/// The protocol type of consumers, the only one whose metadata is looked into.
pub(crate) const CONSUMERS: &str = "consumer";

/// The newest version of both layouts.
const NEWEST: i16 = 3;

/// Partitions as they are named: a topic once, however many there are of it.
pub(crate) type Partitions = Vec<(String, Vec<i32>)>;

/// What a consumer wants and has.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Subscription {
    /// The layout's version; the assignment is to have the same.
    pub(crate) version: i16,
    pub(crate) topics: BTreeSet<String>,
    /// From version 1 on; a consumer that gives everything back before it joins has nothing.
    pub(crate) owned: Partitions,
    /// From version 3 on.
    pub(crate) rack_id: Option<String>,
}

impl Subscription {
    /// Reads a member's metadata. `None` if not even the topics can be read: `KafkaJS` says version 1 and leaves out what
    /// version 1 brought, so that what follows the topics counts as far as it is there.
    pub(crate) fn decode(metadata: &Bytes) -> Option<Self> {
        let mut reader = Reader::new(metadata);
        let mut subscription =
            Self { version: reader.i16("version").ok()?.clamp(0, NEWEST), ..Self::default() };
        for _ in 0..reader.count("topics").ok()? {
            subscription.topics.insert(reader.string("topic").ok()?);
        }
        // What is left out is left at its default.
        let _ = subscription.read_rest(&mut reader);
        Some(subscription)
    }

    fn read_rest(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        skip_user_data(reader)?;
        if self.version >= 1 {
            self.owned = partitions(reader)?;
        }
        if self.version >= 2 {
            reader.i32("generation")?;
        }
        if self.version >= 3 {
            self.rack_id = reader.nullable_string("rack")?;
        }
        Ok(())
    }
}

/// Reads an assignment; what is of no topic that there is, is left out. An empty one has no bytes at all.
pub(crate) fn decode_assignment(bytes: &Bytes, topics: &dyn TopicsView) -> Result<Assignment, DecodeError> {
    if bytes.is_empty() {
        return Ok(Assignment::default());
    }
    let mut reader = Reader::new(bytes);
    reader.i16("version")?;
    Ok(present(&partitions(&mut reader)?, topics))
}

/// Writes an assignment in the layout of this version; topics without a name are left out.
pub(crate) fn encode_assignment(
    version: i16,
    assignment: &Assignment,
    names: &BTreeMap<Uuid, &str>,
) -> Bytes {
    let named: Vec<_> = assignment
        .topics()
        .filter_map(|(topic_id, indexes)| Some((names.get(&topic_id)?, indexes)))
        .collect();
    let mut writer = Writer::new(version);
    writer.count(named.len());
    for (name, indexes) in named {
        writer.string(name);
        writer.count(indexes.len());
        indexes.iter().for_each(|index| writer.i32(*index));
    }
    writer.i32(-1); // no user data
    writer.finish()
}

/// Those of these partitions that there are.
pub(crate) fn present(partitions: &Partitions, topics: &dyn TopicsView) -> Assignment {
    let mut known = Assignment::default();
    for (name, indexes) in partitions {
        let Some(topic) = topics.topic(name) else { continue };
        let exists = |index: i32| u32::try_from(index).is_ok_and(|index| index < topic.partitions);
        indexes.iter().filter(|index| exists(**index)).for_each(|index| known.insert(topic.id, *index));
    }
    known
}

fn partitions(reader: &mut Reader<'_>) -> Result<Partitions, DecodeError> {
    let mut partitions = Partitions::new();
    for _ in 0..reader.count("topics")? {
        let name = reader.string("topic")?;
        let mut indexes = Vec::new();
        for _ in 0..reader.count("partitions")? {
            indexes.push(reader.i32("partition")?);
        }
        partitions.push((name, indexes));
    }
    Ok(partitions)
}

fn skip_user_data(reader: &mut Reader<'_>) -> Result<(), DecodeError> {
    match reader.nullable_count("user data")? {
        Some(len) => reader.skip(len, "user data"),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn topics_are_read_and_garbage_is_not() {
        let metadata = Bytes::from_static(b"\0\x01\0\0\0\x02\0\x01t\0\x02uv\xff\xff\xff\xff");
        let subscription = Subscription::decode(&metadata).unwrap();
        assert_eq!(subscription.topics, BTreeSet::from(["t".to_owned(), "uv".to_owned()]));
        for end in 0..13 {
            assert_eq!(Subscription::decode(&metadata.slice(..end)), None, "{end}");
        }
        assert_eq!(Subscription::decode(&Bytes::from_static(b"\0\x01\x7f\xff\xff\xff\0\x01\xff")), None);
    }

    /// The bytes that Apache Kafka's `ConsumerProtocol.serializeSubscription` writes.
    #[test]
    fn everything_of_the_newest_version_is_read() {
        let metadata = Bytes::from_static(
            b"\0\x03\0\0\0\x01\0\x01t\0\0\0\x02uu\0\0\0\x01\0\x01t\0\0\0\x02\0\0\0\x05\0\0\0\x07\0\0\0\x09\0\x01r",
        );
        let expected = Subscription {
            version: 3,
            topics: BTreeSet::from(["t".to_owned()]),
            owned: vec![("t".to_owned(), vec![5, 7])],
            rack_id: Some("r".to_owned()),
        };
        assert_eq!(Subscription::decode(&metadata), Some(expected));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let bytes = Bytes::from(bytes);
            let _ = Subscription::decode(&bytes);
            let _ = decode_assignment(&bytes, &());
        }
    }
}
