//! `acks=0`: no answer, but an end when something went wrong.

use crate::support::*;

#[tokio::test]
async fn without_acknowledgement_there_is_no_answer() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.send(7, &produce_request("t", 0, batch(&["a"]))).await;
    assert_eq!(fetched(&client.ask(11, &fetch_request("t", 0, 10_000)).await), [(0, "a".to_owned())]);
    server.stop().await;
}

#[tokio::test]
async fn a_silent_failure_ends_the_connection() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.send(7, &produce_request("nowhere", 0, batch(&["a"]))).await;
    assert!(client.frame().await.is_none());
    server.stop().await;
}
