//! Asking once.

use serde_json::json;

use crate::support::{MODEL, POINTS, World, points};

#[tokio::test]
async fn a_select_reads_from_the_start_to_now() {
    let (_disk, world) = World::new();
    world
        .sql("CREATE STREAMING TABLE t (Id STRING, n INT) USING kafka OPTIONS (topic 't', partitions 2)")
        .await;
    let row = |n: u32| format!(r#"{{"Id":"r{n}","n":{n}}}"#);
    world.write("t", 0, &[row(1), row(2), "broken".to_owned()]).await;
    world.write("t", 1, &[row(3)]).await;
    let answer = world.sql("SELECT id, N + 1 AS next, _partition, _offset FROM t ORDER BY n").await;
    let expected = [
        vec![json!("r1"), json!(2), json!(0), json!(0)],
        vec![json!("r2"), json!(3), json!(0), json!(1)],
        vec![json!("r3"), json!(4), json!(1), json!(0)],
    ];
    assert_eq!(answer.rows, expected);
    let names: Vec<(&str, &str)> =
        answer.columns.iter().map(|c| (c.name.as_str(), c.type_name.as_str())).collect();
    assert_eq!(names, [("Id", "STRING"), ("next", "INT"), ("_partition", "INT"), ("_offset", "BIGINT")]);
    assert_eq!(answer.message.as_deref(), Some("1 records could not be used"));
    assert_eq!(world.sql("SELECT * FROM t LIMIT 2").await.rows.len(), 2);
    assert_eq!(world.sql("SELECT count(*) FROM STREAM t WHERE n >= 2").await.rows, [vec![json!(2)]]);
    let joined = "SELECT a.Id FROM t a JOIN t b ON a.n = b.n + 1 ORDER BY 1";
    assert_eq!(world.sql(joined).await.rows, [vec![json!("r2")], vec![json!("r3")]]);
    assert_eq!(world.sql("SELECT 1 + 1").await.rows, [vec![json!(2)]]);
}

#[tokio::test]
async fn a_select_asks_the_latest_version() {
    let (_disk, world) = World::new();
    world.sql(POINTS).await;
    world.sql(MODEL).await;
    let ask = "SELECT predict('clusters', array(5.0, 8.0)) AS cluster, model_version('clusters') AS version";
    assert_eq!(world.sql(ask).await.rows, [vec![json!(null), json!(null)]], "nothing learnt yet");
    world.write("points", 0, &points(0, 10)).await;
    world.caught_up().await;
    let row = &world.sql(ask).await.rows[0];
    assert!(row[0].is_number(), "{row:?}");
    assert_eq!(row[1], json!(1));
    let same =
        world.sql("SELECT predict('clusters', point) = predict('CLUSTERS', point) FROM points LIMIT 1").await;
    assert_eq!(same.rows, [vec![json!(true)]]);
}

#[tokio::test]
async fn errors_say_where_and_what_is_known() {
    let (_disk, world) = World::new();
    for (sql, expected) in [
        ("SELEKT 1", "line 1, column 1: expected a statement"),
        (
            "SHOW TABLES;\n  SHOW NOTHING",
            "line 2, column 8: expected TABLES, MODELS, QUERIES or VERSIONS OF MODEL, met 'NOTHING'",
        ),
        ("CREATE STREAMING TABLE t (a STRNG) USING kafka OPTIONS (topic 't')", "column 29: expected a type"),
        ("CREATE STREAMING TABLE t (a INT) USING kafka", "column 45: expected OPTIONS with a topic"),
        (
            "CREATE STREAMING TABLE t (a INT) USING kafka OPTIONS (topic 't', speed 9)",
            "option speed is not known; known are topic, subscribe",
        ),
        (
            "CREATE STREAMING TABLE t (a INT) USING kafka OPTIONS (topic 't', format 'xml')",
            "format 'xml' is not known",
        ),
        ("CREATE STREAMING TABLE t (a INT) USING kafka OPTIONS (topic 'a b')", "create topic a b"),
        ("CREATE STREAMING TABLE t (a ARRAY<ARRAY<INT>) USING kafka OPTIONS (topic 't')", "expected '>'"),
        (
            "CREATE MODEL m OPTIONS (algorithm 'oracle') AS SELECT 1 FROM STREAM t",
            "unknown algorithm 'oracle'; known algorithms: ",
        ),
        ("CREATE MODEL m FROM ONNX '/none.onnx'", "read /none.onnx"),
        ("SELECT a FROM nowhere", "nowhere"),
        ("SELECT 1 +", "expected"),
        ("DESCRIBE nothing", "table or model nothing does not exist; there is none"),
    ] {
        let refused = world.refused(sql).await;
        assert!(refused.to_lowercase().contains(&expected.to_lowercase()), "{sql}\n{refused}");
    }
}
