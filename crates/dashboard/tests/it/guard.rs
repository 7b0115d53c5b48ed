//! Who is let in.

use dashboard::{BindError, Config, Dashboard, ErrorKind, Exposure};
use serde_json::json;

use crate::house::{House, gallery, plain};

#[tokio::test]
async fn an_address_that_others_can_reach_must_be_asked_for() {
    let house = House::new();
    let bind = async |exposure| {
        let config = Config { addr: "0.0.0.0:0".parse().unwrap(), exposure, ..Config::default() };
        Dashboard::bind(config, house.topics.clone(), house.engine.clone(), house.env.clone()).await
    };
    let refused = bind(Exposure::Loopback).await.unwrap_err();
    assert!(matches!(refused, BindError::Exposed { .. }));
    assert!(refused.to_string().contains("0.0.0.0:0 is refused"), "{refused}");
    assert!(bind(Exposure::Network).await.is_ok());
}

#[tokio::test]
async fn a_port_in_use_is_a_conflict_that_names_it() {
    let house = House::new();
    let open = house.open(plain()).await;
    let config = Config { addr: open.addr, ..plain() };
    let error = Dashboard::bind(config, house.topics.clone(), house.engine.clone(), house.env.clone())
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Conflict);
    assert!(error.to_string().contains(&open.addr.to_string()), "{error}");
    open.close().await;
}

#[tokio::test]
async fn another_name_or_another_origin_gets_nothing() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    for path in ["/", "/api/status", "/api/live", "/metrics"] {
        let answer = client.send("GET", path, &[("host", "rebound.example")], b"").await;
        assert_eq!(answer.status, 403, "{path}");
        assert!(answer.error().contains("rebound.example"));
        assert!(answer.header("content-security-policy").is_some());
    }
    let foreign = [("content-type", "application/json"), ("origin", "http://elsewhere.example")];
    let answer = client.send("POST", "/api/topics/uploads/records", &foreign, b"[{}]").await;
    assert_eq!(answer.status, 403);
    assert!(house.values("uploads").is_empty());
    open.close().await;
}

#[tokio::test]
async fn bodies_are_json_and_have_a_limit() {
    let house = House::with_gallery();
    let open = house.open(Config { body_bytes_max: 1_000, ..gallery() }).await;
    let (client, path) = (open.client(), "/api/topics/uploads/records");
    let form =
        client.send("POST", path, &[("content-type", "application/x-www-form-urlencoded")], b"a=b").await;
    assert_eq!((form.status, form.error().contains("application/json")), (415, true));
    let none = client.send("POST", path, &[], b"[{}]").await;
    assert_eq!(none.status, 415);
    let torn = client.send("POST", path, &[("content-type", "application/json")], b"[{\"id\":").await;
    assert_eq!((torn.status, torn.error().contains("the body is not")), (400, true));
    let large = client.post(path, &json!(["x".repeat(2_000)])).await;
    assert_eq!(large.status, 413);
    large.error();
    assert!(house.values("uploads").is_empty());
    open.close().await;
}

#[tokio::test]
async fn more_browsers_than_allowed_are_told_so() {
    let house = House::new();
    let open = house.open(Config { watchers_max: 1, ..plain() }).await;
    let client = open.client();
    let mut first = client.live().await;
    first.until("snapshot").await;
    let second = client.get("/api/live").await;
    assert_eq!((second.status, second.error().contains("watch already")), (503, true));
    open.close().await;
}
