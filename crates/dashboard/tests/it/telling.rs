//! What is told to those who ask once.

use serde_json::json;

use crate::house::{EPOCH_MS, House, gallery, plain};

#[tokio::test]
async fn the_api_answers_before_anything_has_happened() {
    let house = House::new();
    let open = house.open(plain()).await;
    let client = open.client();
    assert_eq!(client.get("/healthz").await.text(), "ok\n");
    for path in ["/api/topics", "/api/queries", "/api/models", "/api/dead-letters"] {
        let answer = client.get(path).await;
        assert_eq!((answer.status, answer.json()), (200, json!([])), "{path}");
        assert_eq!(answer.header("cache-control").as_deref(), Some("no-store"), "{path}");
    }
    let status = client.get("/api/status").await.json();
    assert_eq!((&status["answered"], &status["gallery"]), (&json!(0), &json!(null)));
    assert!(status["server"]["started_ms"].as_i64().unwrap() > EPOCH_MS);
    assert_eq!(client.get("/api/scores").await.json()["all"]["purity"], json!(null));
    open.close().await;
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let house = House::with_gallery();
    let open = house.open(gallery()).await;
    let client = open.client();
    let mut live = client.live().await;
    live.until("snapshot").await;
    house.append("uploads", EPOCH_MS, &[json!({"id": "a", "pixels": [1, 2, 3, 4]})]).await;
    house.append("assigned", EPOCH_MS + 30, &[json!({"id": "a", "segment": 1})]).await;
    live.until("images").await;
    let metrics = client.get("/metrics").await;
    assert!(metrics.header("content-type").unwrap().starts_with("text/plain; version=0.0.4"));
    let text = metrics.text();
    for line in [
        "kafka_log_log_logendoffset{topic=\"uploads\",partition=\"0\"} 1",
        "pelton_page_watchers 1",
        "pelton_gallery_latency_seconds_bucket{kind=\"uploaded\",le=\"0.025\"} 0",
        "pelton_gallery_latency_seconds_bucket{kind=\"uploaded\",le=\"0.05\"} 1",
        "pelton_gallery_latency_seconds_count{kind=\"uploaded\"} 1",
    ] {
        assert!(text.lines().any(|other| other == line), "{line} is missing in\n{text}");
    }
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        let of = name.trim_end_matches("_bucket").trim_end_matches("_sum").trim_end_matches("_count");
        assert!(text.contains(&format!("# TYPE {of} ")), "{line}");
        assert!(line.rsplit_once(' ').unwrap().1.parse::<f64>().is_ok(), "{line}");
    }
    open.close().await;
}
