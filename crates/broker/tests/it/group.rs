//! A group of two members over the wire.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::join_group::JoinGroupRequestProtocol;
use protocol::messages::leave_group::MemberIdentity;
use protocol::messages::offset_commit::{OffsetCommitRequestPartition, OffsetCommitRequestTopic};
use protocol::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopic};
use protocol::messages::sync_group::SyncGroupRequestAssignment;
use protocol::messages::*;

use crate::support::*;

pub(crate) fn join(member_id: &str) -> JoinGroupRequest {
    let protocol = JoinGroupRequestProtocol { name: "range".into(), metadata: Bytes::from_static(b"t") };
    JoinGroupRequest {
        group_id: "g".into(),
        session_timeout_ms: 10_000,
        rebalance_timeout_ms: 30_000,
        member_id: member_id.into(),
        protocol_type: "consumer".into(),
        protocols: vec![protocol],
        ..Default::default()
    }
}

fn sync(member_id: &str, generation_id: i32, given: &[(&str, &'static str)]) -> SyncGroupRequest {
    let assignment = |(member_id, bytes): &(&str, &'static str)| SyncGroupRequestAssignment {
        member_id: (*member_id).into(),
        assignment: Bytes::from_static(bytes.as_bytes()),
    };
    SyncGroupRequest {
        group_id: "g".into(),
        generation_id,
        member_id: member_id.into(),
        assignments: given.iter().map(assignment).collect(),
        ..Default::default()
    }
}

fn heartbeat(member_id: &str, generation_id: i32) -> HeartbeatRequest {
    HeartbeatRequest {
        group_id: "g".into(),
        generation_id,
        member_id: member_id.into(),
        ..Default::default()
    }
}

pub(crate) fn commit(member_id: &str, generation: i32, offset: i64) -> OffsetCommitRequest {
    let partition = OffsetCommitRequestPartition {
        committed_offset: offset,
        committed_metadata: Some("note".into()),
        ..Default::default()
    };
    OffsetCommitRequest {
        group_id: "g".into(),
        generation_id_or_member_epoch: generation,
        member_id: member_id.into(),
        topics: vec![OffsetCommitRequestTopic {
            name: "t".into(),
            partitions: vec![partition],
            ..Default::default()
        }],
        ..Default::default()
    }
}

pub(crate) async fn committed(client: &mut Client) -> (i64, String) {
    let topic = OffsetFetchRequestTopic { name: "t".into(), partition_indexes: vec![0] };
    let request =
        OffsetFetchRequest { group_id: "g".into(), topics: Some(vec![topic]), ..Default::default() };
    let response: OffsetFetchResponse = client.ask(7, &request).await;
    let partition = &response.topics[0].partitions[0];
    assert_eq!((response.error_code, partition.error_code), (0, 0));
    (partition.committed_offset, partition.metadata.as_deref().unwrap_or_default().to_owned())
}

/// A new member's id, by the handshake of version 4.
async fn new_id(client: &mut Client) -> String {
    let response: JoinGroupResponse = client.ask(5, &join("")).await;
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::MemberIdRequired);
    response.member_id.to_string()
}

#[tokio::test]
async fn two_members_share_a_group() {
    let server = Server::start().await;
    let (mut one, mut two) = (server.client().await, server.client().await);
    one.touch_topic("t").await;
    let a = new_id(&mut one).await;
    let joined: JoinGroupResponse = one.ask(5, &join(&a)).await;
    assert_eq!((joined.error_code, joined.generation_id, &*joined.leader), (0, 1, &*a));

    let b = new_id(&mut two).await;
    two.send(5, &join(&b)).await;
    let mut first_code = 0;
    while first_code == 0 {
        let beaten: HeartbeatResponse = one.ask(3, &heartbeat(&a, 1)).await;
        first_code = beaten.error_code;
    }
    assert_eq!(ErrorCode::from_code(first_code), ErrorCode::RebalanceInProgress);
    let leading: JoinGroupResponse = one.ask(5, &join(&a)).await;
    let (_, following) = two.receive::<JoinGroupResponse>(5).await;
    assert_eq!((leading.generation_id, following.generation_id), (2, 2));
    assert_eq!((leading.members.len(), following.members.len()), (2, 0));

    two.send(3, &sync(&b, 2, &[])).await;
    let given: SyncGroupResponse = one.ask(3, &sync(&a, 2, &[(&a, "p0"), (&b, "p1")])).await;
    assert_eq!(&given.assignment[..], b"p0");
    let (_, given) = two.receive::<SyncGroupResponse>(3).await;
    assert_eq!(&given.assignment[..], b"p1");

    let done: OffsetCommitResponse = two.ask(7, &commit(&b, 2, 7)).await;
    assert_eq!(done.topics[0].partitions[0].error_code, 0);
    let late: OffsetCommitResponse = two.ask(7, &commit(&b, 1, 9)).await;
    let code = ErrorCode::from_code(late.topics[0].partitions[0].error_code);
    assert_eq!(code, ErrorCode::IllegalGeneration);
    assert_eq!(committed(&mut one).await, (7, "note".to_owned()));

    described(&mut one, "Stable", 2).await;
    let leave = LeaveGroupRequest {
        group_id: "g".into(),
        members: [&a, &b].map(|id| MemberIdentity { member_id: id.into(), ..Default::default() }).to_vec(),
        ..Default::default()
    };
    let left: LeaveGroupResponse = one.ask(4, &leave).await;
    assert!(left.members.iter().all(|member| member.error_code == 0));
    described(&mut one, "Empty", 0).await;
    server.stop().await;
}

async fn described(client: &mut Client, state: &str, members: usize) {
    let request = DescribeGroupsRequest { groups: vec!["g".into(), "other".into()], ..Default::default() };
    let response: DescribeGroupsResponse = client.ask(5, &request).await;
    assert_eq!((&*response.groups[0].group_state, response.groups[0].members.len()), (state, members));
    assert_eq!(&*response.groups[1].group_state, "Dead");
    let response: ListGroupsResponse = client.ask(5, &ListGroupsRequest::default()).await;
    let listed: Vec<_> = response.groups.iter().map(|one| (&*one.group_id, &*one.group_state)).collect();
    assert_eq!(listed, [("g", state)]);
}

#[tokio::test]
async fn many_groups_are_asked_at_once_and_all_their_topics() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let done: OffsetCommitResponse = client.ask(2, &commit("", -1, 3)).await;
    assert_eq!(done.topics[0].partitions[0].error_code, 0);
    let group = |group_id: &str| OffsetFetchRequestGroup {
        group_id: group_id.into(),
        topics: None,
        ..Default::default()
    };
    let request = OffsetFetchRequest { groups: vec![group("g"), group("other")], ..Default::default() };
    for version in [8, 9, 10] {
        let response: OffsetFetchResponse = client.ask(version, &request).await;
        assert_eq!(response.groups[0].topics[0].partitions[0].committed_offset, 3, "{version}");
        assert!(response.groups[1].topics.is_empty());
    }
    let unknown = OffsetCommitRequest { generation_id_or_member_epoch: -1, ..commit("", -1, 4) };
    let mut unknown = unknown;
    unknown.topics[0].name = "nowhere".into();
    let done: OffsetCommitResponse = client.ask(7, &unknown).await;
    let code = ErrorCode::from_code(done.topics[0].partitions[0].error_code);
    assert_eq!(code, ErrorCode::UnknownTopicOrPartition);

    let request = DeleteGroupsRequest { groups_names: vec!["g".into(), "other".into()] };
    let response: DeleteGroupsResponse = client.ask(2, &request).await;
    let codes: Vec<_> = response.results.iter().map(|one| ErrorCode::from_code(one.error_code)).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::GroupIdNotFound]);
    assert_eq!(committed(&mut client).await.0, -1);
    server.stop().await;
}

#[tokio::test]
async fn the_oldest_versions_of_the_group_apis_are_served() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let found: FindCoordinatorResponse =
        client.ask(0, &FindCoordinatorRequest { key: "g".into(), ..Default::default() }).await;
    assert_eq!((found.error_code, &*found.host, found.port), (0, "127.0.0.1", i32::from(server.addr.port())));
    let joined: JoinGroupResponse = client.ask(0, &join("")).await;
    assert_eq!((joined.error_code, joined.generation_id), (0, 1));
    let id = joined.member_id.to_string();
    let given: SyncGroupResponse = client.ask(0, &sync(&id, 1, &[(&id, "p0")])).await;
    assert_eq!(&given.assignment[..], b"p0");
    let beaten: HeartbeatResponse = client.ask(0, &heartbeat(&id, 1)).await;
    assert_eq!(beaten.error_code, 0);
    let done: OffsetCommitResponse = client.ask(1, &commit(&id, 1, 5)).await;
    assert_eq!(done.topics[0].partitions[0].error_code, 0);
    assert_eq!(committed(&mut client).await.0, 5);
    let leave = LeaveGroupRequest { group_id: "g".into(), member_id: id.into(), ..Default::default() };
    let left: LeaveGroupResponse = client.ask(0, &leave).await;
    assert_eq!(left.error_code, 0);
    let again: LeaveGroupResponse = client.ask(0, &leave).await;
    assert_eq!(ErrorCode::from_code(again.error_code), ErrorCode::UnknownMemberId);
    server.stop().await;
}

#[tokio::test]
async fn single_offsets_are_forgotten() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let done: OffsetCommitResponse = client.ask(2, &commit("", -1, 3)).await;
    assert_eq!(done.topics[0].partitions[0].error_code, 0);
    let partition = |partition_index| offset_delete::OffsetDeleteRequestPartition { partition_index };
    let topic = offset_delete::OffsetDeleteRequestTopic {
        name: "t".into(),
        partitions: vec![partition(7), partition(0)],
    };
    let request = OffsetDeleteRequest { group_id: "g".into(), topics: vec![topic] };
    let response: OffsetDeleteResponse = client.ask(0, &request).await;
    let codes: Vec<_> = response.topics[0].partitions.iter().map(|one| one.error_code).collect();
    assert_eq!(codes, [ErrorCode::UnknownTopicOrPartition.code(), 0]);
    assert_eq!(committed(&mut client).await.0, -1);
    let again: OffsetDeleteResponse = client.ask(0, &request).await;
    assert_eq!(ErrorCode::from_code(again.error_code), ErrorCode::GroupIdNotFound);
    server.stop().await;
}
