//! What a group has committed.

use std::collections::BTreeMap;

/// One committed position.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CommittedOffset {
    /// The next offset the group will read.
    pub offset: i64,
    /// The leader epoch of the last record read, -1 if the client did not say.
    pub leader_epoch: i32,
    /// Whatever the client wants to remember.
    pub metadata: String,
    /// When it was committed, unix milliseconds.
    pub commit_timestamp_ms: i64,
}

/// Committed positions by topic and partition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offsets {
    topics: BTreeMap<String, BTreeMap<i32, CommittedOffset>>,
}

impl Offsets {
    /// The position of one partition.
    #[must_use]
    pub fn get(&self, topic: &str, partition_index: i32) -> Option<&CommittedOffset> {
        self.topics.get(topic)?.get(&partition_index)
    }

    /// All positions, by topic.
    pub fn topics(&self) -> impl Iterator<Item = (&str, &BTreeMap<i32, CommittedOffset>)> {
        self.topics.iter().map(|(name, of_topic)| (name.as_str(), of_topic))
    }

    /// All positions.
    pub fn iter(&self) -> impl Iterator<Item = (&str, i32, &CommittedOffset)> {
        self.topics.iter().flat_map(|(name, of_topic)| {
            of_topic.iter().map(move |(index, committed)| (name.as_str(), *index, committed))
        })
    }

    /// Nothing was committed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    pub(crate) fn set(&mut self, topic: &str, partition_index: i32, committed: CommittedOffset) {
        if let Some(of_topic) = self.topics.get_mut(topic) {
            of_topic.insert(partition_index, committed);
        } else {
            self.topics.insert(topic.to_owned(), BTreeMap::from([(partition_index, committed)]));
        }
    }

    pub(crate) fn remove(&mut self, topic: &str, partition_index: i32) {
        if let Some(of_topic) = self.topics.get_mut(topic) {
            of_topic.remove(&partition_index);
            if of_topic.is_empty() {
                self.topics.remove(topic);
            }
        }
    }

    /// Forgets a topic and says which partitions had a position.
    pub(crate) fn remove_topic(&mut self, topic: &str) -> Vec<i32> {
        self.topics.remove(topic).map(|of_topic| of_topic.into_keys().collect()).unwrap_or_default()
    }

    /// When the latest commit happened.
    pub(crate) fn last_commit_ms(&self) -> Option<i64> {
        self.iter().map(|(_, _, committed)| committed.commit_timestamp_ms).max()
    }
}
