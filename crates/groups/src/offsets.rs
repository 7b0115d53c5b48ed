//! What a group has committed, and what open transactions would commit.

mod pending;

use std::collections::{BTreeMap, BTreeSet};

pub(crate) use pending::Pending;

/// How offsets are committed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    /// They count at once.
    Plain,
    /// They count when a transaction is committed.
    Transactional,
}

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
    pub(crate) pending: Pending,
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

    /// Nothing was committed, and no transaction is about to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty() && self.pending.is_empty()
    }

    /// Whether an open transaction may still move this position.
    #[must_use]
    pub fn is_unstable(&self, topic: &str, partition_index: i32) -> bool {
        self.pending.contains(topic, partition_index)
    }

    /// Every partition that has a position, or would have one after a transaction; each once.
    pub(crate) fn positions(&self) -> Vec<(String, i32)> {
        let committed = self.iter().map(|(topic, index, _)| (topic, index));
        let pending = self.pending.iter().map(|(topic, index, _)| (topic, index));
        let all: BTreeSet<(&str, i32)> = committed.chain(pending).collect();
        all.into_iter().map(|(topic, index)| (topic.to_owned(), index)).collect()
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
}
