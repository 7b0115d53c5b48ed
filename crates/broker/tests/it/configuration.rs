//! Settings and the cluster, as tools ask for them.

use protocol::ErrorCode;
use protocol::messages::describe_configs::DescribeConfigsResource;
use protocol::messages::{
    DescribeClusterRequest, DescribeClusterResponse, DescribeConfigsRequest, DescribeConfigsResponse,
};

use crate::support::*;

fn resource(resource_type: i8, name: &str, keys: Option<&[&str]>) -> DescribeConfigsResource {
    DescribeConfigsResource {
        resource_type,
        resource_name: name.into(),
        configuration_keys: keys.map(|keys| keys.iter().map(|key| (*key).into()).collect()),
    }
}

#[tokio::test]
async fn settings_are_told_with_their_source() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let request = DescribeConfigsRequest {
        resources: vec![
            resource(2, "__consumer_offsets", Some(&["cleanup.policy", "retention.ms"])),
            resource(2, "t", None),
            resource(4, "0", Some(&["num.partitions"])),
            resource(2, "nowhere", None),
            resource(4, "7", None),
        ],
        ..Default::default()
    };
    for version in 0..=4 {
        let response: DescribeConfigsResponse = client.ask(version, &request).await;
        let configs = |index: usize| {
            let configs = &response.results[index].configs;
            configs
                .iter()
                .map(|one| (&*one.name, one.value.as_deref().unwrap_or_default()))
                .collect::<Vec<_>>()
        };
        assert_eq!(configs(0), [("cleanup.policy", "compact"), ("retention.ms", "604800000")]);
        assert!(configs(1).contains(&("max.message.bytes", "1048588")));
        assert_eq!(configs(2), [("num.partitions", "1")]);
        let codes: Vec<_> = response.results.iter().map(|one| ErrorCode::from_code(one.error_code)).collect();
        assert_eq!(codes[3..], [ErrorCode::UnknownTopicOrPartition, ErrorCode::InvalidRequest]);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_cluster_is_this_broker_under_the_advertised_address() {
    let advertised = Some(("kafka.example".to_owned(), 19_092));
    let server = Server::start_with(|config| config.advertised = advertised).await;
    let mut client = server.client().await;
    let response: DescribeClusterResponse = client.ask(0, &DescribeClusterRequest::default()).await;
    assert_eq!((&*response.brokers[0].host, response.brokers[0].port), ("kafka.example", 19_092));
    let metadata = client.touch_topic("t").await;
    assert_eq!(&*metadata.brokers[0].host, "kafka.example");
    assert_eq!(metadata.cluster_id.as_deref(), Some(&*response.cluster_id));
    server.stop().await;
}
