//! A power cut at any moment: what was promised holds when everything is opened again.

use std::collections::BTreeSet;

use env::SimDisk;
use serde_json::Value;
use topics::Acks;

use crate::support::{MODEL, PLACED, POINTS, World, points, sorted, write};

const ROWS: usize = 40;

const COUNTS: &str = "CREATE STREAMING TABLE IF NOT EXISTS counts
    USING kafka OPTIONS (topic 'counts', key 'late')
    AS SELECT id > 'p2' AS late, count(*) AS n, avg(point[1]) AS mean FROM STREAM points GROUP BY 1";

/// The world as it is before the queries: rows, one of them unusable, waiting to be read.
async fn prepared() -> SimDisk {
    let (disk, world) = World::new();
    world.sql(POINTS).await;
    let mut rows = points(0, ROWS);
    rows.insert(17, r#""not an object""#.to_owned());
    world.write("points", 0, &rows).await;
    world.close().await;
    disk
}

/// Creates the queries, as far as they are not there, and lets them run. Answers whether all went well; errors are
/// for the next start.
async fn run(world: &World) -> bool {
    for sql in [MODEL, COUNTS, PLACED] {
        if world.engine.execute(sql).await.is_err() {
            return false;
        }
    }
    world.settled().await;
    world.engine.queries().iter().all(|query| query.error.is_none())
}

/// What has to come out the same whatever happens.
#[derive(Debug, PartialEq)]
struct Outcome {
    model: String,
    versions: Vec<(u64, u64)>,
    counts: BTreeSet<String>,
}

async fn finish(disk: &SimDisk) -> Outcome {
    let world = World::open(disk);
    run(&world).await;
    world.caught_up().await;
    let ids = sorted(&world.read("placed"), "id");
    let mut expected: Vec<String> = (0..ROWS).map(|n| format!("p{n}")).collect();
    expected.sort();
    assert_eq!(ids, expected, "each row once");
    for query in ["placed", "clusters", "counts"] {
        assert_eq!(world.query(query).dead_letters.count, 1, "{query}");
        let letters = world.read(&format!("{query}.dead-letter"));
        assert_eq!(letters.len(), 1, "{query}: {letters:?}");
        assert_eq!(letters[0]["offset"], 17);
    }
    for row in world.read("placed") {
        assert_eq!(row["version"].is_null(), row["cluster"].is_null(), "{row}");
    }
    let counts = world.read("counts");
    // Five batches, and each of them touches both groups or one.
    let distinct: BTreeSet<String> = counts.iter().map(Value::to_string).collect();
    assert_eq!(distinct.len(), counts.len(), "each result once: {counts:?}");
    let models = world.engine.models();
    let history = world.engine.model_history("clusters");
    let outcome = Outcome {
        // Numbers are written so that different bits are different text.
        model: models[0].detail.to_string(),
        versions: history.iter().map(|version| (version.version, version.rows_learned)).collect(),
        counts: distinct,
    };
    world.close().await;
    outcome
}

#[tokio::test]
async fn a_cut_at_every_operation_of_the_disk() {
    let undisturbed = {
        let disk = prepared().await;
        let outcome = finish(&disk).await;
        assert_eq!(outcome.versions, [(1, 10), (2, 19), (3, 29), (4, 39), (5, 40)]);
        outcome
    };
    let total = {
        let disk = prepared().await;
        let world = World::open(&disk);
        let before = disk.operations();
        run(&world).await;
        disk.operations() - before
    };
    assert!(total > 100, "{total} operations");
    for cut in 0..total {
        let disk = prepared().await;
        let world = World::open(&disk);
        disk.cut_after(cut);
        run(&world).await;
        drop(world);
        // Half of the time what was not synced is there in part.
        let after = if cut % 2 == 0 { disk.crash() } else { disk.crash_partly(cut) };
        let outcome = finish(&after).await;
        assert_eq!(outcome, undisturbed, "cut after {cut} of {total} operations");
    }
}

/// What an unfinished batch had taken, it takes again, and no more, though more is there by then.
#[tokio::test]
async fn rows_that_came_after_the_cut_belong_to_the_next_batch() {
    const MORE: usize = 6;
    let mut cut = 60;
    loop {
        let disk = prepared().await;
        let world = World::open(&disk);
        disk.cut_after(cut);
        run(&world).await;
        let queries = world.engine.queries();
        let finished = queries.len() == 3 && queries.iter().all(|query| query.error.is_none());
        drop(world);
        let after = disk.crash();
        let env = crate::support::env_of(&after);
        let (topics, _) = topics::Topics::open(topics::Config::new("/data"), env).unwrap();
        write(&topics, "points", 0, &points(ROWS, ROWS + MORE), Acks::All).await;
        topics.close().unwrap();

        let world = World::open(&after);
        run(&world).await;
        world.caught_up().await;
        let ids = sorted(&world.read("placed"), "id");
        let mut expected: Vec<String> = (0..ROWS + MORE).map(|n| format!("p{n}")).collect();
        expected.sort();
        assert_eq!(ids, expected, "cut after {cut}");
        let mut last = std::collections::BTreeMap::new();
        for row in world.read("counts") {
            let n = row["n"].as_u64().unwrap();
            let before = last.insert(row["late"].as_bool(), n).unwrap_or(0);
            assert!(before < n, "cut after {cut}: {row} comes after {before}");
        }
        assert_eq!(last.values().sum::<u64>() as usize, ROWS + MORE, "cut after {cut}: {last:?}");
        if finished {
            break;
        }
        cut += 1;
    }
}

#[tokio::test]
async fn what_a_query_committed_does_not_stand_on_records_that_a_power_cut_takes() {
    let disk = prepared().await;
    let world = World::open(&disk);
    run(&world).await;
    write(&world.topics, "points", 0, &points(ROWS, ROWS + 5), Acks::Leader).await;
    world.caught_up().await;
    let committed = world.query("placed").rows_total;
    drop(world);
    let world = World::open(&disk.crash());
    world.caught_up().await;
    assert_eq!(world.query("placed").rows_total, committed);
    assert_eq!(world.read("points").len() as u64, committed);
    assert_eq!(world.read("placed").len(), ROWS + 5);
}

/// The log itself knows only the last five record batches of a producer: a longer repetition is cut short
/// by the engine.
#[tokio::test]
async fn a_batch_of_many_record_batches_is_written_once() {
    const COPY: &str = "CREATE STREAMING TABLE IF NOT EXISTS copy USING kafka OPTIONS (topic 'copy')
        AS SELECT id, pad FROM STREAM wide";
    let rows: Vec<String> =
        (0..9).map(|n| format!(r#"{{"id":"w{n}","pad":"{}"}}"#, "x".repeat(300_000))).collect();
    let mut cut = 0;
    loop {
        let (disk, world) = World::new();
        world
            .sql("CREATE STREAMING TABLE wide (id STRING, pad STRING) USING kafka OPTIONS (topic 'wide')")
            .await;
        for row in &rows {
            world.write("wide", 0, std::slice::from_ref(row)).await;
        }
        disk.cut_after(cut);
        let created = world.engine.execute(COPY).await.is_ok();
        world.settled().await;
        let finished = created && world.query("copy").error.is_none();
        drop(world);
        let after = disk.crash_partly(cut);
        let world = World::open(&after);
        world.sql(COPY).await;
        world.caught_up().await;
        let ids = sorted(&world.read("copy"), "id");
        assert_eq!(ids, (0..9).map(|n| format!("w{n}")).collect::<Vec<_>>(), "cut after {cut}");
        if finished {
            break;
        }
        cut += 1;
    }
}

#[tokio::test]
async fn a_process_that_dies_between_batches_goes_on() {
    let undisturbed = finish(&prepared().await).await;
    for batches in 1..5 {
        let disk = prepared().await;
        let world = World::open(&disk);
        for sql in [MODEL, COUNTS, PLACED] {
            world.sql(sql).await;
        }
        world.until("some batches", |world| world.query("placed").batch_id >= batches).await;
        drop(world);
        assert_eq!(finish(&disk.process_crash()).await, undisturbed, "after {batches} batches");
    }
}

#[tokio::test]
async fn a_failed_sync_stops_the_query_and_the_next_start_mends_it() {
    let undisturbed = finish(&prepared().await).await;
    for nth in 1..30 {
        let disk = prepared().await;
        let world = World::open(&disk);
        disk.fail_sync(nth);
        run(&world).await;
        drop(world);
        assert_eq!(finish(&disk.process_crash()).await, undisturbed, "sync {nth} failed");
    }
}

#[tokio::test]
async fn a_full_disk_is_an_error_and_room_mends_it() {
    let whole = finish(&prepared().await).await;
    // Without room nothing begins; with some it runs out wherever it happens to.
    for room in [0, 2_000, 6_000] {
        let disk = prepared().await;
        let world = World::open(&disk);
        disk.set_capacity(Some(disk.used() + room));
        let went_well = run(&world).await;
        assert!(!went_well || room > 0, "{:#?}", world.engine.queries());
        drop(world);
        disk.set_capacity(None);
        assert_eq!(finish(&disk.process_crash()).await, whole, "with {room} bytes of room");
    }
}
