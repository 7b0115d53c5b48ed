use datafusion::arrow::util::pretty::pretty_format_batches;
use datafusion::execution::context::SessionContext;
use datafusion::prelude::SessionConfig;

use super::*;
use crate::plan::incremental;

async fn tables() -> SessionContext {
    let context = incremental::session(SessionConfig::new());
    let scope = Arc::default();
    crate::functions::register(&context, &scope);
    for made in [
        "CREATE TABLE t AS SELECT * FROM (VALUES (0, 1), (1, 2)) AS v(c1, c2)",
        "CREATE TABLE u AS SELECT * FROM (VALUES (0, 2), (0, 3)) AS v(d1, d2)",
    ] {
        context.sql(made).await.unwrap().collect().await.unwrap();
    }
    context
}

async fn rows(context: &SessionContext, query: &str) -> Result<String> {
    let plan = context.state().create_logical_plan(query).await?;
    let physical = physical(&context.state(), &plan, &Wait::default()).await?;
    let batches = datafusion::physical_plan::collect(physical, context.task_ctx()).await?;
    Ok(pretty_format_batches(&batches)?.to_string())
}

async fn lines(query: &str) -> Vec<String> {
    let table = rows(&tables().await, query).await.unwrap();
    let cells =
        |line: &str| line.split(['|', ' ']).filter(|cell| !cell.is_empty()).collect::<Vec<_>>().join(",");
    let mut lines: Vec<String> =
        table.lines().skip(3).filter(|line| line.starts_with('|')).map(cells).collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn a_query_beside_another_that_asks_it() {
    let query = "SELECT * FROM t, LATERAL (SELECT t.c1 + t.c2 AS a) x, LATERAL (SELECT t.c1 - t.c2 AS b) y, \
                 LATERAL (SELECT x.a * y.b AS c) z";
    assert_eq!(lines(query).await, ["0,1,1,-1,-1", "1,2,3,-1,-3"]);
}

#[tokio::test]
async fn lateral_joins_that_cannot_be_lifted() {
    let query = "SELECT * FROM t, LATERAL (SELECT max(d2) AS m FROM u WHERE d1 <= t.c1) x, \
                 LATERAL (SELECT min(d2) AS n FROM u WHERE d2 >= x.m) y";
    assert_eq!(lines(query).await, ["0,1,3,3", "1,2,3,3"]);
}

#[tokio::test]
async fn what_is_lifted_joins_the_rows_once() {
    let context = tables().await;
    let query = "SELECT * FROM t, LATERAL (SELECT t.c1 + 1 AS a) x, LATERAL (SELECT x.a + 1 AS b) y, \
                 LATERAL (SELECT y.b + 1 AS c) z, LATERAL (SELECT z.c + 1 AS d) w";
    let plan = context.state().create_logical_plan(query).await.unwrap();
    let physical = physical(&context.state(), &plan, &Wait::default()).await.unwrap();
    let shown = datafusion::physical_plan::displayable(physical.as_ref()).indent(false).to_string();
    assert_eq!(shown.matches("DataSourceExec").count(), 1, "{shown}");
}

#[tokio::test]
async fn nobody_waits_for_joins() {
    let context = tables().await;
    let plan = "SELECT * FROM t, LATERAL (SELECT max(d2) AS m FROM u WHERE d1 <= t.c1) x";
    let plan = context.state().create_logical_plan(plan).await.unwrap();
    let wait = Wait::default();
    wait.end();
    assert!(physical(&context.state(), &plan, &wait).await.is_err());
}
