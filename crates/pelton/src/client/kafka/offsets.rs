//! Offsets of partitions by place or time, asked of each leader at once.

use std::collections::BTreeMap;

use anyhow::Context;
use protocol::messages::ListOffsetsRequest;
use protocol::messages::list_offsets::{ListOffsetsPartition, ListOffsetsTopic};

use super::cluster::{Cluster, Topic};
use super::refusal::Refusal;

/// A place in a partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum At {
    /// Its first record.
    Earliest,
    /// Behind its last record.
    Latest,
    /// The record with the largest timestamp.
    MaxTimestamp,
    /// The first record at or after a moment, in unix milliseconds.
    Time(i64),
}

impl At {
    fn timestamp(self) -> i64 {
        match self {
            At::Latest => -1,
            At::Earliest => -2,
            At::MaxTimestamp => -3,
            At::Time(timestamp) => timestamp.max(0),
        }
    }
}

/// What a reader sees of transactions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Isolation {
    /// Everything.
    #[default]
    ReadUncommitted,
    /// What was committed, up to the first transaction that is open.
    ReadCommitted,
}

impl Isolation {
    /// Its number on the wire.
    pub(crate) fn code(self) -> i8 {
        match self {
            Isolation::ReadUncommitted => 0,
            Isolation::ReadCommitted => 1,
        }
    }
}

/// A partition by topic and number.
pub(crate) type Place = (String, i32);

impl Cluster {
    /// The offset at a place of partitions. One without a record there is left out.
    pub(crate) fn offsets(
        &mut self,
        topics: &[Topic],
        wanted: impl Fn(&str, i32) -> Option<At>,
        isolation: Isolation,
    ) -> anyhow::Result<BTreeMap<Place, i64>> {
        // By leader, then by topic.
        let mut questions: BTreeMap<i32, BTreeMap<&str, Vec<ListOffsetsPartition>>> = BTreeMap::new();
        for topic in topics {
            for partition in &topic.partitions {
                let Some(at) = wanted(&topic.name, partition.index) else { continue };
                let question = ListOffsetsPartition {
                    partition_index: partition.index,
                    timestamp: at.timestamp(),
                    ..ListOffsetsPartition::default()
                };
                let of_leader = questions.entry(partition.leader).or_default();
                of_leader.entry(topic.name.as_str()).or_default().push(question);
            }
        }
        let mut found = BTreeMap::new();
        for (leader, topics) in questions {
            let topics = topics
                .into_iter()
                .map(|(name, partitions)| ListOffsetsTopic { name: name.into(), partitions });
            let request = ListOffsetsRequest {
                replica_id: -1,
                isolation_level: isolation.code(),
                topics: topics.collect(),
                ..ListOffsetsRequest::default()
            };
            self.ask_offsets(leader, &request, &mut found)?;
        }
        Ok(found)
    }

    fn ask_offsets(
        &mut self,
        leader: i32,
        request: &ListOffsetsRequest,
        found: &mut BTreeMap<Place, i64>,
    ) -> anyhow::Result<()> {
        let answer = self.patiently(|cluster| {
            let answer = cluster.ask_node(leader, request)?;
            for topic in &answer.topics {
                for partition in &topic.partitions {
                    Refusal::check(partition.error_code, None, || {
                        format!("ask for offsets of {}-{}", topic.name, partition.partition_index)
                    })?;
                }
            }
            Ok(answer)
        })?;
        for topic in &answer.topics {
            for partition in topic.partitions.iter().filter(|partition| partition.offset >= 0) {
                found.insert((topic.name.to_string(), partition.partition_index), partition.offset);
            }
        }
        Ok(())
    }

    /// The offset of one partition.
    pub(crate) fn offset(&mut self, topic: &Topic, partition: i32, at: At) -> anyhow::Result<i64> {
        topic.partition(partition)?;
        let found = self.offsets(
            std::slice::from_ref(topic),
            |_, index| (index == partition).then_some(at),
            Isolation::ReadUncommitted,
        )?;
        found.into_values().next().context("offsets without the partition")
    }
}
