//! DescribeQuorum, key 55, versions 0 to 2.
//!
//! The quorum of the metadata log, as tools ask for it: this broker alone, leading and caught up. There is no such log
//! to read; its end is given as 0.

use protocol::messages::describe_quorum::{
    Listener, Node, PartitionResult, ReplicaState, TopicData, TopicResult,
};
use protocol::messages::{DescribeQuorumRequest, DescribeQuorumResponse};
use protocol::{ErrorCode, StrBytes};

use super::LEADER_EPOCH;
use crate::context::Context;

const METADATA_TOPIC: &str = "__cluster_metadata";

pub(crate) fn handle(
    context: &Context,
    request: DescribeQuorumRequest,
) -> impl Future<Output = DescribeQuorumResponse> + Send + use<> {
    let node_id = context.config().node_id;
    let now_ms = context.shared.env.clock.now_ms();
    let describe = |wanted: TopicData| {
        let partitions = wanted
            .partitions
            .iter()
            .map(|one| match &*wanted.topic_name == METADATA_TOPIC && one.partition_index == 0 {
                true => alone(node_id, now_ms),
                false => PartitionResult {
                    partition_index: one.partition_index,
                    error_code: ErrorCode::UnknownTopicOrPartition.code(),
                    ..Default::default()
                },
            })
            .collect();
        TopicResult { topic_name: wanted.topic_name, partitions }
    };
    let (host, port) = context.advertised();
    let name = StrBytes::from_static("PLAINTEXT");
    let listeners = vec![Listener { name, host, port: u16::try_from(port).unwrap_or_default() }];
    std::future::ready(DescribeQuorumResponse {
        topics: request.topics.into_iter().map(describe).collect(),
        nodes: vec![Node { node_id, listeners }],
        ..Default::default()
    })
}

fn alone(node_id: i32, now_ms: i64) -> PartitionResult {
    let this = ReplicaState {
        replica_id: node_id,
        last_fetch_timestamp: now_ms,
        last_caught_up_timestamp: now_ms,
        ..Default::default()
    };
    PartitionResult {
        leader_id: node_id,
        leader_epoch: LEADER_EPOCH,
        current_voters: vec![this],
        ..Default::default()
    }
}
