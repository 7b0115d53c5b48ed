//! AlterPartitionReassignments, key 45, versions 0 and 1.
//!
//! There is nowhere to move a partition to. To move it to where it is, is fine; there is never a move to cancel.

use protocol::messages::alter_partition_reassignments::{
    ReassignablePartition, ReassignablePartitionResponse, ReassignableTopic, ReassignableTopicResponse,
};
use protocol::messages::{AlterPartitionReassignmentsRequest, AlterPartitionReassignmentsResponse};
use protocol::{ErrorCode, StrBytes};
use topics::Topic;

use crate::context::{Context, partition};

pub(crate) fn handle(
    context: &Context,
    request: AlterPartitionReassignmentsRequest,
) -> impl Future<Output = AlterPartitionReassignmentsResponse> + Send + use<> {
    let node_id = context.config().node_id;
    let reassign = |wanted: ReassignableTopic| {
        let topic = context.topics().topic(&wanted.name);
        let partitions = wanted.partitions.iter().map(|one| judge(node_id, topic.as_ref(), one)).collect();
        ReassignableTopicResponse { name: wanted.name, partitions }
    };
    let responses = request.topics.into_iter().map(reassign).collect();
    std::future::ready(AlterPartitionReassignmentsResponse {
        allow_replication_factor_change: request.allow_replication_factor_change,
        responses,
        ..Default::default()
    })
}

fn judge(
    node_id: i32,
    topic: Option<&Topic>,
    wanted: &ReassignablePartition,
) -> ReassignablePartitionResponse {
    let found = topic.and_then(|topic| partition(topic, wanted.partition_index));
    let (code, message) = match (found, &wanted.replicas) {
        (None, _) => (ErrorCode::UnknownTopicOrPartition, "there is no such partition"),
        (Some(_), None) => (ErrorCode::NoReassignmentInProgress, "it is not being moved"),
        (Some(_), Some(replicas)) if *replicas == [node_id] => (ErrorCode::None, ""),
        (Some(_), Some(_)) => (ErrorCode::InvalidReplicaAssignment, "there is one broker"),
    };
    ReassignablePartitionResponse {
        partition_index: wanted.partition_index,
        error_code: code.code(),
        error_message: (code != ErrorCode::None).then(|| StrBytes::from_static(message)),
    }
}
