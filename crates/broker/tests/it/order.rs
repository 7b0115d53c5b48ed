//! Pipelined requests are answered in their order, whatever each has to wait for.

use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse, FetchResponse, ProduceResponse};

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
