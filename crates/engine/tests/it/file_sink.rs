//! Files of a directory: each row once, whatever happens.

use std::path::Path;

use env::{Disk, SimDisk};
use serde_json::{Value, json};

use crate::support::{World, points};

const POINTS: &str = "CREATE STREAMING TABLE points (id STRING, point ARRAY<FLOAT>)
    USING kafka OPTIONS (topic 'points', maxOffsetsPerTrigger 3)";

const OUT: &str = "CREATE STREAMING TABLE IF NOT EXISTS out USING json OPTIONS (path '/out')
    AS SELECT id, point[0] AS x FROM STREAM points";

const ROWS: usize = 40;

/// What a reader finds that goes by the manifest: the newest compact list and those after it.
fn lines(disk: &dyn Disk, directory: &str) -> Vec<String> {
    let log = Path::new(directory).join("_spark_metadata");
    let mut lists: Vec<(u64, String)> = Vec::new();
    for entry in disk.read_dir(&log).unwrap_or_default() {
        let number = entry.name.trim_end_matches(".compact");
        lists.extend(number.parse().ok().map(|number| (number, entry.name.clone())));
    }
    lists.sort();
    let compact = lists.iter().rposition(|(_, name)| name.ends_with(".compact")).unwrap_or(0);
    let mut lines = Vec::new();
    for (_, name) in &lists[compact..] {
        let list = String::from_utf8(disk.read(&log.join(name)).unwrap()).unwrap();
        assert_eq!(list.lines().next(), Some("v1"));
        for entry in list.lines().skip(1) {
            let entry: Value = serde_json::from_str(entry).unwrap();
            let file = entry["path"].as_str().unwrap().strip_prefix("file://").unwrap();
            let text = disk.read(Path::new(file)).unwrap();
            assert_eq!(entry["size"], text.len());
            lines.extend(String::from_utf8(text).unwrap().lines().map(str::to_owned));
        }
    }
    lines
}

async fn prepared(rows: usize) -> SimDisk {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    world.write("points", 0, &points(0, rows)).await;
    world.close().await;
    disk
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cut_at_any_moment_leaves_each_row_once() {
    let expected: Vec<String> = {
        let disk = prepared(ROWS).await;
        let world = World::open(&disk);
        world.sql(OUT).await;
        world.caught_up().await;
        lines(&disk, "/out")
    };
    assert_eq!(expected.len(), ROWS);
    assert_eq!(expected[0], r#"{"id":"p0","x":0.0}"#);
    let mut cut = 0;
    loop {
        let disk = prepared(ROWS).await;
        let world = World::open(&disk);
        disk.cut_after(cut);
        let created = world.engine.execute(OUT).await.is_ok();
        world.settled().await;
        let finished = created && world.query("out").error.is_none();
        drop(world);
        let after = if cut % 2 == 0 { disk.crash() } else { disk.crash_partly(cut) };
        let world = World::open(&after);
        world.sql(OUT).await;
        world.caught_up().await;
        assert_eq!(lines(&after, "/out"), expected, "cut after {cut} operations");
        world.close().await;
        if finished {
            break;
        }
        cut += 1;
    }
    assert!(cut > 100, "{cut} operations");
}

const PARQUET: &str = "CREATE STREAMING TABLE IF NOT EXISTS out USING parquet OPTIONS (path '/out')
    AS SELECT id, point, point[0] AS x, CAST('2026-01-02 03:04:05' AS TIMESTAMP) AS at FROM STREAM points";

#[tokio::test(flavor = "multi_thread")]
async fn parquet_comes_back_as_it_left_each_row_once() {
    let mut finished = false;
    for cut in (0..).step_by(7) {
        let disk = prepared(ROWS).await;
        let world = World::open(&disk);
        disk.cut_after(cut);
        let created = world.engine.execute(PARQUET).await.is_ok();
        world.settled().await;
        finished |= created && world.query("out").error.is_none();
        drop(world);
        let world = World::open(&disk.crash());
        world.sql(PARQUET).await;
        world.caught_up().await;
        world
            .sql(
                "CREATE STREAMING TABLE back (id STRING, point ARRAY<FLOAT>, x FLOAT, at TIMESTAMP)
                   USING parquet OPTIONS (path '/out')",
            )
            .await;
        let counts = "SELECT count(*) AS n, count(DISTINCT id) AS ids FROM back WHERE point[0] = x";
        assert_eq!(world.asked(counts).await, [json!([ROWS, ROWS])], "cut after {cut}");
        let first = world.asked("SELECT * FROM back WHERE id = 'p1'").await;
        assert_eq!(first[0][0], "p1");
        assert!(first[0][3].as_str().unwrap().starts_with("2026-01-02T03:04:05"), "{first:?}");
        world.close().await;
        if finished {
            break;
        }
    }
    let (_disk, world) = World::new();
    world.sql(POINTS).await;
    for (options, expected) in [
        ("path '/x', compression 'best'", "compression is 'snappy', 'zstd', 'gzip' or 'none'"),
        ("path '/x', header true", "known are path, partitionBy, compression, fs.s3a.*, trigger"),
    ] {
        let sql = format!(
            "CREATE STREAMING TABLE t USING parquet OPTIONS ({options}) AS SELECT id FROM STREAM points"
        );
        let refused = world.refused(&sql).await;
        assert!(refused.contains(expected), "{options}: {refused}");
    }
}

#[tokio::test]
async fn csv_and_text() {
    let disk = prepared(2).await;
    let world = World::open(&disk);
    world
        .sql(
            "CREATE STREAMING TABLE a USING csv OPTIONS (path '/csv', header true, sep ';', nullValue '-')
               AS SELECT id, nullif(id, 'p1') AS other FROM STREAM points;
             CREATE STREAMING TABLE b USING text OPTIONS (path '/text')
               AS SELECT concat(id, '!') AS value FROM STREAM points",
        )
        .await;
    world.caught_up().await;
    assert_eq!(lines(&disk, "/csv"), ["id;other", "p0;p0", "p1;-"]);
    assert_eq!(lines(&disk, "/text"), ["p0!", "p1!"]);
    // The directory of another query is not taken over.
    let again = "CREATE STREAMING TABLE c USING text OPTIONS (path '/text') AS SELECT id FROM STREAM points";
    assert!(world.refused(again).await.contains("holds the output of another query"));
    for (sql, expected) in [
        ("csv OPTIONS (path '/x') AS SELECT point FROM STREAM points", "point: csv has no arrays"),
        (
            "text OPTIONS (path '/x') AS SELECT id, id AS b FROM STREAM points",
            "takes one column of type STRING",
        ),
        ("json AS SELECT id FROM STREAM points", "expected OPTIONS with a path"),
        (
            "json OPTIONS (path 'gs://b/c') AS SELECT id FROM STREAM points",
            "neither a directory of this machine",
        ),
        (
            "json OPTIONS (path '/x', header true) AS SELECT id FROM STREAM points",
            "option header is not known",
        ),
        (
            "json OPTIONS (path '/x') AS SELECT id, count(*) AS n FROM STREAM points GROUP BY id",
            "a streaming query cannot write groups to files",
        ),
    ] {
        let refused = world.refused(&format!("CREATE STREAMING TABLE t USING {sql}")).await;
        assert!(refused.contains(expected), "{sql}\n{refused}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn directories_say_what_files_do_not_hold() {
    let disk = prepared(5).await;
    let world = World::open(&disk);
    world
        .sql(
            "CREATE STREAMING TABLE out USING csv OPTIONS (path '/out', partitionBy 'kind, id')
               AS SELECT id, point[0] AS x, CASE WHEN id < 'p3' THEN 'a/b' END AS kind FROM STREAM points",
        )
        .await;
    world.caught_up().await;
    let names: Vec<String> =
        disk.read_dir(Path::new("/out")).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["_spark_metadata", "kind=__HIVE_DEFAULT_PARTITION__", "kind=a%2Fb"]);
    let manifest = disk.read(Path::new("/out/_spark_metadata/0")).unwrap();
    // A percent sign of an address is written as one.
    assert!(String::from_utf8(manifest).unwrap().contains("file:///out/kind=a%252Fb/id=p0/part-"));
    let back =
        "CREATE STREAMING TABLE back (x FLOAT, kind STRING, id STRING) USING csv OPTIONS (path '/out')";
    world.sql(back).await;
    let counts = "SELECT count(*) AS n, count(kind) AS kinds, count(DISTINCT id) AS ids FROM back";
    assert_eq!(world.asked(counts).await, [json!([5, 3, 5])]);
    for (by, expected) in [
        ("nothing", "there is no column nothing"),
        ("point", "holds more than one value"),
        ("id, point", "holds more than one value"),
    ] {
        let sql = format!(
            "CREATE STREAMING TABLE t USING json OPTIONS (path '/t', partitionBy '{by}')
               AS SELECT id, point FROM STREAM points"
        );
        let refused = world.refused(&sql).await;
        assert!(refused.contains(expected), "{by}: {refused}");
    }
}
