//! `pelton model`: versions that are looked at, pinned, rolled back, and leave and return.

use std::process::Stdio;

use serde_json::Value;

use crate::running::{Running, Said, pelton};

const SETUP: &str = "-- two shelves
    CREATE STREAMING TABLE points (x DOUBLE, side STRING) USING kafka OPTIONS (topic 'points', maxOffsetsPerTrigger 1);
    CREATE MODEL sides OPTIONS (algorithm 'naive_bayes', label 'side') AS SELECT x, side FROM STREAM points";

#[test]
fn versions_are_pinned_rolled_back_exported_and_imported() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ready.json");
    let _server = Running::start(dir.path(), &["--ready-file", file.to_str().unwrap()]);
    let ready: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let http = ready["http"].as_str().unwrap().to_owned();
    let run = |args: &[&str]| {
        let mut command = pelton();
        command.args(args).env("PELTON_HTTP", &http).current_dir(dir.path());
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Said::of(command.spawn().unwrap())
    };
    let ok = |args: &[&str]| {
        let said = run(args);
        assert_eq!(said.code, Some(0), "{args:?}: {said:?}");
        said.out
    };
    ok(&["sql", SETUP]);
    let client = ureq::post(format!("http://{http}/api/topics/points/records"));
    let rows =
        serde_json::json!([{"x": 1, "side": "left"}, {"x": 9, "side": "right"}, {"x": 2, "side": "left"}]);
    client.send_json(rows).unwrap();
    let show = || -> Value { serde_json::from_str(&ok(&["model", "show", "sides"])).unwrap() };
    while show()["rows_learned"] != 3 {}

    assert!(ok(&["model", "list"]).contains("naive_bayes"));
    let exported = ok(&["model", "export", "sides", "--at", "1"]);
    std::fs::write(dir.path().join("sides.json"), exported).unwrap();
    assert_eq!(
        ok(&["model", "pin", "sides", "1"]).trim(),
        "model sides answers with version 1, and learns on"
    );
    assert_eq!(show()["serving"], 1);
    ok(&["model", "unpin", "sides"]);
    let newest = show()["version"].as_u64().unwrap();
    let said = ok(&["model", "rollback", "sides", "--to", "1"]);
    assert_eq!(said.trim(), format!("model sides learns on from version 1, as version {}", newest + 1));
    let said = ok(&["model", "import", "sides", "sides.json"]);
    assert_eq!(said.trim(), format!("model sides learns on as version {}", newest + 2));
    assert!(ok(&["model", "history", "sides"]).lines().count() > 3);
    let refused = run(&["model", "rollback", "sides", "--to", "99"]);
    assert_eq!((refused.code, refused.err.contains("no such version")), (Some(1), true), "{refused:?}");
}
