//! Positions of transactions that are not decided yet.

use std::collections::BTreeMap;

use super::CommittedOffset;

/// Positions of transactions that are not decided yet, by topic and partition; the earliest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Pending {
    topics: BTreeMap<String, BTreeMap<i32, Vec<PendingOffset>>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct PendingOffset {
    producer_id: i64,
    committed: CommittedOffset,
}

impl Pending {
    pub(crate) fn is_empty(&self) -> bool {
        self.topics.is_empty()
    }

    /// Whether an open transaction may still move this position.
    pub(crate) fn contains(&self, topic: &str, partition_index: i32) -> bool {
        self.topics.get(topic).is_some_and(|of_topic| of_topic.contains_key(&partition_index))
    }

    /// Puts a position behind all others of its partition.
    pub(crate) fn set(
        &mut self,
        topic: &str,
        partition_index: i32,
        producer_id: i64,
        committed: CommittedOffset,
    ) {
        self.remove(topic, partition_index, producer_id);
        let of_topic = self.topics.entry(topic.to_owned()).or_default();
        of_topic.entry(partition_index).or_default().push(PendingOffset { producer_id, committed });
    }

    pub(crate) fn remove(&mut self, topic: &str, partition_index: i32, producer_id: i64) {
        let Some(of_topic) = self.topics.get_mut(topic) else { return };
        let Some(waiting) = of_topic.get_mut(&partition_index) else { return };
        waiting.retain(|one| one.producer_id != producer_id);
        if waiting.is_empty() {
            of_topic.remove(&partition_index);
        }
        if of_topic.is_empty() {
            self.topics.remove(topic);
        }
    }

    /// Whose transactions would move this position, in the order in which they asked.
    pub(crate) fn producers(&self, topic: &str, partition_index: i32) -> Vec<i64> {
        let waiting = self.topics.get(topic).and_then(|of_topic| of_topic.get(&partition_index));
        waiting.into_iter().flatten().map(|one| one.producer_id).collect()
    }

    /// What one producer's transaction would commit.
    pub(crate) fn of_producer(&self, producer_id: i64) -> Vec<(String, i32, CommittedOffset)> {
        self.partitions()
            .filter_map(|(topic, index, waiting)| {
                let own = waiting.iter().find(|one| one.producer_id == producer_id)?;
                Some((topic.to_owned(), index, own.committed.clone()))
            })
            .collect()
    }

    /// Every position with the producer that waits for it.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, i32, i64)> {
        self.partitions().flat_map(|(topic, index, waiting)| {
            waiting.iter().map(move |one| (topic, index, one.producer_id))
        })
    }

    fn partitions(&self) -> impl Iterator<Item = (&str, i32, &Vec<PendingOffset>)> {
        self.topics.iter().flat_map(|(topic, of_topic)| {
            of_topic.iter().map(move |(index, waiting)| (topic.as_str(), *index, waiting))
        })
    }
}
