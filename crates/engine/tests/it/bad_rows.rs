//! What cannot be used is counted, shown and kept, and hinders nothing else.

use serde_json::json;

use crate::support::{MODEL, PLACED, POINTS, World};

const NETWORK: &[u8] = include_bytes!("../../../../examples/digits/signature.onnx");

fn mixed() -> Vec<String> {
    let mut rows = crate::support::points(0, 6);
    for bad in [
        "{not json",
        "",
        "[1,2]",
        r#"{"id":"a","point":[1,2]} {"id":"b","point":[1,2]}"#,
        r#"{"id":"nan","point":[NaN,1]}"#,
        r#"{"id":"word","point":["x",1]}"#,
        r#"{"id":"object","point":{"x":1}}"#,
        r#"{"id":"huge","point":[1e999,1]}"#,
        r#"{"id":"hole","point":[null,1]}"#,
        r#"{"id":"none","point":null}"#,
        r#"{"id":"missing"}"#,
        r#"{"id":"wide","point":[1,2,3]}"#,
    ] {
        rows.insert(rows.len() / 2, bad.to_owned());
    }
    rows.extend(crate::support::points(6, 9));
    rows
}

#[tokio::test]
async fn only_the_bad_rows_are_missing() {
    let (_disk, world) = World::new();
    world.sql(POINTS).await;
    world.sql(MODEL).await;
    world.write("points", 0, &crate::support::points(100, 110)).await;
    world.caught_up().await;
    world.sql(PLACED).await;
    world.write("points", 0, &mixed()).await;
    world.caught_up().await;
    let placed = crate::support::sorted(&world.read("placed"), "id");
    let mut good: Vec<String> = (0..9).chain(100..110).map(|n| format!("p{n}")).collect();
    good.sort();
    assert_eq!(placed, good);
    for query in ["placed", "clusters"] {
        let status = world.query(query);
        assert_eq!(status.dead_letters.count, 12, "{query}: {:#?}", status.dead_letters);
        assert_eq!(status.dead_letters.samples.len(), 12);
        assert_eq!(status.dead_letters.topic, format!("{query}.dead-letter"));
    }
    assert_eq!(world.engine.models()[0].rows_learned, 19);
}

#[tokio::test]
async fn each_reason_says_what_is_wrong_and_where() {
    let (_disk, world) = World::new();
    world.sql(POINTS).await;
    world.sql(MODEL).await;
    world.write("points", 0, &crate::support::points(0, 3)).await;
    world.caught_up().await;
    world.sql(PLACED).await;
    let rows =
        [r#"{"id":1,"point":[1,2,3]}"#, r#"{"id":2"#, r#"{"id":3,"point":"x"}"#, r#"{"id":4,"point":null}"#];
    world.write("points", 0, &rows.map(str::to_owned)).await;
    world.caught_up().await;
    let samples = world.query("placed").dead_letters.samples;
    let reasons: Vec<&str> = samples.iter().map(|sample| sample.reason.as_str()).collect();
    assert_eq!(reasons[0], "predict('clusters'): the row has 3 values, the model takes 2");
    assert_eq!(reasons[1], "malformed JSON: the value ends too early");
    assert!(reasons[2].starts_with("wrong type: "), "{}", reasons[2]);
    assert_eq!(reasons[3], "predict('clusters'): the features are null");
    let sample = &samples[1];
    assert_eq!((sample.topic.as_str(), sample.partition, sample.offset), ("points", 0, 4));
    assert_eq!(sample.value, r#"{"id":2"#);
    let letters = world.read("placed.dead-letter");
    assert_eq!(letters.len(), 4);
    assert_eq!(letters[0]["query"], "placed");
    assert_eq!(letters[0]["reason"], json!(reasons[0]));
    assert_eq!(letters[0]["offset"], 3);
    assert_eq!(letters[0]["value"], r#"{"id":1,"point":[1,2,3]}"#);
}

#[tokio::test]
async fn a_network_answers_the_good_rows_of_a_batch_with_bad_ones() {
    let (disk, world) = World::new();
    let file = env::Disk::open(&disk, "/net.onnx".as_ref(), env::OpenMode::Create).unwrap();
    file.write_at(NETWORK, 0).unwrap();
    world.sql("CREATE MODEL signature FROM ONNX '/net.onnx'").await;
    world
        .sql(
            "CREATE STREAMING TABLE images (id STRING, pixels ARRAY<FLOAT>) USING kafka OPTIONS (topic 'images');
             CREATE STREAMING TABLE signed USING kafka OPTIONS (topic 'signed')
             AS SELECT id, signature(pixels) AS signature FROM STREAM images;",
        )
        .await;
    let image = |id: &str, pixels: usize| format!(r#"{{"id":"{id}","pixels":{:?}}}"#, vec![3.0; pixels]);
    let rows =
        [image("a", 64), image("short", 63), image("b", 64), r#"{"id":"none"}"#.to_owned(), image("c", 64)];
    world.write("images", 0, &rows).await;
    world.caught_up().await;
    let signed = world.read("signed");
    assert_eq!(crate::support::sorted(&signed, "id"), ["a", "b", "c"]);
    assert_eq!(signed[0]["signature"], signed[1]["signature"], "equal images, equal signatures");
    let samples = world.query("signed").dead_letters.samples;
    assert_eq!(samples[0].reason, "signature: the row has 63 values, the model takes 64");
    assert_eq!(samples[1].reason, "signature: the argument is null");
}

#[tokio::test]
async fn groups_are_made_without_the_rows_that_a_model_refuses() {
    let (_disk, world) = World::new();
    world.sql(POINTS).await;
    world.sql(MODEL).await;
    world.write("points", 0, &crate::support::points(0, 9)).await;
    world.caught_up().await;
    world
        .sql(
            "CREATE STREAMING TABLE sizes USING kafka OPTIONS (topic 'sizes') AS
             SELECT predict('clusters', point) IS NULL AS unknown, count(*) AS n FROM STREAM points GROUP BY 1",
        )
        .await;
    world.write("points", 0, &[r#"{"id":"wide","point":[1,2,3]}"#.to_owned()]).await;
    world.write("points", 0, &crate::support::points(9, 10)).await;
    world.caught_up().await;
    let sizes = world.read("sizes");
    assert_eq!(sizes.last(), Some(&json!({"unknown": false, "n": 10})));
    assert!(sizes.iter().all(|row| row["unknown"] == false), "{sizes:?}");
    assert_eq!(world.query("sizes").dead_letters.count, 1);
}
