//! Changing topics and settings while they are used, and what a single node says to administration.

use protocol::ErrorCode;
use protocol::messages::create_partitions::{CreatePartitionsAssignment, CreatePartitionsTopic};
use protocol::messages::delete_records::{DeleteRecordsPartition, DeleteRecordsTopic};
use protocol::messages::describe_configs::DescribeConfigsResource;
use protocol::messages::describe_topic_partitions::TopicRequest;
use protocol::messages::incremental_alter_configs::{AlterConfigsResource, AlterableConfig};
use protocol::messages::{
    AlterConfigsRequest, AlterConfigsResponse, CreatePartitionsRequest, CreatePartitionsResponse,
    DeleteRecordsRequest, DeleteRecordsResponse, DescribeConfigsRequest, DescribeConfigsResponse,
    DescribeLogDirsRequest, DescribeLogDirsResponse, DescribeTopicPartitionsRequest,
    DescribeTopicPartitionsResponse, IncrementalAlterConfigsRequest, IncrementalAlterConfigsResponse,
    ListConfigResourcesRequest, ListConfigResourcesResponse, alter_configs,
};

use crate::support::*;

const TOPIC: i8 = 2;
const BROKER: i8 = 4;
const SET: i8 = 0;
const DELETE: i8 = 1;
const APPEND: i8 = 2;
const SUBTRACT: i8 = 3;

async fn grow(client: &mut Client, topic: &str, count: i32, by_hand: Option<Vec<i32>>) -> ErrorCode {
    let assignments = by_hand.map(|broker_ids| vec![CreatePartitionsAssignment { broker_ids }]);
    let wanted = CreatePartitionsTopic { name: topic.into(), count, assignments };
    let request = CreatePartitionsRequest { topics: vec![wanted], ..Default::default() };
    let response: CreatePartitionsResponse = client.ask(3, &request).await;
    ErrorCode::from_code(response.results[0].error_code)
}

#[tokio::test]
async fn a_topic_grows_and_keeps_what_it_has() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", 1, batch(&["a"])).await;
    assert_eq!(grow(&mut client, "t", 1, None).await, ErrorCode::InvalidPartitions);
    assert_eq!(grow(&mut client, "nowhere", 2, None).await, ErrorCode::UnknownTopicOrPartition);
    assert_eq!(grow(&mut client, "__consumer_offsets", 2, None).await, ErrorCode::InvalidTopicException);
    assert_eq!(grow(&mut client, "t", 2, Some(vec![99])).await, ErrorCode::InvalidReplicaAssignment);
    assert_eq!(grow(&mut client, "t", 4, None).await, ErrorCode::None);
    assert_eq!(server.topics.topic("t").expect("there").partition_count(), 4);
    assert_eq!(fetched(&client.fetch("t", 0).await), [(0, "a".to_owned())]);
    server.stop().await;
}

async fn alter(client: &mut Client, kind: i8, name: &str, changes: &[(i8, &str, &str)]) -> ErrorCode {
    let change = |(operation, name, value): &(i8, &str, &str)| AlterableConfig {
        name: (*name).into(),
        config_operation: *operation,
        value: (*operation != DELETE).then(|| (*value).into()),
    };
    let resource = AlterConfigsResource {
        resource_type: kind,
        resource_name: name.into(),
        configs: changes.iter().map(change).collect(),
    };
    let request = IncrementalAlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let response: IncrementalAlterConfigsResponse = client.ask(1, &request).await;
    ErrorCode::from_code(response.responses[0].error_code)
}

/// Value, source and whether it is read-only.
async fn setting(client: &mut Client, kind: i8, resource: &str, name: &str) -> (String, i8, bool) {
    let wanted = DescribeConfigsResource {
        resource_type: kind,
        resource_name: resource.into(),
        configuration_keys: Some(vec![name.into()]),
    };
    let request = DescribeConfigsRequest {
        resources: vec![wanted],
        include_synonyms: true,
        include_documentation: true,
    };
    let response: DescribeConfigsResponse = client.ask(4, &request).await;
    let found = response.results[0].configs.first().expect("such a setting");
    assert!(!found.synonyms.is_empty());
    (found.value.as_deref().unwrap_or_default().to_owned(), found.config_source, found.read_only)
}

#[tokio::test]
async fn settings_change_while_they_hold() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    assert_eq!(setting(&mut client, TOPIC, "t", "retention.ms").await, ("604800000".to_owned(), 5, false));
    assert_eq!(alter(&mut client, TOPIC, "t", &[(SET, "retention.ms", "1000")]).await, ErrorCode::None);
    assert_eq!(setting(&mut client, TOPIC, "t", "retention.ms").await.0, "1000");
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[(APPEND, "cleanup.policy", "compact")]).await,
        ErrorCode::None
    );
    assert_eq!(setting(&mut client, TOPIC, "t", "cleanup.policy").await.0, "delete,compact");
    assert_eq!(
        alter(&mut client, TOPIC, "t", &[(SUBTRACT, "cleanup.policy", "delete")]).await,
        ErrorCode::None
    );
    assert_eq!(setting(&mut client, TOPIC, "t", "cleanup.policy").await.0, "compact");
    assert_eq!(alter(&mut client, TOPIC, "t", &[(DELETE, "retention.ms", "")]).await, ErrorCode::None);
    assert_eq!(setting(&mut client, TOPIC, "t", "retention.ms").await, ("604800000".to_owned(), 5, false));
    // A topic without a value of its own follows the broker's default at once.
    assert_eq!(alter(&mut client, BROKER, "", &[(SET, "log.retention.ms", "77000")]).await, ErrorCode::None);
    assert_eq!(setting(&mut client, TOPIC, "t", "retention.ms").await, ("77000".to_owned(), 3, false));
    server.stop().await;
}

#[tokio::test]
async fn settings_that_cannot_hold_are_refused_whole() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let changes = [(SET, "retention.ms", "1000"), (SET, "segment.bytes", "many")];
    assert_eq!(alter(&mut client, TOPIC, "t", &changes).await, ErrorCode::InvalidConfig);
    assert_eq!(setting(&mut client, TOPIC, "t", "retention.ms").await.0, "604800000");
    for (kind, name, change, expected) in [
        (TOPIC, "t", (SET, "no.such", "1"), ErrorCode::InvalidConfig),
        (TOPIC, "t", (APPEND, "retention.ms", "1"), ErrorCode::InvalidConfig),
        (TOPIC, "t", (9, "retention.ms", "1"), ErrorCode::InvalidRequest),
        (TOPIC, "nowhere", (SET, "retention.ms", "1"), ErrorCode::UnknownTopicOrPartition),
        (BROKER, "", (SET, "socket.request.max.bytes", "1"), ErrorCode::InvalidConfig),
        (BROKER, "4711", (SET, "log.retention.ms", "1"), ErrorCode::InvalidRequest),
        (7, "t", (SET, "retention.ms", "1"), ErrorCode::InvalidRequest),
    ] {
        assert_eq!(alter(&mut client, kind, name, &[change]).await, expected, "{name} {change:?}");
    }
    server.stop().await;
}

#[tokio::test]
async fn the_old_way_to_alter_forgets_what_it_does_not_name() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    assert_eq!(alter(&mut client, TOPIC, "t", &[(SET, "retention.ms", "1000")]).await, ErrorCode::None);
    let config =
        alter_configs::AlterableConfig { name: "segment.bytes".into(), value: Some("2000000".into()) };
    let resource = alter_configs::AlterConfigsResource {
        resource_type: TOPIC,
        resource_name: "t".into(),
        configs: vec![config],
    };
    let request = AlterConfigsRequest { resources: vec![resource], ..Default::default() };
    let response: AlterConfigsResponse = client.ask(2, &request).await;
    assert_eq!(response.responses[0].error_code, 0);
    assert_eq!(setting(&mut client, TOPIC, "t", "retention.ms").await.0, "604800000");
    assert_eq!(setting(&mut client, TOPIC, "t", "segment.bytes").await.0, "2000000");
    server.stop().await;
}

#[tokio::test]
async fn records_are_deleted_up_to_an_offset() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    for value in ["a", "b", "c"] {
        client.produce("t", 1, batch(&[value])).await;
    }
    let mut results = Vec::new();
    for (partition_index, offset) in [(0, 2), (0, 9), (7, 0), (0, -1)] {
        let partitions = vec![DeleteRecordsPartition { partition_index, offset }];
        let topics = vec![DeleteRecordsTopic { name: "t".into(), partitions }];
        let request = DeleteRecordsRequest { topics, ..Default::default() };
        let response: DeleteRecordsResponse = client.ask(2, &request).await;
        let result = &response.topics[0].partitions[0];
        results.push((ErrorCode::from_code(result.error_code), result.low_watermark));
    }
    assert_eq!(
        results,
        [
            (ErrorCode::None, 2),
            (ErrorCode::OffsetOutOfRange, -1),
            (ErrorCode::UnknownTopicOrPartition, -1),
            (ErrorCode::None, 3)
        ]
    );
    let response = client.fetch("t", 0).await;
    let partition = &response.responses[0].partitions[0];
    assert_eq!(ErrorCode::from_code(partition.error_code), ErrorCode::OffsetOutOfRange);
    server.stop().await;
}

#[tokio::test]
async fn topics_are_described_page_by_page() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for name in ["b", "a", "c"] {
        client.touch_topic(name).await;
        assert_eq!(grow(&mut client, name, 3, None).await, ErrorCode::None);
    }
    let topics = ["c", "a", "b", "nowhere"].map(|name| TopicRequest { name: name.into() }).to_vec();
    let mut request =
        DescribeTopicPartitionsRequest { topics, response_partition_limit: 4, ..Default::default() };
    let (mut pages, mut seen) = (0, Vec::new());
    loop {
        let response: DescribeTopicPartitionsResponse = client.ask(0, &request).await;
        pages += 1;
        for topic in &response.topics {
            let name = topic.name.as_deref().expect("a name").to_owned();
            seen.extend(topic.partitions.iter().map(|one| (name.clone(), one.partition_index)));
            let is_unknown = ErrorCode::from_code(topic.error_code) == ErrorCode::UnknownTopicOrPartition;
            assert_eq!(is_unknown, name == "nowhere");
        }
        request.cursor = response.next_cursor;
        if request.cursor.is_none() {
            break;
        }
    }
    let all: Vec<_> =
        ["a", "b", "c"].iter().flat_map(|name| (0..3).map(|at| ((*name).to_owned(), at))).collect();
    assert_eq!((pages, seen), (3, all));
    server.stop().await;
}

#[tokio::test]
async fn directories_tell_sizes_and_space() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.produce("t", 1, batch(&["a"])).await;
    let response: DescribeLogDirsResponse = client.ask(4, &DescribeLogDirsRequest::default()).await;
    let directory = &response.results[0];
    let topic = directory.topics.iter().find(|topic| &*topic.name == "t").expect("listed");
    assert!(topic.partitions[0].partition_size > 60, "{topic:?}");
    assert!(directory.total_bytes > directory.usable_bytes && directory.usable_bytes > 0, "{directory:?}");
    let listed: ListConfigResourcesResponse = client.ask(1, &ListConfigResourcesRequest::default()).await;
    assert!(
        listed.config_resources.iter().any(|one| (one.resource_type, &*one.resource_name) == (TOPIC, "t"))
    );
    server.stop().await;
}

#[tokio::test]
async fn whatever_is_listed_with_settings_can_be_described() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let listed: ListConfigResourcesResponse = client.ask(1, &ListConfigResourcesRequest::default()).await;
    let resources = listed.config_resources.iter().map(|one| DescribeConfigsResource {
        resource_type: one.resource_type,
        resource_name: one.resource_name.clone(),
        configuration_keys: None,
    });
    let request = DescribeConfigsRequest { resources: resources.collect(), ..Default::default() };
    assert!(request.resources.iter().any(|one| one.resource_type == BROKER));
    let described: DescribeConfigsResponse = client.ask(4, &request).await;
    for one in &described.results {
        assert_eq!(
            ErrorCode::from_code(one.error_code),
            ErrorCode::None,
            "{} {}",
            one.resource_type,
            one.resource_name
        );
        assert!(!one.configs.is_empty());
    }
    server.stop().await;
}
