//! What a fetch asks for, resolved once.

use protocol::messages::FetchRequest;
use protocol::messages::fetch::{FetchPartition, FetchTopic};
use protocol::{ErrorCode, StrBytes, Uuid};
use tokio::sync::watch;
use topics::{Partition, Topic};

use crate::api::LEADER_EPOCH;
use crate::context::{Context, partition};

const FIRST_WITH_TOPIC_IDS: i16 = 13;
const READ_COMMITTED: i8 = 1;

/// What a fetch asks for.
pub(super) struct Plan {
    pub(super) version: i16,
    pub(super) max_bytes: usize,
    pub(super) max_uncompressed: usize,
    pub(super) isolation: Isolation,
    pub(super) topics: Vec<PlannedTopic>,
}

/// How far a client wants to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Isolation {
    /// Everything that is promised to stay.
    ReadUncommitted,
    /// Nothing of open transactions, and it wants to know which were aborted.
    ReadCommitted,
}

pub(super) struct PlannedTopic {
    pub(super) name: StrBytes,
    pub(super) id: Uuid,
    pub(super) partitions: Vec<PlannedPartition>,
}

pub(super) struct PlannedPartition {
    pub(super) index: i32,
    pub(super) offset: i64,
    pub(super) max_bytes: usize,
    pub(super) partition: Result<Partition, ErrorCode>,
}

impl Plan {
    pub(super) fn new(context: &Context, request: FetchRequest) -> Self {
        let asked = usize::try_from(request.max_bytes).unwrap_or(0);
        Self {
            version: context.api_version,
            max_bytes: asked.min(context.config().max_fetch_bytes),
            max_uncompressed: context.config().max_uncompressed_bytes,
            isolation: if request.isolation_level == READ_COMMITTED {
                Isolation::ReadCommitted
            } else {
                Isolation::ReadUncommitted
            },
            topics: request.topics.into_iter().map(|topic| plan_topic(context, topic)).collect(),
        }
    }

    fn partitions(&self) -> impl Iterator<Item = &PlannedPartition> {
        self.topics.iter().flat_map(|topic| &topic.partitions)
    }

    /// Follows every partition that may have more bytes later.
    pub(super) fn watches(&self) -> Vec<watch::Receiver<i64>> {
        self.partitions().filter_map(|planned| Some(planned.partition.as_ref().ok()?.watch())).collect()
    }

    /// Whether it is worth reading: there are records, or something is wrong, or nothing is waited for.
    pub(super) fn is_ready(&self, min_bytes: usize) -> bool {
        min_bytes == 0
            || self.partitions().next().is_none()
            || self.partitions().any(|planned| planned.is_ready(self.isolation))
    }

    /// Memory to set aside for the answer.
    pub(super) fn bytes_at_most(&self) -> usize {
        let filled = self.partitions().filter(|planned| planned.is_ready(self.isolation));
        filled.fold(0usize, |sum, planned| sum.saturating_add(planned.max_bytes)).min(self.max_bytes)
    }
}

impl PlannedPartition {
    fn is_ready(&self, isolation: Isolation) -> bool {
        let Ok(partition) = &self.partition else { return true };
        let end = match isolation {
            Isolation::ReadUncommitted => partition.high_watermark(),
            Isolation::ReadCommitted => partition.last_stable_offset(),
        };
        // Between the two there is nothing to see yet; beyond the high watermark there is an error to report.
        end > self.offset || self.offset > partition.high_watermark()
    }
}

fn plan_topic(context: &Context, wanted: FetchTopic) -> PlannedTopic {
    let topic = if context.api_version >= FIRST_WITH_TOPIC_IDS {
        context.topics().topic_by_id(wanted.topic_id).ok_or(ErrorCode::UnknownTopicId)
    } else {
        context.topics().topic(&wanted.topic).ok_or(ErrorCode::UnknownTopicOrPartition)
    };
    PlannedTopic {
        name: wanted.topic,
        id: wanted.topic_id,
        partitions: wanted.partitions.iter().map(|wanted| plan_partition(topic.as_ref(), wanted)).collect(),
    }
}

fn plan_partition(topic: Result<&Topic, &ErrorCode>, wanted: &FetchPartition) -> PlannedPartition {
    let found = topic.map_err(|error| *error).and_then(|topic| {
        if wanted.current_leader_epoch > LEADER_EPOCH {
            return Err(ErrorCode::UnknownLeaderEpoch);
        }
        partition(topic, wanted.partition).ok_or(ErrorCode::UnknownTopicOrPartition)
    });
    PlannedPartition {
        index: wanted.partition,
        offset: wanted.fetch_offset,
        max_bytes: usize::try_from(wanted.partition_max_bytes).unwrap_or(0),
        partition: found,
    }
}
