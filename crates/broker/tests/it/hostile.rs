//! Clients that send nonsense lose their connection; nobody else notices.

use broker::{BindError, Broker, Config};
use protocol::messages::{ApiVersionsRequest, ApiVersionsResponse};
use protocol::{ErrorCode, Frame, Message};
use tokio::io::AsyncWriteExt;

use crate::support::*;

/// A header of a request: key, version, correlation id 1, client id "it".
fn header(api_key: i16, version: i16) -> Vec<u8> {
    let mut bytes = api_key.to_be_bytes().to_vec();
    bytes.extend_from_slice(&version.to_be_bytes());
    bytes.extend_from_slice(b"\0\0\0\x01\0\x02it");
    bytes
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = i32::try_from(body.len()).expect("small").to_be_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

#[tokio::test]
async fn nonsense_ends_a_connection_and_harms_nobody() {
    let server = Server::start().await;
    let mut bystander = server.client().await;
    bystander.touch_topic("t").await;
    let mut many = header(3, 1);
    many.extend_from_slice(&i32::MAX.to_be_bytes());
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("a frame of 2 GB", i32::MAX.to_be_bytes().to_vec()),
        ("a negative length", (-5i32).to_be_bytes().to_vec()),
        ("an empty frame", framed(b"")),
        ("half a header", framed(b"\0\x03\0")),
        ("an unknown api", framed(&header(999, 0))),
        ("a negative api", framed(&header(-1, 0))),
        ("an unknown version", framed(&header(3, 99))),
        ("a negative version", framed(&header(3, -1))),
        ("a body of nothing", framed(&header(0, 7))),
        ("an array of two billion", framed(&many)),
        ("an http request", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("a tls hello", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03".to_vec()),
    ];
    for (name, bytes) in cases {
        let mut client = server.client().await;
        client.send_raw(&bytes).await;
        assert!(client.frame().await.is_none(), "{name} is not answered");
        assert_eq!(bystander.touch_topic("t").await.topics[0].error_code, 0, "after {name}");
    }
    server.stop().await;
}

#[tokio::test]
async fn half_a_frame_and_a_goodbye_is_no_harm() {
    let server = Server::start().await;
    let whole = Frame::request(1, None, 0, &ApiVersionsRequest::default()).into_bytes();
    for cut in 1..whole.len() {
        let mut client = server.client().await;
        client.send_raw(&whole[..cut]).await;
        client.stream.shutdown().await.expect("closing our half");
        assert!(client.frame().await.is_none());
    }
    server.client().await.touch_topic("t").await;
    server.stop().await;
}

#[tokio::test]
async fn half_a_frame_is_given_up_in_time() {
    let moment = std::time::Duration::from_millis(20);
    let server = Server::start_with(|config| config.stall_timeout = moment).await;
    let mut client = server.client().await;
    client.send_raw(b"\0\0\0\x20\0").await;
    assert!(client.frame().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn who_asks_for_nothing_is_let_go_but_not_who_waits() {
    let moment = std::time::Duration::from_millis(20);
    let server = Server::start_with(|config| config.idle_timeout = moment).await;
    let mut waiting = server.client().await;
    waiting.touch_topic("t").await;
    let ten_times_as_long = fetch_request("t", 0, 200);
    assert!(fetched(&waiting.ask(11, &ten_times_as_long).await).is_empty());
    assert!(waiting.frame().await.is_none());
    assert!(server.client().await.frame().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn what_came_before_nonsense_is_answered() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let asked = Frame::request(7, Some("it"), 0, &ApiVersionsRequest::default()).into_bytes();
    let unknown = framed(&header(1_000, 0));
    client.send_raw(&[&asked[..], &asked, &unknown, &asked].concat()).await;
    for _ in 0..2 {
        assert_eq!(client.receive::<ApiVersionsResponse>(0).await.0, 7);
    }
    assert!(client.frame().await.is_none());
    server.stop().await;
}

#[tokio::test]
async fn a_frame_in_many_pieces_is_one_frame() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let frame = Frame::request(5, Some("it"), 0, &ApiVersionsRequest::default()).into_bytes();
    for byte in &frame[..] {
        client.send_raw(&[*byte]).await;
        client.stream.flush().await.expect("sending");
    }
    assert_eq!(client.receive::<ApiVersionsResponse>(0).await.0, 5);
    server.stop().await;
}

#[tokio::test]
async fn a_version_too_new_is_answered_in_version_0_for_api_versions_alone() {
    let server = Server::start().await;
    let mut client = server.client().await;
    let mut newest = header(18, 99);
    // A header of that age ends with tagged fields: none.
    newest.push(0);
    client.send_raw(&framed(&newest)).await;
    let (_, response) = client.receive::<ApiVersionsResponse>(0).await;
    assert_eq!(ErrorCode::from_code(response.error_code), ErrorCode::UnsupportedVersion);
    let produce = response.api_keys.iter().find(|key| key.api_key == 0).expect("produce is served");
    assert_eq!(produce.min_version, 0);
    let response: ApiVersionsResponse = client
        .ask(
            3,
            &ApiVersionsRequest { client_software_name: "it".into(), client_software_version: "1".into() },
        )
        .await;
    assert_eq!(response.error_code, 0);
    for key in &response.api_keys {
        let api = protocol::ApiKey::from_code(key.api_key).expect("a known api");
        assert_eq!(api.versions(), Some(key.min_version..=key.max_version), "{api}");
    }
    assert!(ApiVersionsRequest::VERSIONS.contains(&3));
    server.stop().await;
}

#[tokio::test]
async fn one_connection_too_many_is_turned_away() {
    let server = Server::start_with(|config| config.max_connections = 1).await;
    let mut first = server.client().await;
    first.touch_topic("t").await;
    let mut second = server.client().await;
    assert!(second.frame().await.is_none());
    assert_eq!(first.touch_topic("t").await.topics[0].error_code, 0);
    drop(first);
    // The slot comes back as soon as the server has noticed.
    for _ in 0..1_000 {
        let mut third = server.client().await;
        third.send(0, &ApiVersionsRequest::default()).await;
        if third.frame().await.is_some() {
            return server.stop().await;
        }
    }
    panic!("the slot of a closed connection never came back");
}

#[tokio::test]
async fn more_than_the_memory_budget_passes_one_after_the_other() {
    let server = Server::start_with(|config| config.memory_bytes = 300_000).await;
    let mut clients = Vec::new();
    let value = "x".repeat(250_000);
    for _ in 0..6 {
        let mut client = server.client().await;
        client.touch_topic("t").await;
        client.send(7, &produce_request("t", 1, batch(&[&value]))).await;
        clients.push(client);
    }
    for mut client in clients {
        let (_, response) = client.receive::<protocol::messages::ProduceResponse>(7).await;
        assert_eq!(response.responses[0].partition_responses[0].error_code, 0);
    }
    server.stop().await;
}

#[tokio::test]
async fn the_network_must_be_allowed() {
    let dir = tempfile::tempdir().expect("a scratch directory");
    let env = env::Env::real();
    let (topics, _) = topics::Topics::open(topics::Config::new(dir.path()), env.clone()).expect("ours");
    let config = Config { addr: ([0, 0, 0, 0], 0).into(), ..Config::default() };
    let refused = Broker::bind(config, topics.clone(), env.clone()).await.expect_err("not allowed");
    assert!(matches!(refused, BindError::Exposed { .. }));
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let addr = taken.local_addr().expect("bound");
    let refused = Broker::bind(Config { addr, ..Config::default() }, topics, env).await.expect_err("taken");
    assert!(refused.to_string().contains(&addr.to_string()), "{refused}");
}
