//! Pipelined requests are answered in their order, whatever each has to wait for.

use protocol::Frame;
use protocol::messages::offset_for_leader_epoch::{OffsetForLeaderPartition, OffsetForLeaderTopic};
use protocol::messages::{
    ApiVersionsRequest, ApiVersionsResponse, FetchResponse, OffsetForLeaderEpochRequest,
    OffsetForLeaderEpochResponse, ProduceResponse,
};

use crate::support::*;

#[tokio::test]
async fn answers_come_in_the_order_of_the_requests() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let mut sent = Vec::new();
    for round in 0..50 {
        let acks = if round % 2 == 0 { -1 } else { 1 };
        sent.push(client.send(7, &produce_request("t", acks, batch(&["a"]))).await);
        sent.push(client.send(11, &fetch_request("t", 0, 10)).await);
        sent.push(client.send(0, &ApiVersionsRequest::default()).await);
    }
    let mut received = Vec::new();
    for round in 0..50 {
        let (id, response) = client.receive::<ProduceResponse>(7).await;
        assert_eq!(response.responses[0].partition_responses[0].base_offset, round, "enqueued in order");
        received.push(id);
        received.push(client.receive::<FetchResponse>(11).await.0);
        received.push(client.receive::<ApiVersionsResponse>(0).await.0);
    }
    assert_eq!(sent, received);
    server.stop().await;
}

#[tokio::test]
async fn a_request_sees_what_came_before_it_in_the_same_piece() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    for round in 0..20 {
        let mut piece = Vec::new();
        for n in 0..5 {
            let acks = if n == 3 { 0 } else { 1 };
            let request = produce_request("t", acks, batch(&[&format!("{round} {n}")]));
            piece.extend_from_slice(&Frame::request(n, Some("it"), 7, &request).into_bytes());
        }
        let end = end_request("t");
        piece.extend_from_slice(&Frame::request(5, Some("it"), 3, &end).into_bytes());
        let fetch = fetch_request("t", 5 * i64::from(round), 0);
        piece.extend_from_slice(&Frame::request(6, Some("it"), 11, &fetch).into_bytes());
        client.send_raw(&piece).await;
        for n in [0, 1, 2, 4] {
            let (id, response) = client.receive::<ProduceResponse>(7).await;
            let offset = response.responses[0].partition_responses[0].base_offset;
            assert_eq!((id, offset), (n, i64::from(5 * round + n)));
        }
        let (_, response) = client.receive::<OffsetForLeaderEpochResponse>(3).await;
        assert_eq!(response.topics[0].partitions[0].end_offset, i64::from(5 * round + 5));
        let (_, response) = client.receive::<FetchResponse>(11).await;
        let values: Vec<String> = fetched(&response).into_iter().map(|(_, value)| value).collect();
        assert_eq!(values, (0..5).map(|n| format!("{round} {n}")).collect::<Vec<_>>());
    }
    server.stop().await;
}

/// Asks, for the only epoch there is, where a topic's first partition ends.
fn end_request(topic: &str) -> OffsetForLeaderEpochRequest {
    let partitions = vec![OffsetForLeaderPartition::default()];
    let topics = vec![OffsetForLeaderTopic { topic: topic.into(), partitions }];
    OffsetForLeaderEpochRequest { topics, ..Default::default() }
}
