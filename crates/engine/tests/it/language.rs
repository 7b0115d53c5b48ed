//! Spark's SQL as text: what a `SELECT` may say.

use serde_json::{Value, json};

use crate::support::World;

/// Statements and their rows, in any order.
async fn answers(cases: &[(&str, Value)]) {
    let (_disk, world) = World::new();
    for (sql, expected) in cases {
        let mut rows: Vec<Value> = world.sql(sql).await.rows.into_iter().map(Value::from).collect();
        rows.sort_by_key(Value::to_string);
        let mut expected = expected.as_array().unwrap().clone();
        expected.sort_by_key(Value::to_string);
        assert_eq!(rows, expected, "{sql}");
    }
}

#[tokio::test]
async fn queries_may_begin_with_their_tables_and_go_on_in_pipes() {
    answers(&[
        ("FROM (VALUES (1, 2)) t(a, b) SELECT b", json!([[2]])),
        ("FROM (VALUES (1, 2), (3, 4)) t(a, b) |> WHERE a > 1 |> SELECT b AS c |> EXTEND c + 1 AS d", json!([[4, 5]])),
        (
            "FROM (VALUES ('x', 1), ('x', 2), ('y', 5)) t(k, v) |> AGGREGATE sum(v) AS s GROUP BY k |> ORDER BY s |> LIMIT 1",
            json!([["x", 3]]),
        ),
        ("FROM (VALUES (1)) t(a) |> SET a = a + 1 |> AS u |> SELECT u.a", json!([[2]])),
        ("FROM (VALUES (1, 2)) t(a, b) |> DROP b |> UNION ALL (VALUES (7))", json!([[1], [7]])),
        (
            "FROM (VALUES (1, 'one')) t(a, b) |> JOIN (VALUES (1, 'eins')) u(c, d) ON a = c |> SELECT b, d",
            json!([["one", "eins"]]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn values_and_texts_as_spark_writes_them() {
    answers(&[
        ("SELECT * FROM (VALUES 1, 2) t(x)", json!([[1], [2]])),
        ("VALUES (1, 'a') AS t(x, y)", json!([[1, "a"]])),
        (
            r"SELECT r'a\d' AS raw, 'it\'s' AS quote, 1S AS small, 2.50BD AS exact",
            json!([[r"a\d", "it's", 1, 2.50]]),
        ),
        ("SELECT IDENTIFIER('x' || 'y') FROM (VALUES (1)) t(xy)", json!([[1]])),
        (
            "SELECT TIMESTAMP'2020-01-01 00:00:00' + INTERVAL '1 02:03:04' DAY TO SECOND AS a, \
             TIMESTAMP'2020-01-01 00:00:00' + INTERVAL 1 YEAR 2 MONTHS AS b",
            json!([["2020-01-02T02:03:04Z", "2021-03-01T00:00:00Z"]]),
        ),
        ("SELECT 1 << 3 AS a, 16 >> 2 AS b, 7 DIV 2 = 3 AS c", json!([[8, 4, true]])),
    ])
    .await;
}

#[tokio::test]
async fn conditions_over_several_columns_and_patterns() {
    answers(&[
        ("SELECT a FROM (VALUES (1, 2), (3, 4)) t(a, b) WHERE (a, b) IN ((1, 2), (3, 5))", json!([[1]])),
        ("SELECT a FROM (VALUES (1, 2), (3, 4)) t(a, b) WHERE (a, b) NOT IN ((1, 2))", json!([[3]])),
        ("SELECT a FROM (VALUES (1, 2), (3, 4)) t(a, b) WHERE (a, b) IN (SELECT 3, 4)", json!([[3]])),
        ("SELECT 'ab' LIKE ANY ('x%', 'a%') AS a, 'ab' LIKE ALL ('a%', '%c') AS b", json!([[true, false]])),
    ])
    .await;
}

#[tokio::test]
async fn groups_of_groups_and_set_operations() {
    let table = "(VALUES ('x', 1), ('x', 2), ('y', 5)) t(k, v)";
    let rollup = format!("SELECT k, sum(v) AS s FROM {table} GROUP BY k WITH ROLLUP");
    let sets =
        format!("SELECT k, grouping_id() AS g, count(*) AS n FROM {table} GROUP BY GROUPING SETS ((k), ())");
    let ordered = format!("SELECT k, v FROM {table} ORDER BY ALL LIMIT 1");
    answers(&[
        (&rollup, json!([["x", 3], ["y", 5], [null, 8]])),
        (&sets, json!([["x", 0, 2], ["y", 0, 1], [null, 1, 3]])),
        (&ordered, json!([["x", 1]])),
        ("SELECT 1 AS a MINUS SELECT 2", json!([[1]])),
    ])
    .await;
}

#[tokio::test]
async fn rows_become_columns_and_columns_rows() {
    answers(&[
        (
            "SELECT * FROM (SELECT k, q, v FROM (VALUES ('a', 1, 10), ('a', 2, 20), ('b', 1, 5)) t(k, q, v)) \
             PIVOT (sum(v) FOR q IN (1 AS first, 2 AS second))",
            json!([["a", 10, 20], ["b", 5, null]]),
        ),
        (
            "SELECT * FROM (VALUES ('a', 1, 2), ('b', 3, NULL)) t(k, x, y) UNPIVOT (v FOR n IN (x, y))",
            json!([["a", "x", 1], ["a", "y", 2], ["b", "x", 3]]),
        ),
    ])
    .await;
}

#[tokio::test]
async fn functions_of_numbers_and_their_patterns() {
    answers(&[
        ("SELECT ceil(2.345D, 2) AS a, floor(-25, -1) AS b, ceil(2.5D) AS c", json!([[2.35, -30, 3]])),
        ("SELECT to_number('$12,454.80', '$99,999.99') AS n, try_to_number('x', '9') AS none", json!([[12454.80, null]])),
        ("SELECT to_char(-12454.8D, '99,999.9S') AS t, to_char(7, '099') AS z", json!([["12,454.8-", "007"]])),
        (
            "SELECT percentile(v, array(0.0D, 0.5D)) AS p, percentile(v, 0.5D, 2) AS q, percentile_disc(v, 0.5D) AS d \
             FROM (VALUES (0), (1), (2), (10)) t(v)",
            json!([[[0.0, 1.5], 1.5, 1.0]]),
        ),
        (
            "SELECT histogram_numeric(v, 2) AS h FROM (VALUES (0), (1), (2), (10)) t(v)",
            json!([[[{"x": 1, "y": 3.0}, {"x": 10, "y": 1.0}]]]),
        ),
    ])
    .await;
}
