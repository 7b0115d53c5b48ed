//! What SQL leaves in a session: variables, functions; and what it asks of it.

use crate::call::{Answer, Door, SESSION, execute};
use crate::message::Message;

const ARROW_BATCH: u32 = 2;

async fn command(door: &Door, number: u32, sql: &str) -> Answer {
    let relation = Message::new().message(10, Message::new().text(1, sql));
    let command = Message::new().message(5, Message::new().message(6, relation));
    let operation = format!("bbbbbbbb-2222-4333-8444-{number:012}");
    let plan = Message::new().message(2, command);
    door.call("ExecutePlan", Message::new().text(1, SESSION).text(6, &operation).message(3, plan)).await
}

/// How many rows a query has.
async fn rows(door: &Door, number: u32, sql: &str) -> u64 {
    let answer =
        door.call("ExecutePlan", execute(&format!("cccccccc-2222-4333-8444-{number:012}"), sql)).await;
    assert_eq!(answer.code, 0, "{sql}: {answer:?}");
    answer.messages.iter().flat_map(|message| message.all(ARROW_BATCH)).map(|batch| batch.number(1)).sum()
}

#[tokio::test]
async fn variables_are_declared_set_and_dropped() {
    let door = Door::open().await;
    for (number, sql) in [
        "DECLARE OR REPLACE VARIABLE wanted INT DEFAULT 2 + 1",
        "SET VAR wanted = (SELECT max(id) FROM range(5))",
        "DECLARE VARIABLE other = 'x'",
        "SET VAR (wanted, other) = (SELECT 2, 'y')",
    ]
    .into_iter()
    .enumerate()
    {
        let answer = command(&door, u32::try_from(number).unwrap(), sql).await;
        assert_eq!(answer.code, 0, "{sql}: {answer:?}");
    }
    assert_eq!(rows(&door, 1, "SELECT id FROM range(9) WHERE id < session.wanted").await, 2);
    assert_eq!(rows(&door, 2, "SELECT id FROM range(9) LIMIT wanted").await, 2);
    assert_eq!(command(&door, 10, "SET VAR nobody = 1").await.code, 13);
    assert_eq!(command(&door, 11, "DECLARE VARIABLE wanted INT").await.code, 13);
    assert_eq!(command(&door, 12, "SET VAR wanted = DEFAULT").await.code, 0);
    assert_eq!(rows(&door, 3, "SELECT id FROM range(9) WHERE id < wanted").await, 3);
    assert_eq!(command(&door, 13, "DROP TEMPORARY VARIABLE wanted").await.code, 0);
    let gone =
        door.call("ExecutePlan", execute("dddddddd-2222-4333-8444-555555555555", "SELECT wanted")).await;
    assert!(gone.error.contains("UNRESOLVED_COLUMN"), "{gone:?}");
    door.close().await;
}

#[tokio::test]
async fn functions_of_sql_are_called() {
    let door = Door::open().await;
    for (number, sql) in [
        "CREATE TEMPORARY FUNCTION twice(x INT DEFAULT 3) RETURNS INT RETURN x * 2",
        "CREATE FUNCTION small(upto INT) RETURNS TABLE(n BIGINT) RETURN SELECT id FROM range(9) WHERE id < upto",
        "CREATE OR REPLACE TEMPORARY FUNCTION endless(x INT) RETURN x",
        "CREATE OR REPLACE TEMPORARY FUNCTION endless(x INT) RETURN endless(x)",
    ]
    .into_iter()
    .enumerate()
    {
        let answer = command(&door, u32::try_from(number).unwrap(), sql).await;
        assert_eq!(answer.code, 0, "{sql}: {answer:?}");
    }
    assert_eq!(rows(&door, 1, "SELECT id FROM range(20) WHERE id < twice(4)").await, 8);
    assert_eq!(rows(&door, 2, "SELECT id FROM range(20) WHERE id < twice()").await, 6);
    assert_eq!(rows(&door, 3, "SELECT n FROM small(twice(2))").await, 4);
    let endless =
        door.call("ExecutePlan", execute("eeeeeeee-2222-4333-8444-555555555555", "SELECT endless(1)")).await;
    assert!(endless.error.contains("UNSUPPORTED_FEATURE"), "{endless:?}");
    assert_eq!(command(&door, 10, "DROP TEMPORARY FUNCTION twice").await.code, 0);
    assert_eq!(command(&door, 11, "DROP TEMPORARY FUNCTION twice").await.code, 13);
    door.close().await;
}

#[tokio::test]
async fn tables_ask_the_row_before_them() {
    let door = Door::open().await;
    let lateral = "SELECT * FROM range(3) t, LATERAL (SELECT t.id + 1 AS next WHERE t.id > 0)";
    assert_eq!(rows(&door, 1, lateral).await, 2);
    let counted =
        "SELECT n FROM range(3) t, LATERAL (SELECT count(*) AS n FROM range(9) u WHERE u.id = t.id)";
    assert_eq!(rows(&door, 2, counted).await, 3);
    assert_eq!(rows(&door, 3, "SELECT * FROM range(2), LATERAL explode(array(1, 2, 3)) AS e(x)").await, 6);
    assert_eq!(
        rows(&door, 4, "FROM range(9) |> WHERE id > 2 |> AGGREGATE count(*) AS n GROUP BY id % 2").await,
        2
    );
    let pivot = "SELECT * FROM (SELECT id % 2 AS k, id AS v FROM range(6)) PIVOT (sum(v) FOR k IN (0, 1))";
    assert_eq!(rows(&door, 5, pivot).await, 1);
    assert_eq!(rows(&door, 6, "SELECT 1 AS a, a + 1 AS b").await, 1);
    assert_eq!(rows(&door, 7, "SELECT stack(2, 1, 2, 3, 4)").await, 2);
    door.close().await;
}
