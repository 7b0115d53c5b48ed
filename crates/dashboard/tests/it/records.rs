//! Rows that are posted lie in the log.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::house::{House, plain};

#[tokio::test]
async fn posted_rows_are_appended_in_order() {
    let house = House::new();
    house.topics.create("t", 1, BTreeMap::new()).unwrap();
    let open = house.open(plain()).await;
    let client = open.client();
    let rows = json!([{"id": "a", "n": 1.5}, {"id": "b", "text": "ü\n\"q\""}, null]);
    let answer = client.post("/api/topics/t/records", &rows).await;
    assert_eq!(
        (answer.status, answer.json()),
        (200, json!({"topic": "t", "partition": 0, "base_offset": 0, "records": 3}))
    );
    let answer = client.post("/api/topics/t/records", &json!({"id": "c"})).await;
    assert_eq!(answer.json()["base_offset"], 3);
    let values: Vec<Value> =
        house.values("t").iter().map(|value| serde_json::from_slice(value).unwrap()).collect();
    assert_eq!(values, [rows[0].clone(), rows[1].clone(), Value::Null, json!({"id": "c"})]);
    open.close().await;
}

#[tokio::test]
async fn rows_go_round_the_partitions() {
    let house = House::new();
    house.topics.create("t", 3, BTreeMap::new()).unwrap();
    let open = house.open(plain()).await;
    for _ in 0..6 {
        assert_eq!(open.client().post("/api/topics/t/records", &json!([1])).await.status, 200);
    }
    let topic = house.topics.topic("t").unwrap();
    let ends: Vec<_> = (0..3).map(|index| topic.partition(index).unwrap().high_watermark()).collect();
    assert_eq!(ends, [2, 2, 2]);
    open.close().await;
}

#[tokio::test]
async fn what_cannot_be_appended_is_refused_with_a_reason() {
    let house = House::new();
    house.topics.create("t", 1, BTreeMap::new()).unwrap();
    house.topics.create("__own", 1, BTreeMap::new()).unwrap();
    let open = house.open(plain()).await;
    let client = open.client();
    for name in ["nobody", "__own", "%2e%2e"] {
        let answer = client.post(&format!("/api/topics/{name}/records"), &json!([1])).await;
        assert_eq!((answer.status, answer.error().contains("does not exist")), (404, true), "{name}");
    }
    let answer = client.post("/api/topics/t/records", &json!([])).await;
    assert_eq!((answer.status, answer.error().contains("no row")), (400, true));
    assert!(house.values("t").is_empty() && house.values("__own").is_empty());
    open.close().await;
}
