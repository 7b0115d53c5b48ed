//! Partitions by topic id.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

/// Partitions by topic id. A topic without partitions is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Assignment {
    topics: BTreeMap<Uuid, BTreeSet<i32>>,
}

impl Assignment {
    /// No partition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// How many partitions there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.topics.values().map(BTreeSet::len).sum()
    }

    /// Whether the partition is in it.
    #[must_use]
    pub fn contains(&self, topic_id: Uuid, partition_index: i32) -> bool {
        self.topics.get(&topic_id).is_some_and(|indexes| indexes.contains(&partition_index))
    }

    /// The partitions of each topic.
    pub fn topics(&self) -> impl Iterator<Item = (Uuid, &BTreeSet<i32>)> {
        self.topics.iter().map(|(topic_id, indexes)| (*topic_id, indexes))
    }

    /// Every partition.
    pub fn iter(&self) -> impl Iterator<Item = (Uuid, i32)> {
        self.topics().flat_map(|(topic_id, indexes)| indexes.iter().map(move |index| (topic_id, *index)))
    }

    pub(crate) fn insert(&mut self, topic_id: Uuid, partition_index: i32) {
        self.topics.entry(topic_id).or_default().insert(partition_index);
    }

    pub(crate) fn remove(&mut self, topic_id: Uuid, partition_index: i32) {
        if let Some(indexes) = self.topics.get_mut(&topic_id) {
            indexes.remove(&partition_index);
            if indexes.is_empty() {
                self.topics.remove(&topic_id);
            }
        }
    }

    /// What both have.
    pub(crate) fn common(&self, other: &Self) -> Self {
        self.iter().filter(|(topic_id, index)| other.contains(*topic_id, *index)).collect()
    }

    /// What only this one has.
    pub(crate) fn without(&self, other: &Self) -> Self {
        self.iter().filter(|(topic_id, index)| !other.contains(*topic_id, *index)).collect()
    }

    pub(crate) fn is_within(&self, other: &Self) -> bool {
        self.iter().all(|(topic_id, index)| other.contains(topic_id, index))
    }

    pub(crate) fn touches(&self, other: &Self) -> bool {
        self.iter().any(|(topic_id, index)| other.contains(topic_id, index))
    }
}

impl FromIterator<(Uuid, i32)> for Assignment {
    fn from_iter<I: IntoIterator<Item = (Uuid, i32)>>(partitions: I) -> Self {
        let mut assignment = Self::default();
        for (topic_id, index) in partitions {
            assignment.insert(topic_id, index);
        }
        assignment
    }
}
