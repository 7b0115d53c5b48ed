//! DescribeGroups, key 15, versions 0 to 6.
//!
//! State, protocol and members of groups. A group that does not exist is `Dead`; from version 6 it is an error, too.

use groups::{Description, MemberDescription};
use protocol::messages::describe_groups::{DescribedGroup, DescribedGroupMember};
use protocol::messages::{DescribeGroupsRequest, DescribeGroupsResponse};
use protocol::{ErrorCode, StrBytes};

use super::operations;
use crate::context::Context;

const FIRST_WITH_NOT_FOUND: i16 = 6;

pub(crate) fn handle(
    context: &Context,
    request: DescribeGroupsRequest,
) -> impl Future<Output = DescribeGroupsResponse> + Send + use<> {
    let group_ids = request.groups.iter().map(ToString::to_string).collect();
    let describing = context.coordinator().describe(group_ids);
    let version = context.api_version;
    let with_operations = request.include_authorized_operations;
    async move {
        let described = describing.await;
        let describe = |(position, group_id): (usize, StrBytes)| {
            let mut group = match &described {
                Ok(described) => match described[position].clone() {
                    Some(description) => found(description),
                    None => missing(version),
                },
                Err(_) => failed(ErrorCode::CoordinatorNotAvailable),
            };
            group.group_id = group_id;
            if with_operations {
                group.authorized_operations = operations::GROUP;
            }
            group
        };
        let groups = request.groups.into_iter().enumerate().map(describe).collect();
        DescribeGroupsResponse { groups, ..Default::default() }
    }
}

fn found(description: Description) -> DescribedGroup {
    DescribedGroup {
        group_state: StrBytes::from_static(description.state.name()),
        protocol_type: description.protocol_type.into(),
        protocol_data: description.protocol.into(),
        members: description.members.into_iter().map(member).collect(),
        ..Default::default()
    }
}

fn member(member: MemberDescription) -> DescribedGroupMember {
    DescribedGroupMember {
        member_id: member.member_id.into(),
        group_instance_id: member.instance_id.map(StrBytes::from),
        client_id: member.client_id.into(),
        client_host: member.client_host.into(),
        member_metadata: member.metadata,
        member_assignment: member.assignment,
    }
}

fn missing(version: i16) -> DescribedGroup {
    let mut group = DescribedGroup { group_state: StrBytes::from_static("Dead"), ..Default::default() };
    if version >= FIRST_WITH_NOT_FOUND {
        group.error_code = ErrorCode::GroupIdNotFound.code();
        group.error_message = Some(StrBytes::from_static("no such group"));
    }
    group
}

fn failed(error: ErrorCode) -> DescribedGroup {
    DescribedGroup { error_code: error.code(), ..Default::default() }
}
