//! Statements that change the catalog, and what is there after a restart.

use serde_json::json;

use crate::support::{MODEL, PLACED, POINTS, World, points, sorted};

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    world.sql(MODEL).await;
    world.sql(PLACED).await;
    world.write("points", 0, &points(0, 30)).await;
    world.caught_up().await;
    let (models, history) = (world.engine.models(), world.engine.model_history("clusters"));
    assert_eq!((models[0].version, models[0].rows_learned), (3, 30));
    assert_eq!(models[0].offsets["points"][&0], 30);
    let status = world.query("placed");
    world.close().await;

    let world = World::open(&disk);
    assert_eq!(world.engine.models(), models);
    assert_eq!(world.engine.model_history("CLUSTERS"), history);
    let resumed = world.query("placed");
    assert_eq!((resumed.batch_id, resumed.rows_total, resumed.id), (status.batch_id, 30, status.id));
    world.write("points", 0, &points(30, 40)).await;
    world.caught_up().await;
    assert_eq!(world.engine.models()[0].version, 4);
    let placed = world.read("placed");
    assert_eq!(placed.len(), 40);
    let last = &placed[39];
    assert!(last["cluster"].is_number() && last["version"].as_i64() >= Some(3), "{last}");
}

#[tokio::test]
async fn tables_over_tables_and_late_partitions() {
    let (_disk, world) = World::new();
    world.sql("CREATE STREAMING TABLE a (v INT) USING kafka OPTIONS (topic 'a', partitions 3)").await;
    world.sql("CREATE STREAMING TABLE b USING kafka OPTIONS (topic 'b', partitions 2) AS SELECT v + 1 AS v, _partition AS p FROM STREAM a").await;
    world
        .sql("CREATE STREAMING TABLE c USING kafka OPTIONS (topic 'c') AS SELECT v * 10 AS v FROM STREAM(b)")
        .await;
    for partition in 0..3 {
        world.write("a", partition, &[format!(r#"{{"v":{partition}}}"#)]).await;
    }
    world.until("three rows", |world| world.query("c").rows_total == 3).await;
    let mut values: Vec<i64> = world.read("c").iter().map(|row| row["v"].as_i64().unwrap()).collect();
    values.sort_unstable();
    assert_eq!(values, [10, 20, 30]);
    let mut partitions: Vec<i64> = world.read("b").iter().map(|row| row["p"].as_i64().unwrap()).collect();
    partitions.sort_unstable();
    assert_eq!(partitions, [0, 1, 2]);
    assert_eq!(world.topics.topic("b").unwrap().partition_count(), 2);
}

#[tokio::test]
async fn latest_skips_what_is_there() {
    let (_disk, world) = World::new();
    world.write("a", 0, &[r#"{"v":1}"#.to_owned()]).await;
    world
        .sql("CREATE STREAMING TABLE a (v INT) USING kafka OPTIONS (topic 'a', startingOffsets 'latest')")
        .await;
    world.sql("CREATE STREAMING TABLE b USING kafka OPTIONS (topic 'b') AS SELECT * FROM STREAM a").await;
    world.write("a", 0, &[r#"{"v":2}"#.to_owned()]).await;
    world.caught_up().await;
    assert_eq!(world.read("b"), [json!({"v": 2})]);
}

#[tokio::test]
async fn names_are_taken_once_unless_replaced() {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    assert_eq!(world.refused(POINTS).await, "table points exists already");
    world.sql(MODEL).await;
    world.sql(PLACED).await;
    world.write("points", 0, &points(0, 10)).await;
    world.caught_up().await;
    assert_eq!(
        world.refused("DROP TABLE points").await,
        "points is used by clusters, placed; drop that first"
    );
    assert_eq!(world.refused("DROP MODEL clusters").await, "clusters is used by placed; drop that first");
    assert!(world.refused("DROP TABLE nothing").await.contains("known are placed, points"));
    world.sql("DROP TABLE IF EXISTS nothing").await;

    let before = world.query("placed").id;
    world.sql(&PLACED.replace("IF NOT EXISTS ", "").replace("CREATE", "CREATE OR REPLACE")).await;
    world.caught_up().await;
    assert!(world.query("placed").id > before);
    assert_eq!(world.read("placed").len(), 20, "the new query reads from the start");

    world.sql(&MODEL.replace("IF NOT EXISTS ", "").replace("CREATE", "CREATE OR REPLACE")).await;
    world.caught_up().await;
    let versions: Vec<u64> = world.engine.model_history("clusters").iter().map(|v| v.version).collect();
    assert_eq!(versions, [1, 2], "the history goes on");
    assert_eq!(world.engine.models()[0].rows_learned, 10, "the model began anew");
    world.close().await;

    let world = World::open(&disk);
    let versions: Vec<u64> = world.engine.model_history("clusters").iter().map(|v| v.version).collect();
    assert_eq!(versions, [1, 2]);
    world.sql("DROP TABLE placed; DROP MODEL clusters; DROP TABLE points").await;
    assert!(world.engine.queries().is_empty() && world.engine.models().is_empty());
    assert_eq!(world.read("placed").len(), 20, "the topic stays");
    world.close().await;
    let world = World::open(&disk);
    assert!(world.sql("SHOW TABLES").await.rows.is_empty());
}

#[tokio::test]
async fn a_damaged_journal_stops_its_query_only() {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    world.sql(MODEL).await;
    world.sql(PLACED).await;
    world.write("points", 0, &points(0, 30)).await;
    world.caught_up().await;
    let id = world.query("placed").id;
    world.close().await;
    disk.flip(format!("/data/engine/queries/{id}/journal").as_ref(), 40, 0xff).unwrap();
    let world = World::open(&disk);
    let failed = world.query("placed");
    assert_eq!(failed.state, engine::QueryState::Failed);
    let error = failed.error.unwrap();
    assert!(error.contains("journal is damaged at byte 8"), "{error}");
    world.write("points", 0, &points(30, 31)).await;
    world.until("the model goes on", |world| world.engine.models()[0].rows_learned == 31).await;
    assert_eq!(sorted(&world.read("placed"), "id").len(), 30);
}

#[tokio::test]
async fn a_closed_engine_says_so() {
    let (_disk, world) = World::new();
    let engine = world.engine.clone();
    world.close().await;
    assert_eq!(engine.execute("SHOW TABLES").await.unwrap_err().kind(), engine::ErrorKind::Closed);
}

#[tokio::test]
async fn a_journal_stays_short_and_keeps_a_hundred_versions() {
    let (disk, world) = World::new();
    world.sql(&POINTS.replace("Trigger 10", "Trigger 1")).await;
    world.sql(MODEL).await;
    world.sql(PLACED).await;
    world.write("points", 0, &points(0, 150)).await;
    world.caught_up().await;
    let history = world.engine.model_history("clusters");
    let versions: Vec<u64> = history.iter().map(|version| version.version).collect();
    assert_eq!(versions, (51..=150).collect::<Vec<_>>());
    let journal = format!("/data/engine/queries/{}/journal", world.query("placed").id);
    let journal = env::Disk::read(&disk, journal.as_ref()).unwrap();
    // Behind the last frame there is room.
    let length = journal.iter().rposition(|byte| *byte != 0);
    assert!(length.unwrap() < 10_000, "150 batches and no longer than a few");
    let detail = world.engine.models()[0].detail.clone();
    world.close().await;
    let world = World::open(&disk);
    assert_eq!(world.engine.model_history("clusters"), history);
    assert_eq!(world.engine.models()[0].detail, detail);
    assert_eq!(world.read("placed").len(), 150);
}
