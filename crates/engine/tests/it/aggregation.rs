//! A streaming aggregation gives what one query over everything gives.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::World;

const SALES: &str = "CREATE STREAMING TABLE sales (shop STRING, amount BIGINT)
    USING kafka OPTIONS (topic 'sales', maxOffsetsPerTrigger 7)";

const TOTALS: &str = "CREATE STREAMING TABLE totals USING kafka OPTIONS (topic 'totals', key 'shop')
    AS SELECT shop, count(*) AS n, sum(amount) AS total, avg(amount) AS mean, min(amount) AS low,
    max(amount) AS high FROM STREAM sales WHERE amount > 2 GROUP BY shop";

fn sales(from: usize, to: usize) -> Vec<String> {
    (from..to).map(|n| format!(r#"{{"shop":"s{}","amount":{}}}"#, n * 7 % 5, n * 13 % 17)).collect()
}

fn latest(rows: &[Value]) -> BTreeMap<String, Value> {
    rows.iter().map(|row| (row["shop"].as_str().unwrap().to_owned(), row.clone())).collect()
}

async fn batch_run(world: &World) -> BTreeMap<String, Value> {
    let select = "SELECT shop, count(*) AS n, sum(amount) AS total, avg(amount) AS mean, min(amount) AS low,
        max(amount) AS high FROM sales WHERE amount > 2 GROUP BY shop";
    let answer = world.sql(select).await;
    let names: Vec<&str> = answer.columns.iter().map(|column| column.name.as_str()).collect();
    let object = |row: &Vec<Value>| -> Value {
        names
            .iter()
            .map(|name| (*name).to_owned())
            .zip(row.iter().cloned())
            .collect::<serde_json::Map<_, _>>()
            .into()
    };
    latest(&answer.rows.iter().map(object).collect::<Vec<_>>())
}

#[tokio::test]
async fn distinct_rows_are_written_once() {
    let (_disk, world) = World::new();
    world.sql(SALES).await;
    world.write("sales", 0, &sales(0, 50)).await;
    world.sql("CREATE STREAMING TABLE shops USING kafka OPTIONS (topic 'shops') AS SELECT DISTINCT shop FROM STREAM sales").await;
    world
        .sql(
            "CREATE STREAMING TABLE both USING kafka OPTIONS (topic 'both') AS SELECT shop FROM STREAM sales \
             WHERE amount > 5 UNION SELECT shop FROM STREAM sales WHERE amount < 9",
        )
        .await;
    world.write("sales", 0, &sales(50, 80)).await;
    world.caught_up().await;
    for topic in ["shops", "both"] {
        let mut shops: Vec<String> = world.read(topic).iter().map(ToString::to_string).collect();
        shops.sort();
        let expected: Vec<String> = (0..5).map(|n| format!(r#"{{"shop":"s{n}"}}"#)).collect();
        assert_eq!(shops, expected, "{topic}");
    }
}

#[tokio::test]
async fn the_last_row_of_each_key_equals_a_batch_run() {
    let (_disk, world) = World::new();
    world.sql(SALES).await;
    world.write("sales", 0, &sales(0, 50)).await;
    world.sql(TOTALS).await;
    world.caught_up().await;
    assert_eq!(latest(&world.read("totals")), batch_run(&world).await);
    world.write("sales", 0, &sales(50, 120)).await;
    world.caught_up().await;
    assert_eq!(latest(&world.read("totals")), batch_run(&world).await);
    let status = world.query("totals");
    assert_eq!((status.rows_total, status.state_rows), (120, Some(5)));
}

#[tokio::test]
async fn state_goes_on_after_a_restart() {
    let (disk, world) = World::new();
    world.sql(SALES).await;
    world.sql(TOTALS).await;
    world.write("sales", 0, &sales(0, 50)).await;
    world.caught_up().await;
    world.close().await;
    let world = World::open(&disk);
    world.write("sales", 0, &sales(50, 80)).await;
    world.caught_up().await;
    assert_eq!(latest(&world.read("totals")), batch_run(&world).await);
}

#[tokio::test]
async fn what_a_stream_cannot_do_is_refused_by_name() {
    let (_disk, world) = World::new();
    world.sql(SALES).await;
    let create =
        |select: &str| format!("CREATE STREAMING TABLE t USING kafka OPTIONS (topic 't') AS {select}");
    for (select, reason) in [
        ("SELECT shop FROM STREAM sales ORDER BY shop", "ORDER BY: rows never end"),
        ("SELECT shop FROM STREAM sales LIMIT 3", "LIMIT: rows never end"),
        ("SELECT a.shop FROM STREAM sales a JOIN sales b ON a.shop = b.shop", "both as a STREAM"),
        (
            "SELECT count(*) FROM (SELECT shop, count(*) AS c FROM STREAM sales GROUP BY shop) x",
            "never complete without a watermark",
        ),
        ("SELECT rank() OVER (ORDER BY amount) AS r FROM STREAM sales", "ORDER BY event time"),
        ("SELECT shop FROM sales", "FROM STREAM"),
        ("SELECT 1 AS one", "FROM STREAM"),
        ("SELECT shop, shop FROM STREAM sales", "same name"),
        ("SELECT nothing FROM STREAM sales", "nothing"),
        ("SELECT predict('none', array(1.0)) AS p FROM STREAM sales", "does not exist"),
    ] {
        let refused = world.refused(&create(select)).await;
        assert!(refused.to_lowercase().contains(&reason.to_lowercase()), "{select}\n{refused}");
    }
    assert!(world.engine.queries().is_empty());
    assert!(world.topics.topic("t").is_none(), "nothing was made");
}
