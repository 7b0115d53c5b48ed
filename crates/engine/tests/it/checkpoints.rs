//! Queries that remember where their statement says.

use std::path::Path;

use env::{Disk, OpenMode, SimDisk};

use crate::support::{World, points};

const POINTS: &str = "CREATE STREAMING TABLE points (id STRING, point ARRAY<FLOAT>)
    USING kafka OPTIONS (topic 'points')";
const IDS: &str =
    "CREATE STREAMING TABLE ids USING kafka OPTIONS (topic 'ids', checkpointLocation 'file:///kept/ids')
    AS SELECT id FROM STREAM points";
const LINES: &str = "CREATE STREAMING TABLE lines (n BIGINT) USING json OPTIONS (path '/in')";
const COUNTED: &str = "CREATE STREAMING TABLE counted
    USING kafka OPTIONS (topic 'counted', outputMode 'update', checkpointLocation '/kept/counted')
    AS SELECT n % 2 AS odd, count(*) AS rows FROM STREAM lines GROUP BY n % 2";

fn file(disk: &SimDisk, name: &str, numbers: std::ops::Range<u64>) {
    let lines: String = numbers.map(|n| format!("{{\"n\":{n}}}\n")).collect();
    disk.create_dir_all(Path::new("/in")).unwrap();
    disk.open(&Path::new("/in").join(name), OpenMode::Create).unwrap().write_at(lines.as_bytes(), 0).unwrap();
}

fn rows(world: &World, topic: &str) -> Vec<String> {
    let mut rows: Vec<String> = world.read(topic).iter().map(ToString::to_string).collect();
    rows.sort();
    rows
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_that_is_created_again_goes_on_where_it_was() {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    world.write("points", 0, &points(0, 5)).await;
    world.sql(IDS).await;
    world.caught_up().await;
    assert!(disk.exists(Path::new("/kept/ids/journal")));
    // Two queries cannot remember at one place.
    let other = IDS.replace("TABLE ids", "TABLE others");
    let refused = world.refused(&other).await;
    assert!(refused.contains("/kept/ids: is where ids remembers"), "{refused}");
    world.sql("DROP TABLE ids").await;
    world.write("points", 0, &points(5, 7)).await;
    world.sql(&other).await;
    world.caught_up().await;
    assert_eq!(rows(&world, "ids").len(), 7);
    // Also over a start.
    world.close().await;
    let world = World::open(&disk);
    world.write("points", 0, &points(7, 8)).await;
    world.caught_up().await;
    assert_eq!(rows(&world, "ids").len(), 8);
    assert_eq!(world.query("others").rows_total, 8);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_data_directory_goes_on_with_files() {
    let (disk, world) = World::new();
    file(&disk, "a.json", 0..10);
    world.sql(LINES).await;
    world.sql(COUNTED).await;
    world.until("a.json is counted", |world| rows(world, "counted").len() == 2).await;
    assert_eq!(rows(&world, "counted"), [r#"{"odd":0,"rows":5}"#, r#"{"odd":1,"rows":5}"#]);
    world.close().await;
    let world = World::after_a_loss(&disk);
    // The table has another number in this catalog, and this server has given its producers' numbers to others.
    world.sql("CREATE STREAMING TABLE before (n BIGINT) USING json OPTIONS (path '/none')").await;
    world.sql("CREATE STREAMING TABLE copied USING kafka OPTIONS (topic 'copied') AS SELECT n FROM STREAM before").await;
    world.sql(LINES).await;
    file(&disk, "b.json", 10..13);
    world.sql(COUNTED).await;
    world.until("b.json is counted", |world| rows(world, "counted").len() == 2).await;
    assert_eq!(rows(&world, "counted"), [r#"{"odd":0,"rows":7}"#, r#"{"odd":1,"rows":6}"#]);
    world.close().await;
    let world = World::open(&disk);
    file(&disk, "c.json", 13..14);
    world.until("c.json is counted", |world| rows(world, "counted").len() == 3).await;
    assert_eq!(rows(&world, "counted")[2], r#"{"odd":1,"rows":7}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_data_directory_has_other_topics() {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    world.write("points", 0, &points(0, 5)).await;
    world.sql(IDS).await;
    world.caught_up().await;
    world.close().await;
    let world = World::after_a_loss(&disk);
    world.sql(POINTS).await;
    let refused = world.refused(IDS).await;
    assert!(refused.contains("/kept/ids: remembers how far"), "{refused}");
    assert!(refused.contains("topics are not here"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn another_query_is_told_what_does_not_fit() {
    let (disk, world) = World::new();
    file(&disk, "a.json", 0..10);
    world.sql(LINES).await;
    world.sql(COUNTED).await;
    world.until("a.json is counted", |world| rows(world, "counted").len() == 2).await;
    world.sql("DROP TABLE counted").await;
    let refused = world.refused(&COUNTED.replace("count(*) AS rows", "max(n) AS largest")).await;
    assert!(refused.contains("restore the state"), "{refused}");
    world.sql(COUNTED).await;
}
