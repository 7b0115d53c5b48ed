//! The real engine behind the page: statements by HTTP, a model that learns, answers that come back.

use serde_json::{Value, json};

use crate::client::Client;
use crate::house::{House, gallery};

/// The demo's pipeline without its network, on images of 2x2.
const PIPELINE: &str = "
    CREATE STREAMING TABLE enrolments (id STRING, pixels ARRAY<FLOAT>)
      USING kafka OPTIONS (topic 'enrol', format 'json');
    CREATE STREAMING TABLE uploads (id STRING, pixels ARRAY<FLOAT>)
      USING kafka OPTIONS (topic 'uploads', format 'json');
    CREATE MODEL segments OPTIONS (algorithm 'streaming_kmeans', k 2, seed 7, init_rows 20)
      AS SELECT pixels AS features FROM STREAM enrolments;
    CREATE MODEL segments_raw OPTIONS (algorithm 'streaming_kmeans', k 2, seed 7, init_rows 20)
      AS SELECT pixels AS features FROM STREAM enrolments;
    CREATE STREAMING TABLE placed USING kafka OPTIONS (topic 'placed', format 'json')
      AS SELECT id, predict('segments', pixels) AS segment, predict('segments_raw', pixels) AS segment_raw,
                model_version('segments') AS model_version FROM STREAM enrolments;
    CREATE STREAMING TABLE assigned USING kafka OPTIONS (topic 'assigned', format 'json')
      AS SELECT id, predict('segments', pixels) AS segment, predict('segments_raw', pixels) AS segment_raw,
                model_version('segments') AS model_version FROM STREAM uploads;
";

fn dark(id: &str) -> Value {
    json!({"id": id, "pixels": [0, 0, 1, 0]})
}

fn bright(id: &str) -> Value {
    json!({"id": id, "pixels": [16, 15, 16, 16]})
}

async fn sql(client: &Client, statements: &str) -> Value {
    let answer = client.post("/api/sql", &json!({ "sql": statements })).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

async fn enrol(client: &Client, round: usize) {
    let rows: Vec<_> = (0..40)
        .map(|n| if n % 2 == 0 { dark(&format!("d{round}-{n}")) } else { bright(&format!("b{round}-{n}")) })
        .collect();
    let labels: Vec<_> = rows
        .iter()
        .map(|row| json!({"id": row["id"], "label": if row["pixels"][0] == 0 { "dark" } else { "bright" }}))
        .collect();
    assert_eq!(client.post("/api/topics/labels/records", &json!(labels)).await.status, 200);
    assert_eq!(client.post("/api/topics/enrol/records", &json!(rows)).await.status, 200);
}

fn model(status: &Value) -> &Value {
    status["models"].as_array().unwrap().iter().find(|model| model["name"] == "segments").unwrap()
}

#[tokio::test]
async fn what_is_posted_is_learned_placed_asked_and_told() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    sql(&client, PIPELINE).await;
    let mut live = client.live().await;
    live.until("snapshot").await;
    enrol(&client, 0).await;
    live.tick_with(|tick| model(&tick["status"])["rows_learned"] == 40).await;
    enrol(&client, 1).await;
    let tick = live.tick_with(|tick| tick["status"]["scores"]["all"]["judged"].as_u64() >= Some(40)).await;
    assert_eq!(tick["status"]["scores"]["all"]["purity"], 1.0);

    let questions = json!([dark("mine"), bright("yours")]);
    assert_eq!(client.post("/api/topics/uploads/records", &questions).await.status, 200);
    let mut answers = Vec::new();
    while answers.len() < 2 {
        let images = live.until("images").await["images"].as_array().unwrap().clone();
        answers.extend(images.into_iter().filter(|image| image["kind"] == "uploaded"));
    }
    assert_ne!(answers[0]["segment"], answers[1]["segment"]);
    assert!(answers.iter().all(|answer| answer["latency_ms"].is_u64() && answer["model_version"].is_u64()));

    let history = client.get("/api/models/segments/history").await.json();
    assert!(history.as_array().unwrap().len() >= 2, "{history}");
    let metrics = client.get("/metrics").await.text();
    assert!(metrics.contains("pelton_model_rows_learned_total{model=\"segments\"} 80"), "{metrics}");
    assert!(metrics.contains("pelton_query_running{query=\"placed\"} 1"), "{metrics}");
    open.close().await;
    house.engine.close().await;
}

#[tokio::test]
async fn rows_that_cannot_be_used_are_counted_and_shown() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    sql(&client, PIPELINE).await;
    let mut live = client.live().await;
    live.until("snapshot").await;
    let long = format!("no json at all {}", "é".repeat(2_000));
    house.append_text("uploads", house.env.clock.now_ms(), &[&long]).await;
    let refused = |tick: &Value| {
        tick["status"]["queries"].as_array().unwrap().iter().any(|query| query["dead_letters"] == 1)
    };
    let tick = live.tick_with(refused).await;
    let queries = tick["status"]["queries"].as_array().unwrap();
    let query = queries.iter().find(|query| query["dead_letters"] == 1).unwrap();
    assert_eq!((&query["state"], &query["name"]), (&json!("running"), &json!("assigned")));
    let sample = &query["samples"][0];
    assert_eq!((&sample["topic"], &sample["offset"]), (&json!("uploads"), &json!(0)));
    assert!(sample["reason"].as_str().is_some_and(|reason| !reason.is_empty()));
    assert!(sample["value"].as_str().unwrap().chars().count() <= 401);
    let told = client.get("/api/dead-letters").await.json();
    let assigned = told.as_array().unwrap().iter().find(|query| query["query"] == "assigned").unwrap();
    assert_eq!(assigned["count"], 1);
    open.close().await;
    house.engine.close().await;
}

#[tokio::test]
async fn a_statement_that_is_wrong_is_answered_with_what_is_wrong() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    for (statement, status) in [("SELEKT 1", 400), ("DROP MODEL nobody", 404)] {
        let answer = client.post("/api/sql", &json!({ "sql": statement })).await;
        assert_eq!(answer.status, status, "{statement}: {}", answer.text());
        assert!(!answer.error().is_empty());
    }
    let answer = client.post("/api/sql", &json!({"query": "SELECT 1"})).await;
    assert_eq!((answer.status, answer.error().contains("unknown field")), (400, true));
    open.close().await;
    house.engine.close().await;
}
