//! ConsumerGroupDescribe, key 69, versions 0 and 1.
//!
//! Groups of the consumer protocol (KIP-848) with their members, what these own and what they are to own. To others, and
//! to groups that do not exist, the answer is GROUP_ID_NOT_FOUND, upon which clients ask by DescribeGroups.

use groups::{Assignment, ConsumerGroupDescription, ConsumerMemberDescription};
use protocol::messages::consumer_group_describe::{
    Assignment as Told, ConsumerGroupDescribeRequest, ConsumerGroupDescribeResponse, DescribedGroup, Member,
    TopicPartitions,
};
use protocol::{ErrorCode, StrBytes};
use topics::Topics;

use super::operations;
use crate::context::Context;

/// A member that speaks the classic protocol.
const CLASSIC: i8 = 0;
/// A member that speaks the consumer protocol.
const CONSUMER: i8 = 1;

pub(crate) fn handle(
    context: &Context,
    request: ConsumerGroupDescribeRequest,
) -> impl Future<Output = ConsumerGroupDescribeResponse> + Send + use<> {
    let group_ids = request.group_ids.iter().map(ToString::to_string).collect();
    let describing = context.coordinator().describe_consumer(group_ids);
    let with_operations = request.include_authorized_operations;
    let topics = context.topics().clone();
    async move {
        let described = describing.await;
        let describe = |(position, group_id): (usize, StrBytes)| {
            let mut group = match &described {
                Ok(described) => match described[position].clone() {
                    Some(description) => found(description, &topics),
                    None => missing(),
                },
                Err(_) => failed(ErrorCode::CoordinatorNotAvailable),
            };
            group.group_id = group_id;
            if with_operations {
                group.authorized_operations = operations::GROUP;
            }
            group
        };
        let groups = request.group_ids.into_iter().enumerate().map(describe).collect();
        ConsumerGroupDescribeResponse { groups, ..Default::default() }
    }
}

fn found(description: ConsumerGroupDescription, topics: &Topics) -> DescribedGroup {
    DescribedGroup {
        group_state: StrBytes::from_static(description.state.name()),
        group_epoch: description.epoch,
        assignment_epoch: description.assignment_epoch,
        assignor_name: StrBytes::from_static(description.assignor.name()),
        members: description.members.into_iter().map(|one| member(one, topics)).collect(),
        ..Default::default()
    }
}

fn member(member: ConsumerMemberDescription, topics: &Topics) -> Member {
    let profile = member.profile;
    Member {
        member_id: member.member_id.into(),
        instance_id: profile.instance_id.map(StrBytes::from),
        rack_id: profile.rack_id.map(StrBytes::from),
        member_epoch: member.epoch,
        client_id: profile.client_id.into(),
        client_host: profile.client_host.into(),
        subscribed_topic_names: profile.topic_names.into_iter().map(StrBytes::from).collect(),
        subscribed_topic_regex: profile.topic_pattern.map(StrBytes::from),
        assignment: told(&member.assigned, topics),
        target_assignment: told(&member.target, topics),
        member_type: if profile.classic.is_some() { CLASSIC } else { CONSUMER },
    }
}

/// Topics that were deleted since have no name, and are left out.
fn told(assignment: &Assignment, topics: &Topics) -> Told {
    let topic_partitions = assignment.topics().filter_map(|(topic_id, indexes)| {
        let topic = topics.topic_by_id(topic_id)?;
        Some(TopicPartitions {
            topic_id,
            topic_name: topic.name().into(),
            partitions: indexes.iter().copied().collect(),
        })
    });
    Told { topic_partitions: topic_partitions.collect() }
}

fn missing() -> DescribedGroup {
    DescribedGroup {
        error_message: Some(StrBytes::from_static("no such group of the consumer protocol")),
        ..failed(ErrorCode::GroupIdNotFound)
    }
}

fn failed(error: ErrorCode) -> DescribedGroup {
    DescribedGroup { error_code: error.code(), ..Default::default() }
}
