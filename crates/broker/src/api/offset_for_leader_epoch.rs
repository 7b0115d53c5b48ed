//! OffsetForLeaderEpoch, key 23, versions 0 to 4.
//!
//! Consumers ask where their last leader's records end, to notice that a new leader has fewer. There is one leader and
//! one epoch for ever: it ends where the log ends.

use protocol::ErrorCode;
use protocol::messages::offset_for_leader_epoch::{
    EpochEndOffset, OffsetForLeaderPartition, OffsetForLeaderTopicResult,
};
use protocol::messages::{OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse};
use topics::Topic;

use super::LEADER_EPOCH;
use crate::context::{Context, partition};

pub(crate) fn handle(
    context: &Context,
    request: OffsetForLeaderEpochRequest,
) -> impl Future<Output = OffsetForLeaderEpochResponse> + Send + use<> {
    let topics = request
        .topics
        .into_iter()
        .map(|wanted| {
            let topic = context.topics().topic(&wanted.topic);
            let partitions = wanted.partitions.iter().map(|wanted| end(topic.as_ref(), wanted)).collect();
            OffsetForLeaderTopicResult { topic: wanted.topic, partitions }
        })
        .collect();
    std::future::ready(OffsetForLeaderEpochResponse { topics, ..Default::default() })
}

fn end(topic: Option<&Topic>, wanted: &OffsetForLeaderPartition) -> EpochEndOffset {
    let mut answer = EpochEndOffset { partition: wanted.partition, ..Default::default() };
    let Some(partition) = topic.and_then(|topic| partition(topic, wanted.partition)) else {
        answer.error_code = ErrorCode::UnknownTopicOrPartition.code();
        return answer;
    };
    if wanted.current_leader_epoch > LEADER_EPOCH {
        answer.error_code = ErrorCode::UnknownLeaderEpoch.code();
    } else if wanted.leader_epoch == LEADER_EPOCH {
        answer.leader_epoch = LEADER_EPOCH;
        answer.end_offset = partition.high_watermark();
    }
    answer
}
