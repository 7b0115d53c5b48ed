//! Fetches that wait: woken by what they wait for, and by nothing less.

use std::time::Duration;

use env::{Clock, SystemClock};
use protocol::messages::FetchResponse;

use crate::support::*;

const LONG_MS: i32 = 40_000;

#[tokio::test]
async fn a_waiting_fetch_is_woken_by_a_produce() {
    let server = Server::start().await;
    let (mut reader, mut writer) = (server.client().await, server.client().await);
    writer.touch_topic("t").await;
    let before = SystemClock.monotonic();
    reader.send(11, &fetch_request("t", 0, LONG_MS)).await;
    writer.produce("t", 1, batch(&["a"])).await;
    let (_, response) = reader.receive::<FetchResponse>(11).await;
    assert_eq!(fetched(&response), [(0, "a".to_owned())]);
    assert!(
        SystemClock.monotonic() - before < Duration::from_secs(30),
        "it did not wait for its time to pass"
    );
    server.stop().await;
}

#[tokio::test]
async fn too_few_bytes_do_not_end_the_wait() {
    let server = Server::start().await;
    let (mut reader, mut writer) = (server.client().await, server.client().await);
    writer.touch_topic("t").await;
    let mut request = fetch_request("t", 0, LONG_MS);
    let one = batch(&["a"]);
    request.min_bytes = i32::try_from(one.len()).expect("small") * 3;
    reader.send(11, &request).await;
    for _ in 0..3 {
        writer.produce("t", 1, one.clone()).await;
    }
    let (_, response) = reader.receive::<FetchResponse>(11).await;
    assert_eq!(fetched(&response).len(), 3);
    server.stop().await;
}

#[tokio::test]
async fn an_empty_answer_comes_when_time_is_up() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    let response: FetchResponse = client.ask(11, &fetch_request("t", 0, 20)).await;
    assert!(fetched(&response).is_empty());
    server.stop().await;
}

#[tokio::test]
async fn a_shutdown_does_not_wait_for_waiting_fetches() {
    let server = Server::start().await;
    let mut client = server.client().await;
    client.touch_topic("t").await;
    client.send(11, &fetch_request("t", 0, LONG_MS)).await;
    // Answered one after the other, so the fetch has been read once the next connection is served.
    server.client().await.touch_topic("u").await;
    let before = SystemClock.monotonic();
    server.stop().await;
    assert!(SystemClock.monotonic() - before < Duration::from_secs(30));
}
