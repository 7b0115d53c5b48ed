//! Models that are asked over HTTP.

use serde_json::json;

use crate::house::{House, plain};

const MODEL: &str = "CREATE STREAMING TABLE points (x DOUBLE, side STRING) USING kafka OPTIONS (topic 'points'); \
                     CREATE MODEL sides OPTIONS (algorithm 'naive_bayes', label 'side') \
                     AS SELECT x, side FROM STREAM points";

#[tokio::test(flavor = "multi_thread")]
async fn one_row_or_many_are_answered_by_a_version() {
    let house = House::new();
    house.engine.execute(MODEL).await.unwrap();
    let open = house.open(plain()).await;
    let client = open.client();
    let answer = client.post("/models/sides/predict", &json!({"x": 1})).await;
    assert_eq!((answer.status, answer.error().contains("no version yet")), (400, true), "{}", answer.text());
    let rows: Vec<_> =
        (0..20).map(|i| json!({"x": f64::from(i), "side": if i < 10 { "left" } else { "right" }})).collect();
    house.append("points", 1, &rows).await;
    house.learned("sides", 20).await;

    let answer = client.post("/models/sides/predict", &json!({"x": 2})).await.json();
    assert_eq!(answer, json!({"model": "sides", "version": 1, "predictions": [{"prediction": "left"}]}));
    let many = json!({"rows": [{"x": 2}, {"x": 17.5}, {"x": []}]});
    let answer = client.post("/models/sides/predict?probabilities=true&version=1", &many).await.json();
    let predictions = answer["predictions"].as_array().unwrap();
    assert_eq!(predictions[1]["prediction"], "right");
    assert!(predictions[1]["probabilities"]["right"].as_f64().unwrap() > 0.9);
    assert_eq!(predictions[2], json!({"prediction": null, "error": "x is a number, not []"}));
    for (path, status) in [
        ("/models/nobody/predict", 404),
        ("/models/sides/predict?version=9", 400),
        ("/models/sides/predict?versoin=1", 400),
    ] {
        assert_eq!(client.post(path, &json!({"x": 1})).await.status, status, "{path}");
    }
    open.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_leaves_and_returns() {
    let house = House::new();
    house.engine.execute(MODEL).await.unwrap();
    let open = house.open(plain()).await;
    let client = open.client();
    house.append("points", 1, &[json!({"x": 1, "side": "left"}), json!({"x": 2, "side": "right"})]).await;
    house.learned("sides", 2).await;
    let exported = client.get("/api/models/sides/export").await.json();
    assert_eq!(exported["learner"]["algorithm"], "naive_bayes");
    let answer = client.post("/api/models/sides/import", &exported).await.json();
    assert_eq!(answer, json!({"model": "sides", "version": 2}));
    assert_eq!(client.get("/api/models/sides/export?version=2").await.json(), exported);
    let graph = client.get("/api/models/sides/export?format=onnx&version=1").await;
    assert_eq!((graph.status, graph.text().contains("probabilities")), (200, true));
    let refused = client.get("/api/models/sides/export?format=pmml").await;
    assert_eq!(refused.status, 400, "{}", refused.text());
    let answer = client.post("/api/models/sides/import", &json!({})).await;
    assert_eq!((answer.status, answer.error().contains("not an exported model")), (400, true));
    open.close().await;
}
