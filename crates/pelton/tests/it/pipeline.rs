//! `pelton run` and `pelton query`: a pipeline that is followed, to its end or to its failure.

use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::running::{Running, Said, pelton};

const PIPELINE: &str = "-- The second query reads what the first one writes.
    CREATE STREAMING TABLE IF NOT EXISTS orders (shop STRING, amount DOUBLE) USING kafka OPTIONS (topic 'orders');
    CREATE STREAMING TABLE IF NOT EXISTS large USING kafka OPTIONS (topic 'large')
      AS SELECT shop, amount FROM STREAM orders WHERE amount > 1;
    CREATE STREAMING TABLE IF NOT EXISTS shops USING console
      AS SELECT shop, count(*) AS n FROM STREAM large GROUP BY shop;
";

fn run(dir: &Path, args: &[&str]) -> Said {
    let mut command = pelton();
    command.args(args).current_dir(dir);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    Said::of(command.spawn().unwrap())
}

fn http(dir: &Path) -> (Running, String) {
    let file = dir.join("ready.json");
    let server = Running::start(dir, &["--ready-file", file.to_str().unwrap()]);
    let ready: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    (server, ready["http"].as_str().unwrap().to_owned())
}

fn append(http: &str, rows: Value) {
    ureq::post(format!("http://{http}/api/topics/orders/records")).send_json(rows).unwrap();
}

#[test]
fn a_pipeline_runs_on_a_server_to_the_end_of_what_is_there() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("p.sql"), PIPELINE).unwrap();
    let (_server, http) = http(dir.path());
    let ok = |args: &[&str]| {
        let mut all = args.to_vec();
        all.extend(["--http", &http]);
        let said = run(dir.path(), &all);
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
        said
    };
    ok(&["run", "p.sql", "--detach"]);
    append(
        &http,
        serde_json::json!([{"shop": "a", "amount": 5}, {"shop": "b", "amount": 1}, {"shop": "a", "amount": 2}]),
    );
    let said = ok(&["run", "p.sql", "--available-now"]);
    assert!(said.err.contains("large: batch ") && said.err.contains("0 behind"), "{said:?}");

    let list = ok(&["query", "list", "--json"]).out;
    let queries: Vec<Value> = list.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(queries.len(), 2);
    assert!(queries.iter().all(|query| query["state"] == "stopped"), "{list}");
    assert_eq!(queries[0]["rows_written"], 2);

    let shown: Value = serde_json::from_str(&ok(&["query", "show", "shops", "--json"]).out).unwrap();
    let last = &shown["lastProgress"];
    assert_eq!((&last["name"], &last["numInputRows"]), (&"shops".into(), &2.into()), "{shown}");
    assert_eq!(last["sink"]["description"], "console");
    assert_eq!(last["stateOperators"][0]["numRowsTotal"], 1);
    assert!(last["durationMs"]["triggerExecution"].is_u64() && last["runId"].is_string());

    assert_eq!(ok(&["query", "start", "large"]).out.trim(), "query large runs");
    append(&http, serde_json::json!([{"shop": "c", "amount": 7}]));
    let large = || -> Value { serde_json::from_str(&ok(&["query", "show", "large"]).out).unwrap() };
    while large()["rows_written"] != 3 {}
    assert_eq!(large()["state"], "running");
    assert_eq!(ok(&["query", "stop", "large"]).out.trim(), "query large has stopped");
    assert_eq!(large()["state"], "stopped");
    let refused = run(dir.path(), &["query", "stop", "nobody", "--http", &http]);
    assert_eq!(
        (refused.code, refused.err.contains("query nobody does not exist")),
        (Some(1), true),
        "{refused:?}"
    );
}

#[test]
fn a_pipeline_runs_without_a_server_and_goes_on_where_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let rows = "CREATE STREAMING TABLE IF NOT EXISTS orders (shop STRING, amount DOUBLE) \
                USING kafka OPTIONS (topic 'orders');\n";
    std::fs::write(dir.path().join("p.sql"), format!("{rows}{PIPELINE}")).unwrap();
    {
        let (server, http) = http(dir.path());
        ureq::post(format!("http://{http}/api/sql")).send_json(serde_json::json!({ "sql": rows })).unwrap();
        append(&http, serde_json::json!([{"shop": "a", "amount": 5}, {"shop": "a", "amount": 2}]));
        let mut server = server;
        server.signal(rustix::process::Signal::TERM);
    }
    let args = ["run", "p.sql", "--data-dir", ".", "--available-now"];
    let said = run(dir.path(), &args);
    assert_eq!(said.code, Some(0), "{said:?}");
    // The console of the queries is the output of this process.
    assert!(said.out.contains("Batch: 0") && said.out.contains("|   a|  2|"), "{said:?}");
    let again = run(dir.path(), &args);
    assert_eq!((again.code, again.out.contains("Batch:")), (Some(0), false), "{again:?}");
}

#[test]
fn a_query_that_fails_is_said_by_the_code() {
    let dir = tempfile::tempdir().unwrap();
    let pipeline = "CREATE STREAMING TABLE orders (shop STRING) USING kafka OPTIONS (topic 'orders');
         CREATE STREAMING TABLE out USING json OPTIONS (path 'out') AS SELECT shop FROM STREAM orders;";
    std::fs::write(dir.path().join("p.sql"), pipeline).unwrap();
    let (_server, http) = http(dir.path());
    let mut command = pelton();
    command.args(["run", "p.sql", "--http", &http]).current_dir(dir.path());
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let running = command.spawn().unwrap();
    let listed = || run(dir.path(), &["query", "list", "--json", "--http", &http]).out;
    while !listed().contains(r#""name":"out""#) {}
    // A file stands where the manifest's directory has to be.
    std::fs::write(dir.path().join("out/_spark_metadata"), "").unwrap();
    append(&http, serde_json::json!([{"shop": "a"}]));
    let said = Said::of(running);
    assert_eq!(said.code, Some(1), "{said:?}");
    assert!(said.err.contains("query out failed: write the results: write files to out"), "{said:?}");
}
