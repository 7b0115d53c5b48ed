//! DescribeTopicPartitions, key 75, version 0 (KIP-966).
//!
//! Topics in the order of their names, page by page: a cursor says where the next page begins. Without names, all.

use protocol::messages::describe_topic_partitions::{
    Cursor, DescribeTopicPartitionsResponsePartition, DescribeTopicPartitionsResponseTopic,
};
use protocol::messages::{DescribeTopicPartitionsRequest, DescribeTopicPartitionsResponse};
use protocol::{ErrorCode, StrBytes};

use super::{LEADER_EPOCH, operations};
use crate::context::{Context, is_internal};

/// Kafka's `max.request.partition.size.limit`.
const PARTITIONS_MAX: i32 = 2_000;

pub(crate) fn handle(
    context: &Context,
    request: DescribeTopicPartitionsRequest,
) -> impl Future<Output = DescribeTopicPartitionsResponse> + Send + use<> {
    let mut names: Vec<StrBytes> = if request.topics.is_empty() {
        context.topics().list().iter().map(|topic| StrBytes::from(topic.name())).collect()
    } else {
        request.topics.into_iter().map(|topic| topic.name).collect()
    };
    names.sort();
    names.dedup();
    let limit = request.response_partition_limit.clamp(1, PARTITIONS_MAX);
    std::future::ready(page(context, &names, request.cursor.as_ref(), limit))
}

fn page(
    context: &Context,
    names: &[StrBytes],
    cursor: Option<&Cursor>,
    limit: i32,
) -> DescribeTopicPartitionsResponse {
    let mut response = DescribeTopicPartitionsResponse::default();
    let mut left = limit;
    let behind = |name: &&StrBytes| cursor.is_none_or(|cursor| **name >= cursor.topic_name);
    for name in names.iter().filter(behind) {
        let from =
            cursor.filter(|cursor| cursor.topic_name == *name).map_or(0, |cursor| cursor.partition_index);
        if left == 0 {
            response.next_cursor = Some(Cursor { topic_name: name.clone(), partition_index: from });
            break;
        }
        let (topic, next) = describe(context, name, from.max(0), left);
        left -= i32::try_from(topic.partitions.len()).unwrap_or(left);
        response.topics.push(topic);
        if let Some(partition_index) = next {
            response.next_cursor = Some(Cursor { topic_name: name.clone(), partition_index });
            break;
        }
    }
    response
}

/// One topic from a partition on, no more than so many; and the partition after them, if there is one.
fn describe(
    context: &Context,
    name: &StrBytes,
    from: i32,
    limit: i32,
) -> (DescribeTopicPartitionsResponseTopic, Option<i32>) {
    let mut described =
        DescribeTopicPartitionsResponseTopic { name: Some(name.clone()), ..Default::default() };
    let Some(topic) = context.topics().topic(name) else {
        described.error_code = ErrorCode::UnknownTopicOrPartition.code();
        return (described, None);
    };
    let node_id = context.config().node_id;
    let count = i32::try_from(topic.partition_count()).unwrap_or(i32::MAX);
    let to = from.saturating_add(limit).min(count);
    described.topic_id = topic.id();
    described.is_internal = is_internal(name);
    described.topic_authorized_operations = operations::TOPIC;
    described.partitions = (from..to)
        .map(|partition_index| DescribeTopicPartitionsResponsePartition {
            partition_index,
            leader_id: node_id,
            leader_epoch: LEADER_EPOCH,
            replica_nodes: vec![node_id],
            isr_nodes: vec![node_id],
            eligible_leader_replicas: Some(Vec::new()),
            last_known_elr: Some(Vec::new()),
            ..Default::default()
        })
        .collect();
    (described, (to < count).then_some(to))
}
