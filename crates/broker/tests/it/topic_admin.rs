//! Creating and deleting topics.

use protocol::ErrorCode;
use protocol::messages::create_topics::{CreatableReplicaAssignment, CreatableTopic, CreatableTopicConfig};
use protocol::messages::delete_topics::DeleteTopicState;
use protocol::messages::metadata::MetadataRequestTopic;
use protocol::messages::{
    CreateTopicsRequest, CreateTopicsResponse, DeleteTopicsRequest, DeleteTopicsResponse, MetadataRequest,
    MetadataResponse,
};

use crate::support::*;

fn wanted(name: &str) -> CreatableTopic {
    CreatableTopic { name: name.into(), num_partitions: 3, replication_factor: 1, ..Default::default() }
}

async fn create(client: &mut Client, topic: CreatableTopic) -> ErrorCode {
    let request = CreateTopicsRequest { topics: vec![topic], ..Default::default() };
    let response: CreateTopicsResponse = client.ask(7, &request).await;
    ErrorCode::from_code(response.topics[0].error_code)
}

fn config(name: &str, value: &str) -> CreatableTopicConfig {
    CreatableTopicConfig { name: name.into(), value: Some(value.into()) }
}

#[tokio::test]
async fn topics_are_created_as_asked_or_not_at_all() {
    let server = Server::start().await;
    let mut client = server.client().await;
    assert_eq!(create(&mut client, wanted("t")).await, ErrorCode::None);
    assert_eq!(server.topics.topic("t").expect("created").partition_count(), 3);
    assert_eq!(create(&mut client, wanted("t")).await, ErrorCode::TopicAlreadyExists);
    assert_eq!(create(&mut client, wanted("a b")).await, ErrorCode::InvalidTopicException);
    let change = |change: fn(&mut CreatableTopic)| {
        let mut topic = wanted("u");
        change(&mut topic);
        topic
    };
    let cases = [
        (change(|topic| topic.num_partitions = 0), ErrorCode::InvalidPartitions),
        (change(|topic| topic.replication_factor = 3), ErrorCode::InvalidReplicationFactor),
        (change(|topic| topic.configs = vec![config("nothing", "1")]), ErrorCode::InvalidConfig),
        (change(|topic| topic.configs = vec![config("retention.ms", "x")]), ErrorCode::InvalidConfig),
        (
            change(|topic| topic.assignments = vec![CreatableReplicaAssignment::default()]),
            ErrorCode::InvalidRequest,
        ),
    ];
    for (topic, expected) in cases {
        assert_eq!(create(&mut client, topic).await, expected);
    }
    let default = CreatableTopic { num_partitions: -1, replication_factor: -1, ..wanted("d") };
    assert_eq!(create(&mut client, default).await, ErrorCode::None);
    let twice = CreateTopicsRequest { topics: vec![wanted("v"), wanted("v")], ..Default::default() };
    let response: CreateTopicsResponse = client.ask(7, &twice).await;
    assert!(response.topics.iter().all(|one| one.error_code == ErrorCode::InvalidRequest.code()));
    let dry = CreateTopicsRequest { topics: vec![wanted("w")], validate_only: true, ..Default::default() };
    let response: CreateTopicsResponse = client.ask(7, &dry).await;
    assert_eq!(response.topics[0].error_code, 0);
    let names: Vec<_> = server.topics.list().iter().map(|topic| topic.name().to_owned()).collect();
    assert_eq!(names, ["__consumer_offsets", "__transaction_state", "d", "t"]);
    server.stop().await;
}

#[tokio::test]
async fn topics_go_by_name_and_by_id() {
    let server = Server::start().await;
    let mut client = server.client().await;
    for name in ["a", "b"] {
        assert_eq!(create(&mut client, wanted(name)).await, ErrorCode::None);
    }
    let request = DeleteTopicsRequest {
        topic_names: vec!["a".into(), "nowhere".into(), "__consumer_offsets".into()],
        ..Default::default()
    };
    let response: DeleteTopicsResponse = client.ask(4, &request).await;
    let codes: Vec<_> = response.responses.iter().map(|one| ErrorCode::from_code(one.error_code)).collect();
    assert_eq!(
        codes,
        [ErrorCode::None, ErrorCode::UnknownTopicOrPartition, ErrorCode::InvalidTopicException]
    );
    let topic_id = server.topics.topic("b").expect("still there").id();
    let by_id = DeleteTopicState { name: None, topic_id };
    let request = DeleteTopicsRequest { topics: vec![by_id.clone(), by_id], ..Default::default() };
    let response: DeleteTopicsResponse = client.ask(6, &request).await;
    let codes: Vec<_> = response.responses.iter().map(|one| ErrorCode::from_code(one.error_code)).collect();
    assert_eq!(codes, [ErrorCode::None, ErrorCode::UnknownTopicId]);
    assert_eq!(response.responses[0].name.as_deref(), Some("b"));
    server.stop().await;
}

#[tokio::test]
async fn unknown_topics_are_created_only_if_both_sides_want_it() {
    for (server_allows, client_allows, expected) in
        [(true, true, true), (true, false, false), (false, true, false)]
    {
        let server = Server::start_with(|config| config.auto_create = server_allows).await;
        let mut client = server.client().await;
        let topic = MetadataRequestTopic { name: Some("t".into()), ..Default::default() };
        let request = MetadataRequest {
            topics: Some(vec![topic]),
            allow_auto_topic_creation: client_allows,
            ..Default::default()
        };
        let response: MetadataResponse = client.ask(9, &request).await;
        let code = ErrorCode::from_code(response.topics[0].error_code);
        let error = if expected { ErrorCode::None } else { ErrorCode::UnknownTopicOrPartition };
        assert_eq!((code, server.topics.topic("t").is_some()), (error, expected));
        server.stop().await;
    }
}
