//! ConsumerGroupHeartbeat, key 68, versions 0 and 1.
//!
//! A member of the consumer protocol (KIP-848) joins, stays or leaves, and learns what it may own. The broker shares the
//! partitions out. A change is durable before it is told; a heartbeat that changes nothing does not wait for the disk.
//!
//! In version 0 the broker chooses the member's id, from 1 on the member does, and may subscribe to a pattern of topics,
//! which never matches the broker's own. A group with members of the classic protocol is not converted: they must leave
//! first.

use groups::{Assignment, ConsumerHeartbeat, ConsumerHeartbeatReply};
use protocol::messages::consumer_group_heartbeat::{
    Assignment as Told, ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse, TopicPartitions,
};
use protocol::{ErrorCode, StrBytes};
use uuid::Uuid;

use crate::context::Context;
use crate::error_code;

pub(crate) fn handle(
    context: &Context,
    request: ConsumerGroupHeartbeatRequest,
) -> impl Future<Output = ConsumerGroupHeartbeatResponse> + Send + use<> {
    let beating = context.coordinator().consumer_heartbeat(to_groups(context, request));
    async move {
        match beating.await {
            Ok(Ok(reply)) => told(reply),
            Ok(Err(error)) => refused(error_code::group(error), Some(error.to_string())),
            Err(_) => refused(ErrorCode::CoordinatorNotAvailable, None),
        }
    }
}

fn to_groups(context: &Context, request: ConsumerGroupHeartbeatRequest) -> ConsumerHeartbeat {
    let id = Uuid::from_bytes(context.shared.env.random.next_16_bytes());
    let owned = |text: Option<StrBytes>| text.as_deref().map(str::to_owned);
    let partitions =
        |topic: TopicPartitions| topic.partitions.into_iter().map(move |index| (topic.topic_id, index));
    ConsumerHeartbeat {
        group_id: request.group_id.to_string(),
        member_id: request.member_id.to_string(),
        new_member_id: id.to_string(),
        epoch: request.member_epoch,
        instance_id: owned(request.instance_id),
        rack_id: owned(request.rack_id),
        rebalance_timeout_ms: Some(request.rebalance_timeout_ms).filter(|timeout_ms| *timeout_ms != -1),
        topic_names: request
            .subscribed_topic_names
            .map(|names| names.iter().map(ToString::to_string).collect()),
        topic_pattern: owned(request.subscribed_topic_regex),
        assignor: owned(request.server_assignor),
        owned: request.topic_partitions.map(|topics| topics.into_iter().flat_map(partitions).collect()),
        client_id: context.client_name(),
        client_host: format!("/{}", context.client.peer.ip()),
    }
}

fn told(reply: ConsumerHeartbeatReply) -> ConsumerGroupHeartbeatResponse {
    let partitions = |assignment: Assignment| Told {
        topic_partitions: assignment
            .topics()
            .map(|(topic_id, indexes)| TopicPartitions {
                topic_id,
                partitions: indexes.iter().copied().collect(),
            })
            .collect(),
    };
    ConsumerGroupHeartbeatResponse {
        member_id: Some(reply.member_id.into()),
        member_epoch: reply.epoch,
        heartbeat_interval_ms: reply.heartbeat_interval_ms,
        assignment: reply.assignment.map(partitions),
        ..Default::default()
    }
}

fn refused(error: ErrorCode, message: Option<String>) -> ConsumerGroupHeartbeatResponse {
    ConsumerGroupHeartbeatResponse {
        error_code: error.code(),
        error_message: message.map(StrBytes::from),
        ..Default::default()
    }
}
