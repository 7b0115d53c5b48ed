//! Members of the consumer protocol (KIP-848) over the wire.

use bytes::Bytes;
use protocol::ErrorCode;
use protocol::messages::consumer_group_heartbeat::TopicPartitions;
use protocol::messages::offset_fetch::{OffsetFetchRequestGroup, OffsetFetchRequestTopics};
use protocol::messages::*;

use crate::group::commit;
use crate::support::*;

fn joining(member_id: &str) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        member_id: member_id.into(),
        rebalance_timeout_ms: 60_000,
        subscribed_topic_names: Some(vec!["t".into()]),
        topic_partitions: Some(Vec::new()),
        ..Default::default()
    }
}

fn staying(member_id: &str, member_epoch: i32) -> ConsumerGroupHeartbeatRequest {
    ConsumerGroupHeartbeatRequest {
        group_id: "g".into(),
        member_id: member_id.into(),
        member_epoch,
        rebalance_timeout_ms: -1,
        ..Default::default()
    }
}

async fn beat(
    client: &mut Client,
    request: &ConsumerGroupHeartbeatRequest,
) -> ConsumerGroupHeartbeatResponse {
    client.ask(1, request).await
}

fn assigned(response: &ConsumerGroupHeartbeatResponse) -> Vec<TopicPartitions> {
    response.assignment.as_ref().expect("an assignment").topic_partitions.clone()
}

#[tokio::test]
async fn two_members_are_given_their_partitions() {
    let server = Server::start().await;
    let mut client = server.client().await;
    server.topics.create("t", 2, Default::default()).expect("a topic");
    let id = server.topics.topic("t").expect("it was created").id();

    let joined = beat(&mut client, &joining("a")).await;
    assert_eq!((joined.error_code, joined.member_epoch, joined.heartbeat_interval_ms), (0, 1, 5_000));
    assert_eq!(assigned(&joined), [TopicPartitions { topic_id: id, partitions: vec![0, 1] }]);
    let second = beat(&mut client, &joining("b")).await;
    assert_eq!((second.member_epoch, assigned(&second).len()), (2, 0));

    let told = beat(&mut client, &staying("a", 1)).await;
    let left = assigned(&told);
    assert_eq!((told.member_epoch, left[0].partitions.len()), (1, 1));
    let given_back = ConsumerGroupHeartbeatRequest { topic_partitions: Some(left), ..staying("a", 1) };
    assert_eq!(beat(&mut client, &given_back).await.member_epoch, 2);
    let told = beat(&mut client, &staying("b", 2)).await;
    assert_eq!(assigned(&told)[0].partitions.len(), 1);
    described(&mut client).await;

    let done: OffsetCommitResponse = client.ask(9, &commit("a", 2, 7)).await;
    assert_eq!(done.topics[0].partitions[0].error_code, 0);
    let stale: OffsetCommitResponse = client.ask(9, &commit("a", 1, 8)).await;
    assert_eq!(stale.topics[0].partitions[0].error_code, ErrorCode::StaleMemberEpoch.code());
    fetched_by_members(&mut client).await;

    let gone = beat(&mut client, &staying("b", -1)).await;
    assert_eq!((gone.error_code, gone.member_epoch), (0, -1));
    let fenced = beat(&mut client, &staying("a", 9)).await;
    assert_eq!(ErrorCode::from_code(fenced.error_code), ErrorCode::FencedMemberEpoch);
    assert!(fenced.error_message.is_some());
    joined_by_classic_protocol(&mut client).await;
    server.stop().await;
}

async fn joined_by_classic_protocol(client: &mut Client) {
    let known: JoinGroupResponse = client.ask(5, &crate::group::join("")).await;
    assert_eq!(ErrorCode::from_code(known.error_code), ErrorCode::MemberIdRequired);
    let mut request = crate::group::join(&known.member_id);
    let refused: JoinGroupResponse = client.ask(5, &request).await;
    let error = ErrorCode::from_code(refused.error_code);
    assert_eq!(error, ErrorCode::InconsistentGroupProtocol, "its metadata is none of a consumer");
    request.protocols[0].metadata = Bytes::from_static(b"\0\0\0\0\0\x01\0\x01t\xff\xff\xff\xff");
    let classic: JoinGroupResponse = client.ask(5, &request).await;
    assert_eq!((classic.error_code, &*classic.leader), (0, ""));
    let request = ConsumerGroupDescribeRequest { group_ids: vec!["g".into()], ..Default::default() };
    let response: ConsumerGroupDescribeResponse = client.ask(1, &request).await;
    let mut types: Vec<i8> = response.groups[0].members.iter().map(|member| member.member_type).collect();
    types.sort_unstable();
    assert_eq!(types, [0, 1]);
}

async fn described(client: &mut Client) {
    let request =
        ConsumerGroupDescribeRequest { group_ids: vec!["g".into(), "other".into()], ..Default::default() };
    let response: ConsumerGroupDescribeResponse = client.ask(1, &request).await;
    let group = &response.groups[0];
    assert_eq!((&*group.group_state, &*group.assignor_name), ("Stable", "uniform"));
    assert_eq!((group.group_epoch, group.assignment_epoch, group.members.len()), (2, 2, 2));
    assert_eq!(group.members[0].member_type, 1);
    assert_eq!(&*group.members[0].assignment.topic_partitions[0].topic_name, "t");
    assert_eq!(ErrorCode::from_code(response.groups[1].error_code), ErrorCode::GroupIdNotFound);

    let request = DescribeGroupsRequest { groups: vec!["g".into()], ..Default::default() };
    let response: DescribeGroupsResponse = client.ask(6, &request).await;
    assert_eq!(ErrorCode::from_code(response.groups[0].error_code), ErrorCode::GroupIdNotFound);
    for (filter, found) in [("consumer", 1), ("classic", 0)] {
        let request = ListGroupsRequest { types_filter: vec![filter.into()], ..Default::default() };
        let response: ListGroupsResponse = client.ask(5, &request).await;
        assert_eq!(response.groups.len(), found, "{filter}");
    }
}

async fn fetched_by_members(client: &mut Client) {
    for (member_epoch, error) in [(2, ErrorCode::None), (1, ErrorCode::StaleMemberEpoch)] {
        let topic =
            OffsetFetchRequestTopics { name: "t".into(), partition_indexes: vec![0], ..Default::default() };
        let group = OffsetFetchRequestGroup {
            group_id: "g".into(),
            member_id: Some("a".into()),
            member_epoch,
            topics: Some(vec![topic]),
        };
        let request = OffsetFetchRequest { groups: vec![group], ..Default::default() };
        let response: OffsetFetchResponse = client.ask(9, &request).await;
        assert_eq!(ErrorCode::from_code(response.groups[0].error_code), error);
    }
}

/// Java's client learns ids from a pattern, and asks for their names with an empty name beside each id.
#[tokio::test]
async fn a_pattern_is_told_in_ids_which_have_names() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("news-1").await;
    let request = ConsumerGroupHeartbeatRequest {
        subscribed_topic_names: None,
        subscribed_topic_regex: Some("news-[0-9]|__.*".into()),
        ..joining("a")
    };
    let joined = beat(&mut client, &request).await;
    let [topic] = &assigned(&joined)[..] else { panic!("only topics that are not internal") };
    let asked = metadata::MetadataRequestTopic { name: Some("".into()), topic_id: topic.topic_id };
    let request = MetadataRequest { topics: Some(vec![asked]), ..Default::default() };
    let response: MetadataResponse = client.ask(12, &request).await;
    assert_eq!(response.topics[0].name.as_deref(), Some("news-1"));
    let wrong = ConsumerGroupHeartbeatRequest { subscribed_topic_regex: Some("(".into()), ..joining("b") };
    let refused = beat(&mut client, &wrong).await;
    assert_eq!(ErrorCode::from_code(refused.error_code), ErrorCode::InvalidRegularExpression);
    server.stop().await;
}

#[tokio::test]
async fn a_groups_times_can_be_set() {
    use protocol::messages::{describe_configs, incremental_alter_configs as alter};
    const GROUP: i8 = 32;
    let server = Server::start().await;
    let mut client = server.client().await;
    let set = |value: &str| {
        let config = alter::AlterableConfig {
            name: "consumer.heartbeat.interval.ms".into(),
            value: Some(value.into()),
            ..Default::default()
        };
        let resource = alter::AlterConfigsResource {
            resource_type: GROUP,
            resource_name: "g".into(),
            configs: vec![config],
        };
        IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() }
    };
    for (value, error) in [("1", ErrorCode::InvalidConfig), ("15000", ErrorCode::None)] {
        let altered: IncrementalAlterConfigsResponse = client.ask(1, &set(value)).await;
        assert_eq!(ErrorCode::from_code(altered.responses[0].error_code), error, "{value}");
    }
    let resource = describe_configs::DescribeConfigsResource {
        resource_type: GROUP,
        resource_name: "g".into(),
        ..Default::default()
    };
    let request = DescribeConfigsRequest { resources: vec![resource], ..Default::default() };
    let described: DescribeConfigsResponse = client.ask(4, &request).await;
    let values: Vec<_> = described.results[0]
        .configs
        .iter()
        .map(|one| (&*one.name, one.value.as_deref(), one.config_source))
        .collect();
    assert_eq!(
        values,
        [
            ("consumer.heartbeat.interval.ms", Some("15000"), 8),
            ("consumer.session.timeout.ms", Some("45000"), 5)
        ]
    );
    client.touch_topic("t").await;
    assert_eq!(beat(&mut client, &joining("a")).await.heartbeat_interval_ms, 15_000);
    server.stop().await;
}
