//! A power cut among operators that remember rows: joins, sessions, window functions, first rows.

use std::collections::BTreeMap;

use env::SimDisk;
use serde_json::json;

use crate::support::World;

const ROWS: u32 = 36;

const TABLES: [&str; 3] = [
    "CREATE STREAMING TABLE orders (id INT, user STRING, at TIMESTAMP) USING kafka OPTIONS (topic 'orders')",
    "CREATE STREAMING TABLE payments (user STRING, at TIMESTAMP) USING kafka OPTIONS (topic 'payments')",
    "CREATE STREAMING TABLE users (user STRING, name STRING) USING kafka OPTIONS (topic 'users')",
];

const QUERIES: [(&str, &str); 4] = [
    (
        "paid",
        "SELECT o.id, o.user, u.name, p.at AS paid
         FROM STREAM orders WATERMARK at DELAY OF INTERVAL 3 SECONDS AS o
         LEFT JOIN STREAM payments WATERMARK at DELAY OF INTERVAL 3 SECONDS AS p
           ON o.user = p.user AND p.at BETWEEN o.at AND o.at + INTERVAL 4 SECONDS
         LEFT JOIN users u ON o.user = u.user",
    ),
    (
        "sittings",
        "SELECT session_window.start, session_window.end, user, count(*) AS n
         FROM STREAM orders WATERMARK at DELAY OF INTERVAL 3 SECONDS
         GROUP BY session_window(at, '6 seconds'), user",
    ),
    (
        "smooth",
        "SELECT id, avg(id) OVER (PARTITION BY user ORDER BY at ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) AS mean
         FROM STREAM orders WATERMARK at DELAY OF INTERVAL 3 SECONDS",
    ),
    ("firsts", "SELECT DISTINCT ON (user) user, id, at FROM STREAM orders WATERMARK at DELAY OF INTERVAL 3 SECONDS"),
];

fn time(second: u32) -> String {
    format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60)
}

/// Rows that come a little out of order.
async fn prepared() -> SimDisk {
    let (disk, world) = World::new();
    for table in TABLES {
        world.sql(table).await;
    }
    let at = |row: u32| (row * 2).saturating_sub(if row % 4 == 3 { 5 } else { 0 });
    let user = |row: u32| format!("u{}", row % 5);
    let order = |row: u32| json!({"id": row, "user": user(row), "at": time(at(row))}).to_string();
    let payment = |row: u32| json!({"user": user(row), "at": time(at(row) + row % 7)}).to_string();
    world.write("orders", 0, &(0..ROWS).map(order).collect::<Vec<_>>()).await;
    world.write("payments", 0, &(0..ROWS).filter(|row| row % 3 > 0).map(payment).collect::<Vec<_>>()).await;
    let named = |row: u32| json!({"user": user(row), "name": format!("N{row}")}).to_string();
    world.write("users", 0, &(0..3).map(named).collect::<Vec<_>>()).await;
    world.close().await;
    disk
}

/// Creates the queries, as far as they are not there, and lets them run as far as the disk allows.
async fn run(world: &World) {
    for (name, select) in QUERIES {
        let create = format!(
            "CREATE STREAMING TABLE IF NOT EXISTS {name}
             USING kafka OPTIONS (topic '{name}', outputMode 'append') AS {select}"
        );
        if world.engine.execute(&create).await.is_err() {
            return;
        }
    }
    world.settled().await;
}

/// Every row that each query has written, in order.
async fn finish(disk: &SimDisk) -> BTreeMap<&'static str, Vec<String>> {
    let world = World::open(disk);
    run(&world).await;
    world.caught_up().await;
    let rows = |name: &str| world.read(name).iter().map(ToString::to_string).collect();
    let outcome = QUERIES.map(|(name, _)| (name, rows(name))).into();
    world.close().await;
    outcome
}

#[tokio::test]
async fn a_cut_at_any_operation_changes_no_row() {
    let undisturbed = finish(&prepared().await).await;
    for (name, rows) in &undisturbed {
        assert!(rows.len() > 4, "{name}: {rows:?}");
    }
    let total = {
        let disk = prepared().await;
        let world = World::open(&disk);
        let before = disk.operations();
        run(&world).await;
        disk.operations() - before
    };
    assert!(total > 100, "{total} operations");
    for cut in (0..total).step_by(2) {
        let disk = prepared().await;
        let world = World::open(&disk);
        disk.cut_after(cut);
        run(&world).await;
        drop(world);
        // Half of the time what was not synced is there in part.
        let after = if cut % 4 == 0 { disk.crash() } else { disk.crash_partly(cut) };
        assert_eq!(finish(&after).await, undisturbed, "cut after {cut} of {total} operations");
    }
}
