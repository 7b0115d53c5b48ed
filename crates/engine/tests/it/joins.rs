//! Streams joined with tables and with each other, through the whole engine.

use serde_json::{Value, json};

use crate::support::World;

fn order(of: &[(&str, u32)]) -> Vec<String> {
    let row = |(user, at): &(&str, u32)| json!({"user": user, "at": time(*at)}).to_string();
    of.iter().map(row).collect()
}

fn time(second: u32) -> String {
    format!("2026-01-01T00:{:02}:{:02}Z", second / 60, second % 60)
}

fn fields(rows: &[Value], names: &[&str]) -> Vec<String> {
    let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    rows.iter().map(|row| names.iter().map(|name| text(&row[*name])).collect::<Vec<_>>().join(" ")).collect()
}

const STREAMS: [&str; 2] = [
    "CREATE STREAMING TABLE orders (user STRING, at TIMESTAMP) USING kafka OPTIONS (topic 'orders')",
    "CREATE STREAMING TABLE payments (user STRING, at TIMESTAMP) USING kafka OPTIONS (topic 'payments')",
];

#[tokio::test]
async fn a_stream_finds_the_rows_that_a_table_has_by_then() {
    let (disk, world) = World::new();
    world.sql(STREAMS[0]).await;
    world
        .sql("CREATE STREAMING TABLE users (id STRING, name STRING) USING kafka OPTIONS (topic 'users')")
        .await;
    let user = |id: &str, name: &str| json!({"id": id, "name": name}).to_string();
    world.write("users", 0, &[user("a", "Ann"), "nonsense".to_owned()]).await;
    world
        .sql(
            "CREATE STREAMING TABLE named USING kafka OPTIONS (topic 'named')
             AS SELECT o.user, u.name FROM STREAM orders o LEFT JOIN users u ON o.user = u.id",
        )
        .await;
    world.write("orders", 0, &order(&[("a", 1), ("b", 2)])).await;
    world.caught_up().await;
    assert_eq!(fields(&world.read("named"), &["user", "name"]), ["a Ann", "b null"]);
    world.write("users", 0, &[user("b", "Bob")]).await;
    world.write("orders", 0, &order(&[("b", 3)])).await;
    world.caught_up().await;
    assert_eq!(fields(&world.read("named"), &["user", "name"])[2..], ["b Bob"]);
    assert_eq!(world.query("named").dead_letters.count, 1, "the table's unreadable row");
    assert_eq!(world.query("named").rows_total, 3, "the table's rows are none of the stream's");
    world.close().await;

    let world = World::open(&disk);
    world.write("orders", 0, &order(&[("a", 4), ("b", 5)])).await;
    world.caught_up().await;
    assert_eq!(fields(&world.read("named"), &["user", "name"])[3..], ["a Ann", "b Bob"], "read again");
    assert_eq!(world.query("named").dead_letters.count, 1, "and told once");
    let refused = world.refused("DROP TABLE users").await;
    assert!(refused.contains("named"), "{refused}");
}

#[tokio::test]
async fn matches_come_in_one_order_however_the_table_was_read() {
    let (disk, world) = World::new();
    world.sql(STREAMS[0]).await;
    let users = "CREATE STREAMING TABLE users (id STRING, name STRING) USING kafka OPTIONS (topic 'users', partitions 2)";
    world.sql(users).await;
    world
        .sql(
            "CREATE STREAMING TABLE named USING kafka OPTIONS (topic 'named')
             AS SELECT u.name FROM STREAM orders o JOIN users u ON o.user = u.id",
        )
        .await;
    // A batch that runs again after a crash must make its rows in the same order: the sink counts them.
    for (partition, name) in [(1, "second"), (0, "first"), (1, "third")] {
        world.write("users", partition, &[json!({"id": "a", "name": name}).to_string()]).await;
        world.write("orders", 0, &order(&[("a", 1)])).await;
        world.caught_up().await;
    }
    let before = fields(&world.read("named"), &["name"])[3..].to_vec();
    assert_eq!(before.len(), 3);
    world.close().await;
    let world = World::open(&disk);
    world.write("orders", 0, &order(&[("a", 1)])).await;
    world.caught_up().await;
    assert_eq!(fields(&world.read("named"), &["name"])[6..], before);
}

#[tokio::test]
async fn an_order_without_a_payment_is_told_when_none_can_come_any_more() {
    let (disk, world) = World::new();
    for stream in STREAMS {
        world.sql(stream).await;
    }
    world
        .sql(
            "CREATE STREAMING TABLE paid USING kafka OPTIONS (topic 'paid')
             AS SELECT o.user, o.at AS ordered, p.at AS paid
             FROM STREAM orders WATERMARK at DELAY OF INTERVAL 0 SECONDS AS o
             LEFT JOIN STREAM payments WATERMARK at DELAY OF INTERVAL 0 SECONDS AS p
             ON o.user = p.user AND p.at BETWEEN o.at AND o.at + INTERVAL 30 SECONDS",
        )
        .await;
    world.write("orders", 0, &order(&[("a", 0), ("b", 0), ("c", 20)])).await;
    world.caught_up().await;
    world.write("payments", 0, &order(&[("a", 29), ("b", 31)])).await;
    world.caught_up().await;
    let paid = |world: &World| -> Vec<String> {
        fields(&world.read("paid"), &["user", "paid"])
            .iter()
            .map(|row| row.replace("2026-01-01T00:", ""))
            .collect()
    };
    assert_eq!(paid(&world).len(), 1, "the orders' watermark is 20: {:?}", paid(&world));
    assert_eq!(world.query("paid").state_rows, Some(5));
    world.close().await;

    let world = World::open(&disk);
    world.write("orders", 0, &order(&[("d", 40)])).await;
    world.caught_up().await;
    let told = paid(&world);
    assert!(told[0].starts_with("a 00:29") || told[0].starts_with("a 29"), "{told:?}");
    assert_eq!(told[1..], ["b null"], "at 31 no payment of second 30 comes any more");
}

#[tokio::test]
async fn a_join_that_could_never_answer_says_what_is_missing() {
    let (_disk, world) = World::new();
    for stream in STREAMS {
        world.sql(stream).await;
    }
    let create = |rest: &str| format!("CREATE STREAMING TABLE t USING kafka OPTIONS (topic 't') AS {rest}");
    for (select, reason) in [
        (
            "SELECT o.user FROM STREAM orders o LEFT JOIN STREAM payments p ON o.user = p.user",
            "with a watermark on the right stream",
        ),
        (
            "SELECT p.user FROM STREAM orders o RIGHT JOIN payments p ON o.user = p.user",
            "the stream has to be on the preserved side",
        ),
        (
            "SELECT o.user FROM STREAM orders o JOIN orders p ON o.user = p.user",
            "use STREAM for it everywhere",
        ),
        ("SELECT o.user FROM STREAM orders o JOIN nobody n ON o.user = n.user", "nobody"),
    ] {
        let refused = world.refused(&create(select)).await;
        assert!(refused.contains(reason), "{select}\n{refused}");
    }
}
