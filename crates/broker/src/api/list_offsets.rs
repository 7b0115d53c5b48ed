//! ListOffsets, key 2, versions 0 to 11.
//!
//! Finds offsets by time: the first record at or after a timestamp, exactly, or one of Kafka's special times: latest
//! (-1), earliest (-2), the record with the greatest timestamp (-3), and those of tiered storage (-4, -5, -6), of which
//! there is none: everything is local.
//!
//! With isolation level 1, read_committed, nothing at or after the last stable offset is found, and that is the latest.
//!
//! Version 0 answers a list of offsets before a time, which in Kafka are those where segments begin: here it is the end
//! and the start of the log.

use protocol::ErrorCode;
use protocol::messages::list_offsets::{
    ListOffsetsPartition, ListOffsetsPartitionResponse, ListOffsetsTopic, ListOffsetsTopicResponse,
};
use protocol::messages::{ListOffsetsRequest, ListOffsetsResponse};
use tokio::task::spawn_blocking;
use topics::{Partition, ReadError, TimestampedOffset, Topic};

use super::LEADER_EPOCH;
use crate::context::{Context, partition};
use crate::error_code;

const READ_COMMITTED: i8 = 1;
const LATEST: i64 = -1;
const EARLIEST: i64 = -2;
const MAX_TIMESTAMP: i64 = -3;
const EARLIEST_LOCAL: i64 = -4;
const LATEST_TIERED: i64 = -5;
const EARLIEST_PENDING_UPLOAD: i64 = -6;

pub(crate) fn handle(
    context: &Context,
    request: ListOffsetsRequest,
) -> impl Future<Output = ListOffsetsResponse> + Send + use<> {
    let context = context.clone();
    // A search by time reads from the log.
    let searching = spawn_blocking(move || {
        let committed = request.isolation_level == READ_COMMITTED;
        let list = |topic| list_topic(&context, topic, committed);
        let topics = request.topics.into_iter().map(list).collect();
        ListOffsetsResponse { topics, ..Default::default() }
    });
    async move { searching.await.expect("searching does not panic") }
}

fn list_topic(context: &Context, wanted: ListOffsetsTopic, committed: bool) -> ListOffsetsTopicResponse {
    let topic = context.topics().topic(&wanted.name);
    let partitions = wanted
        .partitions
        .iter()
        .map(|partition| list_partition(context, topic.as_ref(), partition, committed))
        .collect();
    ListOffsetsTopicResponse { name: wanted.name, partitions }
}

fn list_partition(
    context: &Context,
    topic: Option<&Topic>,
    wanted: &ListOffsetsPartition,
    committed: bool,
) -> ListOffsetsPartitionResponse {
    let mut answer =
        ListOffsetsPartitionResponse { partition_index: wanted.partition_index, ..Default::default() };
    let found = find(topic, wanted).and_then(|partition| {
        if context.api_version == 0 {
            answer.old_style_offsets = old_style(&partition, wanted);
            return Ok(None);
        }
        search(&partition, wanted.timestamp, committed)
    });
    match found {
        Ok(Some(found)) => {
            answer.offset = found.offset;
            answer.timestamp = found.timestamp;
            answer.leader_epoch = LEADER_EPOCH;
        }
        Ok(None) => {}
        Err(error) => answer.error_code = error.code(),
    }
    answer
}

fn find(topic: Option<&Topic>, wanted: &ListOffsetsPartition) -> Result<Partition, ErrorCode> {
    let topic = topic.ok_or(ErrorCode::UnknownTopicOrPartition)?;
    if wanted.current_leader_epoch > LEADER_EPOCH {
        return Err(ErrorCode::UnknownLeaderEpoch);
    }
    partition(topic, wanted.partition_index).ok_or(ErrorCode::UnknownTopicOrPartition)
}

fn search(
    partition: &Partition,
    timestamp: i64,
    committed: bool,
) -> Result<Option<TimestampedOffset>, ErrorCode> {
    let end = if committed { partition.last_stable_offset() } else { partition.high_watermark() };
    let at = |offset| Some(TimestampedOffset { offset, timestamp: -1 });
    let by_time = |found: Result<Option<TimestampedOffset>, ReadError>| {
        let found = found.map_err(|error| error_code::read(&error))?;
        Ok(found.filter(|found| found.offset < end))
    };
    match timestamp {
        LATEST => Ok(at(end)),
        EARLIEST | EARLIEST_LOCAL => Ok(at(partition.log_start_offset())),
        MAX_TIMESTAMP => by_time(partition.max_timestamp()),
        LATEST_TIERED | EARLIEST_PENDING_UPLOAD => Ok(None),
        0.. => by_time(partition.offset_for_timestamp(timestamp)),
        _ => Err(ErrorCode::InvalidRequest),
    }
}

fn old_style(partition: &Partition, wanted: &ListOffsetsPartition) -> Vec<i64> {
    let (start, end) = (partition.log_start_offset(), partition.high_watermark());
    let mut offsets = match wanted.timestamp {
        LATEST if start < end => vec![end, start],
        LATEST => vec![end],
        _ => vec![start],
    };
    offsets.truncate(usize::try_from(wanted.max_num_offsets).unwrap_or(0));
    offsets
}
