//! Views that are kept current, rows put in by hand, flows, and plans shown.

use serde_json::{Value, json};

use crate::support::World;

const CLICKS: &str =
    "CREATE STREAMING TABLE clicks (page STRING NOT NULL, n INT) USING kafka OPTIONS (topic 'clicks')";

async fn rows(world: &World, sql: &str) -> Vec<Value> {
    world.sql(sql).await.rows.into_iter().map(Value::from).collect()
}

async fn asked(world: &World, view: &str) -> Vec<Value> {
    world.caught_up().await;
    rows(world, &format!("SELECT * FROM {view} ORDER BY page, n")).await
}

#[tokio::test]
async fn rows_are_inserted_by_position_by_name_and_from_a_query() {
    let (_disk, world) = World::new();
    world.sql(CLICKS).await;
    let said = world.sql("INSERT INTO clicks VALUES ('home', 1), ('shop', 2)").await;
    assert_eq!(said.message.as_deref(), Some("2 rows are in clicks"));
    world.sql("INSERT INTO clicks (n, page) VALUES (3, 'help')").await;
    world.sql("INSERT INTO TABLE clicks BY NAME SELECT upper(page) AS page FROM clicks WHERE n = 1").await;
    world.sql("INSERT INTO clicks (SELECT page, n + 10 FROM clicks WHERE n = 2)").await;
    let expected = [json!(["HOME", null]), json!(["help", 3]), json!(["home", 1])];
    assert_eq!(asked(&world, "clicks").await[..3], expected);
    assert_eq!(world.read("clicks").len(), 5);
    for (sql, expected) in [
        ("INSERT INTO clicks VALUES ('x')", "2 columns are to be filled, the query has 1"),
        ("INSERT INTO clicks VALUES (1, 'x')", "column n is INT and cannot take STRING"),
        ("INSERT INTO clicks (n) VALUES (1)", "column page is NOT NULL"),
        ("INSERT INTO clicks SELECT * FROM STREAM clicks", "CREATE FLOW f AS INSERT INTO"),
        ("INSERT INTO nothing VALUES (1)", "table nothing does not exist"),
        ("INSERT OVERWRITE clicks VALUES (1)", "expected INTO"),
        ("INSERT INTO clicks VALUES ('x', 9000000000)", "INSERT INTO clicks"),
    ] {
        let refused = world.refused(sql).await;
        assert!(refused.contains(expected), "{sql}\n{refused}");
    }
    assert_eq!(world.read("clicks").len(), 5, "what was refused left nothing");
}

#[tokio::test]
async fn a_materialized_view_is_current_also_after_a_restart() {
    let (disk, world) = World::new();
    world.sql(CLICKS).await;
    world.sql("INSERT INTO clicks VALUES ('home', 1), ('shop', 2), ('home', 5)").await;
    world.sql("CREATE MATERIALIZED VIEW pages AS SELECT page, sum(n) AS n FROM clicks GROUP BY page").await;
    world.sql("CREATE MATERIALIZED VIEW top AS SELECT page, sum(n) AS n FROM clicks GROUP BY page ORDER BY n DESC LIMIT 1").await;
    world.sql("CREATE MATERIALIZED VIEW large AS SELECT page, n FROM clicks WHERE n > 1").await;
    assert_eq!(asked(&world, "pages").await, [json!(["home", 6]), json!(["shop", 2])]);
    assert_eq!(asked(&world, "top").await, [json!(["home", 6])]);
    assert_eq!(asked(&world, "large").await, [json!(["home", 5]), json!(["shop", 2])]);
    world.close().await;
    let world = World::open(&disk);
    // No row comes, but the memory that the result stood in was another one.
    let filled = |world: &World| world.engine.queries().iter().all(|query| query.batch_id > 0);
    world.until("resumed", filled).await;
    let mut pages = Vec::new();
    while pages.is_empty() {
        pages = asked(&world, "pages").await;
        tokio::task::yield_now().await;
    }
    assert_eq!(pages, [json!(["home", 6]), json!(["shop", 2])]);
    assert_eq!(asked(&world, "large").await.len(), 2);
    world.sql("INSERT INTO clicks VALUES ('shop', 7)").await;
    assert_eq!(asked(&world, "pages").await, [json!(["home", 6]), json!(["shop", 9])]);
    assert_eq!(asked(&world, "top").await, [json!(["shop", 9])]);
    for (sql, expected) in [
        ("INSERT INTO large VALUES ('x', 1)", "large: is a view: its rows follow from its query"),
        ("INSERT INTO pages VALUES ('x', 1)", "pages: is a view: its rows follow from its query"),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", "expected FROM STREAM and a streaming table"),
        ("DROP TABLE clicks", "clicks is used by large, pages, top"),
    ] {
        let refused = world.refused(sql).await;
        assert!(refused.contains(expected), "{sql}\n{refused}");
    }
    let topics = || world.topics.list().iter().filter(|topic| topic.name().contains("-view-")).count();
    assert_eq!(topics(), 1);
    world.sql("DROP MATERIALIZED VIEW large").await;
    assert_eq!(topics(), 0, "a view takes its own topic along");
}

#[tokio::test]
async fn flows_write_into_one_table_and_go_on_after_a_restart() {
    let (disk, world) = World::new();
    world.sql(CLICKS).await;
    world
        .sql("CREATE STREAMING TABLE taps (`where` STRING, times BIGINT) USING kafka OPTIONS (topic 'taps')")
        .await;
    world.sql("CREATE STREAMING TABLE seen (n BIGINT, page STRING, kind STRING) USING kafka OPTIONS (topic 'seen', key 'page')").await;
    world.sql("CREATE FLOW from_clicks AS INSERT INTO seen BY NAME SELECT page, n, 'click' AS kind FROM STREAM clicks").await;
    let said = world
        .sql("CREATE FLOW from_taps AS INSERT INTO seen (page, n) SELECT `where`, times FROM STREAM taps")
        .await;
    assert_eq!(said.message.as_deref(), Some("flow from_taps writes seen from taps"));
    world.sql("INSERT INTO clicks VALUES ('home', 1)").await;
    world.sql("INSERT INTO taps VALUES ('shop', 2)").await;
    let expected = [json!([1, "home", "click"]), json!([2, "shop", null])];
    assert_eq!(asked(&world, "seen").await, expected);
    world.close().await;
    let world = World::open(&disk);
    world.sql("INSERT INTO taps VALUES ('help', 3)").await;
    assert_eq!(asked(&world, "seen").await.len(), 3);
    for (sql, expected) in [
        (
            "CREATE FLOW from_taps AS INSERT INTO seen SELECT * FROM STREAM taps",
            "flow from_taps exists already",
        ),
        ("CREATE FLOW f AS INSERT INTO seen BY NAME SELECT * FROM STREAM taps", "there is no column where"),
        ("CREATE FLOW f AS INSERT INTO seen BY NAME SELECT n FROM STREAM seen", "would read what it writes"),
        ("CREATE FLOW f AS INSERT INTO seen SELECT 1, 'a', 'b'", "expected FROM STREAM"),
        ("DROP TABLE seen", "seen is used by from_clicks, from_taps"),
    ] {
        let refused = world.refused(sql).await;
        assert!(refused.contains(expected), "{sql}\n{refused}");
    }
    let create =
        "CREATE OR REPLACE FLOW from_taps AS INSERT INTO seen BY NAME SELECT times AS n FROM STREAM taps";
    world.sql(create).await;
    // It is another query now, which reads from the beginning.
    assert_eq!(asked(&world, "seen").await.len(), 5);
    world.sql("DROP FLOW from_clicks").await;
    world.sql("INSERT INTO clicks VALUES ('home', 4)").await;
    assert_eq!(asked(&world, "seen").await.len(), 5);
}

#[tokio::test]
async fn plans_are_explained() {
    let (_disk, world) = World::new();
    world.sql(CLICKS).await;
    let plan = async |sql: &str| world.sql(sql).await.rows[0][0].as_str().unwrap().to_owned();
    let once = plan("EXPLAIN SELECT page FROM clicks WHERE n > 1").await;
    assert!(once.starts_with("== Physical Plan ==\n") && once.contains("FilterExec: n@1 > 1"), "{once}");
    let streamed = plan(
        "EXPLAIN EXTENDED CREATE STREAMING TABLE t USING kafka OPTIONS (topic 't', outputMode 'complete')
         AS SELECT page, count(*) AS n FROM STREAM clicks GROUP BY page ORDER BY n",
    )
    .await;
    for part in
        ["== Logical Plan ==\nSort: n ASC", "AggregateExec", "reads clicks in batches\nremembers groups"]
    {
        assert!(streamed.contains(part), "{part}\n{streamed}");
    }
    assert!(world.engine.queries().is_empty(), "nothing was created");
    let refused = world.refused("EXPLAIN SELECT page FROM STREAM clicks ORDER BY page").await;
    assert!(refused.contains("ORDER BY: rows never end"), "{refused}");
    let refused = world.refused("EXPLAIN SHOW TABLES").await;
    assert!(refused.contains("expected a statement with a query after EXPLAIN"), "{refused}");
}
